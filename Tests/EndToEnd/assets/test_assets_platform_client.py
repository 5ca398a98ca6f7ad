"""`fruxon==2.0.2`, the platform's own client, is served as the platform serves it."""

import pytest
from fruxon import FruxonClient
from fruxon.exceptions import ConflictError, NotFoundError, ValidationError

from files import docx, paragraph, pdf
from platform_client import PlatformClient, finished
from server import Answer
from service import MODEL, SMALL, AssetService, Run

# Its exit codes.
FAILED, AUTH, NOT_FOUND, VALIDATION, NETWORK, CONFIRM = 1, 10, 11, 12, 15, 16


@pytest.fixture
def client(service) -> PlatformClient:
    return PlatformClient(service)


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "Handbook.md"
    made.write_text("# Handbook\n\nSome text.")
    return made


def created(client: PlatformClient, *arguments: str) -> str:
    result = client("create", *arguments, "-o", "id")
    assert result.status == 0, result.err
    return result.out.strip()


def ingested(client: PlatformClient, *arguments: str) -> str:
    """An asset that was created and read. The client takes a second to start: it does not wait here."""
    asset = created(client, *arguments)
    [operation] = client.service.get(f"/{asset}/operations").json()["items"]
    Run(client.service, "acme", asset, operation["id"]).finish()
    return asset


# Create.


def test_a_file_is_uploaded_and_waited_for_and_read(client, file):
    asset = created(client, "--file", file)
    assert client("wait", asset, "--poll-interval", "0.1").json["status"] == "COMPLETED"
    [document] = client("documents", asset).json
    assert (document["fileName"], document["chunkCount"], document["status"]) == ("Handbook.md", 1, "COMPLETED")
    assert isinstance(document["createdAt"], int) and isinstance(document["processedAt"], int) and document["fileSize"] == 22
    [chunk] = client("chunks", asset, document["id"]).json
    assert (chunk["content"], chunk["headingPath"], chunk["chunkIndex"]) == ("# Handbook\n\nSome text.", "Handbook", 0)
    assert chunk["tokenCount"] == 6


def test_what_is_created_is_told_as_json(client, file):
    answer = client("create", "--file", file, "-o", "json").json
    assert answer.keys() == {"asset", "operation"}
    assert answer["operation"]["assetId"] == answer["asset"]["id"] and answer["asset"]["displayName"] == "Handbook.md"


def test_a_name_is_given_by_a_second_call(client, file):
    answer = client("create", "--file", file, "--name", "Support handbook", "-o", "json").json
    assert answer["asset"]["displayName"] == "Support handbook"
    assert client("get", answer["asset"]["id"]).json["displayName"] == "Support handbook"


def test_a_file_is_vectorized(client, file):
    asset = created(client, "--file", file, "--vectorize", "--embedding-model", f"openai/{MODEL['model']}", "--embedding-llm-config-id", "6f1c")
    client("wait", asset, "--poll-interval", "0.1").json
    view = client("get", asset).json
    assert (view["vectorized"], view["embeddingStatus"], view["type"]) == (True, "COMPLETED", "file")
    assert client.service.get(f"/{asset}").json()["embeddingLlmConfigId"] == "6f1c"


@pytest.mark.parametrize("name", ['with "quotes".txt', "back\\slash.txt", "Größe 🎉.txt", "semi;colon, comma = equals.txt", "per%22cent.txt", "a'b.txt"])
def test_odd_names_of_files_arrive(client, tmp_path, name):
    (tmp_path / name).write_text("text")
    asset = ingested(client, "--file", tmp_path / name)
    assert [document["fileName"] for document in client("documents", asset).json] == [name]


@pytest.mark.parametrize("name, content", [("a.pdf", pdf("text")), ("a.docx", docx(paragraph("text"))), ("a.html", b"<p>text"), ("a.csv", b"text,1")], ids=["pdf", "docx", "html", "csv"])
def test_every_kind_of_file_arrives(client, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    asset = ingested(client, "--file", tmp_path / name)
    [document] = client("documents", asset).json
    assert "text" in client("chunks", asset, document["id"]).json[0]["content"]


@pytest.mark.parametrize("size", [1.5, 1.9])
def test_a_file_that_is_too_large_is_a_413_and_no_broken_connection(another_service, tmp_path, size):
    """The client reads when it has sent everything."""
    limit = 2_000_000
    client = PlatformClient(another_service({"limits": {"uploadBytes": limit}}))
    (tmp_path / "large.txt").write_bytes(b"a" * int(limit * size))
    result = client("create", "--file", tmp_path / "large.txt")
    assert result.status == FAILED and "413" in result.error["message"]


def test_a_type_that_is_not_supported_is_a_415(client, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    result = client("create", "--file", tmp_path / "a.png")
    assert result.status == FAILED and "415" in result.error["message"]


def test_an_unknown_model_and_an_empty_file_are_validation(client, file, tmp_path):
    result = client("create", "--file", file, "--vectorize", "--embedding-model", "openai/another", "--embedding-llm-config-id", "x")
    assert result.status == VALIDATION
    (tmp_path / "empty.txt").write_bytes(b"")
    assert client("create", "--file", tmp_path / "empty.txt").status == VALIDATION


# Wait.


@pytest.fixture
def drive_folder(world) -> str:
    made = world.drive.folder()
    for number in range(3):
        world.drive.add(f"{number}.txt", "text", made)
    return made


def test_it_waits_until_the_operation_is_done(client, service, world, drive_folder):
    gate = world.drive.hold("/drive/v3/files")
    run = service.begin_drive(drive_folder)
    waiting = client.begin("wait", run.asset, "--poll-interval", "0.1")
    gate.arrived()
    assert waiting.poll() is None
    gate.open()
    assert finished(waiting).json["id"] == run.operation


def test_a_new_operation_is_waited_for_though_an_old_one_is_completed(client, service, world, drive_folder):
    run = service.begin_drive(drive_folder)
    run.finish()
    for _ in range(3):
        gate = world.drive.hold("/drive/v3/files")
        refresh = run.refresh()
        gate.arrived()
        result = client("wait", run.asset, "--timeout", "1", "--poll-interval", "0.2")
        assert result.status == FAILED and "Timed out" in result.error["message"], result
        gate.open()
        world.drive.usual()
        assert client("wait", run.asset, "--poll-interval", "0.1").json["id"] == refresh.operation


def test_a_given_operation_is_waited_for(client, service, world, drive_folder):
    run = service.begin_drive(drive_folder)
    run.finish()
    refresh = run.refresh()
    refresh.finish()
    for each in (run, refresh):
        assert client("wait", each.asset, "--operation", each.operation).json["id"] == each.operation


def test_a_failure_is_told_with_its_reason(client, service, world, drive_folder):
    world.drive.always("/drive/v3/files", Answer(400, b"{}", "application/json"))
    run = service.begin_drive(drive_folder)
    result = client("wait", run.asset, "--poll-interval", "0.1")
    assert result.status == FAILED and run.poll()["errorMessage"] in result.error["message"]


def test_a_cancelled_operation_ends_the_waiting(client, service, world, drive_folder):
    gate = world.drive.hold("/drive/v3/files")
    run = service.begin_drive(drive_folder)
    gate.arrived()
    run.cancel()
    result = client("wait", run.asset, "--poll-interval", "0.1")
    assert result.status == FAILED and "CANCELLED" in result.error["message"]
    gate.open()


# Lists.


def test_operations_are_listed(client, service, world, drive_folder):
    run = service.begin_drive(drive_folder, embedding=SMALL)
    run.finish()
    refresh = run.refresh()
    last = refresh.finish()
    assert client("operations", run.asset).json == [last, run.poll()]
    assert client("operations", run.asset, "-o", "id").out.split() == [refresh.operation, run.operation]


def test_assets_are_listed_over_all_pages(service):
    client = PlatformClient(service, "client-list")
    runs = [service.begin_upload(f"{number}.txt", "text", tenant="client-list") for number in range(120)]
    assert client("list", "-o", "id").out.split() == [run.asset for run in reversed(runs)]
    assert len(client("list").json) == 120


def test_documents_and_chunks_are_listed_over_all_pages(client, service, world):
    drive_folder = world.drive.folder()
    for number in range(230):
        world.drive.add(f"report {number:03}.txt", f"text {number}", drive_folder)
    world.drive.add("long.txt", "\n\n".join(f"Paragraph {number} has its forty bytes of text." for number in range(250)), drive_folder)
    run = service.begin_drive(drive_folder, embedding={"chunkSize": 16, "chunkOverlap": 0})
    run.finish()
    assert len(client("documents", run.asset, "--all").json) == 231
    assert len(client("documents", run.asset).json) == 50
    assert len(client("documents", run.asset, "-n", "150").json) == 150
    [long] = client("documents", run.asset, "--query", "LONG").json
    chunks = client("chunks", run.asset, long["id"], "--all").json
    assert [chunk["chunkIndex"] for chunk in chunks] == list(range(250))
    assert len(client("chunks", run.asset, long["id"]).json) == 50


def test_types_and_models_are_listed(client):
    assert {item["contentType"]: item["extensions"] for item in client("supported-types").json}["text/markdown"] == [".md"]
    [model] = client("embedding-models").json
    assert model.items() >= MODEL.items()


def test_sources_with_an_integration_are_told(client, service, world, drive_folder):
    run = service.begin_drive(drive_folder)
    view = client("get", run.asset).json
    assert (view["type"], view["integrationId"]) == ("google_drive", "google_drive")
    run.finish()


# Delete, and errors.


def test_an_asset_is_deleted(client, service, file):
    asset = created(client, "--file", file)
    assert client("delete", asset).status == CONFIRM
    assert client("delete", asset, "--yes").json == {"deleted": True, "asset": asset}
    for command in (["get", asset], ["documents", asset], ["operations", asset], ["wait", asset], ["delete", asset, "--yes"]):
        assert client(*command).status == NOT_FOUND, command


def test_a_missing_scope_is_named_with_what_is_granted(service, file):
    client = PlatformClient(service, scope="assets:read other")
    result = client("create", "--file", file)
    assert result.status == AUTH
    assert "assets:write" in result.error["hint"] and "assets:read" in result.error["hint"] and "other" in result.error["hint"]
    result = PlatformClient(service, scope="other")("list")
    assert result.status == AUTH and "assets:read" in result.error["hint"]


def test_a_bad_token_and_another_tenants_are_told_apart_from_a_scope(service):
    client = PlatformClient(service)
    client.token = "x.y.z"
    assert client("list").status == AUTH
    foreign = PlatformClient(service, "other")
    foreign.tenant = "acme"
    assert foreign("list").status == AUTH


def test_a_search_is_not_there_and_says_so(client, file):
    asset = created(client, "--file", file)
    assert client("search", asset, "--query", "text").status == NOT_FOUND


def test_a_service_that_is_gone_is_a_network_error(another_service, file):
    service = another_service()
    client = PlatformClient(service)
    service.kill()
    assert client("list").status == NETWORK


# As a library.


@pytest.fixture
def library(service: AssetService, client: PlatformClient) -> FruxonClient:
    return FruxonClient(token=client.token, workspace="acme", base_url=service.url)


def test_the_library_creates_from_a_source(library, service, world, drive_folder):
    answer = library.create_asset({
        "config": {"sourceType": "google_drive", "parameters": {"folderId": drive_folder}}, "name": "Drive", "auth": world.auth()})
    operation = library.wait_for_asset(answer["asset"]["id"], poll_interval_s=0.1)
    assert operation["status"] == "COMPLETED"
    assert library.get_asset(answer["asset"]["id"]).display_name == "Drive"
    assert len(library.list_asset_documents(answer["asset"]["id"])) == 3


def test_the_library_raises_its_own_errors_with_our_codes(library, service, world, drive_folder):
    with pytest.raises(ValidationError) as fault:
        library.create_asset({"config": {"sourceType": "nonsense"}})
    assert fault.value.error_code == "unknown_source_type"
    with pytest.raises(NotFoundError) as fault:
        library.get_asset("nothing")
    assert fault.value.error_code == "not_found" and fault.value.title and fault.value.detail
    gate = world.drive.hold("/drive/v3/files")
    run: Run = service.begin_drive(drive_folder)
    with pytest.raises(ConflictError) as fault:
        library._post_json(library._assets_url(f"/{run.asset}:refresh"), {})
    assert fault.value.error_code == "operation_in_progress"
    gate.open()
    run.finish()
