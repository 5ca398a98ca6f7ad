"""`assets:revokeCredentials`: RFC 7009 at the provider, or what the catalog says in its place."""

import base64
from collections.abc import Iterator

import httpx
import pytest

from broker import Broker, Installation, assert_problem, closed_port, source_types
from provider import Call
from strict_provider import StrictHandler

TIMEOUT = 2
TOKEN = "token:/+ &%=x"


@pytest.fixture(scope="module")
def broker(folder, strict) -> Iterator[Broker]:
    installation = Installation(folder / "revoke", strict, {"provider": {"connectTimeout": 1, "timeout": TIMEOUT}})
    entries = source_types(strict)

    def entry(path: str = "/revoke", base: str = "wiki", **oauth) -> dict:
        url = path if path.startswith("http") else strict.url + path
        return entries[base] | {"oauth": entries[base]["oauth"] | {"revocationURL": url} | oauth}

    installation.write_catalog(entries | {
        "revoke": entry(), "revoke_post": entry(clientAuthentication="post"), "revoke_public": entry(base="wiki_public"),
        "revoke_unconfigured": entry(base="wiki_unconfigured"),
        "revoke_closed": entry(f"http://127.0.0.1:{closed_port()}/revoke"),
        "revoke_account": entry("/accounts/{account}/revoke", base="wiki_account"),
        "revoke_json": entry(revocation={"token": "json", "tokenParameter": "access_token", "authentication": "post"}),
        "revoke_query": entry(revocation={"token": "query", "method": "GET", "authentication": "none"}),
        "revoke_bearer": entry(revocation={"token": "bearer"}),
        "revoke_path": entry("/apps/{clientId}/revoke/{token}", revocation={"token": "path", "method": "DELETE"}),
        "revoke_headers": entry(revocation={"parameters": {"id": "{clientId}"}, "headers": {"X-Token": "{token}"}}),
        "revoke_access_only": entry(revocation={"tokenType": "access_token"}),
        "revoke_words": entry(revocation={"goneErrors": ["Invalid token"]}),
        "revoke_shaped": entry(response={"failureUnless": {"pointer": "/ok", "equals": True}}),
    })
    with Broker(installation) as running:
        yield running


@pytest.fixture
def answer(strict):
    """What the provider says to a revocation in this test."""
    usual = strict.revocation

    def give(status: int, body: bytes = b"", content_type: str = "application/json", **headers: str) -> None:
        strict.revocation = lambda handler, call: handler.send(
            status, body, content_type, {name.replace("_", "-"): value for name, value in headers.items()})

    yield give
    strict.revocation = usual


def revoke(
    broker: Broker, source_type: str = "revoke", scope: str = "credentials:write", claim: str = "acme", **members
) -> httpx.Response:
    return broker.client.post(
        "/v1/tenants/acme/assets:revokeCredentials", headers=broker.bearer(claim, scope),
        json={"sourceType": source_type, "token": TOKEN} | members)


def revoked(broker: Broker, source_type: str = "revoke", **members) -> Call:
    """The provider's view of a revocation that succeeded."""
    before = len(broker.provider.calls)
    response = revoke(broker, source_type, **members)
    assert response.status_code == 204, response.text
    assert response.content == b"" and response.headers["cache-control"] == "no-store"
    call, = broker.provider.calls[before:]
    return call


# What the provider gets.


def test_the_provider_gets_what_rfc_7009_says(broker):
    call = revoked(broker)
    assert (call.method, call.path, call.members) == ("POST", "/revoke", {"token": TOKEN})
    assert call.headers["authorization"].startswith("Basic ")
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("hint", ["access_token", "refresh_token"])
def test_a_hint_goes_along(broker, hint):
    assert revoked(broker, tokenTypeHint=hint).members == {"token": TOKEN, "token_type_hint": hint}


def test_the_client_proves_itself_as_elsewhere(broker, strict):
    members = revoked(broker, "revoke_post").members
    assert members["client_id"] == "wiki-client" and members["client_secret"] == strict.clients["wiki-client"]
    call = revoked(broker, "revoke_public")
    assert call.members == {"token": TOKEN, "client_id": "public-client"} and "authorization" not in call.headers


def test_a_parameter_fills_the_address(broker):
    assert revoked(broker, "revoke_account", parameters={"account": "42"}).path == "/accounts/42/revoke"
    assert_problem(revoke(broker, "revoke_account"), 400, "invalid_parameter")


def test_the_token_goes_where_the_entry_says(broker, strict):
    call = revoked(broker, "revoke_json")
    assert call.headers["content-type"] == "application/json" and call.members["access_token"] == TOKEN
    call = revoked(broker, "revoke_query")
    assert (call.method, call.body, call.query) == ("GET", b"", {"token": [TOKEN]})
    call = revoked(broker, "revoke_bearer")
    assert call.headers["authorization"] == f"Bearer {TOKEN}" and call.body == b"" and call.query == {}
    call = revoked(broker, "revoke_path")
    assert call.method == "DELETE" and call.path == "/apps/wiki-client/revoke/token%3A%2F%2B%20%26%25%3Dx"
    assert base64.b64decode(call.headers["authorization"].removeprefix("Basic ")).startswith(b"wiki-client:")
    call = revoked(broker, "revoke_headers")
    assert call.members == {"token": TOKEN, "id": "wiki-client"} and call.headers["x-token"] == TOKEN


# Who may ask.


@pytest.mark.parametrize("scope", ["", "assets:read assets:write", "credentials:read"])
def test_another_scope_is_not_enough(broker, scope):
    assert_problem(revoke(broker, scope=scope), 403, "insufficient_scope")


def test_another_tenant_is_refused(broker):
    assert_problem(revoke(broker, claim="other"), 403, "wrong_tenant")


def test_without_a_token_nobody_is_served(broker):
    response = broker.client.post(
        "/v1/tenants/acme/assets:revokeCredentials", json={"sourceType": "revoke", "token": TOKEN})
    assert_problem(response, 401, "invalid_token")


# What is refused.


@pytest.mark.parametrize("source_type, status, code", [
    ("no_such", 400, "unknown_source_type"), ("wiki_upload", 400, "source_type_without_oauth"),
    ("revoke_unconfigured", 409, "source_type_not_configured"), ("wiki", 409, "revocation_unsupported"),
])
def test_a_source_type_that_revokes_nothing(broker, source_type, status, code):
    assert_problem(revoke(broker, source_type), status, code)


def test_a_provider_that_revokes_one_type_is_asked_for_that_only(broker, strict):
    revoked(broker, "revoke_access_only", tokenTypeHint="access_token")
    before = len(strict.calls)
    response = revoke(broker, "revoke_access_only", tokenTypeHint="refresh_token")
    assert_problem(response, 409, "revocation_unsupported")
    assert len(strict.calls) == before


@pytest.mark.parametrize("members", [
    {"token": ""}, {"token": 5}, {"token": None}, {"token": "a\r\nb"}, {"token": "x" * 16385}, {"tokenTypeHint": "id_token"},
    {"tokenTypeHint": 5}, {"sourceType": None},
], ids=lambda members: repr(members)[:40])
def test_a_malformed_member_is_400(broker, members):
    assert_problem(revoke(broker, **members), 400, "invalid_request")


# What the provider says.


@pytest.mark.parametrize("status, body", [
    (200, b""), (204, b""), (200, b"ok"), (200, b'{"revoked": true}'), (400, b'{"error": "invalid_token"}'),
    (200, b'{"error": null}'), (200, b'{"error": ""}'), (200, b'{"error": false}'), (200, b"[]"), (200, b"<html>"),
    (400, b'{"error": "INVALID_TOKEN"}'), (400, b'{"errors": [{"code": "invalid_token"}]}'),
    (200, b'{"error": "invalid_token"}'), (400, b"error=invalid_token"),
], ids=str)
def test_gone_is_gone(broker, answer, status, body):
    """RFC 7009 § 2.2: also a token that was none any more."""
    answer(status, body)
    revoked(broker)


@pytest.mark.parametrize("body", [b'{"status": 400, "message": "Invalid token"}', b"invalid token.\n"], ids=str)
def test_gone_is_what_the_entry_calls_so(broker, answer, body):
    """Twitch: https://dev.twitch.tv/docs/authentication/revoke-tokens/."""
    answer(400, body)
    revoked(broker, "revoke_words")
    assert_problem(revoke(broker), 502, "provider_rejected")


def test_what_the_path_names_may_be_gone(broker, answer):
    answer(404)
    revoked(broker, "revoke_path")
    assert_problem(revoke(broker), 502, "provider_rejected")


@pytest.mark.parametrize("status, body", [
    (400, b'{"error": "unsupported_token_type"}'), (401, b'{"error": "invalid_client"}'), (403, b""), (500, b"<html>"),
    (302, b""), (200, b'{"error": "invalid_client"}'), (200, b'{"error": {"code": "server_error"}}'),
    (200, b"error=invalid_request&error_description=x"), (200, b'\xef\xbb\xbf{"error": "invalid_client"}'),
    (400, b'{"error": "invalid_grant"}'), (400, b'{"error": "x", "error_description": "the token is not an invalid_token"}'),
], ids=str)
def test_a_refusal_is_502(broker, answer, status, body):
    answer(status, body)
    response = revoke(broker)
    assert_problem(response, 502, "provider_rejected")
    assert TOKEN not in response.text and int(response.headers["retry-after"]) > 0


def test_a_failure_in_a_good_status_is_one_all_the_same(broker, answer):
    answer(200, b'{"ok": false, "error": "token_revocation_failed"}')
    assert_problem(revoke(broker, "revoke_shaped"), 502, "provider_rejected")
    answer(200, b'{"ok": true}')
    revoked(broker, "revoke_shaped")


def test_the_providers_patience_is_passed_on(broker, answer):
    """RFC 7009 § 2.2.1: 503 with Retry-After."""
    answer(503, b"", Retry_After="42")
    response = revoke(broker)
    assert_problem(response, 502, "provider_rejected")
    assert response.headers["retry-after"] == "42"


def test_a_provider_that_is_not_there_is_502(broker):
    response = revoke(broker, "revoke_closed")
    assert_problem(response, 502, "provider_unreachable")
    assert int(response.headers["retry-after"]) > 0


def test_a_provider_that_is_silent_is_504(broker, strict, answer):
    def silent(handler: StrictHandler, call: Call) -> None:
        strict.closing.wait(TIMEOUT * 2)
        handler.close_connection = True

    strict.revocation = silent
    response = revoke(broker)
    assert_problem(response, 504, "provider_timeout")
    assert int(response.headers["retry-after"]) > 0


def test_no_token_is_in_a_log(broker):
    revoked(broker, token="a-token-to-look-for")
    assert "a-token-to-look-for" not in broker.logs
