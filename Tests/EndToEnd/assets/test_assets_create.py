"""`POST assets`: what is made of each source type, and what is refused before a key is spent."""

import uuid
from urllib.parse import urljoin

import pytest

from broker import assert_problem, closed_port
from operations import is_time
from server import Hanging, Scripted
from service import MODEL, Run
from tokens import challenge_of, new_verifier

ASSET = {
    "id", "displayName", "type", "vectorized", "embeddingStatus", "integrationId", "config", "embedding", "budget",
    "embeddingLlmConfigId", "documentCount", "chunkCount", "autoUpdate", "supportsAutoUpdate",
    "supportsWebhookRegistration", "supportsPollSchedule", "createdAt", "modifiedAt", "createdBy",
}


@pytest.fixture
def page(world) -> str:
    return world.site.page("/create/", "One page.", title="The page")


# What is made.


def test_an_asset_has_its_members(service, page):
    response = service.create(
        "website", {"url": page, "maxPages": 7}, name="Handbook", embeddingLlmConfigId="6f1c",
        embedding=MODEL | {"chunkSize": 100, "chunkOverlap": 10}, headers=service.bearer(sub="ada"))
    assert response.status_code == 201
    asset, operation = response.json()["asset"], response.json()["operation"]
    assert asset.keys() == ASSET
    assert asset | {"id": 0, "createdAt": 0, "modifiedAt": 0, "embeddingStatus": 0} == {
        "id": 0, "createdAt": 0, "modifiedAt": 0, "embeddingStatus": 0, "displayName": "Handbook", "type": "website",
        "vectorized": False, "integrationId": None, "config": {"sourceType": "website", "parameters": {"url": page, "maxPages": 7}},
        "embedding": MODEL | {"chunkSize": 100, "chunkOverlap": 10},
        "budget": {"totalTokenCount": 0, "totalCost": 0, "pricePerMillionTokens": service.installation.price},
        "embeddingLlmConfigId": "6f1c", "documentCount": 0, "chunkCount": 0, "autoUpdate": False,
        "supportsAutoUpdate": False, "supportsWebhookRegistration": False, "supportsPollSchedule": False, "createdBy": "ada",
    }
    assert asset["embeddingStatus"] in ("PENDING", "PROCESSING")
    assert is_time(asset["createdAt"]) and is_time(asset["modifiedAt"])
    assert (operation["assetId"], operation["tenantId"], operation["type"]) == (asset["id"], "acme", "CREATE")
    assert operation["createdBy"] == "ada"
    assert urljoin(str(response.url), response.headers["location"]) == f"{response.url}/{asset['id']}"
    run = Run.of(service, response)
    run.finish()
    view = run.view()
    assert (view["embeddingStatus"], view["vectorized"], view["documentCount"]) == ("COMPLETED", True, 1)
    assert view["chunkCount"] == len(run.chunks("The page")) == 1
    assert view["budget"]["totalTokenCount"] == run.seen[-1]["tokenCount"] > 0
    assert view["budget"]["totalCost"] == run.seen[-1]["cost"]


def test_without_embedding_chunks_are_made_and_nothing_is_vectorized(service, world, page):
    for embedding in ({}, {"embedding": None}):
        run = service.begin("website", {"url": page}, **embedding)
        operation = run.finish()
        view = run.view()
        assert view["embedding"] == {"provider": None, "model": None, "chunkSize": 512, "chunkOverlap": 64}
        assert (view["vectorized"], view["embeddingStatus"], operation["cost"]) == (False, "COMPLETED", 0)
        assert operation["chunkCount"] == 1
        assert operation["tokenCount"] == sum(chunk["tokenCount"] for chunk in run.chunks("The page"))
    assert not world.embedder.calls


def test_each_source_type_that_takes_credentials_is_named_as_integration(service, world):
    drive_folder = world.drive.folder()
    repository = world.github.repository({"a.md": "a"})
    for source_type, parameters in [
        ("google_drive", {"folderId": drive_folder}), ("github", {"repository": repository}), ("notion", None),
    ]:
        run = Run.of(service, service.create(source_type, parameters, auth=world.own_token()))
        view = run.view()
        assert (view["type"], view["integrationId"], view["config"]["sourceType"]) == (source_type,) * 3
        run.finish()


@pytest.mark.parametrize("given", [None, {}])
def test_parameters_may_be_left_out_where_none_is_required(service, world, given):
    world.notion.page("Lonely page")
    Run.of(service, service.create("notion", given, auth=world.own_token())).finish()


def test_a_true_in_quotes_is_true(service, world):
    drive_folder = world.drive.folder()
    world.drive.add("deep.txt", "deep", world.drive.folder("Inner", drive_folder))
    world.drive.add("flat.txt", "flat", drive_folder)
    for value, names in [("false", ["flat.txt"]), (False, ["flat.txt"]), ("true", ["deep.txt", "flat.txt"]), (True, ["deep.txt", "flat.txt"])]:
        run = service.begin("google_drive", {"folderId": drive_folder, "recursive": value}, auth=world.own_token())
        run.finish()
        assert run.names() == names, value


def test_an_integer_in_quotes_is_an_integer(service, world):
    world.site.page("/many/", links=["a", "b", "c"])
    for name in "abc":
        world.site.page(f"/many/{name}", name)
    run = service.begin("website", {"url": f"{world.site.url}/many/", "maxPages": "2"})
    run.until(lambda operation: operation["done"])
    assert len(run.documents()) == 2


def test_a_name_is_made_from_the_source(service, page):
    run = service.begin("website", {"url": page})
    assert 1 <= len(run.view()["displayName"]) <= 200


@pytest.mark.parametrize("name", ["x", "x" * 200, "Größe 🎉"])
def test_a_name_may_have_1_to_200_characters(service, page, name):
    run = service.begin("website", {"url": page}, name=name)
    assert run.view()["displayName"] == name


@pytest.mark.parametrize("embedding, told", [
    ({"chunkSize": 16}, None), ({"chunkSize": 16, "chunkOverlap": 7}, (16, 7)), ({"chunkSize": 8192, "chunkOverlap": 4095}, (8192, 4095)),
    ({"chunkSize": 200, "chunkOverlap": 0}, (200, 0)), ({}, (512, 64)),
], ids=str)
def test_sizes_of_chunks_that_may_be(service, page, embedding, told):
    """A size below twice the configured overlap goes with an overlap of its own; alone it may be either answer."""
    response = service.create("website", {"url": page}, embedding=MODEL | embedding)
    if told is None and response.status_code == 400:
        assert_problem(response, 400, "invalid_request")
    else:
        view = Run.of(service, response).view()["embedding"]
        assert told is None or (view["chunkSize"], view["chunkOverlap"]) == told


# Credentials.


@pytest.fixture
def drive_folder(world) -> str:
    made = world.drive.folder()
    world.drive.add("a.txt", "text", made)
    return made


def test_a_credential_key_is_redeemed_before_the_answer(service, world, drive_folder):
    auth = world.auth()
    run = service.begin_drive(drive_folder, auth=auth)
    assert_problem(world.broker.redeem(auth["credentialKey"]), 400, "invalid_credential_key")
    run.finish()
    assert run.names() == ["a.txt"]


def test_a_bound_key_is_redeemed_with_its_verifier(service, world, drive_folder):
    verifier = new_verifier()
    key = world.key(exchangeChallenge=challenge_of(verifier))
    for wrong in ({}, {"exchangeVerifier": new_verifier()}):
        response = service.create("google_drive", {"folderId": drive_folder}, auth={"credentialKey": key} | wrong)
        assert_problem(response, 400, "invalid_credential_key")
    service.begin_drive(drive_folder, auth={"credentialKey": key, "exchangeVerifier": verifier}).finish()


def test_what_the_broker_answered_is_taken_whole_or_in_part(service, world, drive_folder):
    whole = world.broker.redeem(world.key()).json()
    parts = {name: whole[name] for name in ("accessToken", "refreshToken", "expiresAt")}
    for auth in (whole, parts, {"accessToken": whole["accessToken"]}):
        service.begin_drive(drive_folder, auth=auth).finish()


def test_a_key_of_another_source_type_is_spent_in_vain(service, world, drive_folder):
    before = len(service.get().json()["items"])
    key = world.key("notion")
    response = service.create("google_drive", {"folderId": drive_folder}, auth={"credentialKey": key})
    assert_problem(response, 400, "credential_mismatch")
    assert_problem(world.broker.redeem(key), 400, "invalid_credential_key")
    assert len(service.get().json()["items"]) == before


@pytest.mark.parametrize("key", ["ckr_nonsense", "x", "é", "A" * 2000])
def test_a_bad_key_makes_no_asset(service, drive_folder, key):
    response = service.create("google_drive", {"folderId": drive_folder}, tenant="nothing", auth={"credentialKey": key})
    assert_problem(response, 400, {"invalid_credential_key", "invalid_request"} if key == "é" else "invalid_credential_key")
    assert service.get("", "nothing").json()["totalCount"] == 0


def test_a_used_key_and_another_tenants_make_no_asset(service, world, drive_folder):
    key = world.key()
    assert world.broker.redeem(key).status_code == 200
    foreign = world.key(tenant="other")
    for bad in (key, foreign):
        response = service.create("google_drive", {"folderId": drive_folder}, tenant="nothing", auth={"credentialKey": bad})
        assert_problem(response, 400, "invalid_credential_key")
    assert service.get("", "nothing").json()["totalCount"] == 0


# What is refused.


def bad_bodies(page: str) -> list[tuple[dict, str]]:
    config = {"sourceType": "website", "parameters": {"url": page}}
    good = {"config": config}
    long = "http://x.example/" + "a" * 2048
    return [
        ({}, "invalid_request"), ({"config": None}, "invalid_request"), ({"config": "website"}, "invalid_request"),
        ({"config": {}}, "invalid_request"), ({"config": {"sourceType": 5}}, "invalid_request"),
        ({"config": {"sourceType": None}}, "invalid_request"),
        ({"config": config | {"parameters": []}}, "invalid_request"),
        ({"config": {"sourceType": "file"}}, "invalid_request"),
        (good | {"name": ""}, "invalid_request"), (good | {"name": "x" * 201}, "invalid_request"),
        (good | {"name": 5}, "invalid_request"),
        (good | {"auth": {"accessToken": "x"}}, "invalid_request"),
        (good | {"embedding": "small"}, "invalid_request"), (good | {"embedding": MODEL | {"chunkSize": 15}}, "invalid_request"),
        (good | {"embedding": MODEL | {"chunkSize": 8193}}, "invalid_request"),
        (good | {"embedding": MODEL | {"chunkSize": "64"}}, "invalid_request"),
        (good | {"embedding": MODEL | {"chunkSize": 64, "chunkOverlap": 32}}, "invalid_request"),
        (good | {"embedding": MODEL | {"chunkSize": 64, "chunkOverlap": -1}}, "invalid_request"),
        (good | {"embedding": MODEL | {"model": "another"}}, "unknown_embedding_model"),
        (good | {"embedding": MODEL | {"provider": "another"}}, "unknown_embedding_model"),
        ({"config": {"sourceType": "nonsense"}}, "unknown_source_type"),
        ({"config": {"sourceType": "Website", "parameters": {"url": page}}}, "unknown_source_type"),
        ({"config": {"sourceType": "wiki"}}, "source_type_without_reader"),
        ({"config": {"sourceType": "postgres"}}, "source_type_without_reader"),
        ({"config": {"sourceType": "website"}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": page, "colour": "blue"}}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": page, "maxPages": "many"}}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": page, "maxPages": 1.5}}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": page, "maxPages": True}}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": True}}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": {"a": 1}}}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": [page]}}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": "no address"}}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": "ftp://x.example/"}}}, "invalid_parameter"),
        ({"config": {"sourceType": "github", "parameters": {}}}, "invalid_parameter"),
        ({"config": {"sourceType": "google_drive", "parameters": {"recursive": "perhaps"}}, "auth": {"accessToken": "x"}}, "invalid_parameter"),
        ({"config": {"sourceType": "website", "parameters": {"url": long}}}, "invalid"),
        ({"config": {"sourceType": "google_drive"}}, "auth_required"), ({"config": {"sourceType": "notion"}}, "auth_required"),
        ({"config": {"sourceType": "notion"}, "auth": None}, "auth_required"),
    ]


def test_what_is_wrong_is_refused_by_its_code(service, page):
    for body, code in bad_bodies(page):
        response = service.call("POST", "", "refused", json=body)
        codes = {"invalid_parameter", "invalid_request"} if code == "invalid" else code
        problem = assert_problem(response, 400, codes)
        if code == "invalid_parameter":
            names = set(body["config"].get("parameters", {})) | {"url", "repository"}
            assert any(name in problem["detail"] for name in names), problem
    assert service.get("", "refused").json()["totalCount"] == 0


@pytest.mark.parametrize("auth", [
    "key", [], {}, {"credentialKey": 5}, {"credentialKey": ""}, {"accessToken": 5}, {"accessToken": ""}, {"refreshToken": "x"},
    {"accessToken": "a", "expiresAt": "soon"}, {"accessToken": "a\nb"}, {"accessToken": "a", "refreshToken": 5},
    {"credentialKey": "k", "accessToken": "a"},
], ids=str)
def test_a_malformed_auth_is_400(service, auth):
    response = service.create("notion", tenant="refused", auth=auth)
    assert_problem(response, 400, {"invalid_request", "auth_required", "invalid_credential_key"})
    assert service.get("", "refused").json()["totalCount"] == 0


def test_a_bad_body_spends_no_key(service, world, drive_folder):
    """Everything else is checked first."""
    key = world.key()
    auth = {"credentialKey": key}
    good = {"folderId": drive_folder}
    for response in [
        service.create("google_drive", good, auth=auth, name="x" * 201),
        service.create("google_drive", good | {"colour": "blue"}, auth=auth),
        service.create("google_drive", good, auth=auth, embedding=MODEL | {"chunkSize": 1}),
        service.create("google_drive", good, auth=auth, embedding=MODEL | {"model": "another"}),
        service.create("google_drive", good, auth=auth, budget=5),
        service.create("website", {"url": "http://x.example/"}, auth=auth),
        service.create("wiki", {}, auth=auth), service.create("nonsense", {}, auth=auth),
        service.create("google_drive", good, auth=auth, headers={"Idempotency-Key": "é".encode()}),
        service.create("google_drive", good, auth=auth, headers=service.bearer(scope="assets:read")),
    ]:
        assert 400 <= response.status_code < 500, response.text
    service.begin_drive(drive_folder, auth=auth).finish()


def test_credentials_are_optional_for_github_alone(service, world):
    repository = world.github.repository({"a.md": "# Open"})
    for auth in ({}, {"auth": None}, {"auth": world.own_token()}, {"auth": world.auth("github")}):
        run = service.begin("github", {"repository": repository}, **auth)
        run.finish()
        assert run.names() == ["a.md"]
        assert bool(world.github.calls[-1].bearer) == bool(auth.get("auth"))


# A broker that does not answer.


def test_a_broker_that_cannot_be_reached_is_502(another_service, drive_folder):
    service = another_service({"broker": {"url": f"http://127.0.0.1:{closed_port()}"}})
    response = service.create("google_drive", {"folderId": drive_folder}, auth={"credentialKey": "ckr_x"})
    assert_problem(response, 502, "broker_unreachable")
    assert service.get().json()["totalCount"] == 0


def test_a_broker_that_says_nothing_is_504(another_service, drive_folder):
    silent = Scripted(lambda request: Hanging())
    service = another_service({"broker": {"url": silent.url, "timeout": 1}})
    response = service.create("google_drive", {"folderId": drive_folder}, auth={"credentialKey": "ckr_x"})
    assert_problem(response, 504, "broker_timeout")
    assert service.get().json()["totalCount"] == 0
    silent.close()


def test_a_tenant_may_make_assets_with_a_token_for_several(service, page):
    headers = service.bearer(["acme", "other"])
    for tenant in ("acme", "other"):
        run = Run.of(service, service.create("website", {"url": page}, tenant, headers), tenant)
        assert run.finish()["tenantId"] == tenant
        assert uuid.UUID(run.asset)
