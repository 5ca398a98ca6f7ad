"""`Idempotency-Key`: a request that is sent again is not done again."""

import pytest

from broker import assert_problem, in_background
from multipart import file, form, payload
from service import Run

KEY = {"Idempotency-Key": "order-1"}


def ids(response) -> tuple[int, str, str]:
    body = response.json()
    return response.status_code, body["asset"]["id"], body["operation"]["id"]


def count(service, tenant: str) -> int:
    return service.get("", tenant).json()["totalCount"]


def test_the_same_creation_gets_the_same_asset_and_spends_one_key(service, world):
    folder = world.drive.folder()
    world.drive.add("a.txt", "text", folder)
    body = {"config": {"sourceType": "google_drive", "parameters": {"folderId": folder}}, "auth": world.auth(tenant="again")}
    first = service.call("POST", "", "again", KEY, json=body)
    Run.of(service, first, "again").finish()
    again = service.call("POST", "", "again", KEY, json=body)
    assert ids(again) == ids(first) and count(service, "again") == 1
    assert again.headers["location"] == first.headers["location"]


def test_the_same_upload_gets_the_same_asset(service):
    parts = form(file("text"), payload({"Name": "n"}), boundary="same")
    first = service.call("POST", ":file", "upload-again", KEY | parts["headers"], content=parts["content"])
    again = service.call("POST", ":file", "upload-again", KEY | parts["headers"], content=parts["content"])
    assert ids(first)[0] == 201 and ids(again) == ids(first) and count(service, "upload-again") == 1


def test_the_same_refresh_gets_the_same_operation_even_after_it_is_done(service):
    run = service.begin_upload("a.txt", "text", tenant="refresh-again")
    run.finish()
    first = service.call("POST", f"/{run.asset}:refresh", "refresh-again", KEY)
    Run.of(service, first, "refresh-again", 202).finish()
    again = service.call("POST", f"/{run.asset}:refresh", "refresh-again", KEY)
    assert ids(again) == ids(first) and again.status_code == 202
    assert service.get(f"/{run.asset}/operations", "refresh-again").json()["totalCount"] == 2


def test_another_body_under_the_key_is_422(service, world):
    address = world.site.page("/idempotent/", "text")
    assert service.create("website", {"url": address}, "reuse", KEY).status_code == 201
    assert_problem(service.create("website", {"url": address + "x"}, "reuse", KEY), 422, "idempotency_key_reused")
    parts = form(file("text"))
    response = service.call("POST", ":file", "reuse", KEY | parts["headers"], content=parts["content"])
    assert_problem(response, 422, "idempotency_key_reused")
    assert count(service, "reuse") == 1


def test_another_asset_under_the_key_is_422(service):
    one, two = (service.begin_upload(f"{name}.txt", "text", tenant="reuse-refresh") for name in "ab")
    one.finish(), two.finish()
    assert service.call("POST", f"/{one.asset}:refresh", "reuse-refresh", KEY).status_code == 202
    assert_problem(service.call("POST", f"/{two.asset}:refresh", "reuse-refresh", KEY), 422, "idempotency_key_reused")


def test_another_tenant_has_keys_of_its_own(service, world):
    address = world.site.page("/idempotent/", "text")
    one = service.create("website", {"url": address}, "tenant-one", KEY)
    two = service.create("website", {"url": address}, "tenant-two", KEY)
    assert ids(one)[0] == ids(two)[0] == 201 and ids(one) != ids(two)


def test_another_key_makes_another_asset(service, world):
    address = world.site.page("/idempotent/", "text")
    made = [service.create("website", {"url": address}, "keys", {"Idempotency-Key": key}) for key in ("a", "b", "A", "~" * 255, "!")]
    assert len({ids(response)[1] for response in made}) == 5


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", b"\xe9"])
def test_a_key_is_1_to_255_printable_ascii_characters(service, world, key):
    address = world.site.page("/idempotent/", "text")
    response = service.create("website", {"url": address}, "bad-keys", {"Idempotency-Key": key})
    assert_problem(response, 400, "invalid_request")
    assert count(service, "bad-keys") == 0


def test_a_request_that_failed_may_be_sent_again_under_its_key(service, world):
    """Nothing was done."""
    folder = world.drive.folder()
    bad = {"auth": {"credentialKey": "ckr_nonsense"}}
    response = service.create("google_drive", {"folderId": folder}, "mended", KEY, **bad)
    assert_problem(response, 400, "invalid_credential_key")
    again = service.create("google_drive", {"folderId": folder}, "mended", KEY, **bad)
    assert_problem(again, 400, "invalid_credential_key")


def test_while_the_first_is_under_way_the_second_is_409(another_service, world):
    """The first waits for a broker that is slow."""
    from server import Scripted, as_json
    token = world.own_token()["accessToken"]
    slow = Scripted(lambda request: as_json({
        "accessToken": token, "refreshToken": None, "tokenType": "Bearer", "expiresAt": None, "scope": None,
        "sourceType": "google_drive", "idToken": None, "extras": {}, "warnings": []}))
    service = another_service({"broker": {"url": slow.url, "timeout": 20}})
    gate = slow.hold("assets:oauthCredentials")
    body = {"folderId": world.drive.folder()}, "acme", KEY
    auth = {"credentialKey": "ckr_x"}
    first = in_background(lambda: service.create("google_drive", *body, auth=auth))
    gate.arrived()
    second = service.create("google_drive", *body, auth=auth)
    assert_problem(second, 409, "idempotency_key_in_use")
    gate.open()
    assert ids(first.result()) == ids(service.create("google_drive", *body, auth=auth))
    assert len(slow.calls_to("assets:oauthCredentials")) == 1
    slow.close()


def test_keys_outlive_a_crash(another_service, world):
    service = another_service()
    address = world.site.page("/idempotent/", "text")
    first = service.create("website", {"url": address}, headers=KEY)
    service.restart()
    assert ids(service.create("website", {"url": address}, headers=KEY)) == ids(first)


def test_it_means_nothing_elsewhere(service):
    run = service.begin_upload("a.txt", "text", tenant="elsewhere")
    run.finish()
    for name in ("one", "two"):
        response = service.call("PATCH", f"/{run.asset}", "elsewhere", KEY, json={"displayName": name})
        assert response.json()["asset"]["displayName"] == name
