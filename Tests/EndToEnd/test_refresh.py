"""`assets:refreshCredentials`: one call to the provider for all who ask the same, and its answer for nobody else."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

import provider as answers
from broker import Broker, Installation, assert_problem, closed_port, eventually, simultaneously, source_types
from provider import Grant

TIMEOUT = 2
PATH = "/v1/tenants/acme/assets:refreshCredentials"


@pytest.fixture(scope="module")
def broker(folder, strict) -> Iterator[Broker]:
    installation = Installation(
        folder / "refresh", strict, {"provider": {"connectTimeout": 1, "timeout": TIMEOUT}})
    entries = source_types(strict)
    wiki = entries["wiki"]["oauth"]

    def entry(**oauth) -> dict:
        return entries["wiki"] | {"oauth": wiki | oauth}

    installation.write_catalog(entries | {
        "refresh_elsewhere": entry(refreshURL=f"{strict.url}/elsewhere/token"),
        "refresh_closed": entry(refreshURL=f"http://127.0.0.1:{closed_port()}/token"),
        "refresh_by_get": entry(refreshMethod="GET"),
        "refresh_parameters": entry(refreshParameters={
            "audience": "{clientId}", "scope": "{scope}", "proof": "{sha256:clientSecret|refreshToken}",
            "redirect_uri": "{redirectURI}"}),
        "refresh_shaped": entry(response={"refresh": {"accessToken": "/data/token", "expiresIn": "/data/seconds"}}),
        "refresh_expected": entry(refreshToken="expected"),
        "refresh_words": entry(reauthorizationErrors=["BAD_REFRESH_TOKEN", "token_revoked", "Refresh token is invalid"]),
        "refresh_aliases": entry(scopeAliases={
            "email": ["https://api.example/userinfo.email"], "read:*": ["write:*"],
            "https://graph.example/*": ["*"], "*": ["https://graph.example/*"], "all/.default": ["all/*"]}),
        "refresh_lasting": entry(response={"lifetime": "never"}),
    })
    with Broker(installation) as running:
        yield running


def refresh(
    broker: Broker, grant: Grant | str, source_type: str = "wiki", tenant: str = "acme", scope: str = "credentials:write",
    claim: str | None = None, **members,
) -> httpx.Response:
    token = grant if isinstance(grant, str) else grant.code
    return broker.client.post(
        f"/v1/tenants/{tenant}/assets:refreshCredentials", headers=broker.bearer(claim or tenant, scope),
        json={"sourceType": source_type, "refreshToken": token} | members)


# What comes back.


def test_a_refresh_gives_whole_credentials(broker, strict):
    grant = strict.granted()
    before = time.time() * 1000
    response = refresh(broker, grant)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"].startswith("application/json")
    body = response.json()
    assert before + 3_500_000 < body.pop("expiresAt") < time.time() * 1000 + 3_605_000
    assert body == {
        "accessToken": grant.access_token, "refreshToken": grant.refresh_token, "tokenType": "Bearer",
        "scope": "read write", "sourceType": "wiki", "idToken": None, "extras": {}, "warnings": [],
    }


@pytest.mark.parametrize("source_type", ["wiki", "refresh_expected"])
def test_where_the_provider_does_not_rotate_the_old_token_goes_on(broker, strict, source_type):
    grant = strict.granted(answers.tokens(refresh_token=None))
    body = refresh(broker, grant, source_type).json()
    assert body["refreshToken"] == grant.code and body["warnings"] == []


@pytest.mark.parametrize("source_type, members, changes, warnings", [
    ("wiki", {}, {"expires_in": None}, ["expiry_unknown"]),
    ("refresh_lasting", {}, {"expires_in": None}, []),
    ("wiki", {"scopes": ["read", "write"]}, {"scope": "read"}, ["scope_reduced"]),
    ("wiki", {"scopes": ["read"]}, {"scope": "read"}, []),
    ("wiki", {"scopes": ["read"]}, {"scope": None}, []),
])
def test_warnings_tell_what_will_hurt_later(broker, strict, source_type, members, changes, warnings):
    assert refresh(broker, strict.granted(answers.tokens(**changes)), source_type, **members).json()["warnings"] == warnings


@pytest.mark.parametrize("asked, granted", [
    (["email"], "https://api.example/userinfo.email"), (["read:org"], "write:org"), (["Files.Read"], "files.read"),
    (["https://graph.example/Files.Read"], "Files.Read"), (["Files.Read"], "https://graph.example/Files.Read"),
    (["all/.default"], "all/one"), (["read", "offline_access"], "READ"), (["read"], ""), (["read"], " "),
], ids=str)
def test_a_scope_under_another_name_is_granted_all_the_same(broker, strict, asked, granted):
    grant = strict.granted(answers.tokens(scope=granted))
    body = refresh(broker, grant, "refresh_aliases", scopes=asked).json()
    assert body["warnings"] == [] and body["scope"] == (granted if granted.strip() else None)


@pytest.mark.parametrize("asked, granted", [
    (["email"], "userinfo.email"), (["read:org"], "write:repo"), (["read:org"], "write:"), (["all/.default"], "other/one"),
    (["write:org"], "read:org"), (["read", "email"], "read"),
], ids=str)
def test_another_scope_is_not_the_one_asked_for(broker, strict, asked, granted):
    grant = strict.granted(answers.tokens(scope=granted))
    assert refresh(broker, grant, "refresh_aliases", scopes=asked).json()["warnings"] == ["scope_reduced"]


def test_a_refresh_may_answer_in_another_shape(broker, strict):
    grant = strict.granted(answers.shaped(lambda grant: {"data": {"token": grant.access_token, "seconds": 60}}))
    body = refresh(broker, grant, "refresh_shaped").json()
    assert body["accessToken"] == grant.access_token and body["expiresAt"] and body["refreshToken"] == grant.code


# What the provider gets.


def test_the_provider_gets_what_rfc_6749_says(broker, strict):
    grant = strict.granted()
    assert refresh(broker, grant).status_code == 200
    call, = strict.refreshes(grant)
    assert call.members == {"grant_type": "refresh_token", "refresh_token": grant.code}
    assert call.headers["authorization"].startswith("Basic ")


def test_a_scope_goes_along_where_the_caller_names_it(broker, strict):
    grant = strict.granted()
    assert refresh(broker, grant, scopes=["read"]).status_code == 200
    assert strict.refreshes(grant)[0].members["scope"] == "read"


def test_the_entry_says_where_and_how(broker, strict):
    elsewhere, filled = strict.granted(), strict.granted()
    assert refresh(broker, elsewhere, "refresh_elsewhere").status_code == 200
    assert strict.refreshes(elsewhere)[0].path == "/elsewhere/token"
    assert refresh(broker, filled, "refresh_parameters").status_code == 200
    members = strict.refreshes(filled)[0].members
    assert members["audience"] == "wiki-client" and members["scope"] == "read write" and len(members["proof"]) == 64
    assert members["redirect_uri"] == broker.begin("refresh_parameters").query["redirect_uri"]


def test_an_entry_may_want_a_query(broker, strict):
    grant = strict.granted()
    refresh(broker, grant, "refresh_by_get")
    call = strict.calls_to("/token")[-1]
    assert call.method == "GET" and call.body == b"" and call.query["refresh_token"] == [grant.code]


def test_a_parameter_fills_the_address(broker, strict):
    grant = strict.granted()
    assert refresh(broker, grant, "wiki_account", parameters={"account": "42"}).status_code == 200
    assert strict.refreshes(grant)[0].path == "/accounts/42/token"
    assert_problem(refresh(broker, grant, "wiki_account"), 400, "invalid_parameter")
    assert_problem(refresh(broker, grant, "wiki_account", parameters={"account": "x"}), 400, "invalid_parameter")


# Who may ask.


@pytest.mark.parametrize("scope", ["", "assets:read assets:write", "credentials", "credentials:read", "broker:admin"])
def test_another_scope_is_not_enough(broker, strict, scope):
    grant = strict.granted()
    assert_problem(refresh(broker, grant, scope=scope), 403, "insufficient_scope")
    assert strict.refreshes(grant) == []


def test_another_tenant_is_refused(broker, strict):
    grant = strict.granted()
    assert_problem(refresh(broker, grant, claim="other"), 403, "wrong_tenant")
    assert strict.refreshes(grant) == []


def test_without_a_token_nobody_is_served(broker):
    response = broker.client.post(PATH, json={"sourceType": "wiki", "refreshToken": "x"})
    assert_problem(response, 401, "invalid_token")
    assert response.headers["www-authenticate"].startswith("Bearer")


# What is refused.


@pytest.mark.parametrize("source_type, status, code", [
    ("no_such", 400, "unknown_source_type"), ("wiki_upload", 400, "source_type_without_oauth"),
    ("wiki_unconfigured", 409, "source_type_not_configured"),
])
def test_a_source_type_that_cannot_be_refreshed(broker, source_type, status, code):
    assert_problem(refresh(broker, "any", source_type), status, code)


@pytest.mark.parametrize("members", [
    {"refreshToken": ""}, {"refreshToken": "a\nb"}, {"refreshToken": "é"}, {"refreshToken": 5}, {"refreshToken": None},
    {"refreshToken": "x" * 16385}, {"sourceType": 5}, {"scopes": ["a b"]}, {"scopes": "read"}, {"parameters": {"a": 5}},
], ids=lambda members: repr(members)[:40])
def test_a_malformed_member_is_400(broker, members):
    assert_problem(refresh(broker, "any", **members), 400, "invalid_request")


@pytest.mark.parametrize("status", [400, 401, 200])
def test_an_invalid_grant_asks_for_the_person(broker, strict, status):
    grant = strict.granted(answers.refusal("invalid_grant", status))
    for _ in range(2):
        response = refresh(broker, grant)
        assert_problem(response, 400, "reauthorization_required")
        assert grant.code not in response.text
    assert len(strict.refreshes(grant)) == 2, "a refusal is not kept"


@pytest.mark.parametrize("source_type, status, body", [
    ("wiki", 400, {"error": "INVALID_GRANT"}), ("wiki", 400, {"error": {"code": "invalid_grant", "message": "gone"}}),
    ("wiki", 401, {"errors": [{"errorType": "invalid_grant"}]}), ("wiki", 200, {"fault": {"detail": {"code": "Invalid_Grant"}}}),
    ("refresh_words", 400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token"}),
    ("refresh_words", 200, {"ok": False, "error": "token_revoked"}),
    ("refresh_words", 403, {"error": "unauthorized_client", "error_description": "Refresh token is invalid."}),
    ("refresh_words", 400, b"refresh token is invalid\n"), ("refresh_words", 400, b"error=token_revoked"),
], ids=str)
def test_a_dead_grant_is_known_by_other_words_too(broker, strict, source_type, status, body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    grant = strict.granted(answers.raw(content, "text/plain", status))
    assert_problem(refresh(broker, grant, source_type), 400, "reauthorization_required")


@pytest.mark.parametrize("source_type, body", [
    ("wiki", {"error": "token_revoked"}), ("wiki", {"error": "server_error", "error_description": "not an invalid_grant"}),
    ("refresh_words", {"error": "server_error", "message": "Refresh token is invalid or the service is busy"}),
], ids=str)
def test_no_other_words_end_a_grant(broker, strict, source_type, body):
    grant = strict.granted(answers.raw(json.dumps(body).encode(), status=400))
    assert_problem(refresh(broker, grant, source_type), 502, "provider_rejected")


def test_words_of_a_dead_grant_in_good_tokens_end_nothing(broker, strict):
    grant = strict.granted(answers.tokens(note="invalid_grant", scope="token_revoked"))
    assert refresh(broker, grant, "refresh_words").status_code == 200


@pytest.mark.parametrize("error", ["invalid_client", "invalid_scope", "temporarily_unavailable", "unauthorized_client"])
def test_any_other_refusal_is_502(broker, strict, error):
    response = refresh(broker, strict.granted(answers.refusal(error)))
    assert error in assert_problem(response, 502, "provider_rejected")["detail"]
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("status, told, expected", [
    (429, "7", "7"), (503, "120", "120"), (503, "-1", None), (503, "soon", None), (500, "99999999", None),
])
def test_the_providers_patience_is_passed_on(broker, strict, status, told, expected):
    grant = strict.granted(
        lambda handler, grant: handler.send(status, b"busy", "text/plain", headers={"Retry-After": told}))
    response = refresh(broker, grant)
    assert_problem(response, 502, "provider_rejected")
    assert response.headers["retry-after"] == expected or (expected is None and 0 < int(response.headers["retry-after"]) < 60)


@pytest.mark.parametrize("write", [
    lambda moment: f"{moment:%a, %d %b %Y %H:%M:%S} GMT", lambda moment: f"{moment:%A, %d-%b-%y %H:%M:%S} GMT",
    lambda moment: f"{moment:%a %b} {moment.day:2} {moment:%H:%M:%S %Y}",
], ids=["IMF-fixdate", "RFC 850", "asctime"])
def test_a_date_is_patience_too(broker, strict, write):
    """RFC 9110 § 10.2.3, in all three forms of § 5.6.7; by the clock of the provider, which its `Date` tells."""
    sent = datetime(2031, 3, 9, 23, 59, 30, tzinfo=UTC)
    headers = {"Retry-After": write(sent + timedelta(seconds=95)), "Date": format_datetime(sent, usegmt=True)}
    grant = strict.granted(lambda handler, grant: handler.send_raw(
        "\r\n".join(["HTTP/1.1 503 Busy", "Content-Length: 0", *(f"{n}: {v}" for n, v in headers.items()), "", ""]).encode()))
    response = refresh(broker, grant)
    assert_problem(response, 502, "provider_rejected")
    assert response.headers["retry-after"] == "95"


def test_a_provider_that_is_not_there_is_502(broker):
    response = refresh(broker, "any", "refresh_closed")
    assert_problem(response, 502, "provider_unreachable")
    assert int(response.headers["retry-after"]) > 0


def test_a_provider_that_is_silent_is_504(broker, strict):
    grant = strict.granted(answers.silent)
    response = refresh(broker, grant)
    grant.released.set()
    assert_problem(response, 504, "provider_timeout")
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("answer", [
    answers.raw(b"<html>"), answers.raw(b""), answers.raw(b"[]"), answers.tokens(access_token=None),
    answers.redirect("https://evil.example.net/"), answers.closed, answers.reset, answers.cut_short,
], ids=["page", "empty", "array", "no token", "redirect", "closed", "reset", "cut short"])
def test_an_answer_that_is_none_is_502(broker, strict, answer):
    assert_problem(refresh(broker, strict.granted(answer)), 502, {"provider_rejected", "provider_unreachable"})


# One call for all who ask the same.


def request(broker: Broker, grant: Grant, tenant: str = "acme", **members) -> tuple[int, bytes]:
    body = json.dumps({"sourceType": "wiki", "refreshToken": grant.code} | members).encode()
    head = [
        f"POST /v1/tenants/{tenant}/assets:refreshCredentials HTTP/1.1", f"Host: 127.0.0.1:{broker.port}",
        f"Authorization: Bearer {broker.token(tenant, 'credentials:write')}", "Content-Type: application/json",
        f"Content-Length: {len(body)}", "Connection: close",
    ]
    return broker.port, "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("round", range(3))
def test_16_at_once_make_one_call(broker, strict, round):
    grant = strict.granted(lambda handler, grant: handler.send_json(200, grant.token_response()))
    results = simultaneously([request(broker, grant)] * 16)
    assert [status for status, _ in results] == [200] * 16
    assert {json.loads(body)["accessToken"] for _, body in results} == {grant.access_token}
    assert len(strict.refreshes(grant)) == 1


def test_16_at_once_share_a_refusal(broker, strict):
    """They all wait at the provider's slow answer, which comes when it has been asked."""
    def slow_refusal(handler, grant) -> None:
        grant.released.wait(TIMEOUT * 0.75)
        handler.send_json(400, {"error": "invalid_grant"})

    grant = strict.granted(slow_refusal)
    results = simultaneously([request(broker, grant)] * 16)
    assert {(status, json.loads(body)["code"]) for status, body in results} == {(400, "reauthorization_required")}
    assert len(strict.refreshes(grant)) == 1


def test_an_answer_that_was_lost_is_given_again(broker, strict):
    grant = strict.granted()
    first = refresh(broker, grant)
    again = refresh(broker, grant)
    assert again.status_code == 200 and again.json() == first.json()
    assert len(strict.refreshes(grant)) == 1


def test_whoever_hangs_up_gets_the_answer_the_next_time(broker, strict):
    grant = strict.granted(answers.slow)
    with pytest.raises(httpx.TimeoutException):
        broker.client.post(
            PATH, headers=broker.bearer(scope="credentials:write"), timeout=0.2,
            json={"sourceType": "wiki", "refreshToken": grant.code})
    assert grant.arrived.wait(5)
    grant.released.set()
    assert eventually(lambda: refresh(broker, grant)).json()["accessToken"] == grant.access_token
    assert len(strict.refreshes(grant)) == 1


def test_nobody_else_gets_the_answer(broker, strict):
    """Another tenant, other scopes, another source type: a call of its own, for the provider to judge."""
    grant = strict.granted()
    calls = 0
    for tenant, members in [
        ("acme", {}), ("other", {}), ("acme", {"scopes": ["read"]}), ("acme", {"scopes": ["write"]}),
        ("acme", {"sourceType": "refresh_elsewhere"}), ("acme", {"scopes": ["read", "write"]}),
    ]:
        source_type = members.get("sourceType", "wiki")
        assert refresh(broker, grant, source_type, tenant, **members).status_code == 200
        calls += 1
        assert len(strict.refreshes(grant)) == calls, members


def test_a_new_refresh_token_is_another_grant(broker, strict):
    first, second = strict.granted(), strict.granted()
    assert refresh(broker, first).json()["accessToken"] == first.access_token
    assert refresh(broker, second).json()["accessToken"] == second.access_token


def test_no_token_is_in_a_log(broker, strict):
    grant = strict.granted()
    refresh(broker, grant)
    assert not any(text in broker.logs for text in (grant.code, grant.access_token, grant.refresh_token))
