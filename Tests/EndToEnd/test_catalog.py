"""What `Docs/Catalog.md` promises of an entry beside its addresses: calls after connecting, signatures, values."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

import pytest

import provider as answers
from broker import CLIENT_SECRET, Broker, Installation, assert_problem


@pytest.fixture(scope="module")
def broker(folder, strict) -> Iterator[Broker]:
    url = strict.url

    def entry(**oauth) -> dict:
        usual = {"authorizationURL": f"{url}/authorize", "tokenURL": f"{url}/token", "scopes": ["read"]}
        return {"displayName": "Test Wiki", "category": "wiki", "provider": "wiki", "oauth": usual | oauth}

    connected = {"url": f"{url}/accounts", "extras": {"accountId": "/0/id", "missing": "/1"}}
    installation = Installation(folder / "catalog", strict, {"clients": {"wiki_public": None}})
    installation.write_catalog({
        "connected": entry(afterConnecting=connected),
        "connected_post": entry(afterConnecting=connected | {
            "method": "POST", "headers": {"X-App": "{clientId}"}, "parameters": {"token": "{accessToken}"}}),
        "swapped": entry(afterConnecting={
            "url": f"{url}/swap", "parameters": {"secret": "{clientSecret}", "access_token": "{accessToken}"},
            "replacesToken": True}),
        "kept": entry(
            extras={
                "callback": {"apicp": {"pattern": "^[a-z]{1,20}\\.example\\.com$"}, "note": {}},
                "token": {"base": {"pointer": "/base", "pattern": "^https://[a-z]+\\.example\\.com$"}, "team": "/team"},
            },
            afterConnecting={"url": f"{url}/account", "extras": {"account": "/account"}}),
        "signed": entry(callbackSignature={"parameter": "hmac"}, extras={"callback": ["shop"]}),
        "hashed": entry(
            clientAuthentication="none",
            exchangeParameters={"hash": "{sha256:clientSecret|code}", "client_id": None, "app": "{clientId}"}),
        "filled": entry(
            scopes=["{team}.read"], alwaysScopes=["offline_access"],
            parameters={"team": {"pattern": "^[a-z]+$", "default": "blue", "description": "Team"}}),
        "raw": entry(tokenURL=f"{url}/raw/token", clientAuthentication="basic_raw"),
        "encoded": entry(tokenURL=f"{url}/raw/token"),
        "assumed": entry(response={"lifetime": 120}),
        "lasting": entry(response={"lifetime": "never"}),
    })
    with Broker(installation) as running:
        yield running


# Who asks.


def test_a_server_that_does_not_decode_is_sent_the_secret_as_it_is(broker, strict):
    """RFC 7617 § 2 against RFC 6749 § 2.3.1, which has it form-encoded first."""
    assert broker.credentials("raw")["accessToken"]
    call = strict.calls_to("/raw/token")[-1]
    assert call.headers["authorization"] == "Basic " + base64.b64encode(f"wiki-client:{CLIENT_SECRET}".encode()).decode()
    assert_problem(broker.callback(broker.consented("encoded").callback), 502, "provider_rejected")


# What is kept beside the tokens.


@pytest.mark.parametrize("callback, answer, account, lost", [
    ({"apicp": "eu.example.com", "note": "Grüße, 東京"}, {"base": "https://a.example.com", "team": "Bären"}, "A-1", set()),
    ({"apicp": "evil.example.net", "note": "n"}, {"base": "https://a.example.com", "team": "t"}, "A-1", {"apicp"}),
    ({"apicp": "eu.example.com\r\nX: y", "note": "\x1b[2J"}, {"base": "https://a.example.com", "team": "t"}, "A-1",
     {"apicp", "note"}),
    ({"apicp": "eu.example.com", "note": "n" * 2049}, {"base": "https://evil.example.net", "team": "a\nb"}, "A-1",
     {"note", "base", "team"}),
    ({"apicp": "eu.example.com", "note": "n"}, {"base": "https://a.example.com", "team": ["t", "\u202et"]}, "A\x00",
     {"team", "account"}),
], ids=range(5))
def test_what_is_not_of_its_form_is_left_out_and_told(broker, strict, callback, answer, account, lost):
    strict.pages["/account"] = lambda handler, call: handler.send_json(200, {"account": account})
    grant = broker.consented("kept", answers.tokens(**answer))
    credentials = broker.redeem(broker.finish(grant, **callback)).json()
    said = callback | answer | {"account": account}
    assert credentials["extras"] == {name: value for name, value in said.items() if name not in lost}
    assert credentials["warnings"] == (["extra_refused"] if lost else [])
    assert credentials["accessToken"] == grant.access_token


# After connecting.


@pytest.mark.parametrize("source_type, method", [("connected", "GET"), ("connected_post", "POST")])
def test_one_more_call_tells_the_account(broker, strict, source_type, method):
    asked = []
    strict.pages["/accounts"] = lambda handler, call: asked.append(call) or handler.send_json(200, [{"id": "A-1"}])
    grant = broker.consented(source_type)
    credentials = broker.redeem(broker.finish(grant)).json()
    assert credentials["extras"] == {"accountId": "A-1"} and credentials["warnings"] == []
    one, = asked
    assert one.method == method
    if method == "GET":
        assert one.headers["authorization"] == f"Bearer {grant.access_token}" and one.query == {}
    else:
        assert one.members == {"token": grant.access_token} and one.headers["x-app"] == "wiki-client"
        assert "authorization" not in one.headers


@pytest.mark.parametrize("answer", [(500, b""), (200, b"<html>"), (401, b'{"error": "x"}'), (302, b"")], ids=str)
def test_where_it_fails_the_extras_are_missing(broker, strict, answer):
    strict.pages["/accounts"] = lambda handler, call: handler.send(*answer)
    credentials = broker.credentials("connected")
    assert credentials["extras"] == {} and credentials["warnings"] == ["extras_missing"]


def test_a_swapped_token_replaces_the_first(broker, strict):
    asked = []
    strict.pages["/swap"] = lambda handler, call: asked.append(call) or handler.send_json(
        200, {"access_token": "long-lived", "token_type": "bearer", "expires_in": 5184000})
    grant = broker.consented("swapped")
    credentials = broker.redeem(broker.finish(grant)).json()
    assert credentials["accessToken"] == "long-lived" and credentials["refreshToken"] == grant.refresh_token
    assert asked[0].query == {"secret": [CLIENT_SECRET], "access_token": [grant.access_token]}


@pytest.mark.parametrize("answer", [(400, b'{"error": "x"}'), (200, b"{}"), (500, b"")], ids=str)
def test_a_failed_swap_fails_the_flow(broker, strict, answer):
    strict.pages["/swap"] = lambda handler, call: handler.send(*answer)
    assert_problem(broker.callback(broker.consented("swapped").callback), 502, "provider_rejected")


# Signed callbacks.


def signature(members: dict[str, str], secret: str = CLIENT_SECRET) -> str:
    text = "&".join(f"{name}={value}" for name, value in sorted(members.items()))
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def test_a_signed_callback_is_believed(broker):
    members = broker.consented("signed").callback | {"shop": "acme.example.com", "timestamp": "1"}
    response = broker.callback(members | {"hmac": signature(members)})
    assert response.status_code == 302, response.text


@pytest.mark.parametrize("change", [
    lambda members: {}, lambda members: {"hmac": ""}, lambda members: {"hmac": "0" * 64},
    lambda members: {"hmac": signature(members)[:-1]}, lambda members: {"hmac": signature(members, "another")},
    lambda members: {"hmac": signature(members), "shop": "evil.example.net"},
    lambda members: {"hmac": signature(members), "more": "1"},
    lambda members: {"hmac": signature(members), "HMAC": "1"},
], ids=["missing", "empty", "zeros", "short", "another secret", "changed", "added", "added in capitals"])
def test_any_other_callback_is_not(broker, strict, change):
    grant = broker.consented("signed")
    members = grant.callback | {"shop": "acme.example.com"}
    assert_problem(broker.callback(members | change(members)), 400, "invalid_callback")
    assert strict.exchanges(grant) == []


def test_an_unsigned_denial_is_not_believed(broker):
    flow = broker.begin("signed")
    assert_problem(broker.callback({"error": "access_denied", "state": flow.state}), 400, "invalid_callback")


# Values of requests and answers.


def test_a_proof_may_be_a_hash_and_a_parameter_left_out(broker, strict):
    """`null` leaves the client's name out, so this provider, which wants one, refuses."""
    grant = broker.consented("hashed")
    broker.callback(grant.callback)
    members = strict.exchanges(grant)[0].members
    assert members["hash"] == hashlib.sha256(f"{CLIENT_SECRET}|{grant.code}".encode()).hexdigest()
    assert members["app"] == "wiki-client" and "client_id" not in members


@pytest.mark.parametrize("members, scope", [
    ({}, "blue.read offline_access"), ({"parameters": {"team": "red"}}, "red.read offline_access"),
    ({"scopes": ["other"]}, "other offline_access"),
])
def test_scopes_may_hold_a_parameter_and_some_always_go_along(broker, members, scope):
    assert broker.begin("filled", **members).query["scope"] == scope


def test_a_lifetime_may_be_assumed(broker):
    silent = answers.tokens(expires_in=None)
    assert broker.credentials("assumed", silent)["expiresAt"] and not broker.credentials("assumed", silent)["warnings"]
    lasting = broker.credentials("lasting", silent)
    assert lasting["expiresAt"] is None and lasting["warnings"] == []
