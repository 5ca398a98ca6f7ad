"""One odd byte where people read costs no connection; where it decides, it is not taken for what it may mean."""

import json
from collections.abc import Iterator

import httpx
import pytest

import tokens
from broker import APP, Broker, Installation, assert_problem, fragment, source_types, text_of
from provider import Answer, Handler, callback_path
from strict_provider import StrictProvider

ODD = {
    "half-a-pair": rb"\ud83d", "latin-1": b"\xe9", "newline": b"a\nb", "nul": b"\x00", "escape": rb"\x41\'",
    "cut-utf-8": b"\xf0\x9f", "marks": "\u0301\u0316".encode() * 500,
}


@pytest.fixture(scope="module")
def provider(strict) -> StrictProvider:
    return strict


@pytest.fixture(scope="module")
def broker(folder, provider) -> Iterator[Broker]:
    installation = Installation(folder / "odd", provider, {
        "clients": {"meta": {"clientId": "1", "clientSecret": "2"}, "meta_instagram": {"clientId": "1", "clientSecret": "2"}},
    })
    entries = source_types(provider)

    def entry(**oauth) -> dict:
        return entries["wiki"] | {"oauth": entries["wiki"]["oauth"] | oauth}

    installation.write_catalog(entries | {
        "wiki_bound": entry(issuer=f"{provider.url}/issuer"),
        "wiki_ids": entry(extras={
            "callback": ["realmId"],
            "token": {"id": "/id", "ratio": "/ratio", "deep": "/deep", "name": "/name",
                      "known": {"pointer": "/known", "pattern": "^[0-9]{1,30}$"}},
        }),
        "wiki_revocable": entry(revocationURL=f"{provider.url}/revoke"),
    })
    with Broker(installation) as running:
        yield running


def beside(spare: bytes, name: bytes = b"spare", first: bool = False) -> Answer:
    """The usual JSON with one more member, written as it is."""

    def answer(handler: Handler, grant) -> None:
        members, spared = json.dumps(grant.token_response()).encode()[1:-1], b'"' + name + b'": "' + spare + b'"'
        handler.send(200, b"{" + (spared + b"," + members if first else members + b"," + spared) + b"}")

    return answer


def get(broker: Broker, path: str, query: bytes | str, **headers: str) -> httpx.Response:
    """These very bytes as the query."""
    raw = query if isinstance(query, bytes) else query.encode()
    url = httpx.URL(broker.url, raw_path=path.encode() + b"?" + raw)
    return broker.client.get(url, headers={"Accept": "application/json"} | headers)


def trail(broker: Broker, flow: str) -> dict:
    headers = broker.bearer(scope="broker:admin")
    items = broker.client.get("/v1/admin/auditEvents?type=flow.failed", headers=headers).json()["items"]
    return next(item for item in items if item["flow"] == flow)


# The callback.


@pytest.mark.parametrize("spare", [
    "x=100%", "error_description=%E9", "%E9=%FF", "x=%C3", "%", "x=%zz&x=%zz", "x=%ED%A0%80", "x=" + "%CC%81%CC%96" * 200,
], ids=["percent", "latin-1", "name", "cut-utf-8", "percent-alone", "no-escape", "surrogate", "marks"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_odd_parameter_costs_no_code(broker, provider, spare, method):
    grant = provider.consent(broker.begin().authorization_url)
    path, query = callback_path(grant.callback), f"{spare}&code={grant.code}&{spare}&state={grant.state}"
    if method == "GET":
        response = get(broker, path, query)
    else:
        response = broker.client.post(path, content=query, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert response.status_code in (302, 303), response.text
    assert broker.redeem(fragment(response)["credentialKey"]).status_code == 200


def test_raw_bytes_beyond_ascii_cost_no_code(broker, provider):
    grant = provider.consent(broker.begin().authorization_url)
    query = f"code={grant.code}&state={grant.state}&x=".encode() + b"\xe9\xff"
    response = broker.client.post(
        callback_path(grant.callback), content=query, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert response.status_code == 303


@pytest.mark.parametrize("written, read", [
    ("refus%E9", "refusé"), ("100%", "100%"), ("a%C3%A9%FF", "aéÿ"), ("a%00%0Ab", "a  b"), ("first&error_description=second", "first"),
])
def test_an_odd_error_is_told_to_page_opener_and_trail(broker, written, read):
    verifier = tokens.new_verifier()
    flow = broker.begin(exchangeChallenge=tokens.challenge_of(verifier))
    answer = broker.client.post(
        "/oauth/popup", json={"flow": flow.flow, "exchangeVerifier": verifier, "frontendOrigin": APP})
    query = f"error=access_denied&error_description={written}&state={flow.state}"
    cookie = answer.headers["set-cookie"].partition(";")[0]
    broker.client.cookies.clear()
    response = get(broker, callback_path({"state": flow.state}), query, Accept="text/html", Cookie=cookie)
    assert response.status_code == 400
    page = text_of(response)
    assert f'data-code="access_denied" data-description="{read}" data-frontend-origin="{APP}"' in page
    outcome = broker.outcome(flow.flow, verifier).json()
    assert outcome == {"status": "failed", "error": "access_denied", "errorDescription": read}
    assert "access_denied" in trail(broker, flow.flow)["detail"]


def test_an_odd_error_without_a_description_is_a_denial(broker):
    flow = broker.begin()
    response = get(broker, callback_path({"state": flow.state}), f"error=%E9&state={flow.state}")
    assert_problem(response, 400, "access_denied")


@pytest.mark.parametrize("code", ["%E9", "{code}%", "{code}%FF", "{code}%EF%BF%BD"])
def test_an_odd_code_is_not_sent(broker, provider, code):
    grant = provider.consent(broker.begin().authorization_url)
    before = len(provider.calls_to("/token"))
    query = f"code={code.format(code=grant.code)}&state={grant.state}"
    assert_problem(get(broker, callback_path(grant.callback), query), 400, "invalid_callback")
    assert len(provider.calls_to("/token")) == before
    assert_problem(broker.callback(grant.callback), 400, "invalid_state")


@pytest.mark.parametrize("state", ["{state}%", "{state}%E9", "%E9", "{state}%EF%BF%BD"])
def test_an_odd_state_is_none(broker, provider, state):
    grant = provider.consent(broker.begin().authorization_url)
    query = f"code={grant.code}&state={state.format(state=grant.state)}"
    assert_problem(get(broker, callback_path(grant.callback), query), 400, "invalid_state")
    broker.finish(grant)


def test_an_odd_issuer_is_another(broker, provider):
    """RFC 9207 § 2.4; where nobody knows an issuer, it is noted and no more."""
    grant = provider.consent(broker.begin("wiki_bound").authorization_url)
    query = f"code={grant.code}&state={grant.state}&iss={provider.url}/issuer%"
    assert_problem(get(broker, callback_path(grant.callback), query), 400, "issuer_mismatch")
    assert provider.exchanges(grant) == []
    other = provider.consent(broker.begin().authorization_url)
    query = f"code={other.code}&state={other.state}&iss=%E9"
    assert get(broker, callback_path(other.callback), query).status_code == 302


@pytest.mark.parametrize("source_type", ["facebook_pages", "instagram"])
def test_an_error_by_a_providers_own_names_is_one(broker, source_type):
    flow = broker.begin(source_type)
    at = callback_path({"state": flow.state})
    query = f"error_code=1349126&error_message=App+not+set+up%E9&state={flow.state}"
    response = get(broker, at, query, Accept="text/html")
    assert response.status_code == 400 and "App not set upé" in text_of(response)
    assert "1349126" in trail(broker, flow.flow)["detail"]
    flow = broker.begin(source_type)
    assert_problem(get(broker, at, f"error_code=200&error_reason=user_denied&state={flow.state}"), 400, "user_denied")


def test_another_name_of_an_error_is_none_where_the_entry_knows_none(broker, provider):
    flow = broker.begin()
    response = get(broker, callback_path({"state": flow.state}), f"error_code=1&state={flow.state}")
    assert_problem(response, 400, "invalid_callback")
    grant = provider.consent(broker.begin().authorization_url)
    broker.finish(grant, error_code="0", error_message="")


# What the provider answers.


@pytest.mark.parametrize("spare", ODD.values(), ids=ODD)
@pytest.mark.parametrize("name", [b"spare", None], ids=["value", "name"])
def test_an_odd_member_costs_no_tokens(broker, provider, spare, name):
    for first in (False, True):
        body = broker.credentials(answer=beside(spare, name or spare, first))
        assert body["accessToken"].startswith("access-") and body["refreshToken"]


@pytest.mark.parametrize("spare", ODD.values(), ids=ODD)
def test_an_odd_member_costs_no_refresh(broker, provider, spare):
    """The provider has rotated the token: the old one is worth nothing any more."""
    grant = provider.granted(beside(spare))
    response = broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=broker.bearer(scope="credentials:write"),
        json={"sourceType": "wiki", "refreshToken": grant.code})
    assert response.status_code == 200, response.text
    assert response.json()["refreshToken"] == grant.refresh_token


@pytest.mark.parametrize("spare", ODD.values(), ids=ODD)
def test_a_dead_grant_is_one_whatever_else_is_said(broker, provider, spare):
    body = b'{"error": "invalid_grant", "error_description": "' + spare + b'"}'
    grant = provider.granted(lambda handler, grant: handler.send(400, body))
    response = broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=broker.bearer(scope="credentials:write"),
        json={"sourceType": "wiki", "refreshToken": grant.code})
    assert_problem(response, 400, "reauthorization_required")


@pytest.mark.parametrize("spare", ODD.values(), ids=ODD)
def test_a_token_that_is_gone_is_gone_whatever_else_is_said(broker, provider, spare):
    usual = provider.revocation
    body = b'{"error": "invalid_token", "error_description": "' + spare + b'"}'
    provider.revocation = lambda handler, call: handler.send(400, body)
    response = broker.client.post(
        "/v1/tenants/acme/assets:revokeCredentials", headers=broker.bearer(scope="credentials:write"),
        json={"sourceType": "wiki_revocable", "token": "t"})
    provider.revocation = usual
    assert response.status_code == 204, response.text


@pytest.mark.parametrize("body", [
    "access_token={token}&name=%E9&x=100%", "access_token={token}&name=a b\t\x00", "x=1&x=2&access_token={token}",
    "access_token={token}&name=<b>{{\"",
], ids=["latin-1", "space", "twice", "markup"])
def test_an_odd_member_costs_no_tokens_in_a_form(broker, provider, body):
    def answer(handler: Handler, grant) -> None:
        handler.send(200, body.format(token=grant.access_token).encode(), "application/x-www-form-urlencoded")

    assert broker.credentials(answer=answer)["accessToken"].startswith("access-")


@pytest.mark.parametrize("token", [
    rb"a\ud83d", b"a\xe9", b"a\nb", rb"a\x", "é".encode(), b"error: token is expired", b"token expired", b"null",
    b"undefined", b"[object Object]", b"Error 401: the token is expired",
])
def test_what_is_no_token_is_not_taken_for_one(broker, provider, token):
    grant = broker.consented(answer=lambda handler, grant: handler.send(200, b'{"access_token": "' + token + b'"}'))
    assert_problem(broker.callback(grant.callback), 502, "provider_rejected")


# Extras.


NUMBERS = {
    "id": "12345678901234567890123", "ratio": "0.12345678901234567890",
    "deep": '[18446744073709551615,{"a":-9223372036854775809}]', "known": "340282366920938463463374607431",
}


def test_numbers_keep_all_their_digits(broker, provider):
    def answer(handler: Handler, grant) -> None:
        members = "".join(f', "{name}": {number}' for name, number in NUMBERS.items())
        handler.send(200, (json.dumps(grant.token_response())[:-1] + members + "}").encode())

    text = broker.redeem(broker.key("wiki_ids", answer)).text
    for name, number in NUMBERS.items():
        assert f'"{name}":{number}' in text.replace(" ", "")


def test_an_extra_is_repaired_and_one_that_came_twice_is_refused(broker, provider):
    grant = provider.consent(broker.begin("wiki_ids").authorization_url, beside(b"Jos\xe9 \\ud83d", b"name"))
    query = f"code={grant.code}&state={grant.state}&realmId=1&realmId=2"
    response = get(broker, callback_path(grant.callback), query)
    body = broker.redeem(fragment(response)["credentialKey"]).json()
    assert body["extras"] == {"name": "José \ufffd"}
    assert "extra_refused" in body["warnings"]
