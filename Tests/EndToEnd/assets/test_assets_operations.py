"""Operations: states, counters that never go back, documents, cost."""

import threading

import pytest

import operations
from broker import assert_problem
from embedder import PRICE, tokens_of
from operations import assert_later, assert_sound, is_time
from server import Answer
from service import MODEL, SMALL, AssetService, Run

DOCUMENT = {
    "id", "assetId", "fileName", "contentType", "sourceUrl", "fileSize", "chunkCount", "tokenCount", "status",
    "errorMessage", "errorCode", "createdAt", "modifiedAt", "processedAt",
}


def folder_of(world, count: int, text: str = "Document {}: a line of some length.\n\nAnd another one.") -> str:
    folder = world.drive.folder()
    for number in range(count):
        world.drive.add(f"{number:05}.txt", text.format(number), folder)
    return folder


# States.


def test_an_operation_is_told_alone_as_in_the_list(service):
    run = service.begin_upload("a.txt", "text")
    operation = run.finish()
    assert service.get(f"/{run.asset}/operations").json()["items"] == [operation]


def test_it_goes_from_pending_by_running_to_completed(service, world):
    gate = world.drive.hold("/drive/v3/files")
    run = service.begin_drive(folder_of(world, 2))
    assert run.seen[0]["status"] in ("PENDING", "RUNNING") and run.seen[0]["itemsTotal"] == 0
    running = run.until(lambda operation: operation["status"] == "RUNNING")
    assert is_time(running["startedAt"]) and running["completedAt"] is None
    gate.open()
    done = run.finish()
    assert done["startedAt"] <= done["completedAt"] and (done["errorCode"], done["errorMessage"]) == (None, None)


def test_an_empty_source_is_completed(service, world):
    run = service.begin_drive(world.drive.folder(), embedding=MODEL)
    operation = run.finish()
    assert operation["itemsTotal"] == 0 and operation["cost"] == 0 and run.view()["vectorized"] is True


def test_one_document_that_worked_is_enough_to_complete(service, world):
    folder = folder_of(world, 1)
    for number in range(3):
        world.drive.add(f"broken{number}.txt", b"NUL \x00 is no text", folder)
    run = service.begin_drive(folder, embedding=MODEL)
    operation = run.finish()
    assert (operation["itemsTotal"], operation["itemsProcessed"], operation["itemsFailed"]) == (4, 4, 3)
    assert operation["errorCode"] == "documents_failed" and "3" in operation["errorMessage"]
    view = run.view()
    assert (view["embeddingStatus"], view["vectorized"]) == ("PARTIAL", True)
    assert {document["status"] for document in run.documents()} == {"COMPLETED", "FAILED"}


def test_if_every_document_failed_it_failed(service, world):
    folder = world.drive.folder()
    for number in range(3):
        world.drive.add(f"broken{number}.txt", b"NUL \x00 is no text", folder)
    run = service.begin_drive(folder, embedding=MODEL)
    operation = run.finish("FAILED")
    assert operation["errorCode"] == "documents_failed" and operation["itemsFailed"] == 3
    view = run.view()
    assert (view["embeddingStatus"], view["vectorized"]) == ("FAILED", False)
    assert {document["errorCode"] for document in run.documents()} == {"unreadable"}


def test_a_source_that_cannot_be_listed_fails_it(service, world):
    world.drive.always("/drive/v3/files", Answer(400, b"{}", "application/json"))
    run = service.begin_drive("nowhere")
    operation = run.finish("FAILED")
    assert operation["errorCode"] == "source_rejected" and operation["errorMessage"]
    assert run.documents() == []


def test_an_operation_belongs_to_its_caller_and_tenant(service, world):
    address = world.site.page("/callers/", "text")
    body = {"config": {"sourceType": "website", "parameters": {"url": address}}}
    run = Run.of(service, service.call("POST", "", "tenant.of-Ada", service.bearer("tenant.of-Ada", sub="ada"), json=body), "tenant.of-Ada")
    operation = run.finish()
    assert (operation["createdBy"], operation["tenantId"]) == ("ada", "tenant.of-Ada")
    response = service.call("POST", f"/{run.asset}:refresh", "tenant.of-Ada", service.bearer("tenant.of-Ada", sub="bob"))
    refresh = Run.of(service, response, "tenant.of-Ada", 202)
    assert refresh.finish()["createdBy"] == "bob" and run.view()["createdBy"] == "ada"


# Counters.


def test_counters_never_go_back_in_whatever_order_they_are_polled(service, world):
    """Eight pollers, of the operation and of the list, from the first moment to the last."""
    folder = folder_of(world, 400)
    world.drive.page_size = 20
    run = service.begin_drive(folder, embedding=SMALL)
    faults: list[BaseException] = []
    polls = [0]

    def poll(number: int) -> None:
        previous = None
        try:
            while previous is None or not previous["done"]:
                if number % 2:
                    [operation] = service.get(f"/{run.asset}/operations").json()["items"]
                else:
                    operation = service.get(run.path).json()
                assert_sound(operation)
                if previous:
                    assert_later(previous, operation)
                previous = operation
                polls[0] += 1
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=poll, args=(number,), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not faults, faults[0]
    assert polls[0] > 16
    operation = run.finish()
    assert operation["itemsTotal"] == operation["itemsProcessed"] == 400


def test_what_is_counted_is_there(service, world):
    """Whatever a poll says is finished is among the documents that are listed after it."""
    run = service.begin_drive(folder_of(world, 150))
    while True:
        operation = run.poll()
        documents = service.get(f"/{run.asset}/documents", pageSize=1000).json()["items"]
        finished = [document for document in documents if document["status"] in ("COMPLETED", "FAILED")]
        assert len(finished) >= operation["itemsProcessed"]
        assert sum(document["chunkCount"] for document in finished) >= operation["chunkCount"]
        if operation["done"]:
            break


def test_at_the_end_the_counters_are_the_sums_over_the_documents(service, world):
    run = service.begin_drive(folder_of(world, 30), embedding={"chunkSize": 16, "chunkOverlap": 0})
    operation = run.finish()
    documents = run.documents()
    chunks = {document["id"]: run.chunks(document) for document in documents}
    assert operation["chunkCount"] == sum(map(len, chunks.values())) == run.view()["chunkCount"]
    assert operation["tokenCount"] == sum(document["tokenCount"] for document in documents)
    for document in documents:
        assert document["chunkCount"] == len(chunks[document["id"]])
        assert document["tokenCount"] == sum(chunk["tokenCount"] for chunk in chunks[document["id"]])


def test_the_total_grows_while_the_source_is_listed(service, world):
    folder = folder_of(world, 30)
    world.drive.page_size = 10
    gate = world.drive.hold("pageToken")
    run = service.begin_drive(folder)
    gate.arrived()
    assert run.until(lambda operation: operation["itemsTotal"] > 0)["itemsTotal"] == 10
    gate.open()
    assert run.finish()["itemsTotal"] == 30


# Documents.


def test_a_document_has_its_members(service, world):
    folder = world.drive.folder()
    id = world.drive.add("Notes.md", "# Notes\n\nText", folder)
    run = service.begin_drive(folder)
    run.finish()
    [document] = run.documents()
    assert document.keys() == DOCUMENT
    assert service.get(f"/{run.asset}/documents/{document['id']}").json() == document
    assert document | {"id": 0, "createdAt": 0, "modifiedAt": 0, "processedAt": 0, "sourceUrl": 0} == {
        "id": 0, "assetId": run.asset, "fileName": "Notes.md", "contentType": "text/markdown", "sourceUrl": 0, "fileSize": 13,
        "chunkCount": 1, "tokenCount": 4, "status": "COMPLETED", "errorMessage": None, "errorCode": None,
        "createdAt": 0, "modifiedAt": 0, "processedAt": 0}
    assert document["sourceUrl"] == f"https://drive.google.com/file/d/{id}/view"
    assert all(is_time(document[name]) for name in ("createdAt", "modifiedAt", "processedAt"))


def test_a_document_is_pending_then_processing_then_completed(service, world):
    folder = folder_of(world, 12)
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(folder)
    gate.arrived()
    run.until(lambda operation: operation["itemsTotal"] == 12)
    documents = run.documents()
    statuses = {document["status"] for document in documents}
    assert "PROCESSING" in statuses and statuses <= {"PENDING", "PROCESSING"}
    assert all((document["processedAt"], document["chunkCount"]) == (None, 0) for document in documents)
    gate.open()
    run.finish()
    assert {document["status"] for document in run.documents()} == {"COMPLETED"}


def test_a_document_without_text_is_completed_with_no_chunk(service, world):
    for name, content in [("spaces.txt", " \n\t\n  "), ("empty.html", "<html><body><script>x()</script></body></html>")]:
        run = service.begin_upload(name, content, payload={})
        operation = run.finish()
        document = run.document(name)
        assert (document["status"], document["chunkCount"], operation["chunkCount"], operation["tokenCount"]) == ("COMPLETED", 0, 0, 0)
        page = service.get(f"/{run.asset}/documents/{document['id']}/chunks").json()
        assert page == {"documentId": document["id"], "chunks": [], "totalChunks": 0, "nextPageToken": None}


# Cost.


def test_tokens_are_what_the_embedder_says(service, world):
    run = service.begin_drive(folder_of(world, 20), embedding=SMALL)
    operation = run.finish()
    assert operation["tokenCount"] == sum(map(tokens_of, world.embedder.inputs))
    assert operation["cost"] == pytest.approx(operation["tokenCount"] * PRICE / 1_000_000, abs=1e-10)
    assert operation["chunkCount"] == len(world.embedder.inputs)


def test_tokens_are_the_counters_where_the_embedder_says_nothing(service, world):
    world.embedder.made.usage = False
    run = service.begin_drive(folder_of(world, 5), embedding=SMALL)
    operation = run.finish()
    chunks = [chunk for document in run.documents() for chunk in run.chunks(document)]
    assert operation["tokenCount"] == sum(chunk["tokenCount"] for chunk in chunks)


def test_the_budget_of_an_asset_is_the_sum_over_its_operations(service, world):
    run = service.begin_drive(folder_of(world, 3), embedding=MODEL)
    first = run.finish()
    second = run.refresh(force=True).finish()
    budget = run.view()["budget"]
    assert budget["totalTokenCount"] == first["tokenCount"] + second["tokenCount"]
    assert budget["totalCost"] == pytest.approx(first["cost"] + second["cost"], abs=1e-10)
    assert budget["pricePerMillionTokens"] == PRICE


def test_a_changed_price_changes_old_operations_too(another_service, world):
    service = another_service()
    run = service.begin_drive(folder_of(world, 3), embedding=MODEL)
    before = run.finish()
    for price in (0.13, 0, 1234.5678):
        model = service.installation.settings["embedding"]["models"][0] | {"pricePerMillionTokens": price}
        restarted(service, {"models": [model]})
        after = run.poll()
        operations.assert_cost(after, price)
        assert operations.without(after, "cost") == operations.without(before, "cost")
        assert run.view()["budget"]["pricePerMillionTokens"] == price


def test_the_cost_is_null_where_the_model_is_configured_no_more(another_service, world):
    service = another_service()
    run = service.begin_drive(folder_of(world, 3), embedding=MODEL)
    run.finish()
    model = service.installation.settings["embedding"]["models"][0] | {"model": "another"}
    restarted(service, {"models": [model]})
    assert run.poll()["cost"] is None
    assert run.view()["budget"]["totalCost"] is None
    # Nor can it be embedded anew.
    response = service.call("POST", f"/{run.asset}:refresh", json={"force": True})
    if response.status_code == 202:
        assert Run.of(service, response, status=202).until(lambda operation: operation["done"])["status"] == "FAILED"
    else:
        assert_problem(response, 400, "unknown_embedding_model")


def restarted(service: AssetService, embedding: dict) -> None:
    service.process.terminate()
    assert service.wait() == 0
    service.installation.change(embedding=embedding)
    service.start()
