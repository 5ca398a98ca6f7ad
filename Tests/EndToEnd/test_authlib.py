"""OpenID Connect by discovery at a server of Authlib, with each way by which a client can prove itself there."""

import hashlib
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import pytest

from broker import Broker, Installation, assert_problem, eventually, fragment, free_port
from provider import Provider
from tokens import Signer, base64url, jwks

USER = "ada"
METHODS = {
    "basic": "client_secret_basic", "post": "client_secret_post", "client_secret_jwt": "client_secret_jwt",
    "private_key_jwt": "private_key_jwt",
}
SECRET = "authlib:/+ &%" + secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Site:
    """The running server, and a broker whose catalog knows it by its issuer alone."""

    issuer: str
    broker: Broker

    def consent(self, authorization_url: str, user: str | None = USER) -> httpx.Response:
        return httpx.post(authorization_url, data={"user": user} if user else {}, trust_env=False, timeout=20)

    def connect(self, source_type: str) -> dict:
        flow = self.broker.begin(source_type)
        consent = self.consent(flow.authorization_url)
        assert consent.status_code == 302, consent.text
        response = self.broker.client.get(consent.headers["location"])
        assert response.status_code == 302, response.text
        response = self.broker.redeem(fragment(response)["credentialKey"])
        assert response.status_code == 200, response.text
        return response.json() | {"nonce": flow.query["nonce"]}

    def call(self, name: str, **members) -> httpx.Response:
        headers = self.broker.bearer(scope="credentials:write")
        return self.broker.client.post(f"/v1/tenants/acme/assets:{name}", json=members, headers=headers)

    def whoami(self, token: str) -> httpx.Response:
        return httpx.get(f"{self.issuer}/whoami", headers={"Authorization": f"Bearer {token}"}, trust_env=False)

    def claims(self, token: str) -> dict:
        """The id_token as an application would check it."""
        keys = jwt.PyJWKSet.from_dict(httpx.get(f"{self.issuer}/jwks", trust_env=False).json())
        key = keys[jwt.get_unverified_header(token)["kid"]].key
        return jwt.decode(token, key, algorithms=["RS256"], issuer=self.issuer, options={"verify_aud": False})


@pytest.fixture(scope="module")
def site(folder: Path, provider: Provider) -> Iterator[Site]:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    signers = {name: Signer.new(name, f"{name}-key") for name in ("ES256", "RS256", "EdDSA")}
    registered = {f"authlib {name}": {"method": method, "secret": SECRET} for name, method in METHODS.items()}
    registered["authlib private_key_jwt"] = {
        "method": "private_key_jwt", "jwks": jwks(signers["ES256"], signers["RS256"])}
    entries = {f"authlib_{name}": entry(issuer, clientAuthentication=name) for name in METHODS}
    clients = {f"authlib_{name}": {"clientId": f"authlib {name}", "clientSecret": SECRET} for name in METHODS}
    clients["authlib_private_key_jwt"] = private_key(signers["ES256"])
    for name, members in {
        "authlib_rsa": private_key(signers["RS256"]),
        "authlib_other_key": private_key(signers["EdDSA"]) | {"keyId": "ES256-key"},
    }.items():
        entries[name], clients[name] = entry(issuer, clientAuthentication="private_key_jwt"), members
    entries["authlib_other_secret"] = entry(issuer, clientAuthentication="client_secret_jwt")
    clients["authlib_other_secret"] = clients["authlib_client_secret_jwt"] | {"clientSecret": "x" * 32}
    entries["authlib_plain"] = entry(issuer, pkce="plain")
    clients["authlib_plain"] = clients["authlib_basic"]
    installation = Installation(folder / "authlib", provider, {"clients": clients | {"wiki": None, "wiki_public": None}})
    installation.write_catalog(entries)
    for signer in signers.values():
        installation.write(f"{signer.algorithm}.pem", signer.private_pem, mode=0o600)
    with (folder / "authlib.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable, str(Path(__file__).with_name("authlib_server.py")), str(port),
                json.dumps([f"{installation.url}/oauth/callback/{name}" for name in entries]), json.dumps(registered),
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
    try:
        eventually(lambda: _serves(issuer, process), within=30, what="the server answers")
        with Broker(installation) as broker:
            yield Site(issuer, broker)
    finally:
        process.kill()
        process.wait(10)


def entry(issuer: str, **oauth) -> dict:
    known = {"discovery": True, "openid": True, "issuer": issuer, "scopes": ["openid", "wiki"]}
    return {"displayName": "Authlib", "category": "wiki", "oauth": known | {"refreshToken": "expected"} | oauth}


def private_key(signer: Signer) -> dict:
    return {"clientId": "authlib private_key_jwt", "privateKeyFile": f"{signer.algorithm}.pem", "keyId": signer.kid}


def _serves(issuer: str, process: subprocess.Popen) -> bool:
    assert process.poll() is None, "the server ended"
    try:
        return httpx.get(f"{issuer}/jwks", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("source_type", [*(f"authlib_{name}" for name in METHODS), "authlib_rsa"])
def test_a_flow_gives_tokens_that_the_server_takes(site, source_type):
    credentials = site.connect(source_type)
    assert credentials["scope"].split() == ["openid", "wiki"]
    assert credentials["refreshToken"] and credentials["expiresAt"] and credentials["warnings"] == []
    assert site.whoami(credentials["accessToken"]).json() == {"user": USER}


def test_the_id_token_is_this_flows(site):
    credentials = site.connect("authlib_basic")
    claims = site.claims(credentials["idToken"])
    assert claims["aud"] == ["authlib basic"] and claims["sub"] == USER and claims["nonce"] == credentials["nonce"]
    half = hashlib.sha256(credentials["accessToken"].encode()).digest()[:16]
    assert claims["at_hash"] == base64url(half)


@pytest.mark.parametrize("name", METHODS)
def test_a_refresh_rotates(site, name):
    source_type = f"authlib_{name}"
    credentials = site.connect(source_type)
    first = site.call("refreshCredentials", sourceType=source_type, refreshToken=credentials["refreshToken"])
    assert first.status_code == 200, first.text
    tokens = first.json()
    assert tokens["refreshToken"] not in (None, credentials["refreshToken"])
    assert tokens["accessToken"] != credentials["accessToken"]
    assert "nonce" not in site.claims(tokens["idToken"]), "OpenID Connect Core § 12.2"
    assert site.whoami(tokens["accessToken"]).json() == {"user": USER}
    second = site.call("refreshCredentials", sourceType=source_type, refreshToken=tokens["refreshToken"])
    assert second.json()["refreshToken"] not in (credentials["refreshToken"], tokens["refreshToken"])
    # Other scopes: another question, which the answer that is kept for the first does not answer.
    old = site.call(
        "refreshCredentials", sourceType=source_type, refreshToken=credentials["refreshToken"], scopes=["wiki"])
    assert_problem(old, 400, "reauthorization_required")


def test_a_refresh_may_ask_for_less(site):
    credentials = site.connect("authlib_basic")
    response = site.call(
        "refreshCredentials", sourceType="authlib_basic", refreshToken=credentials["refreshToken"], scopes=["wiki"])
    assert response.status_code == 200, response.text
    assert response.json()["scope"] == "wiki"


def test_a_refresh_for_more_than_was_granted_is_refused(site):
    credentials = site.connect("authlib_basic")
    response = site.call(
        "refreshCredentials", sourceType="authlib_basic", refreshToken=credentials["refreshToken"],
        scopes=["wiki", "profile"])
    assert "invalid_scope" in assert_problem(response, 502, "provider_rejected")["detail"]


@pytest.mark.parametrize("name", METHODS)
def test_a_revoked_token_is_gone(site, name):
    source_type = f"authlib_{name}"
    credentials = site.connect(source_type)
    for hint, token in (("access_token", "accessToken"), ("refresh_token", "refreshToken")):
        response = site.call("revokeCredentials", sourceType=source_type, token=credentials[token], tokenTypeHint=hint)
        assert response.status_code == 204, response.text
        assert response.content == b""
    assert site.whoami(credentials["accessToken"]).status_code == 401
    response = site.call("refreshCredentials", sourceType=source_type, refreshToken=credentials["refreshToken"])
    assert_problem(response, 400, "reauthorization_required")


def test_revoking_what_is_no_token_is_no_failure(site):
    """RFC 7009 § 2.2."""
    assert site.call("revokeCredentials", sourceType="authlib_basic", token="no-such-token").status_code == 204


def test_another_clients_token_cannot_be_revoked(site):
    credentials = site.connect("authlib_basic")
    response = site.call("revokeCredentials", sourceType="authlib_post", token=credentials["accessToken"])
    assert_problem(response, 502, "provider_rejected")
    assert site.whoami(credentials["accessToken"]).status_code == 200


def test_a_lost_grant_asks_for_the_person(site):
    response = site.call("refreshCredentials", sourceType="authlib_basic", refreshToken="no-such-token")
    assert_problem(response, 400, "reauthorization_required")


@pytest.mark.parametrize("source_type", ["authlib_other_key", "authlib_other_secret"])
def test_a_client_that_is_not_believed_is_the_operators_trouble(site, source_type):
    """`invalid_client` is no reason to send the person away."""
    response = site.call("refreshCredentials", sourceType=source_type, refreshToken="any")
    assert_problem(response, 502, "provider_rejected")
    flow = site.broker.begin(source_type)
    location = site.consent(flow.authorization_url).headers["location"]
    response = site.broker.client.get(location, headers={"Accept": "application/json"})
    assert_problem(response, 502, "provider_rejected")


def test_a_denial_is_access_denied_and_has_the_issuer(site):
    flow = site.broker.begin("authlib_basic")
    location = site.consent(flow.authorization_url, user=None).headers["location"]
    assert "error=access_denied" in location and "iss=" in location
    response = site.broker.client.get(location, headers={"Accept": "application/json"})
    assert_problem(response, 400, "access_denied")


def test_a_callback_without_the_promised_issuer_is_refused(site):
    """RFC 9207 § 2.4: the metadata say that it comes."""
    location = httpx.URL(site.consent(site.broker.begin("authlib_basic").authorization_url).headers["location"])
    assert location.params["iss"] == site.issuer
    assert_problem(site.broker.callback(dict(location.params.remove("iss"))), 400, "issuer_mismatch")


def test_the_server_does_require_s256(site):
    """So the flows above have proved it."""
    consent = site.consent(site.broker.begin("authlib_plain").authorization_url)
    assert "error=invalid_request" in consent.headers["location"]


def test_a_code_is_taken_once(site):
    location = httpx.URL(site.consent(site.broker.begin("authlib_basic").authorization_url).headers["location"])
    assert site.broker.callback(dict(location.params)).status_code == 302
    again = site.broker.begin("authlib_basic")
    response = site.broker.callback(dict(location.params.set("state", again.state)))
    assert_problem(response, 502, "provider_rejected")
