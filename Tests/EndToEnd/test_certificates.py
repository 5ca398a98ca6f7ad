"""RFC 8705: a client that proves itself by its certificate, at a provider that lets nobody else in."""

from collections.abc import Iterator

import pytest

from broker import Broker, Installation, assert_problem
from certificates import Authority
from provider import Provider
from strict_provider import StrictProvider

CLIENT, SECRET = "certified", "s3cret"


@pytest.fixture(scope="module")
def authority(folder) -> Authority:
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def mutual(authority) -> Iterator[StrictProvider]:
    running = StrictProvider(tls=authority.server(authority.issue("server", server=True)))
    yield running
    running.close()


def catalog(mutual: StrictProvider) -> dict:
    def entry(client: str, **oauth) -> dict:
        usual = {
            "authorizationURL": f"{mutual.url}/authorize", "tokenURL": f"{mutual.url}/token",
            "revocationURL": f"{mutual.url}/revoke", "clientAuthentication": "tls", "scopes": ["read"],
        }
        return {"displayName": "Certified", "category": "wiki", "provider": client, "oauth": usual | oauth}

    return {
        "tls": entry("right"), "tls_other": entry("other"), "tls_stranger": entry("stranger"),
        "tls_public": entry("public", clientAuthentication="none"), "tls_post": entry("post", clientAuthentication="post"),
        "tls_pushed": entry("right", pushedAuthorizationURL=f"{mutual.url}/par"),
    }


def installed(folder, authority: Authority, mutual: StrictProvider, **provider) -> Installation:
    right, other = authority.issue("right"), authority.issue("other")
    stranger = Authority(folder, "elsewhere").issue("stranger")
    mutual.certificates[CLIENT] = right.fingerprint
    clients = {
        name: {"clientId": CLIENT, "certificateFile": str(one.file), "certificateKeyFile": str(one.key_file)}
        for name, one in (("right", right), ("other", other), ("stranger", stranger))
    }
    clients |= {"public": {"clientId": CLIENT}, "post": {"clientId": CLIENT, "clientSecret": "any"}}
    installation = Installation(folder / "tls", mutual, {
        "clients": clients | {"wiki_public": None, "wiki": None},
        "provider": {"caFile": str(authority.file), "allowInsecure": False} | provider,
    })
    installation.write_catalog(catalog(mutual))
    return installation


@pytest.fixture(scope="module")
def broker(folder, authority, mutual) -> Iterator[Broker]:
    with Broker(installed(folder, authority, mutual)) as running:
        yield running


def test_the_certificate_proves_and_the_parameter_names(broker, mutual):
    grant = broker.consented("tls")
    credentials = broker.redeem(broker.finish(grant)).json()
    assert credentials["accessToken"] == grant.access_token
    call, = mutual.exchanges(grant)
    assert call.members["client_id"] == CLIENT
    assert "authorization" not in call.headers and not {"client_secret", "client_assertion"} & call.members.keys()
    assert call.members["code_verifier"]


def test_a_push_a_refresh_and_a_revocation_have_it_too(broker, mutual):
    assert broker.redeem(broker.key("tls_pushed")).status_code == 200
    headers = broker.bearer(scope="credentials:write")
    old = mutual.granted(client=CLIENT)
    response = broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=headers,
        json={"sourceType": "tls", "refreshToken": old.code})
    assert response.status_code == 200, response.text
    response = broker.client.post(
        "/v1/tenants/acme/assets:revokeCredentials", headers=headers, json={"sourceType": "tls", "token": "some-token"})
    assert response.status_code == 204, response.text
    for call in (mutual.calls_to("/par")[-1], *mutual.refreshes(old), mutual.calls_to("/revoke")[-1]):
        assert call.headers["x-peer-certificate"] == mutual.certificates[CLIENT]
        assert call.members["client_id"] == CLIENT and "client_secret" not in call.members


@pytest.mark.parametrize("source_type, code", [
    ("tls_other", "provider_rejected"), ("tls_stranger", "provider_unreachable"), ("tls_public", "provider_unreachable"),
    ("tls_post", "provider_unreachable"),
])
def test_another_certificate_or_none_gets_nothing(broker, mutual, source_type, code):
    """The right client connects before and after: no connection of one client serves another."""
    for _ in range(2):
        assert broker.redeem(broker.key("tls")).status_code == 200
        grant = broker.consented(source_type)
        response = broker.callback(grant.callback)
        assert_problem(response, 502, code)
        assert not grant.used
    assert broker.redeem(broker.key("tls")).status_code == 200


def test_a_server_of_another_authority_is_not_spoken_to(tmp_path, authority, mutual):
    installation = installed(tmp_path, authority, mutual, caFile=str(Authority(tmp_path, "another").file))
    with Broker(installation) as broker:
        grant = broker.consented("tls")
        assert_problem(broker.callback(grant.callback), 502, "provider_unreachable")
        assert mutual.exchanges(grant) == []


def test_an_alias_is_for_clients_with_a_certificate(tmp_path, authority, mutual, strict):
    """RFC 8705 § 5: what discovery says of mutual TLS comes before the usual addresses, for those clients alone."""
    strict.metadata["certified"] = {
        "revocation_endpoint": f"{strict.url}/revoke",
        "pushed_authorization_request_endpoint": f"{strict.url}/par", "require_pushed_authorization_requests": True,
        "mtls_endpoint_aliases": {
            "token_endpoint": f"{mutual.url}/token", "revocation_endpoint": f"{mutual.url}/revoke",
            "pushed_authorization_request_endpoint": f"{mutual.url}/par"},
    }
    strict.clients["wiki-client"] = SECRET
    found = {"discovery": True, "issuer": f"{strict.url}/issuers/certified", "scopes": ["read"]}
    installation = installed(tmp_path, authority, mutual, allowInsecure=True)
    installation.settings["clients"]["usual"] = {"clientId": "wiki-client", "clientSecret": SECRET}
    installation.write_configuration()
    entry = {"displayName": "Certified", "category": "wiki"}
    installation.write_catalog(catalog(mutual) | {
        "found": entry | {"provider": "right", "oauth": found | {"clientAuthentication": "tls"}},
        "found_usual": entry | {"provider": "usual", "oauth": found},
    })
    with Broker(installation) as broker:
        headers = broker.bearer(scope="credentials:write")
        for source_type, at in (("found", mutual), ("found_usual", strict)):
            before = len(at.calls_to("/par")), len(at.calls_to("/revoke"))
            grant = at.consent(broker.begin(source_type).authorization_url)
            assert broker.redeem(broker.finish(grant)).status_code == 200
            response = broker.client.post(
                "/v1/tenants/acme/assets:revokeCredentials", headers=headers,
                json={"sourceType": source_type, "token": "some-token"})
            assert response.status_code == 204, response.text
            assert len(at.exchanges(grant)) == 1
            assert (len(at.calls_to("/par")), len(at.calls_to("/revoke"))) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("change, setting", [
    ({"certificateFile": None}, "clients.right.certificateFile"),
    ({"certificateKeyFile": None}, "clients.right.certificateKeyFile"),
    ({"certificateFile": "missing.crt"}, "clients.right.certificateFile"),
    ({"certificateKeyFile": "cloakroom.yaml"}, "clients.right.certificateKeyFile"),
    ({"certificateFile": None, "certificateKeyFile": None}, "clients.right.certificateFile"),
], ids=str)
def test_a_client_without_its_files_is_refused_at_start(tmp_path, authority, mutual: Provider, change, setting):
    installation = installed(tmp_path, authority, mutual)
    client = installation.settings["clients"]["right"] | change
    installation.settings["clients"]["right"] = {name: value for name, value in client.items() if value}
    installation.write_configuration()
    result = installation.check()
    assert result.returncode == 1 and setting in result.stderr
