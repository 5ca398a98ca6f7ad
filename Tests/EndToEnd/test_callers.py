"""Who may call: RFC 7519 tokens, their keys, and what each call wants of them."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import tokens
from broker import Broker, Installation, assert_problem, eventually
from tokens import Signer, claims

# RFC 7518 § 3.1, RFC 8037 § 3.1, RFC 9864 § 2.
ALGORITHMS = [
    "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519", "Ed448",
]


@pytest.fixture(scope="module")
def signers() -> dict[str, Signer]:
    return {algorithm: Signer.new(algorithm) for algorithm in ALGORITHMS}


@pytest.fixture(scope="module")
def keyed(folder, provider, signers) -> Iterator[Broker]:
    """A broker whose JWKS has a key of every kind."""
    installation = Installation(folder / "keyed", provider)
    installation.write("jwks.json", json.dumps(tokens.jwks(installation.signer, *signers.values())))
    with Broker(installation) as running:
        yield running


def asked(broker: Broker, token: str | None, tenant: str = "acme") -> httpx.Response:
    """The lightest call that needs a token."""
    return broker.source_types(tenant, headers={} if token is None else {"Authorization": f"Bearer {token}"})


def assert_unauthorized(response: httpx.Response) -> None:
    """RFC 6750 § 3: a challenge goes with every 401."""
    assert_problem(response, 401, "invalid_token")
    assert response.headers["www-authenticate"].startswith("Bearer")


# Signatures.


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_of_the_jwks_signs_a_good_token(keyed, signers, algorithm):
    assert asked(keyed, signers[algorithm].sign(claims())).status_code == 200


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_key_under_a_known_kid_is_401(keyed, signers, algorithm):
    forger = Signer.new(algorithm, signers[algorithm].kid)
    assert_unauthorized(asked(keyed, forger.sign(claims())))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_changed_payload_is_401(keyed, signers, algorithm):
    header, _, signature = signers[algorithm].sign(claims()).split(".")
    _, payload, _ = signers[algorithm].sign(claims(["acme", "other"])).split(".")
    assert_unauthorized(asked(keyed, f"{header}.{payload}.{signature}"))


def test_a_missing_token_is_401(broker):
    assert_unauthorized(asked(broker, None))
    assert_unauthorized(broker.client.post("/v1/tenants/acme/assets:authorize", json={"sourceType": "wiki"}))


@pytest.mark.parametrize("header", [
    "Bearer", "Bearer x", "Bearer a.b.c", "Bearer ..", "Bearer e30.e30.", "Basic dXNlcjp3b3Jk", "{token}",
    "Token {token}", "Bearer {token}x", "Bearer {token}.x", "Bearer {token} {token}", "Bearer " + "x" * 6000, "Bearer \u00e9",
], ids=lambda header: ascii(header)[:24])
def test_a_malformed_token_is_401(broker, header):
    value = header.replace("{token}", broker.token()).encode("latin-1")
    assert_unauthorized(broker.source_types(headers={"Authorization": value}))


def test_the_scheme_is_read_in_any_case(broker):
    """RFC 9110 § 11.1."""
    assert broker.source_types(headers={"Authorization": f"bearer {broker.token()}"}).status_code == 200


def test_a_token_in_the_address_is_not_taken(broker):
    """RFC 6750 § 5.3."""
    path = f"/v1/tenants/acme/assets:sourceTypes?access_token={broker.token()}"
    assert_unauthorized(broker.client.get(path))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_an_unsigned_token_is_401(broker, algorithm):
    """RFC 8725 § 3.1."""
    assert_unauthorized(asked(broker, tokens.unsigned(claims(), algorithm)))


def test_a_public_key_is_no_shared_secret(keyed, signers):
    """RFC 8725 § 2.1: HS256 over the public key, in each form a library may hold it."""
    for signer in signers.values():
        jwk = signer.public_jwk
        for secret in (signer.public_pem, signer.public_pem.strip(), json.dumps(jwk).encode(), jwk.get("n", jwk.get("x")).encode()):
            assert_unauthorized(asked(keyed, tokens.hmac_signed(claims(), secret, signer.kid)))
    assert_unauthorized(asked(keyed, tokens.hmac_signed(claims(), b"", signers["ES256"].kid)))


def test_an_algorithm_that_is_not_accepted_is_told_apart(keyed, signers):
    """And those that are get named, by our words alone."""
    for token in (tokens.hmac_signed(claims(), b"s" * 32), tokens.hmac_signed(claims(), b"s" * 32, signers["ES256"].kid)):
        response = asked(keyed, token)
        assert_unauthorized(response)
        for name in ("its alg is not accepted", *ALGORITHMS):
            assert name in response.json()["detail"] and name in response.headers["www-authenticate"]


def test_an_algorithm_that_is_not_the_keys_is_401(keyed, signers):
    """RFC 7517 § 4.4: the JWK says RS256, so RS512 by the same key is not it."""
    rsa = signers["RS256"]
    assert_unauthorized(asked(keyed, Signer("RS512", rsa.kid, rsa.key).sign(claims())))
    assert_unauthorized(asked(keyed, Signer("ES256", rsa.kid, signers["ES256"].key).sign(claims())))


def test_ed448_may_be_called_eddsa(keyed, signers):
    """RFC 8037 § 3.1: the curve is the key's; RFC 9864 § 2.2 has a name for each."""
    ed448 = signers["Ed448"]
    header = json.dumps({"alg": "EdDSA", "kid": ed448.kid})
    assert asked(keyed, ed448.sign_text(header, json.dumps(claims()))).status_code == 200
    assert_unauthorized(asked(keyed, ed448.sign_text(header.replace("EdDSA", "Ed25519"), json.dumps(claims()))))


def test_an_unknown_kid_is_401_even_with_a_good_signature(keyed, signers):
    known = signers["ES256"]
    assert_unauthorized(asked(keyed, Signer("ES256", "no-such-key", known.key).sign(claims())))


def test_a_key_inside_the_token_is_not_trusted(broker, provider):
    """RFC 8725 § 3.10: neither `jwk` nor `jku` is followed."""
    forger = Signer.new()
    before = len(provider.calls)
    for header in ({"jwk": forger.public_jwk}, {"jku": f"{provider.url}/jwks.json"}, {"x5u": f"{provider.url}/jwks.json"}):
        assert_unauthorized(asked(broker, forger.sign(claims(), **header)))
        assert_unauthorized(asked(broker, forger.sign(claims(), **header, kid=broker.installation.signer.kid)))
    assert len(provider.calls) == before


def test_a_critical_header_that_is_not_understood_is_401(broker):
    """RFC 7515 § 4.1.11."""
    assert_unauthorized(asked(broker, broker.installation.signer.sign(claims(), crit=["x-new"], **{"x-new": 1})))


# Readers that could differ.


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "application/JWT", "at+jwt", "AT+jwt", "application/at+jwt"])
def test_a_token_may_say_that_it_is_a_jwt_or_an_access_token(broker, typ):
    """RFC 9068 § 4, RFC 7515 § 4.1.9."""
    assert asked(broker, broker.installation.signer.sign(claims(), typ=typ)).status_code == 200


@pytest.mark.parametrize("typ", ["id_token+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "JWS", "", "text/jwt", "JWT "])
def test_a_token_of_another_kind_is_401(broker, typ):
    """RFC 8725 § 3.11."""
    signer = broker.installation.signer
    header = json.dumps({"alg": signer.algorithm, "kid": signer.kid, "typ": typ})
    assert_unauthorized(asked(broker, signer.sign_text(header, json.dumps(claims()))))


@pytest.mark.parametrize("more", [
    '"tenant": "other"', '"tenant": "acme"', '"\\u0074enant": "acme"', '"scope": "assets:read"', '"x": {"a": 1, "a": 1}',
    '"exp": 9999999999',
])
def test_a_claim_that_comes_twice_is_401(broker, more):
    """RFC 7519 § 4, RFC 8725 § 2.4."""
    signer = broker.installation.signer
    header = json.dumps({"alg": signer.algorithm, "kid": signer.kid})
    good = json.dumps(claims())
    assert asked(broker, signer.sign_text(header, good)).status_code == 200
    assert_unauthorized(asked(broker, signer.sign_text(header, f"{good[:-1]}, {more}}}")))
    assert_unauthorized(asked(broker, signer.sign_text(header, f"{{{more}, {good[1:]}")))


@pytest.mark.parametrize("more", ['"alg": "ES256"', '"kid": "other"', '"\\u006bid": "other"', '"x": {"a": 1, "a": 1}'])
def test_a_header_member_that_comes_twice_is_401(broker, more):
    """RFC 7515 § 4."""
    signer = broker.installation.signer
    header = json.dumps({"alg": signer.algorithm, "kid": signer.kid})
    more = more if "x" in more else more.replace("other", signer.kid)
    assert_unauthorized(asked(broker, signer.sign_text(f"{{{more}, {header[1:]}", json.dumps(claims()))))


@pytest.mark.parametrize("tenant", ["\u212aiosk", "kiosk", "Kiosk\u0301"], ids=ascii)
def test_tenants_are_compared_byte_for_byte(broker, tenant):
    """U+212A is a K to Unicode."""
    assert asked(broker, broker.token("Kiosk"), "Kiosk").status_code == 200
    for claim in (tenant, [tenant]):
        assert_problem(asked(broker, broker.token(claim), "Kiosk"), 403, "wrong_tenant")


# Claims.


@pytest.mark.parametrize("changes", [
    {"iss": "https://other.example.com"}, {"iss": None}, {"iss": tokens.ISSUER + "/"}, {"iss": 5},
    {"aud": "another"}, {"aud": None}, {"aud": []}, {"aud": ["another"]}, {"aud": "cloakroom2"}, {"aud": 5},
    {"exp": None}, {"exp": "soon"}, {"exp": 0}, {"nbf": "soon"},
], ids=str)
def test_wrong_claims_are_401(broker, changes):
    assert_unauthorized(asked(broker, broker.token(**changes)))


def test_the_audience_may_be_one_of_several(broker):
    """RFC 7519 § 4.1.3."""
    assert asked(broker, broker.token(aud=["another", tokens.AUDIENCE])).status_code == 200


@pytest.mark.parametrize("changes", [{"exp": -30}, {"nbf": 30}, {"nbf": -600}], ids=str)
def test_clocks_may_differ_by_a_minute(broker, changes):
    now = int(time.time())
    assert asked(broker, broker.token(**{name: now + offset for name, offset in changes.items()})).status_code == 200


@pytest.mark.parametrize("changes", [{"exp": -90}, {"nbf": 120}], ids=str)
def test_clocks_may_not_differ_by_more(broker, changes):
    now = int(time.time())
    assert_unauthorized(asked(broker, broker.token(**{name: now + offset for name, offset in changes.items()})))


def test_a_fractional_time_is_a_time(broker):
    """RFC 7519 § 2: NumericDate may have a fraction."""
    assert asked(broker, broker.token(exp=time.time() + 600.5)).status_code == 200


def test_a_token_that_expires_is_not_remembered_longer(broker):
    """An answer from a cache of verified tokens must end with the token."""
    token = broker.token(exp=int(time.time()) - 58)  # the leeway has two seconds left
    assert asked(broker, token).status_code == 200
    eventually(lambda: asked(broker, token).status_code == 401, within=10, what="the token expires")


@pytest.mark.parametrize("tenant", ["acme", ["acme"], ["other", "acme"]], ids=str)
def test_the_tenant_claim_may_be_a_string_or_an_array(broker, tenant):
    assert asked(broker, broker.token(tenant)).status_code == 200


@pytest.mark.parametrize("tenant", [
    None, "other", "acm", "acmeX", "ACME", "acme ", "acme other", "acme,other", "*", "", [], ["other"], [["acme"]], 5, True,
    {"acme": True},
], ids=str)
def test_another_tenant_is_403(broker, tenant):
    assert_problem(asked(broker, broker.token(tenant)), 403, "wrong_tenant")


@pytest.mark.parametrize("scope", [
    "assets:read", "assets:write", "openid assets:read", ["assets:read"], ["openid", "assets:write"],
], ids=str)
def test_the_scope_claim_may_be_a_string_or_an_array(broker, scope):
    assert asked(broker, broker.token(scope=scope)).status_code == 200


@pytest.mark.parametrize("scope", [
    None, "", "assets", "assets:reader", "assets:read,assets:write", "ASSETS:READ", "credentials:write", "broker:admin", [],
    ["assets"], 5, {"assets:read": True},
], ids=str)
def test_a_scope_that_does_not_suffice_is_403(broker, scope):
    problem = assert_problem(asked(broker, broker.token(scope=scope)), 403, "insufficient_scope")
    # The platform's client acts on these.
    assert (problem["error"], problem["required"]) == ("insufficient_scope", "assets:read")
    assert isinstance(problem["granted"], list) and "assets:read" not in problem["granted"]


def test_authorize_wants_assets_write(broker):
    response = broker.authorize(headers=broker.bearer(scope="assets:read"))
    assert_problem(response, 403, "insufficient_scope")
    assert broker.authorize(headers=broker.bearer(scope="assets:write")).status_code == 200


def test_authorize_starts_nothing_for_another_tenant(broker):
    assert_problem(broker.authorize(headers=broker.bearer("other")), 403, "wrong_tenant")


def test_the_tenant_is_checked_on_every_request_with_one_token(broker):
    token = broker.token(["acme", "beta"])
    statuses = [asked(broker, token, tenant).status_code for tenant in ("acme", "gamma", "beta", "acme", "delta")]
    assert statuses == [200, 403, 200, 200, 403]


# Other key sources.


SHARED_SECRET = b"a shared secret of more than thirty-two octets"


@pytest.fixture(scope="module")
def shared(folder, provider) -> Iterator[Broker]:
    """A broker with a shared secret, and a tenant claim of another name."""
    installation = Installation(folder / "hmac", provider, {
        "auth": {"jwksFile": None, "hmacSecretFile": "hmac.secret", "tenantClaim": "org_ids"},
    })
    installation.write("hmac.secret", SHARED_SECRET, mode=0o600)
    with Broker(installation) as running:
        yield running


def test_a_shared_secret_signs_a_good_token(shared):
    assert asked(shared, tokens.hmac_signed(claims(None, org_ids="acme"), SHARED_SECRET)).status_code == 200
    assert asked(shared, tokens.hmac_signed(claims(None, org_ids=["acme"]), SHARED_SECRET, "any-kid")).status_code == 200


def test_the_name_of_the_tenant_claim_is_configurable(shared):
    token = tokens.hmac_signed(claims("acme", org_ids="other"), SHARED_SECRET)
    assert_problem(asked(shared, token), 403, "wrong_tenant")


def test_another_shared_secret_is_401(shared):
    for secret in (b"", SHARED_SECRET[:-1], SHARED_SECRET + b"\n", b"another secret of more than thirty-two octets"):
        assert_unauthorized(asked(shared, tokens.hmac_signed(claims(None, org_ids="acme"), secret)))


def test_only_hs256_is_taken_where_a_shared_secret_is_configured(shared):
    assert_unauthorized(asked(shared, shared.installation.signer.sign(claims(None, org_ids="acme"))))
    assert_unauthorized(asked(shared, tokens.unsigned(claims(None, org_ids="acme"))))


@pytest.mark.parametrize("scp", ["assets:read assets:write", ["assets:read"]], ids=str)
def test_the_name_of_the_scope_claim_is_configurable(tmp_path, provider, scp):
    installation = Installation(tmp_path / "scp", provider, {"auth": {"scopeClaim": "scp"}})
    with Broker(installation) as broker:
        assert asked(broker, broker.token(scope=None, scp=scp)).status_code == 200
        assert_problem(asked(broker, broker.token(scope="assets:read", scp="other")), 403, "insufficient_scope")


@pytest.fixture
def remote(tmp_path, provider) -> Iterator[Broker]:
    """A broker that fetches its JWKS from the provider, which has one key at first."""
    installation = Installation(tmp_path / "remote", provider, {
        "auth": {"jwksFile": None, "jwksURL": f"{provider.url}/jwks.json"},
    })
    provider.jwks = tokens.jwks(installation.signer)
    with Broker(installation) as running:
        yield running


def test_keys_are_fetched_and_kept(remote, provider):
    fetched = len(provider.calls_to("/jwks.json"))
    assert {asked(remote, remote.token()).status_code for _ in range(20)} == {200}
    assert len(provider.calls_to("/jwks.json")) - fetched <= 1


def test_a_new_key_is_found_by_its_unknown_kid(remote, provider):
    """At most once a minute, so a new key may take that long."""
    assert asked(remote, remote.token()).status_code == 200
    rotated = Signer.new()
    provider.jwks = tokens.jwks(remote.installation.signer, rotated)
    eventually(lambda: asked(remote, rotated.sign(claims())).status_code == 200, within=65, what="the new key is found")
    assert asked(remote, remote.token()).status_code == 200


def test_without_any_keys_nobody_is_served_and_soon_again(remote, provider):
    """A broken answer is none, and is not waited upon for minutes."""
    provider.jwks = {}
    assert_problem(asked(remote, remote.token()), 503, "unavailable")
    assert_unauthorized(asked(remote, "a.b.c"))
    provider.jwks = tokens.jwks(remote.installation.signer)
    eventually(lambda: asked(remote, remote.token()).status_code == 200, within=10, what="the keys are fetched again")


def test_unknown_kids_do_not_hammer_the_issuer(remote, provider):
    assert asked(remote, remote.token()).status_code == 200
    fetched = len(provider.calls_to("/jwks.json"))
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: asked(remote, Signer.new().sign(claims())), range(40)))
    for response in responses:
        assert_unauthorized(response)
    assert len(provider.calls_to("/jwks.json")) - fetched <= 1
    assert asked(remote, remote.token()).status_code == 200
