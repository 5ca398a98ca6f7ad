"""RFC 9449: each proof of possession is checked whole, and the key goes with the tokens that are bound to it."""

import json
from collections.abc import Iterator

import jwt
import pytest

import provider as answers
from broker import Broker, Installation, assert_problem
from provider import Call, Grant
from strict_provider import StrictProvider, thumbprint
from tokens import Signer, challenge_of

SIGNER = Signer.new("ES256", "dpop-client-key")


@pytest.fixture(scope="module")
def broker(folder, strict) -> Iterator[Broker]:
    strict.signers["dpop-client"] = SIGNER

    def entry(path: str, **oauth) -> dict:
        usual = {
            "authorizationURL": f"{strict.url}/authorize", "tokenURL": f"{strict.url}/{path}/token",
            "issuer": strict.url, "scopes": ["read"], "dpop": True,
        }
        return {"displayName": "Bound", "category": "wiki", "provider": "wiki", "oauth": usual | oauth}

    signing = {"clientAuthentication": "private_key_jwt"}
    installation = Installation(folder / "dpop", strict, {"clients": {
        "wiki_public": None,
        "signing": {"clientId": "dpop-client", "privateKeyFile": "client.pem", "keyId": SIGNER.kid},
    }})
    installation.write("client.pem", SIGNER.private_pem, mode=0o600)
    installation.write_catalog({
        "dpop": entry("dpop"),
        "dpop_nonce": entry("dpop-nonce"),
        "dpop_query": entry("dpop", tokenURL=f"{strict.url}/dpop/token?tenant=1"),
        "dpop_signed": entry("dpop-nonce", **signing) | {"provider": "signing"},
        "dpop_connected": entry("dpop", afterConnecting={
            "url": f"{strict.url}/accounts?v=1", "extras": {"accountId": "/id"}}),
        "unbound": entry("dpop", dpop=False),
    })
    with Broker(installation) as running:
        yield running


def bound(**changes):
    return answers.tokens(token_type="DPoP", **changes)


def proofs(calls: list[Call]) -> list[dict]:
    return [jwt.decode(call.headers["dpop"], options={"verify_signature": False}) for call in calls]


def assert_holds_key(credentials: dict, call: Call) -> None:
    """The private key of the proof, as a JWK that signs."""
    key = credentials["extras"]["dpopKey"]
    assert key["kty"] == "EC" and key["crv"] == "P-256" and key["d"]
    assert thumbprint(key) == call.headers["x-thumbprint"]
    signed = jwt.encode({"a": 1}, jwt.PyJWK.from_dict(key).key, algorithm="ES256")
    assert jwt.decode(signed, jwt.PyJWK.from_dict(public(call)).key, algorithms=["ES256"]) == {"a": 1}


def public(call: Call) -> dict:
    return jwt.get_unverified_header(call.headers["dpop"])["jwk"]


def connected(broker: Broker, source_type: str) -> tuple[dict, Grant]:
    grant = broker.consented(source_type, bound())
    credentials = broker.redeem(broker.finish(grant)).json()
    assert credentials["tokenType"] == "DPoP" and credentials["accessToken"] == grant.access_token
    return credentials, grant


@pytest.mark.parametrize("source_type", ["dpop", "dpop_query"])
def test_the_exchange_has_a_proof_and_the_redeemer_gets_its_key(broker, strict, source_type):
    credentials, grant = connected(broker, source_type)
    call, = strict.exchanges(grant)
    assert_holds_key(credentials, call)
    assert "d" not in public(call)
    claims, = proofs([call])
    assert claims.keys() == {"jti", "htm", "htu", "iat"}


@pytest.mark.parametrize("source_type", ["dpop_nonce", "dpop_signed"])
def test_a_wanted_nonce_is_given_in_a_new_proof(broker, strict, source_type):
    """§ 8. A client assertion is new as well: the provider takes each id once."""
    credentials, grant = connected(broker, source_type)
    first, second = strict.exchanges(grant)
    assert_holds_key(credentials, second)
    assert thumbprint(public(first)) == thumbprint(public(second))
    without, given = proofs([first, second])
    assert "nonce" not in without and given["nonce"] == strict.nonce and without["jti"] != given["jti"]


def test_each_flow_has_a_key_of_its_own(broker):
    keys = [connected(broker, "dpop")[0]["extras"]["dpopKey"] for _ in range(3)]
    assert len({key["d"] for key in keys}) == 3


def test_a_provider_that_is_never_content_is_not_asked_forever(broker, strict: StrictProvider):
    def never(handler, grant) -> None:
        handler.send(400, json.dumps({"error": "use_dpop_nonce"}).encode(), headers={"DPoP-Nonce": "another"})

    grant = broker.consented("dpop_nonce", never)
    assert_problem(broker.callback(grant.callback), 502, "provider_rejected")
    assert len(strict.exchanges(grant)) == 2


@pytest.mark.parametrize("headers", [{}, {"DPoP-Nonce": "n" * 5000}], ids=["none", "long"])
def test_a_demand_without_a_sane_nonce_is_a_refusal(broker, strict, headers):
    grant = broker.consented("dpop", lambda handler, grant: handler.send(
        400, json.dumps({"error": "use_dpop_nonce"}).encode(), headers=headers))
    assert_problem(broker.callback(grant.callback), 502, "provider_rejected")
    assert len(strict.exchanges(grant)) == 1


def test_a_refresh_binds_its_tokens_to_a_key_that_comes_along(broker, strict):
    old = strict.granted(bound(), scope="read")
    response = refresh(broker, "dpop_nonce", old)
    assert response.status_code == 200, response.text
    assert_holds_key(response.json(), strict.refreshes(old)[-1])


def test_the_call_after_connecting_proves_it_too(broker, strict):
    """§ 7.1: the scheme is DPoP, and the proof names the token."""
    asked = []
    strict.pages["/accounts"] = lambda handler, call: asked.append(call) or handler.send_json(200, {"id": "A-1"})
    credentials, grant = connected(broker, "dpop_connected")
    call, = asked
    assert credentials["extras"]["accountId"] == "A-1" and call.headers["authorization"] == f"DPoP {grant.access_token}"
    proof = jwt.decode(call.headers["dpop"], jwt.PyJWK.from_dict(public(call)).key, algorithms=["ES256"])
    assert (proof["htm"], proof["htu"], proof["ath"]) == ("GET", f"{strict.url}/accounts", challenge_of(grant.access_token))
    assert thumbprint(public(call)) == thumbprint(credentials["extras"]["dpopKey"])


def test_without_a_proof_the_provider_gives_nothing(broker, strict):
    """So the flows above have proved it."""
    grant = broker.consented("unbound", bound())
    assert_problem(broker.callback(grant.callback), 502, "provider_rejected")


def test_a_key_is_in_no_log(broker):
    credentials, _ = connected(broker, "dpop")
    assert credentials["extras"]["dpopKey"]["d"] not in broker.logs


def refresh(broker: Broker, source_type: str, old: Grant):
    return broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=broker.bearer(scope="credentials:write"),
        json={"sourceType": source_type, "refreshToken": old.code})
