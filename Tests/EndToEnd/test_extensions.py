"""Discovery, pushed requests and OpenID Connect: the parts of the catalog that a version may still refuse."""

import time
from collections.abc import Iterator

import pytest

import provider as answers
from broker import FOREIGN, Broker, Installation, assert_problem, merged, source_types
from provider import Provider

TIMEOUT = 2
SLACK = 4  # seconds for everything but the provider, on a busy machine


@pytest.fixture(scope="module")
def broker(folder, provider) -> Iterator[Broker]:
    """A broker with source types of all three kinds; skips where the catalog says that it has no such thing yet."""
    url = provider.url
    usual = source_types(provider)["wiki"]

    def wiki(**oauth) -> dict:
        return merged(usual, {"oauth": oauth})

    discovered = {"authorizationURL": None, "tokenURL": None, "discovery": True}
    installation = Installation(folder / "extended", provider, {"provider": {"timeout": TIMEOUT}})
    installation.write_catalog(source_types(provider) | {
        "wiki_discovered": wiki(issuer=f"{url}/issuers/good", **discovered),
        "wiki_liar": wiki(issuer=f"{url}/issuers/liar", **discovered),
        "wiki_lost": wiki(issuer=f"{url}/issuers/missing", **discovered),
        "wiki_silent": wiki(issuer=f"{url}/issuers/silent", **discovered),
        "wiki_openid": wiki(openid=True, issuer=f"{url}/issuer", jwksURL=f"{url}/jwks.json", scopes=["openid"]),
        "wiki_pushed": wiki(pushedAuthorizationURL=f"{url}/par"),
        "wiki_pushed_badly": wiki(pushedAuthorizationURL=f"{url}/broken/par"),
    })
    installation.skip_if_not_built_yet()
    with Broker(installation) as running:
        yield running


# Discovery, RFC 8414.


def test_discovery_finds_the_endpoints(broker, provider):
    """RFC 8414 § 3."""
    flow = broker.begin("wiki_discovered")
    assert flow.authorization_url.startswith(f"{provider.url}/issuers/good/authorize?")
    broker.finish(provider.consent(flow.authorization_url))


@pytest.mark.parametrize("source_type, status, code", [
    ("wiki_lost", 502, "provider_rejected"),
    ("wiki_liar", 502, "provider_rejected"),
    ("wiki_pushed_badly", 502, "provider_rejected"),
])
def test_authorize_tells_that_discovery_or_a_pushed_request_failed(broker, source_type, status, code):
    """RFC 8414 § 3.3: metadata that names another issuer must not be used."""
    assert_problem(broker.authorize(source_type), status, code)


def test_discovery_that_hangs_is_504(broker):
    began = time.monotonic()
    assert_problem(broker.authorize("wiki_silent"), 504, "provider_timeout")
    assert time.monotonic() - began < TIMEOUT + SLACK


# Pushed authorization requests, RFC 9126.


def test_a_pushed_request_leaves_only_its_reference_in_the_address(broker, provider):
    """RFC 9126 § 4."""
    flow = broker.begin("wiki_pushed")
    assert flow.query.keys() == {"client_id", "request_uri"}
    grant = provider.consent(flow.authorization_url)
    assert grant.request["redirect_uri"] == f"{broker.url}/oauth/callback"
    assert grant.request["code_challenge_method"] == "S256"
    broker.finish(grant)


# OpenID Connect.


def test_openid_sends_a_new_nonce(broker):
    """OpenID Connect Core 1.0 § 3.1.2.1."""
    nonces = {broker.begin("wiki_openid").query["nonce"] for _ in range(5)}
    assert len(nonces) == 5 and all(len(nonce) >= 22 for nonce in nonces)


def test_an_id_token_is_checked_and_handed_on(broker, provider):
    """OpenID Connect Core 1.0 § 3.1.3.7."""
    body = broker.credentials("wiki_openid", _with_id_token(provider))
    assert body["idToken"].count(".") == 2


@pytest.mark.parametrize("changes", [
    {"nonce": "another"}, {"nonce": None}, {"iss": FOREIGN}, {"aud": "another-client"}, {"exp": 1_000_000_000}, {"exp": None},
], ids=str)
def test_a_wrong_id_token_is_502(broker, provider, changes):
    grant = broker.consented("wiki_openid", _with_id_token(provider, **changes))
    assert_problem(broker.callback(grant.callback), 502, "provider_rejected")


def test_a_missing_id_token_is_502(broker):
    assert_problem(broker.callback(broker.consented("wiki_openid").callback), 502, "provider_rejected")


def test_an_id_token_of_another_key_is_502(broker, provider):
    forger = type(provider.signer).new("RS256", provider.signer.kid)
    grant = broker.consented("wiki_openid", _with_id_token(provider, signer=forger))
    assert_problem(broker.callback(grant.callback), 502, "provider_rejected")


def _with_id_token(provider: Provider, signer=None, **changes) -> answers.Answer:
    def members(grant) -> dict:
        now = int(time.time())
        claims = {
            "iss": f"{provider.url}/issuer", "aud": "wiki-client", "sub": "user-1", "iat": now, "exp": now + 300,
            "nonce": grant.request["nonce"],
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        return grant.token_response(id_token=(signer or provider.signer).sign(claims))

    return answers.shaped(members)
