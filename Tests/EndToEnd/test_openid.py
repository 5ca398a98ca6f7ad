"""OpenID Connect Core § 3.1.3.7: an id_token is checked whole before anything that came with it is kept."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

import provider as answers
from broker import CLIENT_SECRET, Broker, Installation, assert_problem
from provider import Answer, Grant
from strict_provider import StrictProvider
from tokens import JWS, Signer, base64url, hmac_signed, jwks, unsigned

# RFC 7518 § 3.1, RFC 8037 § 3.1, RFC 9864 § 2: all that have a public key.
ALGORITHMS = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448",
]
SIGNERS = {name: Signer.new(name, f"{name}-key") for name in ALGORITHMS}
FOREIGN = Signer.new("RS256", "RS256-key")


@pytest.fixture(scope="module")
def broker(folder, strict) -> Iterator[Broker]:
    strict.jwks = jwks(*SIGNERS.values())

    def entry(name: str, **oauth) -> dict:
        usual = {
            "authorizationURL": f"{strict.url}/authorize", "tokenURL": f"{strict.url}/token", "openid": True,
            "issuer": strict.url, "jwksURL": f"{strict.url}/{name}/jwks.json", "scopes": ["openid"],
        }
        return {"displayName": "OpenID", "category": "wiki", "provider": "wiki", "oauth": usual | oauth}

    installation = Installation(folder / "openid", strict, {"clients": {"wiki_public": None}})
    installation.write_catalog({
        "openid": entry("usual"),
        "openid_es384": entry("usual", idTokenAlgorithms=["ES384"]),
        "openid_missing_keys": entry("usual", jwksURL=f"{strict.url}/no-such-file"),
        "openid_rotating": entry("rotating"),
        "openid_announced": entry("usual", issuer=f"{strict.url}/announced", discovery=True),
        "openid_announced_es384": entry(
            "usual", issuer=f"{strict.url}/announced", discovery=True, idTokenAlgorithms=["ES384"]),
        "openid_tenants": entry("tenants", issuer=f"{strict.url}/{{tenantid}}/v2.0", jwksURL=f"{strict.url}/tenants-keys"),
        "openid_secret_alone": entry("usual", issuer=f"{strict.url}/secret", discovery=True),
    })
    for path, algorithms in (("announced", ["RS256", "none", "EdDSA"]), ("secret", ["HS256"])):
        announce(strict, path, id_token_signing_alg_values_supported=algorithms)
    with Broker(installation) as running:
        yield running


def announce(strict: StrictProvider, path: str, **members) -> None:
    """RFC 8414 § 3.1: the metadata of the issuer at this path."""
    document = {"issuer": f"{strict.url}/{path}"} | members
    strict.pages[f"/.well-known/oauth-authorization-server/{path}"] = (
        lambda handler, call: handler.send_json(200, document))


def claims(grant: Grant, **changes) -> dict:
    """What a good id_token says; a claim given as `None` is left out."""
    now = int(time.time())
    everything = {
        "aud": grant.request["client_id"], "sub": "ada", "iat": now,
        "exp": now + 300, "nonce": grant.request["nonce"],
    } | changes
    return {name: value for name, value in everything.items() if value is not None}


def half_hash(text: str) -> str:
    """§ 3.1.3.6, for the algorithms with SHA-256."""
    return base64url(hashlib.sha256(text.encode()).digest()[:16])


@pytest.fixture
def identity(strict: StrictProvider):
    """Answers with an id_token: a good one but for what the test changes."""

    def answer(signer: Signer = SIGNERS["RS256"], headers: dict = {}, make=None, **changes) -> Answer:
        def token(grant: Grant) -> str:
            wanted = {name: value(grant) if callable(value) else value for name, value in changes.items()}
            said = claims(grant, **{"iss": strict.url} | wanted)
            return make(said) if make else signer.sign(said, **headers)

        return answers.shaped(lambda grant: grant.token_response(id_token=token(grant)))

    return answer


def assert_refused(broker: Broker, answer: Answer, source_type: str = "openid") -> httpx.Response:
    grant = broker.consented(source_type, answer)
    response = broker.callback(grant.callback)
    assert_problem(response, 502, "provider_rejected")
    assert len(broker.provider.exchanges(grant)) == 1, "the code is sent once"
    return response


# What is believed.


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_good_id_token_is_handed_on(broker, identity, name):
    credentials = broker.credentials("openid", identity(SIGNERS[name]))
    assert credentials["idToken"].count(".") == 2 and credentials["warnings"] == []


def now_and(seconds: int) -> Callable[[Grant], int]:
    return lambda grant: int(time.time()) + seconds


def named(changes: dict) -> str:
    """The same in each process, for several share the tests."""
    return re.sub(" at 0x[0-9a-f]+", "", str(changes))


@pytest.mark.parametrize("changes", [
    {"at_hash": lambda grant: half_hash(grant.access_token)}, {"c_hash": lambda grant: half_hash(grant.code)},
    {"aud": ["wiki-client"]}, {"aud": ["wiki-client", "other"], "azp": "wiki-client"}, {"azp": "wiki-client"},
    {"exp": now_and(-30)}, {"iat": now_and(30)}, {"exp": lambda grant: time.time() + 60.5}, {"unknown": {"a": [None]}},
], ids=named)
def test_what_the_rules_allow_is_believed(broker, identity, changes):
    """Clocks may differ by a minute."""
    assert broker.credentials("openid", identity(**changes))["idToken"]


def test_an_algorithm_counts_where_the_entry_names_it(broker, identity):
    assert broker.credentials("openid_es384", identity(SIGNERS["ES384"]))["idToken"]
    assert_refused(broker, identity(SIGNERS["RS256"]), "openid_es384")


def assert_said(broker: Broker, response: httpx.Response, words: str) -> None:
    """The trail has the reason, under the request's id."""
    events = broker.client.get(
        "/v1/admin/auditEvents?pageSize=5", headers=broker.bearer(tenant=None, scope="broker:admin")).json()["items"]
    [event] = [event for event in events if event["requestId"] == response.headers["x-request-id"]]
    assert words in event["detail"], event


def test_what_the_provider_announces_narrows_the_algorithms(broker, strict, identity):
    """OpenID Connect Discovery § 3; RFC 9864 § 2.2: `EdDSA` has two names since."""
    issuer = f"{strict.url}/announced"
    for name in ("RS256", "EdDSA", "Ed25519"):
        assert broker.credentials("openid_announced", identity(SIGNERS[name], iss=issuer))["idToken"]
    refused = assert_refused(broker, identity(SIGNERS["ES512"], iss=issuer), "openid_announced")
    assert_said(broker, refused, 'its alg is "ES512", and the provider\'s metadata announces Ed25519, Ed448, EdDSA, RS256')
    assert broker.credentials("openid_announced_es384", identity(SIGNERS["ES384"], iss=issuer))["idToken"]
    refused = assert_refused(broker, identity(SIGNERS["RS256"], iss=issuer), "openid_announced_es384")
    assert_said(broker, refused, 'its alg is "RS256", and the entry\'s idTokenAlgorithms are ES384')


def test_who_announces_no_public_key_is_told_apart(broker, strict, identity):
    refused = assert_refused(broker, identity(iss=f"{strict.url}/secret"), "openid_secret_alone")
    assert_said(broker, refused, "the provider's metadata announces none that is accepted")


def test_a_refused_algorithm_is_named(broker, identity):
    refused = assert_refused(broker, identity(make=lambda said: hmac_signed(said, CLIENT_SECRET.encode())))
    assert_said(broker, refused, 'its alg is "HS256", and accepted are ES256, ES384, ES512, Ed25519')


# One issuer for each tenant.

TENANT, OTHER = "72f988bf-86f1-41af-91ab-2d7cd011db47", "9188040d-6c67-4c5b-b112-36a304b66dad"


@pytest.fixture(scope="module")
def tenant_keys() -> dict:
    return {"any": Signer.new("RS256", "any-tenant"), "one": Signer.new("RS256", "one-tenant"), "unsaid": SIGNERS["ES256"]}


@pytest.fixture
def of_tenants(broker, strict, tenant_keys, identity):
    """An answer with an id_token of a tenant, by one of the keys of Microsoft's common endpoint."""
    template = f"{strict.url}/{{tenantid}}/v2.0"
    keys = [tenant_keys["any"].public_jwk | {"issuer": template},
            tenant_keys["one"].public_jwk | {"issuer": template.replace("{tenantid}", OTHER)},
            tenant_keys["unsaid"].public_jwk]
    strict.pages["/tenants-keys"] = lambda handler, call: handler.send_json(200, {"keys": keys})

    def answer(key: str, tenant: str, **changes) -> Answer:
        return identity(tenant_keys[key], **{"iss": f"{strict.url}/{tenant}/v2.0", "tid": tenant} | changes)

    return answer


@pytest.mark.parametrize("key, tenant", [("any", TENANT), ("any", OTHER), ("one", OTHER), ("unsaid", TENANT)])
def test_an_issuer_may_have_a_name_for_each_tenant(broker, of_tenants, key, tenant):
    assert broker.credentials("openid_tenants", of_tenants(key, tenant))["idToken"]


@pytest.mark.parametrize("key, tenant, changes", [
    ("any", TENANT, {"tid": OTHER}), ("any", TENANT, {"tid": None}), ("any", TENANT, {"tid": 5}),
    ("any", TENANT, {"tid": ""}), ("one", TENANT, {}), ("any", "{tenantid}", {}), ("any", "a/b", {}), ("any", "..", {}),
    ("any", TENANT, {"iss": "https://evil.example/v2.0"}), ("any", "", {"tid": ""}),
], ids=str)
def test_another_tenants_name_or_key_is_refused(broker, of_tenants, key, tenant, changes):
    refused = assert_refused(broker, of_tenants(key, tenant, **changes), "openid_tenants")
    assert_said(broker, refused, "iss is not the issuer for its tid")


def test_a_callback_may_name_any_tenants_issuer(broker, strict, of_tenants):
    """RFC 9207 § 2.4."""
    for iss, status in ((f"{strict.url}/{TENANT}/v2.0", 302), (f"{strict.url}/a/b/v2.0", 400), (f"{strict.url}/", 400),
                        (f"{strict.url}/{{tenantid}}/v2.0", 400)):
        grant = broker.consented("openid_tenants", of_tenants("any", TENANT))
        assert broker.callback(grant.callback | {"iss": iss}).status_code == status


# What is not.


@pytest.mark.parametrize("changes", [
    {"iss": "https://other.example.com"}, {"iss": None}, {"iss": lambda grant: [grant.request["client_id"]]},
    {"aud": "other"}, {"aud": None}, {"aud": []}, {"aud": "wiki-client2"}, {"aud": ["wiki-client", "other"]},
    {"aud": ["wiki-client", "other"], "azp": "other"}, {"azp": "other"},
    {"nonce": "another"}, {"nonce": None}, {"nonce": ""}, {"nonce": lambda grant: grant.request["nonce"] + "A"},
    {"exp": now_and(-120)}, {"exp": None}, {"exp": "tomorrow"}, {"exp": lambda grant: str(int(time.time()) + 300)},
    {"iat": now_and(120)}, {"iat": None}, {"nbf": now_and(120)}, {"sub": None}, {"sub": ""}, {"sub": "a" * 256},
    {"at_hash": half_hash("another")}, {"at_hash": lambda grant: half_hash(grant.code)}, {"at_hash": 5},
    {"c_hash": half_hash("another")},
], ids=named)
def test_a_wrong_claim_refuses_all(broker, identity, changes):
    assert_refused(broker, identity(**changes))


def test_an_issuer_with_a_slash_more_is_another(broker, strict, identity):
    assert_refused(broker, identity(iss=strict.url + "/"))


@pytest.mark.parametrize("make", [
    unsigned, lambda said: unsigned(said, "None"), lambda said: unsigned(said, "RS256"),
    lambda said: hmac_signed(said, CLIENT_SECRET.encode()),
    lambda said: hmac_signed(said, SIGNERS["RS256"].public_pem, "RS256-key"),
    lambda said: FOREIGN.sign(said), lambda said: SIGNERS["RS256"].sign(said)[:-6] + "AAAAAA",
    lambda said: SIGNERS["RS256"].sign(said, kid="ES256-key"),
    lambda said: FOREIGN.sign(said, jwk=FOREIGN.public_jwk), lambda said: SIGNERS["RS256"].sign(said) + ".e30.e30",
    lambda said: "no-token", lambda said: None, lambda said: 5, lambda said: [SIGNERS["RS256"].sign(said)],
], ids=[
    "none", "None", "no signature", "client secret", "public key as secret", "another key of the same name", "cut",
    "another kid", "its own key in the header", "five parts", "text", "null",
    "number", "array",
])
def test_a_token_that_the_provider_did_not_sign_refuses_all(broker, identity, make):
    assert_refused(broker, identity(make=make))


def test_without_an_id_token_nothing_is_kept(broker):
    assert_refused(broker, answers.tokens())


def test_another_flows_id_token_is_refused(broker, strict, identity):
    """The whole token, its signature right: only the nonce tells."""
    kept = []
    broker.credentials("openid", identity(make=lambda said: kept.append(SIGNERS["RS256"].sign(said)) or kept[0]))
    assert_refused(broker, answers.shaped(lambda grant: grant.token_response(id_token=kept[0])))


def test_a_refused_token_leaves_no_trace(broker, identity):
    grant = broker.consented("openid", identity(aud="other"))
    text = broker.callback(grant.callback).text
    assert grant.access_token not in text and grant.access_token not in broker.logs
    assert not JWS.search(text + broker.logs)


# The provider's keys.


def test_an_unknown_key_is_asked_for_once(broker, strict, identity):
    """§ 10.1.1: keys change without notice; whoever sends wrong tokens does not make us ask at will."""
    fresh, forged = Signer.new("ES256", "fresh"), Signer.new("ES256", "forged")

    def asked() -> int:
        return len(strict.calls_to("/rotating/jwks.json"))

    assert broker.credentials("openid_rotating", identity())["idToken"]
    assert broker.credentials("openid_rotating", identity())["idToken"]
    assert asked() == 1, "keys are kept"
    strict.jwks = jwks(*SIGNERS.values(), fresh)
    assert broker.credentials("openid_rotating", identity(fresh))["idToken"]
    assert asked() == 2
    for _ in range(3):
        assert_refused(broker, identity(forged), "openid_rotating")
    assert asked() == 2, "once a minute"


def test_without_keys_nothing_is_believed(broker, identity):
    assert_refused(broker, identity(), "openid_missing_keys")


# A refresh.


def refreshed(broker: Broker, strict: StrictProvider, **changes) -> httpx.Response:
    now = int(time.time())
    said = {"iss": strict.url, "aud": "wiki-client", "sub": "ada", "iat": now, "exp": now + 300} | changes
    grant = strict.granted(answers.tokens(id_token=SIGNERS["RS256"].sign(said)))
    return broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=broker.bearer(scope="credentials:write"),
        json={"sourceType": "openid", "refreshToken": grant.code})


def test_an_id_token_of_a_refresh_is_checked_too(broker, strict):
    """§ 12.2: it need not have the nonce, and need not come at all."""
    assert refreshed(broker, strict).json()["idToken"]
    assert_problem(refreshed(broker, strict, aud="other"), 502, "provider_rejected")
    assert_problem(refreshed(broker, strict, iss=strict.url + "/"), 502, "provider_rejected")
    grant = strict.granted()
    response = broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=broker.bearer(scope="credentials:write"),
        json={"sourceType": "openid", "refreshToken": grant.code})
    assert response.status_code == 200 and response.json()["idToken"] is None
