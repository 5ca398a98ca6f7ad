"""What holds for every call: scopes, ids, problems, headers, CORS, bodies."""

import json
import uuid

import pytest

from broker import APP, FOREIGN, OTHER_APP, assert_problem
from service import AssetService, Run

READS = [
    ":sourceTypes", "/supportedTypes", ":supportedTypes", "/embeddingModels", ":embeddingModels", "", "/{asset}",
    "/{asset}/operations", "/{asset}/operations/{operation}", "/{asset}/documents", "/{asset}/documents/{document}",
    "/{asset}/documents/{document}/chunks",
]
WRITES = [
    ("POST", ""), ("POST", ":file"), ("PATCH", "/{asset}"), ("DELETE", "/{asset}/documents/{document}"),
    ("POST", "/{asset}/operations/{operation}:cancel"), ("POST", "/{asset}:refresh"), ("DELETE", "/{asset}"),
]
# Where an id stands in the path, each in turn replaced.
WITH_IDS = [
    *[("GET", rest) for rest in READS if "{" in rest], *[(method, rest) for method, rest in WRITES if "{" in rest],
]


@pytest.fixture(scope="module")
def made(shared_service: AssetService) -> dict[str, str]:
    """The ids of an asset with one document, of a tenant of this module's own."""
    run = shared_service.begin_upload("note.txt", "A short note.", tenant="conventions")
    run.finish()
    [document] = run.documents()
    return {"asset": run.asset, "operation": run.operation, "document": document["id"]}


def body_for(method: str) -> dict:
    return {"json": {}} if method in ("POST", "PATCH") else {}


# Scopes.


@pytest.mark.parametrize("rest", READS)
@pytest.mark.parametrize("scope", ["assets:read", "assets:write", "other assets:read"])
def test_either_scope_reads(service, made, rest, scope):
    headers = service.bearer("conventions", scope)
    assert service.call("GET", rest.format(**made), "conventions", headers).status_code == 200


@pytest.mark.parametrize("rest", READS)
def test_reading_without_a_scope_is_403_and_says_what_is_missing(service, made, rest):
    headers = service.bearer("conventions", "credentials:write broker:admin")
    problem = assert_problem(service.call("GET", rest.format(**made), "conventions", headers), 403, "insufficient_scope")
    assert problem["error"] == "insufficient_scope" and problem["required"] == "assets:read"
    assert sorted(problem["granted"]) == ["broker:admin", "credentials:write"]


@pytest.mark.parametrize("method, rest", WRITES)
def test_writing_with_the_scope_to_read_is_403_and_says_what_is_missing(service, made, method, rest):
    headers = service.bearer("conventions", "assets:read")
    response = service.call(method, rest.format(**made), "conventions", headers, **body_for(method))
    problem = assert_problem(response, 403, "insufficient_scope")
    assert (problem["error"], problem["required"], problem["granted"]) == ("insufficient_scope", "assets:write", ["assets:read"])


def test_no_scope_at_all_is_granted_nothing(service, made):
    headers = service.bearer("conventions", None)
    assert assert_problem(service.call("GET", "", "conventions", headers), 403, "insufficient_scope")["granted"] == []


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer x.y.z"}, {"Authorization": ""}, {"Authorization": "Basic eDp5"}])
@pytest.mark.parametrize("method, rest", [("GET", ""), *WRITES])
def test_a_bad_token_is_401(service, made, method, rest, headers):
    response = service.call(method, rest.format(**made), "conventions", headers, **body_for(method))
    assert_problem(response, 401, "invalid_token")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("method, rest", [("GET", ""), *WRITES])
def test_a_token_of_another_tenant_is_403(service, made, method, rest):
    response = service.call(method, rest.format(**made), "conventions", service.bearer("other"), **body_for(method))
    assert_problem(response, 403, "wrong_tenant")


# Ids.


def assert_one_answer(service: AssetService, tenant: str, made: dict[str, str], method: str, rest: str, wrong: dict) -> dict:
    path = rest.format(**(made | wrong))
    problem = assert_problem(service.call(method, path, tenant, **body_for(method)), 404, "not_found")
    return {name: value for name, value in problem.items() if name not in ("requestId", "instance")}


@pytest.mark.parametrize("method, rest", WITH_IDS)
def test_no_id_and_an_unknown_one_and_another_tenants_get_one_answer(service, made, method, rest):
    answers = [assert_one_answer(service, "stranger", made, method, rest, {})]
    for name in made:
        if f"{{{name}}}" in rest:
            for wrong in (str(uuid.uuid4()), "1", "x" * 300, f"{made[name][:-1]}", "00000000-0000-0000-0000-000000000000"):
                answers.append(assert_one_answer(service, "conventions", made, method, rest, {name: wrong}))
    assert all(answer == answers[0] for answer in answers)


def test_a_document_and_an_operation_are_found_under_their_own_asset_alone(service, made):
    other = service.begin_upload("other.txt", "Another.", tenant="conventions")
    other.finish()
    for part in ("operations/{operation}", "documents/{document}", "documents/{document}/chunks"):
        rest = f"/{other.asset}/" + part.format(**made)
        assert_problem(service.get(rest, "conventions"), 404, "not_found")
    assert other.delete().status_code == 204


def test_ids_are_uuids_in_lower_case(made):
    for value in made.values():
        assert str(uuid.UUID(value)) == value


# Headers.


def test_every_json_answer_forbids_caches(service, made):
    paths = [rest.format(**made) for rest in READS] + [f"/{uuid.uuid4()}", f"/{made['asset']}/nothing"]
    for path in paths:
        assert service.get(path, "conventions").headers["cache-control"] == "no-store", path
    created = service.upload("again.txt", "Again.", tenant="conventions")
    assert created.status_code == 201 and created.headers["cache-control"] == "no-store"
    Run.of(service, created, "conventions").delete()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/tenants/acme/assets", "/no/such/page"])
def test_every_answer_has_a_request_id_and_the_protective_headers(service, path):
    headers = service.client.get(path).headers
    assert headers["x-request-id"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_a_sane_request_id_is_echoed(service):
    response = service.client.get("/no/such/page", headers={"X-Request-Id": "deploy-7.f3A_9"})
    assert assert_problem(response, 404, "not_found")["requestId"] == "deploy-7.f3A_9"


@pytest.mark.parametrize("method, rest, allowed", [
    ("PUT", "", {"GET", "POST"}), ("GET", ":file", {"POST"}), ("PUT", "/{asset}", {"GET", "PATCH", "DELETE"}),
    ("GET", "/{asset}:refresh", {"POST"}), ("DELETE", "/{asset}/operations/{operation}", {"GET"}),
    ("POST", "/{asset}/documents", {"GET"}), ("PATCH", "/{asset}/documents/{document}", {"GET", "DELETE"}),
])
def test_another_method_is_405_with_allow(service, made, method, rest, allowed):
    response = service.call(method, rest.format(**made), "conventions")
    assert_problem(response, 405, "method_not_allowed")
    assert allowed <= {name.strip() for name in response.headers["allow"].split(",")}


# CORS.


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_preflight_from_a_frontend_is_answered(service, made, method):
    response = service.client.options(f"/v1/tenants/acme/assets/{made['asset']}", headers={
        "Origin": APP, "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type"})
    assert response.status_code in (200, 204)
    assert response.headers["access-control-allow-origin"] == APP
    assert {"GET", "POST", "PATCH", "DELETE"} <= {
        name.strip() for name in response.headers["access-control-allow-methods"].split(",")}
    assert {"authorization", "content-type"} <= {
        name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")}
    assert "access-control-allow-credentials" not in response.headers


def test_answers_are_read_by_frontends_and_by_nobody_else(service):
    assert service.call("GET", headers={"Origin": APP}).headers["access-control-allow-origin"] == APP
    for origin in (FOREIGN, OTHER_APP, "null"):
        assert "access-control-allow-origin" not in service.call("GET", headers={"Origin": origin}).headers


def test_no_origin_is_allowed_unless_it_is_configured(another_service):
    service = another_service({"frontend": None})
    assert "access-control-allow-origin" not in service.call("GET", headers={"Origin": APP}).headers


# Bodies.


def raw_create(service: AssetService, content: bytes, content_type: str = "application/json"):
    return service.call("POST", "", headers={"Content-Type": content_type}, content=content)


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b'"x"', b"5", b'{"config": {}} x', b'{"config": "\xff"}', b"[" * 30_000, b'{"a":' * 10_000,
], ids=["empty", "open", "array", "null", "string", "number", "trailing", "not-utf8", "deep", "deeper"])
def test_a_body_that_is_no_json_object_is_400(service, body):
    assert_problem(raw_create(service, body), 400, "invalid_request")


def test_a_body_that_is_not_json_is_415(service):
    assert_problem(raw_create(service, b"{}", "text/plain"), 415, "unsupported_media_type")


@pytest.mark.parametrize("body", [
    '{"config": {"sourceType": "website"}, "config": {"sourceType": "website"}}',
    '{"config": {"sourceType": "website", "sourceType": "rss", "parameters": {"url": "http://x.example/"}}}',
    '{"name": "a", "name": "b", "config": {"sourceType": "website", "parameters": {"url": "http://x.example/"}}}',
])
def test_a_member_given_twice_is_400(service, body):
    assert_problem(raw_create(service, body.encode()), 400, "invalid_request")


def test_a_body_of_more_than_64_kib_is_413(service):
    assert_problem(raw_create(service, json.dumps({"x": "y" * 66_000}).encode()), 413, "body_too_large")


def test_unknown_members_are_ignored(service, world):
    address = world.site.page("/unknown/", "text")
    run = Run.of(service, service.create("website", {"url": address}, colour="blue", webhook={"url": "x"}))
    run.finish()


@pytest.mark.parametrize("setting", ["budget", "currencyBudget", "autoUpdate"])
def test_a_setting_that_would_bind_us_is_refused_unless_null(service, world, setting):
    address = world.site.page("/bound/", "text")
    for value in (0, 100, {"totalTokenCount": 5}, True, False, "daily"):
        assert_problem(service.create("website", {"url": address}, **{setting: value}), 400, "unsupported_setting")
    Run.of(service, service.create("website", {"url": address}, **{setting: None})).finish()


# Everybody.


def test_health_readiness_and_metrics(service):
    for path in ("/healthz", "/readyz"):
        assert service.client.get(path).status_code == 200
    metrics = service.client.get("/metrics")
    assert metrics.status_code == 200 and metrics.headers["content-type"].startswith("text/plain")
    assert "# TYPE " in metrics.text


def test_metrics_are_read_by_another_reader(service):
    from prometheus_client.parser import text_string_to_metric_families
    assert list(text_string_to_metric_families(service.client.get("/metrics").text))


@pytest.mark.parametrize("rest", ["/{asset}:search", "/{asset}/webhooks", ":import", "/{asset}/schedules", "/{asset}/nothing"])
def test_what_is_not_built_is_404(service, made, rest):
    assert_problem(service.call("POST", rest.format(**made), "conventions", json={}), 404, "not_found")
