"""`:refresh`: what is the same costs nothing, what changed keeps its id, what vanished goes if the listing was whole."""

import pytest

from broker import assert_problem
from server import Answer, busy
from service import MODEL, AssetService, Run

NAMES = ["a.md", "b.md", "c.md", "d.md"]


@pytest.fixture
def files(world) -> dict[str, str]:
    """Drive ids by name, with their folder's under an empty name."""
    folder = world.drive.folder()
    return {"": folder} | {name: world.drive.add(name, f"# Title\n\nText of {name}", folder) for name in NAMES}


@pytest.fixture
def run(service, world, files) -> Run:
    made = service.begin_drive(files[""], embedding=MODEL)
    made.finish()
    world.drive.forget()
    world.embedder.forget()
    return made


def counters(operation: dict) -> dict:
    names = ("itemsTotal", "itemsProcessed", "itemsSkipped", "itemsFailed", "itemsRemoved", "chunkCount", "tokenCount")
    return {name: operation[name] for name in names if operation[name]}


def by_name(run: Run) -> dict[str, dict]:
    return {document["fileName"]: document for document in run.documents()}


def reads(world) -> int:
    return len(world.drive.calls_to("alt=media"))


# Skipped.


def test_a_refresh_is_202_with_the_address_of_its_operation(service, run):
    response = service.call("POST", f"/{run.asset}:refresh")
    assert response.status_code == 202 and response.json().keys() == {"asset", "operation"}
    operation = response.json()["operation"]
    assert operation["type"] == "REFRESH" and operation["id"] != run.operation
    assert response.headers["location"].endswith(f"/v1/tenants/acme/assets/{run.asset}/operations/{operation['id']}")
    Run.of(service, response, status=202).finish()


@pytest.mark.parametrize("options", [{}, {"json": {}}, {"json": {"force": False}}, {"json": {"force": None, "documentIds": None}}], ids=str)
def test_what_is_the_same_is_skipped_and_costs_nothing(service, world, run, options):
    before = by_name(run)
    made = Run.of(service, service.call("POST", f"/{run.asset}:refresh", **options), status=202)
    operation = made.finish()
    assert counters(operation) == {"itemsTotal": 4, "itemsProcessed": 4, "itemsSkipped": 4}
    assert operation["cost"] == 0 and not world.embedder.calls and reads(world) == 0
    assert by_name(run) == before


def test_force_skips_nothing(world, run):
    ids = {name: document["id"] for name, document in by_name(run).items()}
    operation = run.refresh(force=True).finish()
    assert operation["itemsSkipped"] == 0 and operation["itemsProcessed"] == 4
    assert operation["tokenCount"] == run.seen[-1]["tokenCount"] and reads(world) == 4
    assert len(world.embedder.inputs) == 4
    assert {name: document["id"] for name, document in by_name(run).items()} == ids


def test_what_changed_keeps_its_id_and_gets_its_new_chunks(world, files, run):
    before = by_name(run)
    world.drive.change(files["b.md"], "# Other\n\nNew text\n\n# More\n\nStill more")
    operation = run.refresh().finish()
    assert (operation["itemsSkipped"], operation["itemsFailed"], operation["itemsRemoved"]) == (3, 0, 0)
    assert operation["chunkCount"] == 2 and reads(world) == 1 and len(world.embedder.inputs) == 2
    after = by_name(run)
    assert after["b.md"]["id"] == before["b.md"]["id"] and after["b.md"]["chunkCount"] == 2
    assert run.text("b.md").split() == "# Other New text # More Still more".split()
    assert after["b.md"]["createdAt"] == before["b.md"]["createdAt"]
    assert after["b.md"]["processedAt"] > before["b.md"]["processedAt"]
    for name in ("a.md", "c.md", "d.md"):
        assert after[name] == before[name]


def test_a_renamed_file_of_the_same_bytes_keeps_its_id(world, files, run):
    before = by_name(run)
    world.drive.files[files["a.md"]].name = "z.md"
    run.refresh().finish()
    after = run.documents()
    assert len(after) == 4 and before["a.md"]["id"] in [document["id"] for document in after]


def test_readers_see_the_old_chunks_or_the_new_ones(service, world, files):
    """While long versions change place, every reading is one of them whole."""
    versions = ["\n\n".join(f"{word} {number} of this version, long enough for one chunk." for number in range(60)) for word in ("old", "new")]
    world.drive.change(files["a.md"], versions[0])
    run = service.begin_drive(files[""], embedding={"chunkSize": 16, "chunkOverlap": 0})
    run.finish()
    document = run.document("a.md")
    path = f"/{run.asset}/documents/{document['id']}/chunks"
    for turn in range(1, 7):
        world.drive.change(files["a.md"], versions[turn % 2])
        refresh = run.refresh()
        while True:
            done = refresh.poll()["done"]
            chunks = service.get(path, pageSize=1000).json()
            assert chunks["totalChunks"] == len(chunks["chunks"]) == 60
            assert len({chunk["content"].split()[0] for chunk in chunks["chunks"]}) == 1
            if done:
                break


def test_what_is_new_is_added(world, files, run):
    world.drive.add("e.md", "# New", files[""])
    operation = run.refresh().finish()
    assert (operation["itemsTotal"], operation["itemsSkipped"]) == (5, 4)
    assert run.names() == [*NAMES, "e.md"] and run.view()["documentCount"] == 5


# Vanished.


def test_what_vanished_is_removed(service, world, files, run):
    gone = by_name(run)["c.md"]
    world.drive.remove(files["c.md"])
    operation = run.refresh().finish()
    assert (operation["itemsRemoved"], operation["itemsSkipped"], operation["itemsTotal"]) == (1, 3, 3)
    assert run.names() == ["a.md", "b.md", "d.md"]
    assert_problem(service.get(f"/{run.asset}/documents/{gone['id']}"), 404, "not_found")
    view = run.view()
    assert (view["documentCount"], view["chunkCount"]) == (3, 3)


def test_an_emptied_source_is_emptied_here(world, files, run):
    for name in NAMES:
        world.drive.remove(files[name])
    operation = run.refresh().finish()
    assert operation["itemsRemoved"] == 4 and run.documents() == []


def test_nothing_is_removed_where_the_source_cut_its_listing_short(world, files, run):
    world.drive.remove(files["c.md"])
    world.drive.incomplete = True
    assert run.refresh().finish()["itemsRemoved"] == 0
    assert run.names() == NAMES
    world.drive.incomplete = False
    assert run.refresh().finish()["itemsRemoved"] == 1


def test_nothing_is_removed_where_the_listing_failed(world, files, run):
    for name in ("a.md", "c.md"):
        world.drive.remove(files[name])
    world.drive.page_size = 1
    world.drive.always("pageToken", busy(500))
    refresh = run.refresh()
    operation = refresh.finish("FAILED", within=40)
    assert operation["itemsRemoved"] == 0 and operation["errorCode"] == "source_rejected"
    assert run.names() == NAMES


def test_nothing_is_removed_where_it_was_cancelled(world, files, run):
    world.drive.remove(files["c.md"])
    world.drive.change(files["a.md"], "changed")
    gate = world.drive.hold("alt=media")
    refresh = run.refresh()
    gate.arrived()
    assert refresh.cancel().status_code == 200
    refresh.until(lambda operation: operation["done"])
    gate.open()
    assert refresh.poll()["status"] == "CANCELLED" and refresh.poll()["itemsRemoved"] == 0
    assert run.names() == NAMES and run.text("a.md") == "# Title\n\nText of a.md"


def test_nothing_is_removed_where_a_limit_cut_it_short(another_service, world, files):
    service = another_service({"sources": {"maxDocuments": 3}})
    run = service.begin_drive(files[""])
    operation = run.finish()
    assert operation["errorCode"] == "too_many_documents" and len(run.documents()) == 3
    read = run.names()
    world.drive.add("e.md", "more", files[""])
    world.drive.remove(files[read[0]])
    operation = run.refresh().finish()
    assert operation["itemsRemoved"] == 0 and operation["errorCode"] == "too_many_documents"
    assert read[0] in run.names()


def test_documents_are_kept_where_their_bytes_fail(world, files, run):
    """FAILED on a refresh keeps the chunks of before."""
    before = by_name(run)["b.md"]
    world.drive.change(files["b.md"], "never read")
    world.drive.always(f"/files/{files['b.md']}", Answer(403, b"{}", "application/json"))
    operation = run.refresh().finish(within=40)
    assert operation["itemsFailed"] == 1 and operation["errorCode"] == "documents_failed"
    after = by_name(run)["b.md"]
    assert (after["status"], after["errorCode"], after["id"]) == ("FAILED", "source_rejected", before["id"])
    assert after["chunkCount"] == before["chunkCount"] and after["processedAt"] == before["processedAt"]
    assert run.text(after) == "# Title\n\nText of b.md"
    assert run.view()["embeddingStatus"] == "PARTIAL"


def test_a_document_that_failed_is_tried_again_by_the_next_refresh(world, files, run):
    world.drive.change(files["b.md"], "read at last")
    world.drive.always(f"/files/{files['b.md']}", Answer(403, b"{}", "application/json"))
    run.refresh().finish(within=40)
    world.drive.usual()
    operation = run.refresh().finish()
    assert operation["itemsSkipped"] == 3
    document = by_name(run)["b.md"]
    assert (document["status"], document["errorCode"], document["errorMessage"]) == ("COMPLETED", None, None)
    assert run.text("b.md") == "read at last" and run.view()["embeddingStatus"] == "COMPLETED"


# Chosen documents.


def test_with_document_ids_only_those_are_looked_at(world, files, run):
    for name in NAMES:
        world.drive.change(files[name], f"new text of {name}")
    world.drive.remove(files["d.md"])
    world.drive.add("e.md", "new", files[""])
    chosen = [by_name(run)[name]["id"] for name in ("a.md", "b.md")]
    operation = run.refresh(documentIds=chosen).finish()
    assert (operation["itemsTotal"], operation["itemsProcessed"], operation["itemsRemoved"]) == (2, 2, 0)
    assert run.names() == NAMES
    assert run.text("a.md") == "new text of a.md" and run.text("c.md") == "# Title\n\nText of c.md"


def test_chosen_documents_of_the_same_version_are_skipped_unless_forced(world, run):
    chosen = [by_name(run)["a.md"]["id"]]
    assert run.refresh(documentIds=chosen).finish()["itemsSkipped"] == 1
    operation = run.refresh(documentIds=chosen, force=True).finish()
    assert (operation["itemsSkipped"], operation["itemsProcessed"], operation["chunkCount"]) == (0, 1, 1)


def test_a_chosen_document_that_the_source_has_no_more_stays(world, files, run):
    chosen = by_name(run)["c.md"]["id"]
    world.drive.remove(files["c.md"])
    refresh = run.refresh(documentIds=[chosen])
    assert refresh.until(lambda operation: operation["done"])["itemsRemoved"] == 0
    assert run.names() == NAMES


@pytest.mark.parametrize("members, code", [
    ({"documentIds": ["6b1f9c1e-52d4-4a0b-9d0e-3f6f6a1c2b7d"]}, "unknown_document"), ({"documentIds": []}, "invalid_request"),
    ({"documentIds": "x"}, "invalid_request"), ({"documentIds": [5]}, "invalid_request"), ({"force": "yes"}, "invalid_request"),
    ({"documentIds": ["not-an-id"]}, {"unknown_document", "invalid_request"}),
], ids=["unknown", "none", "text", "number", "force", "no-id"])
def test_a_bad_refresh_is_400(service, run, members, code):
    assert_problem(service.call("POST", f"/{run.asset}:refresh", json=members), 400, code)
    assert service.get(f"/{run.asset}/operations").json()["totalCount"] == 1


def test_another_assets_document_is_unknown_here(service, world, files, run):
    other = service.begin_upload("x.txt", "text")
    other.finish()
    [document] = other.documents()
    mine = by_name(run)["a.md"]["id"]
    response = service.call("POST", f"/{run.asset}:refresh", json={"documentIds": [mine, document["id"]]})
    assert_problem(response, 400, "unknown_document")


# One at a time.


def test_while_one_runs_another_is_409_and_names_it(service, world, files, run):
    gate = world.drive.hold("/drive/v3/files")
    first = run.refresh()
    gate.arrived()
    for members in ({}, {"force": True}):
        problem = assert_problem(service.call("POST", f"/{run.asset}:refresh", json=members), 409, "operation_in_progress")
        assert problem["operation"] == first.operation
    gate.open()
    first.finish()
    run.refresh().finish()


def test_of_many_at_once_one_is_taken(service, world, run):
    from concurrent.futures import ThreadPoolExecutor
    gate = world.drive.hold("/drive/v3/files")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: service.call("POST", f"/{run.asset}:refresh"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7
    [taken] = [answer for answer in answers if answer.status_code == 202]
    gate.open()
    Run.of(service, taken, status=202).finish()


# Uploads.


def test_a_file_asset_is_unchanged_unless_forced(service):
    run = service.begin_upload("a.txt", "the kept upload")
    run.finish()
    [before] = run.documents()
    operation = run.refresh().finish()
    assert counters(operation) == {"itemsTotal": 1, "itemsProcessed": 1, "itemsSkipped": 1}
    operation = run.refresh(force=True).finish()
    assert (operation["itemsSkipped"], operation["chunkCount"]) == (0, 1)
    [after] = run.documents()
    assert after["id"] == before["id"] and run.text(after) == "the kept upload"


def test_statuses_of_the_asset_are_those_of_its_last_operation(service: AssetService, world, files, run):
    assert run.view()["embeddingStatus"] == "COMPLETED" and run.view()["vectorized"]
    gate = world.drive.hold("/drive/v3/files")
    refresh = run.refresh()
    refresh.until(lambda operation: operation["status"] == "RUNNING")
    assert run.view()["embeddingStatus"] == "PROCESSING" and run.view()["vectorized"]
    gate.open()
    refresh.finish()
    world.drive.always("/drive/v3/files", Answer(403, b"{}", "application/json"))
    run.refresh().finish("FAILED", within=40)
    view = run.view()
    # What was embedded is embedded still.
    assert (view["embeddingStatus"], view["vectorized"], view["documentCount"]) == ("FAILED", True, 4)
