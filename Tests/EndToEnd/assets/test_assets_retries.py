"""Faults that pass: what is tried again, when, how often, and what is not."""

import time
from email.utils import formatdate

import pytest

import drive as drives
import github as githubs
from server import Answer, Closed, Cut, Reset, Server, busy

PASSING = {
    "429": lambda: busy(429), "500": lambda: busy(500), "502": lambda: busy(502), "503": lambda: busy(503), "504": lambda: busy(504),
    "reset": Reset, "closed": Closed, "cut": lambda: Cut(body=b"half"),
    "403 rate limit": lambda: drives.rate_limit("rateLimitExceeded"), "403 user limit": lambda: drives.rate_limit(),
}


@pytest.fixture
def drive_folder(world) -> str:
    return world.drive.folder()


def gaps(server: Server, text: str) -> list[float]:
    """Seconds between the calls."""
    times = [call.at for call in server.calls_to(text)]
    return [after - before for before, after in zip(times, times[1:])]


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again_wherever_it_comes(service, world, drive_folder, name):
    file = world.drive.add("a.txt", "read at last", drive_folder)
    world.drive.next(f"/files/{file}?", PASSING[name]())
    world.drive.next("q=", PASSING[name]())
    run = service.begin_drive(drive_folder)
    operation = run.finish()
    assert operation["itemsFailed"] == 0 and run.text("a.txt") == "read at last"
    assert len(world.drive.reads(file)) == 2


@pytest.mark.parametrize("name", PASSING)
def test_it_is_tried_so_many_times_and_no_more(service, world, drive_folder, name):
    file = world.drive.add("bad.txt", "never", drive_folder)
    world.drive.add("good.txt", "text", drive_folder)
    world.drive.always(f"/files/{file}?", PASSING[name]())
    run = service.begin_drive(drive_folder)
    run.finish(within=40)
    # A kept connection that was closed meanwhile is no try: the request is sent again on a new one (RFC 9110 § 9.2.2).
    assert 3 <= len(world.drive.reads(file)) <= (6 if name in ("reset", "closed") else 3)
    expected = "source_unreachable" if name in ("reset", "closed", "cut") else "source_rejected"
    document = run.document("bad.txt")
    assert (document["status"], document["errorCode"]) == ("FAILED", expected) and document["errorMessage"]


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 422, 501])
def test_what_does_not_pass_is_not_tried_again(service, world, drive_folder, status):
    file = world.drive.add("bad.txt", "never", drive_folder)
    world.drive.add("good.txt", "text", drive_folder)
    world.drive.always(f"/files/{file}?", Answer(status, b"{}", "application/json"))
    run = service.begin_drive(drive_folder)
    run.finish()
    assert len(world.drive.reads(file)) == 1
    assert [document["fileName"] for document in run.documents() if document["status"] == "COMPLETED"] == ["good.txt"]


# When.


def late(seconds: int) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize("answer, least, most", [
    (lambda: busy(429, retry_after="2"), 1.9, 4), (lambda: busy(503, retry_after="2"), 1.9, 4),
    (lambda: busy(429, retry_after=late(3)), 1.5, 5), (lambda: githubs.rate_limit(3), 1.5, 5),
    (lambda: busy(429, retry_after="0"), 0, 2.5), (lambda: busy(429, retry_after=late(-100)), 0, 2.5),
    (lambda: busy(429, retry_after="soon"), 0.2, 3), (lambda: busy(429, retry_after="-5"), 0, 3),
], ids=["seconds", "503", "date", "reset", "zero", "past", "nonsense", "negative"])
def test_it_waits_as_long_as_the_source_says(another_service, world, answer, least, most):
    service = another_service({"sources": {"retry": {"attempts": 2, "base": 1, "max": 30}}})
    repository = world.github.repository({"a.md": "text"})
    world.github.next("/git/trees/", answer())
    run = service.begin("github", {"repository": repository})
    run.finish()
    [gap] = gaps(world.github, "/git/trees/")
    assert least <= gap <= most


def test_it_waits_at_most_so_long(another_service, world):
    """A source that asks for an hour is asked again after `max`."""
    service = another_service({"sources": {"retry": {"attempts": 2, "base": 1, "max": 2}}})
    repository = world.github.repository({"a.md": "text"})
    world.github.next("/git/trees/", busy(429, retry_after="3600"))
    service.begin("github", {"repository": repository}).finish()
    [gap] = gaps(world.github, "/git/trees/")
    assert 1 <= gap <= 4


def test_it_waits_twice_as_long_each_time(another_service, world):
    service = another_service({"sources": {"retry": {"attempts": 4, "base": 1, "max": 30}}})
    repository = world.github.repository({"a.md": "text"})
    world.github.next("/git/trees/", busy(500), busy(500), busy(500))
    service.begin("github", {"repository": repository}).finish(within=40)
    first, second, third = gaps(world.github, "/git/trees/")
    # With jitter: each wait is between nothing much and its whole, or a little more.
    assert first <= 2.5 and second <= 4.5 and third <= 8.5
    assert first + second + third >= 2


def test_githubs_limit_is_told_from_a_refusal(service, world):
    """403 with the signs of a limit is tried again, without them it is not."""
    repository = world.github.repository({"a.md": "text"})
    world.github.next("/git/trees/", githubs.rate_limit(1))
    service.begin("github", {"repository": repository}).finish()
    world.github.next("/git/trees/", Answer(403, b'{"message": "You have exceeded a secondary rate limit"}', "application/json", {"Retry-After": "1"}))
    service.begin("github", {"repository": repository}).finish()
    world.github.forget()
    world.github.always("/git/trees/", Answer(403, b'{"message": "Resource not accessible by integration"}', "application/json"))
    run = service.begin("github", {"repository": repository})
    assert run.finish("FAILED")["errorCode"] == "source_rejected"
    assert len(world.github.calls_to("/git/trees/")) == 1


def test_one_document_waiting_holds_nobody_else_up(another_service, world, drive_folder):
    """Not even when as many wait as there are places."""
    service = another_service({"sources": {"retry": {"attempts": 3, "base": 1, "max": 30}}})
    waiting = [world.drive.add(f"waits{number}.txt", "late", drive_folder) for number in range(6)]
    for number in range(30):
        world.drive.add(f"{number:02}.txt", "quick", drive_folder)
    for file in waiting:
        world.drive.next(f"/files/{file}?", busy(429, retry_after="8"))
    run = service.begin_drive(drive_folder)
    run.until(lambda operation: operation["itemsProcessed"] >= 30, within=6)
    other = service.begin_upload("other.txt", "text")
    other.finish(within=5)
    run.finish(within=60)
    assert all(document["status"] == "COMPLETED" for document in run.documents())


# What sources say that is no document and no fault of the network.


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"null", b'{"files": 5}', b'{"files": [5]}', b"[" * 100_000, b'{"files": [{}]}'], ids=ascii)
def test_a_listing_that_is_none_is_rejected(service, world, drive_folder, body):
    world.drive.always("q=", Answer(200, body, "application/json"))
    run = service.begin_drive(drive_folder)
    operation = run.until(lambda operation: operation["done"], within=40)
    if operation["status"] == "COMPLETED":
        assert run.documents() == []  # members that are none may be passed over
    else:
        assert operation["errorCode"] == "source_rejected"
