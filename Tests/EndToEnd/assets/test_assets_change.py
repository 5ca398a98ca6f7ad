"""`PATCH` and `DELETE`: names, credentials, and what goes with an asset or a document."""

import sqlite3
import uuid

import pytest

from accounts import says_that_the_grant_is_gone
from broker import assert_problem, eventually
from service import MODEL, AssetService, Run


@pytest.fixture
def run(service) -> Run:
    made = service.begin_upload("a.txt", "some text")
    made.finish()
    return made


def patch(run: Run, **members):
    return run.service.call("PATCH", f"/{run.asset}", run.tenant, json=members)


# PATCH.


def test_a_name_is_changed(run):
    before = run.view()
    response = patch(run, displayName="Another name")
    assert response.status_code == 200 and response.json().keys() == {"asset"}
    asset = response.json()["asset"]
    assert asset == run.view() and asset["displayName"] == "Another name"
    assert asset | {"displayName": 0, "modifiedAt": 0} == before | {"displayName": 0, "modifiedAt": 0}
    assert asset["modifiedAt"] >= before["modifiedAt"]


def test_an_empty_patch_changes_nothing(run):
    before = run.view()
    response = patch(run)
    assert response.status_code == 200
    assert response.json()["asset"] | {"modifiedAt": 0} == before | {"modifiedAt": 0}


@pytest.mark.parametrize("name", ["", "x" * 201, 5, ["a"]])
def test_a_bad_name_is_400(run, name):
    assert_problem(patch(run, displayName=name), 400, "invalid_request")


@pytest.mark.parametrize("members", [
    {"config": {"sourceType": "file"}}, {"embedding": MODEL}, {"embeddingLlmConfigId": "x"}, {"budget": 5},
    {"currencyBudget": 5}, {"autoUpdate": True}, {"name": "x"},
], ids=str)
def test_anything_else_of_the_create_call_is_refused_unless_null(run, members):
    before = run.view()
    assert_problem(patch(run, displayName="New", **members), 400, "unsupported_setting")
    assert run.view() == before
    assert patch(run, **dict.fromkeys(members)).status_code == 200


def test_credentials_are_given_anew_without_losing_the_asset(service, world):
    folder = world.drive.folder()
    world.drive.add("a.txt", "text", folder)
    run = service.begin_drive(folder, auth=world.auth())
    run.finish()
    [before] = run.documents()
    world.accounts.expire()
    world.accounts.refusing = says_that_the_grant_is_gone
    failed = run.refresh()
    assert failed.finish("FAILED")["errorCode"] == "reauthorization_required"
    assert run.documents() == [before]
    world.accounts.restore()
    for auth in (world.auth(), world.own_token(), world.broker.redeem(world.key()).json()):
        response = patch(run, auth=auth)
        assert response.status_code == 200, response.text
        run.refresh().finish()
        assert run.documents()[0]["id"] == before["id"]


def test_auth_is_checked_as_at_creation(service, world, run):
    drive = service.begin_drive(world.drive.folder())
    drive.finish()
    assert_problem(patch(run, auth=world.own_token()), 400, "invalid_request")
    assert_problem(patch(drive, auth={"credentialKey": "ckr_nonsense"}), 400, "invalid_credential_key")
    assert_problem(patch(drive, auth={"credentialKey": world.key("notion")}), 400, "credential_mismatch")
    key = world.key()
    assert_problem(patch(drive, auth={"credentialKey": key}, displayName=""), 400, "invalid_request")
    assert patch(drive, auth={"credentialKey": key}).status_code == 200


def test_an_asset_without_credentials_may_be_given_some_where_they_are_optional(service, world):
    repository = world.github.repository({"a.md": "closed"}, private=True)
    run = service.begin("github", {"repository": repository})
    assert run.finish("FAILED")["errorCode"] in ("source_rejected", "reauthorization_required")
    assert patch(run, auth=world.own_token()).status_code == 200
    run.refresh().finish()
    assert run.names() == ["a.md"]


# DELETE.


def test_a_deleted_asset_is_gone_with_all_that_was_its(service):
    run = service.begin_upload("a.txt", "some text")
    run.finish()
    [document] = run.documents()
    assert run.delete().status_code == 204
    for method, rest in [
        ("GET", ""), ("GET", "/operations"), ("GET", f"/operations/{run.operation}"), ("GET", "/documents"),
        ("GET", f"/documents/{document['id']}"), ("GET", f"/documents/{document['id']}/chunks"),
        ("POST", f"/operations/{run.operation}:cancel"), ("POST", ":refresh"), ("DELETE", ""),
        ("DELETE", f"/documents/{document['id']}"),
    ]:
        assert_problem(service.call(method, f"/{run.asset}{rest}"), 404, "not_found")
    assert_problem(patch(run, displayName="x"), 404, "not_found")
    assert run.asset not in [item["id"] for item in service.get().json()["items"]]


def test_deletion_stops_what_runs(service, world):
    folder = world.drive.folder()
    for number in range(40):
        world.drive.add(f"{number}.txt", f"text {number}", folder)
    gate = world.drive.hold("alt=media")
    run = service.begin_drive(folder)
    gate.arrived()
    assert run.delete().status_code == 204
    assert_problem(service.get(f"/{run.asset}"), 404, "not_found")
    gate.open()
    # Another asset, read to its end, is the proof that the workers are free.
    service.begin_upload("b.txt", "text").finish()
    assert len(world.drive.calls_to("alt=media")) < 40


def test_nothing_of_it_stays_in_the_files(another_service, world):
    service = another_service()
    folder = world.drive.folder()
    world.drive.add("a.txt", "the-text-that-goes", folder)
    run = service.begin_drive(folder, auth=world.auth())
    run.finish()
    other = service.begin_upload("b.txt", "the-text-that-stays")
    other.finish()
    assert run.delete().status_code == 204
    eventually(lambda: rows_naming(service, run.asset) == 0, what="no row names the asset")
    assert rows_naming(service, other.asset) > 0


def rows_naming(service: AssetService, text: str) -> int:
    """The rows of all tables in which an id stands, as text or as the bytes of a UUID."""
    with sqlite3.connect(f"file:{service.installation.database}?mode=ro", uri=True) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        wanted = (text, text.encode(), uuid.UUID(text).bytes)
        return sum(
            any(value in wanted for value in row)
            for table in tables for row in database.execute(f'SELECT * FROM "{table}"'))


# Documents.


def test_a_document_is_deleted_and_the_next_full_refresh_brings_it_back(service, world):
    folder = world.drive.folder()
    for name in "ab":
        world.drive.add(f"{name}.txt", f"text {name}", folder)
    run = service.begin_drive(folder)
    run.finish()
    document = run.document("a.txt")
    path = f"/{run.asset}/documents/{document['id']}"
    assert service.call("DELETE", path).status_code == 204
    for rest in ("", "/chunks"):
        assert_problem(service.get(path + rest), 404, "not_found")
    assert_problem(service.call("DELETE", path), 404, "not_found")
    assert run.names() == ["b.txt"]
    view = run.view()
    assert (view["documentCount"], view["chunkCount"]) == (1, 1)
    operation = run.refresh().finish()
    assert run.names() == ["a.txt", "b.txt"]
    assert (operation["itemsSkipped"], operation["itemsRemoved"]) == (1, 0)


def test_a_deleted_upload_comes_back_too(service, run):
    [document] = run.documents()
    assert service.call("DELETE", f"/{run.asset}/documents/{document['id']}").status_code == 204
    assert run.documents() == []
    run.refresh().finish()
    assert run.names() == ["a.txt"] and run.text("a.txt") == "some text"
