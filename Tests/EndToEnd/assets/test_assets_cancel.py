"""`:cancel`: at once where nothing runs, within five seconds where something does, and for good."""

import time

import pytest

from server import Gate, Hanging, busy
from service import SMALL, AssetService, Run

COUNT = 12


@pytest.fixture
def drive_folder(world) -> str:
    made = world.drive.folder()
    for number in range(COUNT):
        world.drive.add(f"{number}.txt", f"Text {number}.", made)
    return made


def assert_cancelled(run: Run, within: float = 5) -> dict:
    began = time.monotonic()
    response = run.cancel()
    assert response.status_code == 200, response.text
    run.note(response.json())
    operation = run.until(lambda operation: operation["done"], within=within)
    assert operation["status"] == "CANCELLED", operation
    assert time.monotonic() - began < within
    assert (operation["errorCode"], operation["errorMessage"]) == (None, None)
    return operation


def blocked(service: AssetService, world, tenant: str) -> tuple[list[Run], Gate]:
    """As many operations as run at once, waiting, and one more of the tenant."""
    gate = world.drive.hold("/drive/v3/files")
    runs = [service.begin_drive(world.drive.folder(), tenant) for _ in range(3)]
    gate.arrived(2)
    return runs, gate


def test_one_that_is_pending_is_cancelled_at_once_and_nothing_was_read(service, world, drive_folder):
    runs, gate = blocked(service, world, "pending")
    waiting = service.begin_drive(drive_folder, "pending")
    assert waiting.poll()["status"] == "PENDING" and waiting.view()["embeddingStatus"] == "PENDING"
    response = waiting.cancel()
    assert response.status_code == 200 and response.json()["status"] == "CANCELLED"
    waiting.note(response.json())
    assert response.json()["startedAt"] is None and is_after(response.json())
    assert waiting.view()["embeddingStatus"] == "CANCELLED"
    gate.open()
    for run in runs:
        run.finish()
    assert waiting.poll() == response.json() and not world.drive.calls_to(drive_folder)


def is_after(operation: dict) -> bool:
    return operation["completedAt"] >= operation["createdAt"]


@pytest.mark.parametrize("place", ["listing", "download", "embedding"])
def test_one_that_runs_is_cancelled_within_five_seconds_wherever_it_waits(service, world, drive_folder, place):
    server, text = {
        "listing": (world.drive, "q="), "download": (world.drive, "alt=media"), "embedding": (world.embedder, "/v1/embeddings"),
    }[place]
    gate = server.hold(text)
    run = service.begin_drive(drive_folder, embedding=SMALL)
    gate.arrived()
    assert_cancelled(run)
    asked = len(server.calls_to(text))
    gate.open()
    # No new document is begun.
    service.begin_upload("other.txt", "text").finish()
    assert len(server.calls_to(text)) == asked
    assert run.view()["vectorized"] is False


def test_one_that_waits_out_a_rate_limit_of_an_hour_is_cancelled(another_service, world, drive_folder):
    service = another_service({"sources": {"retry": {"attempts": 5, "base": 1, "max": 3600}}})
    world.drive.always("alt=media", busy(429, retry_after="3600"))
    run = service.begin_drive(drive_folder)
    run.until(lambda operation: len(world.drive.calls_to("alt=media")) > 0)
    assert_cancelled(run)


def test_one_whose_source_hangs_is_cancelled(service, world, drive_folder):
    world.drive.always("/drive/v3/files", Hanging())
    run = service.begin_drive(drive_folder)
    run.until(lambda operation: len(world.drive.calls) > 0)
    assert_cancelled(run)


def test_what_was_finished_stays_and_what_was_only_found_goes(service, world, drive_folder):
    gates = {id: world.drive.hold(f"/files/{id}?") for id, file in world.drive.files.items() if file.parent == drive_folder}
    run = service.begin_drive(drive_folder, embedding=SMALL)
    opened = 0
    while opened < 5:
        for id, gate in list(gates.items()):
            if gate.waiting:
                gate.open()
                del gates[id]
                opened += 1
        run.poll()
    run.until(lambda operation: operation["itemsProcessed"] >= 5)
    operation = assert_cancelled(run)
    for gate in gates.values():
        gate.open()
    documents = run.documents()
    assert {document["status"] for document in documents} == {"COMPLETED"}
    assert len(documents) == operation["itemsProcessed"] == run.view()["documentCount"] < COUNT
    assert operation["chunkCount"] == sum(len(run.chunks(document)) for document in documents)
    assert operation["tokenCount"] > 0 and operation["cost"] > 0
    assert operation["itemsTotal"] == COUNT
    # The rest comes with the next refresh, and what is there is not paid again.
    refresh = run.refresh().finish()
    assert refresh["itemsSkipped"] == operation["itemsProcessed"] and len(run.documents()) == COUNT


def test_documents_that_were_to_be_renewed_stay_as_they_were(service, world, drive_folder):
    run = service.begin_drive(drive_folder)
    run.finish()
    before = run.documents()
    for id, file in world.drive.files.items():
        if file.parent == drive_folder:
            world.drive.change(id, "renewed")
    gate = world.drive.hold("alt=media")
    refresh = run.refresh()
    gate.arrived()
    assert_cancelled(refresh)
    gate.open()
    assert run.documents() == before
    assert run.view()["embeddingStatus"] == "CANCELLED"
    assert run.view()["documentCount"] == COUNT


def test_one_that_is_done_is_not_changed(service, world):
    run = service.begin_upload("a.txt", "text")
    before = run.finish()
    for _ in range(2):
        response = run.cancel()
        assert response.status_code == 200 and response.json() == before
    assert run.poll() == before and run.view()["embeddingStatus"] == "COMPLETED"


def test_it_may_be_said_twice(service, world, drive_folder):
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(drive_folder)
    gate.arrived()
    assert run.cancel().status_code == 200
    assert_cancelled(run)
    gate.open()


def test_the_signal_is_kept_over_a_crash(another_service, world, drive_folder):
    service = another_service()
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(drive_folder)
    gate.arrived()
    assert run.cancel().status_code == 200
    service.kill()
    gate.open()
    asked = len(world.drive.calls_to("alt=media"))
    service.start()
    operation = run.until(lambda operation: operation["done"], within=5)
    assert operation["status"] == "CANCELLED"
    assert len(world.drive.calls_to("alt=media")) == asked
    run.refresh().finish()
    assert len(run.documents()) == COUNT


def test_after_it_the_asset_may_be_refreshed_at_once(service, world, drive_folder):
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(drive_folder)
    gate.arrived()
    assert_cancelled(run)
    gate.open()
    run.refresh().finish()
    assert len(run.documents()) == COUNT and run.view()["embeddingStatus"] == "COMPLETED"
