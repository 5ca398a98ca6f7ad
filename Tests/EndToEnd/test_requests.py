"""Requests that do more than a query can: pushed (RFC 9126), signed (RFC 9101), for a resource (RFC 8707)."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from broker import Broker, Installation, assert_problem, closed_port, fragment, in_background
from strict_provider import StrictProvider, repeated
from tokens import Signer

SIGNERS = {name: Signer.new(name, f"{name}-key") for name in ("ES256", "RS256", "PS256", "EdDSA")}
RESOURCES = ["https://api.example.com/v1", "urn:example:files"]
TIMEOUT = 2


@pytest.fixture(scope="module")
def broker(folder, strict) -> Iterator[Broker]:
    def entry(**oauth) -> dict:
        usual = {
            "authorizationURL": f"{strict.url}/authorize", "tokenURL": f"{strict.url}/token", "issuer": strict.url,
            "scopes": ["read", "write"],
        }
        return {"displayName": "Test Wiki", "category": "wiki", "provider": "wiki", "oauth": usual | oauth}

    par = f"{strict.url}/par"
    entries = {
        "pushed": entry(pushedAuthorizationURL=par, authorizationParameters={"prompt": "consent"}),
        "pushed_post": entry(pushedAuthorizationURL=par, clientAuthentication="post"),
        "pushed_refused": entry(pushedAuthorizationURL=f"{strict.url}/broken/par"),
        "pushed_closed": entry(pushedAuthorizationURL=f"http://127.0.0.1:{closed_port()}/par"),
        "pushed_silent": entry(pushedAuthorizationURL=f"{strict.url}/silent/par"),
        "pushed_missing": entry(pushedAuthorizationURL=f"{strict.url}/missing"),
        "resources": entry(resources=RESOURCES),
        "form_post": entry(authorizationParameters={"response_mode": "form_post"}, requireIssuer=True),
    }
    clients = {}
    for name, signer in SIGNERS.items():
        strict.signers[f"signing {name}"] = signer
        signing = {"clientAuthentication": "private_key_jwt"}
        entries |= {
            f"signed_{name.lower()}": entry(requestObject=True, **signing) | {"provider": name.lower()},
            f"both_{name.lower()}":
                entry(requestObject=True, pushedAuthorizationURL=par, **signing) | {"provider": name.lower()},
        }
        clients[name.lower()] = {
            "clientId": f"signing {name}", "privateKeyFile": f"{name}.pem", "keyId": signer.kid, "algorithm": name}
    entries["signed_resources"] = entries["signed_es256"] | {
        "oauth": entries["signed_es256"]["oauth"] | {
            "resources": RESOURCES, "authorizationParameters": {"max_age": "600", "claims": '{"userinfo":{}}'}}}
    entries["pushed_es256"] = entries["both_es256"] | {
        "oauth": entries["both_es256"]["oauth"] | {"requestObject": False}}
    installation = Installation(
        folder / "requests", strict,
        {"clients": clients | {"wiki_public": None}, "provider": {"connectTimeout": 1, "timeout": TIMEOUT}})
    for name, signer in SIGNERS.items():
        installation.write(f"{name}.pem", signer.private_pem, mode=0o600)
    installation.write_catalog(entries)
    with Broker(installation) as running:
        yield running


def query(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query, keep_blank_values=True)


# Pushed.


@pytest.mark.parametrize("source_type", ["pushed", "pushed_post", "pushed_es256"])
def test_a_pushed_request_leaves_a_reference_in_the_address(broker, strict, source_type):
    """RFC 9126 § 4: nothing but that and the client's name is left for the browser to see."""
    flow = broker.begin(source_type)
    call = strict.calls_to("/par")[-1]
    assert query(flow.authorization_url).keys() == {"client_id", "request_uri"}
    members = call.members
    assert members["response_type"] == "code" and members["code_challenge_method"] == "S256" and members["state"]
    assert members["redirect_uri"].startswith(f"{broker.url}/oauth/callback/") and members["scope"] == "read write"
    assert repeated(call, "client_id") in ([], flow.query["client_id"].split("\n")), "once"
    assert "request_uri" not in members and call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert ("authorization" in call.headers) == (source_type == "pushed")
    credentials = broker.redeem(broker.finish(strict.consent(flow.authorization_url)))
    assert credentials.status_code == 200


def test_a_pushed_request_keeps_the_entrys_own_parameters(broker, strict):
    broker.begin("pushed")
    assert strict.calls_to("/par")[-1].members["prompt"] == "consent"


@pytest.mark.parametrize("source_type", ["pushed_refused", "pushed_missing"])
def test_a_refused_push_starts_no_flow(broker, source_type):
    assert_problem(broker.authorize(source_type), 502, "provider_rejected")


def test_a_push_that_reaches_nobody_starts_no_flow(broker):
    response = broker.authorize("pushed_closed")
    assert_problem(response, 502, "provider_unreachable")
    assert int(response.headers["retry-after"]) > 0


def test_a_push_without_answer_starts_no_flow(broker, strict):
    response = in_background(lambda: broker.authorize("pushed_silent")).result(TIMEOUT + 8)
    assert_problem(response, 504, "provider_timeout")
    assert int(response.headers["retry-after"]) > 0


# Signed.


@pytest.mark.parametrize("name", SIGNERS)
def test_a_signed_request_says_nothing_beside_the_signature(broker, strict, name):
    """RFC 9101 § 5. The provider checks signature, audience, expiry and type, and wants each id once."""
    flow = broker.begin(f"signed_{name.lower()}")
    assert query(flow.authorization_url).keys() == {"client_id", "request"}
    grant = strict.consent(flow.authorization_url)
    asked = grant.request
    assert asked["response_type"] == "code" and asked["redirect_uri"].startswith(f"{broker.url}/oauth/callback/")
    assert asked["scope"] == "read write" and asked["code_challenge_method"] == "S256" and asked["state"]
    assert broker.redeem(broker.finish(grant)).status_code == 200


@pytest.mark.parametrize("name", SIGNERS)
def test_a_signed_request_can_be_pushed(broker, strict, name):
    flow = broker.begin(f"both_{name.lower()}")
    assert query(flow.authorization_url).keys() == {"client_id", "request_uri"}
    call = strict.calls_to("/par")[-1]
    assert call.members.keys() == {"client_id", "client_assertion_type", "client_assertion", "request"}
    assert broker.redeem(broker.finish(strict.consent(flow.authorization_url))).status_code == 200


def test_a_signed_request_keeps_what_is_no_text(broker, strict):
    """RFC 9101 § 4: numbers and JSON are such, and a parameter that comes again is an array."""
    asked = strict.consent(broker.begin("signed_resources").authorization_url).request
    assert asked["max_age"] == 600 and asked["claims"] == {"userinfo": {}} and asked["resource"] == RESOURCES


# For a resource.


def test_resources_go_everywhere(broker, strict):
    """RFC 8707 § 2."""
    flow = broker.begin("resources")
    assert query(flow.authorization_url)["resource"] == RESOURCES
    grant = strict.consent(flow.authorization_url)
    assert broker.redeem(broker.finish(grant)).status_code == 200
    assert repeated(strict.exchanges(grant)[0], "resource") == RESOURCES
    old = strict.granted()
    response = broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=broker.bearer(scope="credentials:write"),
        json={"sourceType": "resources", "refreshToken": old.code})
    assert response.status_code == 200, response.text
    assert repeated(strict.refreshes(old)[0], "resource") == RESOURCES


# The callback by a form.


def test_a_form_carries_the_callback(broker, strict):
    """OAuth 2.0 Form Post Response Mode § 2, with the issuer of RFC 9207."""
    flow = broker.begin("form_post")
    assert query(flow.authorization_url)["response_mode"] == ["form_post"]
    grant = strict.consent(flow.authorization_url)
    response = broker.callback(grant.callback | {"iss": strict.url}, method="POST")
    assert response.status_code == 303, response.text
    assert broker.redeem(fragment(response)["credentialKey"]).json()["accessToken"] == grant.access_token


@pytest.mark.parametrize("issuer", [None, "https://other.example.com", "{}/"])
def test_a_form_of_another_issuer_is_refused_and_the_code_not_sent(broker, strict, issuer):
    grant = strict.consent(broker.begin("form_post").authorization_url)
    extra = {"iss": issuer.format(strict.url)} if issuer else {}
    assert_problem(broker.callback(grant.callback | extra, method="POST"), 400, "issuer_mismatch")
    assert strict.exchanges(grant) == []


def test_a_repeated_issuer_is_refused(broker, strict: StrictProvider):
    grant = strict.consent(broker.begin("form_post").authorization_url)
    response = broker.callback([*grant.callback.items(), ("iss", strict.url), ("iss", strict.url)])
    assert_problem(response, 400, "issuer_mismatch")
    assert strict.exchanges(grant) == []
