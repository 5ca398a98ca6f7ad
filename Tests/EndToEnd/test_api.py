"""What holds for every call: operations, headers, problems, CORS, limits; and `assets:sourceTypes`."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from broker import APP, FOREIGN_ORIGINS, OTHER_APP, assert_problem

ALWAYS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


# Operations.


def test_health_and_readiness_say_200(broker):
    for path in ("/healthz", "/readyz"):
        assert broker.client.get(path).status_code == 200


def test_connect_js_is_a_module_that_the_frontends_may_import(broker):
    """HTML: module scripts are always fetched with CORS."""
    response = broker.client.get("/connect.js", headers={"Origin": APP})
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] in ("text/javascript", "application/javascript")
    assert response.headers["access-control-allow-origin"] == "*"
    assert "export" in response.text


# Headers and request ids.


@pytest.mark.parametrize("path", [
    "/healthz", "/readyz", "/metrics", "/openapi.json", "/connect.js", "/oauth/callback", "/oauth/callback/wiki",
    "/oauth/callback/wiki/AAAAAAAAAAAAAAAAAAAAAA", "/oauth/success",
    "/v1/tenants/acme/assets:sourceTypes", "/v1/tenants/acme/assets:oauthCredentials", "/no/such/page",
])
def test_every_response_has_a_request_id_and_the_protective_headers(broker, path):
    headers = broker.client.get(path).headers
    assert headers["x-request-id"]
    for name, value in ALWAYS.items():
        assert headers[name] == value


def test_a_sane_request_id_is_echoed_in_header_and_problem(broker):
    response = broker.client.get("/no/such/page", headers={"X-Request-Id": "deploy-7.f3A_9"})
    assert response.headers["x-request-id"] == "deploy-7.f3A_9"
    assert assert_problem(response, 404, "not_found")["requestId"] == "deploy-7.f3A_9"


@pytest.mark.parametrize("wild", [
    "<script>alert(1)</script>", "a b", "x" * 500, "a\tb", '{"level":"error"}', "", "é",
], ids=["markup", "space", "long", "tab", "json", "empty", "latin1"])
def test_a_wild_request_id_is_replaced(broker, wild):
    response = broker.client.get("/healthz", headers={"X-Request-Id": wild.encode("latin-1")})
    if response.status_code == 400:  # the HTTP parser may refuse the header altogether
        return
    assert re.fullmatch(r"[A-Za-z0-9._:/+=-]{8,200}", response.headers["x-request-id"])
    assert response.headers["x-request-id"] != wild


def test_request_ids_differ(broker):
    assert len({broker.client.get("/healthz").headers["x-request-id"] for _ in range(20)}) == 20


# Problems.


def test_an_unknown_path_is_404(broker):
    assert_problem(broker.client.get("/v1/nothing"), 404, "not_found")
    assert_problem(broker.client.get("/v1/tenants/acme/assets:nothing", headers=broker.bearer()), 404, "not_found")


@pytest.mark.parametrize("method, path, allowed", [
    ("POST", "/v1/tenants/acme/assets:sourceTypes", {"GET"}),
    ("GET", "/v1/tenants/acme/assets:authorize", {"POST"}),
    ("DELETE", "/v1/tenants/acme/assets:authorize", {"POST"}),
    ("PUT", "/v1/tenants/acme/assets:oauthCredentials", {"GET", "POST"}),
    ("DELETE", "/oauth/callback", {"GET", "POST"}),
    ("PUT", "/v1/tenants/acme/assets:oauthFlow", {"GET", "POST"}),
    ("DELETE", "/oauth/callback/wiki", {"GET", "POST"}),
])
def test_another_method_is_405_with_allow(broker, method, path, allowed):
    response = broker.client.request(method, path, headers=broker.bearer() | {"Accept": "application/json"})
    assert_problem(response, 405, "method_not_allowed")
    listed = {name.strip() for name in response.headers["allow"].split(",")}
    assert allowed <= listed and not {"PUT", "DELETE", "PATCH"} & listed


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
@pytest.mark.parametrize("call", ["assets:authorize", "assets:oauthCredentials", "assets:oauthFlow"])
def test_a_body_that_is_not_json_is_415(broker, call, content_type):
    response = broker.client.post(
        f"/v1/tenants/acme/{call}", content='{"sourceType": "wiki"}',
        headers=broker.bearer() | {"Content-Type": content_type},
    )
    assert_problem(response, 415, "unsupported_media_type")


def test_json_with_a_charset_is_json(broker):
    response = broker.client.post(
        "/v1/tenants/acme/assets:authorize", content='{"sourceType": "wiki"}',
        headers=broker.bearer() | {"Content-Type": "Application/JSON; charset=utf-8"},
    )
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("body", [
    b"", b"{", b"{'sourceType': 'wiki'}", b'"wiki"', b"[]", b"null", b"5", b'{"sourceType": "wiki"} trailing',
    b'{"sourceType": "\xff\xfe"}', b"[" * 30_000, b'{"a":' * 10_000,
], ids=["empty", "open", "quotes", "string", "array", "null", "number", "trailing", "not-utf8", "deep", "deeper"])
@pytest.mark.parametrize("call", ["assets:authorize", "assets:oauthCredentials"])
def test_a_body_that_is_no_json_object_is_400(broker, call, body):
    response = broker.client.post(
        f"/v1/tenants/acme/{call}", content=body, headers=broker.bearer() | {"Content-Type": "application/json"}
    )
    assert_problem(response, 400, {"invalid_request", "invalid_credential_key"})


def padded(size: int) -> bytes:
    frame = b'{"sourceType": "wiki", "padding": ""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


def test_a_body_of_64_kib_is_read(broker):
    response = broker.client.post(
        "/v1/tenants/acme/assets:authorize", content=padded(65536),
        headers=broker.bearer() | {"Content-Type": "application/json"},
    )
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("path", [
    "/v1/tenants/acme/assets:authorize", "/v1/tenants/acme/assets:oauthCredentials", "/oauth/callback",
])
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_a_larger_body_is_413(broker, path, framing):
    content_type = "application/x-www-form-urlencoded" if "callback" in path else "application/json"
    body = padded(65537)
    response = broker.client.post(
        path, content=body if framing == "content-length" else iter([body[:40_000], body[40_000:]]),
        headers=broker.bearer() | {"Content-Type": content_type, "Accept": "application/json"},
    )
    assert_problem(response, 413, "body_too_large")


@pytest.mark.parametrize("tenant", [
    "-acme", ".acme", "_acme", "a" * 65, "ac me", "acme!", "acmé", "acme%00", "acme%0A", "a%2Fb", "%E2%84%AA", "acme%20",
])
def test_a_tenant_outside_the_pattern_is_refused(broker, tenant):
    """`%E2%84%AA` is the Kelvin sign: canonically equal to K, but not in A-Z."""
    response = broker.source_types(tenant, headers=broker.bearer(httpx.URL(f"http://x/{tenant}").path[1:]))
    assert response.status_code in (400, 404), response.text
    assert response.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("tenant", ["a", "A9", "a" * 64, "Acme.Corp_2-b"])
def test_a_tenant_inside_the_pattern_is_served(broker, tenant):
    assert broker.source_types(tenant).status_code == 200


# CORS.


@pytest.mark.parametrize("origin", [APP, OTHER_APP])
@pytest.mark.parametrize("call, method", [
    ("assets:sourceTypes", "GET"), ("assets:authorize", "POST"), ("assets:oauthCredentials", "GET"),
    ("assets:oauthCredentials", "POST"), ("assets:oauthFlow", "GET"), ("assets:oauthFlow", "POST"),
])
def test_a_preflight_from_a_frontend_is_answered(broker, call, method, origin):
    response = broker.client.options(f"/v1/tenants/acme/{call}", headers={
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    })
    assert response.status_code in (200, 204)
    headers = response.headers
    assert headers["access-control-allow-origin"] == origin
    assert {"GET", "POST"} <= {name.strip() for name in headers["access-control-allow-methods"].split(",")}
    assert {"authorization", "content-type"} <= {
        name.strip().lower() for name in headers["access-control-allow-headers"].split(",")
    }
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_preflight_from_elsewhere_gets_no_permission(broker, origin):
    response = broker.client.options("/v1/tenants/acme/assets:authorize", headers={
        "Origin": origin, "Access-Control-Request-Method": "POST",
    })
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_answers_cannot_be_read_from_elsewhere(broker, origin):
    response = broker.redeem("no-such-key", headers={"Origin": origin})
    assert "access-control-allow-origin" not in response.headers


def test_answers_and_problems_can_be_read_by_the_frontends(broker):
    for response in (
        broker.source_types(headers=broker.bearer() | {"Origin": OTHER_APP}),
        broker.source_types(headers={"Origin": OTHER_APP}),
        broker.redeem("no-such-key", headers={"Origin": OTHER_APP}),
    ):
        assert response.headers["access-control-allow-origin"] == OTHER_APP
        assert "origin" in response.headers["vary"].lower()
        assert "access-control-allow-credentials" not in response.headers


# sourceTypes.


def test_source_types_are_sorted_and_counted(broker):
    body = broker.source_types().json()
    types = [item["type"] for item in body["items"]]
    assert types == sorted(types)
    assert body["totalCount"] == len(types) == len(set(types))
    assert {"google_drive", "zendesk", "wiki", "wiki_upload"} <= set(types)


def test_a_source_type_says_how_to_start_it(broker):
    items = {item["type"]: item for item in broker.source_types().json()["items"]}
    assert items["wiki_site"] == {
        "type": "wiki_site", "displayName": "Test Wiki", "category": "wiki", "supportsOAuth": True, "configured": True,
        "oauth": {
            "scopes": ["read", "write"],
            "parameters": [{
                "name": "subdomain", "description": "The part before .example.com",
                "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "required": True,
            }],
        },
    }


def test_a_source_type_without_oauth_says_so(broker):
    items = {item["type"]: item for item in broker.source_types().json()["items"]}
    assert items["wiki_upload"]["supportsOAuth"] is False
    assert items["wiki_upload"]["oauth"] is None
    assert items["wiki_upload"]["configured"] is True


def test_configured_means_that_a_client_id_is_known(broker):
    items = {item["type"]: item for item in broker.source_types().json()["items"]}
    assert items["wiki"]["configured"] is True
    assert items["wiki_public"]["configured"] is True
    assert items["wiki_unconfigured"]["configured"] is False
    assert items["google_drive"]["configured"] is False


# Limits.


def test_without_limits_nobody_is_limited(broker):
    with ThreadPoolExecutor(4) as pool:
        assert {response.status_code for response in pool.map(lambda _: broker.redeem("x"), range(200))} == {400}
