"""A service that dies without warning: what was counted stays, what was in work is begun again, nothing is doubled."""

import random
import sqlite3
import time

import httpx
import pytest

from service import SMALL, Run, pages

KILLS = 200
COUNT = 300


def filled(world, count: int, text: str = "Text {}, first part.\n\nText {}, second part of it.") -> dict[str, str]:
    """Drive ids by name, with their folder's under an empty name."""
    folder = world.drive.folder()
    return {"": folder} | {
        f"{number:04}.txt": world.drive.add(f"{number:04}.txt", text.format(number, number), folder) for number in range(count)}


# At random moments.


class Ledger:
    """What a client was told of the asset under fire, and what the source was asked since."""

    def __init__(self, world, files: dict[str, str]) -> None:
        self.world, self.files = world, files
        self.version = 0
        self.finished_at: dict[str, float] = {}

    def renew(self) -> None:
        """Every file changes, so that all is read anew."""
        self.version += 1
        self.finished_at = {}
        self.world.drive.forget()
        for name, id in self.files.items():
            if name:
                self.world.drive.change(id, self.text(name))

    def text(self, name: str) -> str:
        return f"Version {self.version} of {name}.\n\nIts second paragraph, which is longer than the first one."

    def look(self, run: Run) -> None:
        """Documents that this operation finished are not read again from now on."""
        started, documents = run.poll()["startedAt"], run.documents()
        now = time.monotonic()
        for document in documents:
            if started and document["status"] == "COMPLETED" and document["processedAt"] >= started:
                self.finished_at.setdefault(document["fileName"], now)

    def check(self, run: Run) -> int:
        """The asset after the end of an operation; gives how many documents were in work at too many crashes."""
        operation = run.until(lambda operation: operation["done"], within=60)
        assert operation["status"] == "COMPLETED", operation
        documents = {document["fileName"]: document for document in run.documents()}
        assert len(documents) == len(run.documents()) == COUNT
        assert operation["itemsTotal"] == operation["itemsProcessed"] == COUNT
        failed = [document for document in documents.values() if document["status"] != "COMPLETED"]
        assert {document["errorCode"] for document in failed} <= {"crashed"}
        assert operation["itemsFailed"] == len(failed) and operation["itemsSkipped"] == 0
        for name in random.sample(sorted(documents), 40):
            if documents[name]["status"] == "COMPLETED":
                found = run.chunks(documents[name])
                assert [chunk["chunkIndex"] for chunk in found] == list(range(len(found))) == list(range(documents[name]["chunkCount"]))
                assert run.text(documents[name]).split() == self.text(name).split()
        chunks = sum(document["chunkCount"] for document in documents.values() if document["status"] == "COMPLETED")
        assert operation["chunkCount"] == chunks
        for name, moment in self.finished_at.items():
            late = [call for call in self.world.drive.reads(self.files[name]) if call.at > moment]
            assert not late, f"{name} was counted and then read again"
        return len(failed)


def test_200_crashes_under_load_double_nothing_and_lose_nothing(another_service, world):
    files = filled(world, COUNT)
    ledger, random_times = Ledger(world, files), random.Random(7)
    ledger.renew()
    service = another_service({"log": {"level": "warning"}})
    run = service.begin_drive(files[""], embedding=SMALL)
    uploads: list[Run] = []
    crashed = operations = 0
    for kill in range(KILLS):
        if run.poll()["done"]:
            crashed += ledger.check(run)
            operations += 1
            ledger.renew()
            run = run.refresh()
        time.sleep(random_times.uniform(0, 0.3))
        if kill % 20 == 0:
            uploads.append(service.begin_upload(f"{kill}.txt", f"upload {kill}", payload={}))
        ledger.look(run)
        service.restart()
        ledger.look(run)
    crashed += ledger.check(run)
    assert operations >= 3, "the machine is too slow for this test to mean anything"
    assert crashed < COUNT * operations / 10
    for upload in uploads:
        upload.until(lambda operation: operation["done"])
        [document] = upload.documents()
        assert document["errorCode"] in (None, "crashed")
    service.process.terminate()
    assert service.wait() == 0
    with sqlite3.connect(service.installation.database) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# At chosen ones.


def test_an_upload_whose_201_was_sent_is_kept(another_service):
    service = another_service()
    for turn in range(8):
        run = service.begin_upload("a.txt", f"upload {turn} " * 20_000)
        service.restart()
        run.finish()
        assert run.text("a.txt").startswith(f"upload {turn} ")


def test_what_waits_goes_on_by_itself(another_service, world):
    service = another_service()
    files = filled(world, 3)
    gate = world.drive.hold("/drive/v3/files")
    runs = [service.begin_drive(files[""], tenant) for tenant in ("acme", "other", "third") for _ in range(3)]
    gate.arrived()
    statuses = {run.poll()["status"] for run in runs}
    assert statuses == {"PENDING", "RUNNING"}
    service.kill()
    gate.open()
    service.start()
    for run in runs:
        run.finish()
        assert len(run.documents()) == 3


def test_times_of_start_stay_over_a_restart(another_service, world):
    service = another_service()
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(filled(world, 3)[""])
    gate.arrived()
    before = run.until(lambda operation: operation["status"] == "RUNNING")
    service.kill()
    gate.open()
    service.start()
    after = run.finish()
    assert (after["startedAt"], after["createdAt"]) == (before["startedAt"], before["createdAt"])


def test_a_listing_that_was_cut_off_is_whole_in_the_end(another_service, world):
    service = another_service()
    files = filled(world, 50)
    world.drive.page_size = 10
    gate = world.drive.hold("pageToken")
    run = service.begin_drive(files[""])
    gate.arrived()
    run.until(lambda operation: operation["itemsProcessed"] >= 10)
    before = len(world.drive.calls_to("alt=media"))
    service.kill()
    gate.open()
    service.start()
    assert run.finish()["itemsTotal"] == 50
    assert run.names() == sorted(name for name in files if name)
    assert before >= 10 and len(world.drive.calls_to("alt=media")) == 50


def test_max_pages_counts_what_was_found_before_a_crash(another_service, world):
    service = another_service()
    world.site.page("/site/", "start", ["1", "2", "3"])
    for number in range(1, 20):
        world.site.page(f"/site/{number}", f"page {number}", [str(other) for other in range(4, 20)] if number == 3 else [])
    gate = world.site.hold("/site/3")
    run = service.begin("website", {"url": f"{world.site.url}/site/", "maxPages": 5})
    gate.arrived()
    run.until(lambda operation: operation["itemsProcessed"] == 3)
    service.kill()
    gate.open()
    service.start()
    assert run.finish()["itemsTotal"] == 5
    assert len(run.documents()) == 5


@pytest.mark.parametrize("place", ["download", "embedding"])
def test_a_document_in_work_at_three_ends_has_crashed_and_the_rest_goes_on(another_service, world, place):
    service = another_service()
    files = filled(world, 6)
    server, text = {
        "download": (world.drive, f"/files/{files['0003.txt']}?"), "embedding": (world.embedder, "/v1/embeddings"),
    }[place]
    if place == "embedding":
        for name in files:
            if name not in ("", "0003.txt"):
                world.drive.remove(files[name])
    count = len([file for file in world.drive.files.values() if file.parent == files[""]])
    gate = server.hold(text)
    run = service.begin_drive(files[""], embedding=SMALL)
    for turn in range(3):
        gate.arrived(turn + 1)
        run.until(lambda operation: operation["itemsProcessed"] == count - 1)
        service.kill()
        if turn < 2:
            service.start()
    service.start()
    operation = run.until(lambda operation: operation["done"])
    document = run.document("0003.txt")
    assert (document["status"], document["errorCode"], document["chunkCount"]) == ("FAILED", "crashed", 0)
    assert document["errorMessage"]
    assert operation["itemsFailed"] == 1 and operation["itemsProcessed"] == count
    assert operation["errorCode"] == "documents_failed"
    assert operation["status"] == ("COMPLETED" if count > 1 else "FAILED")
    assert gate.waiting == 3
    gate.open()
    # It is tried again when somebody asks for it.
    run.refresh().finish()
    assert run.document("0003.txt")["status"] == "COMPLETED"


def test_a_long_document_is_there_whole_or_not_at_all(another_service, world):
    """Cut off between two calls of the embedder."""
    service = another_service()
    folder = world.drive.folder()
    text = "\n\n".join(f"Paragraph {number} has its forty bytes of text." for number in range(400))
    world.drive.add("long.txt", text, folder)
    run = service.begin_drive(folder, embedding=SMALL)
    for calls in (2, 4):
        run.until(lambda operation: len(world.embedder.calls) >= calls or operation["done"])
        if run.poll()["done"]:
            break
        service.kill()
        service.start()
        document = run.document("long.txt")
        # It goes on at once, and may be done before it is looked at.
        assert document["chunkCount"] in (0, len(run.chunks(document)))
        operation = run.poll()
        assert (operation["chunkCount"] == 0) == (operation["itemsProcessed"] == 0)
    operation = run.finish()
    assert operation["chunkCount"] == len(run.chunks("long.txt")) == 400
    assert run.text("long.txt").split() == text.split()


def test_a_deletion_is_not_undone_by_a_crash(another_service, world):
    service = another_service()
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(filled(world, 3)[""])
    gate.arrived()
    assert run.delete().status_code == 204
    service.kill()
    gate.open()
    service.start()
    assert service.get(f"/{run.asset}").status_code == 404
    assert pages(service, "", "acme", "items") == []


def test_a_refresh_that_was_cut_off_keeps_the_old_chunks_until_the_new_are_there(another_service, world):
    service = another_service()
    files = filled(world, 2)
    run = service.begin_drive(files[""])
    run.finish()
    for name in ("0000.txt", "0001.txt"):
        world.drive.change(files[name], f"new text of {name}")
    gate = world.drive.hold("alt=media")
    refresh = run.refresh()
    gate.arrived(2)
    service.restart()
    assert run.text("0000.txt").startswith("Text 0, first part.")
    gate.open()
    refresh.finish()
    assert run.text("0000.txt") == "new text of 0000.txt"


def test_a_request_cut_off_by_a_crash_leaves_nothing_half_made(another_service):
    """Uploads that never got an answer: there is an asset with an operation, or there is none."""
    service = another_service()
    for turn in range(10):
        body = f"text {turn} " * 100_000
        try:
            with httpx.Client(base_url=service.url, timeout=0.01 + turn / 500, trust_env=False) as client:
                client.post("/v1/tenants/acme/assets:file", headers=service.bearer(), files={"File": ("a.txt", body)})
        except httpx.TransportError:
            pass
        service.restart()
    for asset in pages(service, "", "acme", "items"):
        [operation] = service.get(f"/{asset['id']}/operations").json()["items"]
        run = Run(service, "acme", asset["id"], operation["id"])
        run.until(lambda operation: operation["done"])
        assert {document["errorCode"] for document in run.documents()} <= {None, "crashed"}
    stored = [path for path in service.installation.uploads.rglob("*") if path.is_file()]
    assert len(stored) == service.get().json()["totalCount"]
