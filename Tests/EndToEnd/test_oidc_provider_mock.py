"""OpenID Connect with a provider that is not ours: oidc-provider-mock, found by discovery, its id_tokens checked."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from broker import Broker, Installation, assert_problem, eventually, fragment, free_port, source_types
from provider import Provider

USER = "ada"


@pytest.fixture(scope="module")
def oidc(folder: Path, provider: Provider) -> Iterator[tuple[Broker, str]]:
    """The provider's issuer, and a broker whose catalog knows nothing but that."""
    port = free_port()
    issuer = f"http://localhost:{port}"
    with (folder / "oidc.log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("oidc-provider-mock")), "--port", str(port), "--user", USER,
                "--require-nonce", "true",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
    try:
        eventually(lambda: _document(issuer, process), within=30, what="the provider answers")
        issuer = _document(issuer, process)["issuer"]
        oauth = {"discovery": True, "openid": True, "issuer": issuer, "scopes": ["openid", "email"]}
        entry = {"displayName": "OpenID", "category": "wiki", "oauth": oauth}
        other = entry | {"oauth": oauth | {"issuer": issuer + "/"}}
        credentials = {"clientId": "cloakroom", "clientSecret": "any"}
        installation = Installation(
            folder / "oidc", provider, {"clients": {"oidc": credentials, "oidc_other": credentials}})
        installation.write_catalog(source_types(provider) | {"oidc": entry, "oidc_other": other})
        with Broker(installation) as broker:
            yield broker, issuer
    finally:
        process.kill()
        process.wait(10)


def _document(issuer: str, process: subprocess.Popen) -> dict | None:
    assert process.poll() is None, "the provider ended"
    try:
        return httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).json()
    except httpx.TransportError:
        return None


def connect(broker: Broker) -> dict:
    flow = broker.begin("oidc")
    assert flow.query["nonce"] and flow.query["code_challenge_method"] == "S256"
    consent = httpx.post(flow.authorization_url, data={"sub": USER}, trust_env=False, timeout=20)
    assert consent.status_code in (302, 303), consent.text
    response = broker.client.get(consent.headers["location"])
    assert response.status_code == 302, response.text
    return broker.redeem(fragment(response)["credentialKey"]).json() | {"nonce": flow.query["nonce"]}


def test_a_flow_by_discovery_gives_a_checked_id_token(oidc):
    broker, issuer = oidc
    credentials = connect(broker)
    claims = jwt.decode(credentials["idToken"], options={"verify_signature": False})
    assert claims["iss"] == issuer and claims["sub"] == USER and claims["nonce"] == credentials["nonce"]
    answer = httpx.get(
        f"{issuer}/userinfo", headers={"Authorization": f"Bearer {credentials['accessToken']}"}, trust_env=False)
    assert answer.json()["sub"] == USER


def test_its_refresh_token_gives_new_tokens(oidc):
    broker, _ = oidc
    credentials = connect(broker)
    response = broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=broker.bearer(scope="credentials:write"),
        json={"sourceType": "oidc", "refreshToken": credentials["refreshToken"]})
    assert response.status_code == 200, response.text
    assert response.json()["accessToken"] != credentials["accessToken"]


def test_metadata_of_another_issuer_is_not_used(oidc):
    """RFC 8414 § 3.3: one character more is another issuer."""
    broker, _ = oidc
    assert_problem(broker.authorize("oidc_other"), 502, "provider_rejected")
