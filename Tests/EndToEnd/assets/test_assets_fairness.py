"""At most `workers.operations` run at once, at most half of them of one tenant."""

import pytest

from broker import eventually
from service import AssetService, Run


def running(runs: list[Run]) -> int:
    return sum(run.poll()["status"] == "RUNNING" for run in runs)


def begun(service: AssetService, world, tenant: str, count: int) -> list[Run]:
    return [service.begin_drive(world.drive.folder(), tenant) for _ in range(count)]


@pytest.mark.parametrize("operations, share", [(4, 2), (3, 2), (1, 1), (2, 1), (5, 3)])
def test_a_tenant_has_at_most_half_of_the_places_rounded_up(another_service, world, operations, share):
    service = another_service({"workers": {"operations": operations}})
    gate = world.drive.hold("/drive/v3/files")
    runs = begun(service, world, "acme", operations + 2)
    gate.arrived(share)
    eventually(lambda: running(runs) == share, what="the share is taken")
    # A second tenant gets places at once where there are any.
    others = begun(service, world, "other", operations)
    free = min(share, operations - share)
    eventually(lambda: running(others) == free, what="the rest goes to others")
    assert running(runs) == share
    assert gate.waiting == share + free <= operations
    gate.open()
    for run in runs + others:
        run.finish(within=60)


def test_a_tenant_with_a_hundred_operations_delays_nobody(service, world):
    gate = world.drive.hold("/drive/v3/files")
    folder = world.drive.folder()
    token = world.own_token()
    runs = [service.begin_drive(folder, "flood", auth=token) for _ in range(100)]
    gate.arrived(2)
    for tenant in ("quiet", "calm"):
        other = service.begin_upload("a.txt", "text", tenant=tenant)
        other.finish(within=5)
    assert running(runs) == 2
    gate.open()
    for run in runs:
        run.finish(within=90)


def test_operations_of_a_tenant_are_begun_in_the_order_in_which_they_came(another_service, world):
    service = another_service({"workers": {"operations": 1}})
    gate = world.drive.hold("/drive/v3/files")
    runs = begun(service, world, "acme", 5)
    gate.open()
    started = [run.finish()["startedAt"] for run in runs]
    assert started == sorted(started)


def test_a_document_that_waits_holds_nobody_else_up(service, world):
    """Not in its own operation either, as long as there is a place of its documents."""
    folder = world.drive.folder()
    slow = world.drive.add("slow.txt", "slow", folder)
    for number in range(40):
        world.drive.add(f"{number}.txt", "quick", folder)
    gate = world.drive.hold(f"/files/{slow}?")
    run = service.begin_drive(folder)
    run.until(lambda operation: operation["itemsProcessed"] == 40)
    gate.open()
    run.finish()


def test_documents_of_one_operation_are_read_some_at_once(another_service, world):
    service = another_service({"workers": {"documents": 3}})
    folder = world.drive.folder()
    for number in range(10):
        world.drive.add(f"{number}.txt", "text", folder)
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(folder)
    gate.arrived(3)
    run.until(lambda operation: operation["itemsTotal"] == 10)
    assert gate.waiting == 3
    gate.open()
    run.finish()
