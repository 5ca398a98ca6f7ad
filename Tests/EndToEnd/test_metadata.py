"""Providers' metadata as they are: what nobody needs stops no flow, and is said (RFC 8414, OpenID Connect Discovery)."""

import json
from collections.abc import Iterator

import pytest

from broker import Broker, Installation, assert_problem, run, source_types
from provider import Provider
from trial import Trial

ODD = {
    "empty": ({"revocation_endpoint": ""}, '"revocation_endpoint" is no https address'),
    "relative": ({"revocation_endpoint": "/revoke"}, '"revocation_endpoint" is no https address'),
    "template": ({"jwks_uri": "https://login.example.com/{tenantid}/keys"}, '"jwks_uri" is no https address'),
    "aliases": ({"mtls_endpoint_aliases": []}, '"mtls_endpoint_aliases" is malformed'),
    "alias": ({"mtls_endpoint_aliases": {"token_endpoint": ""}},
              '"mtls_endpoint_aliases.token_endpoint" is no https address'),
    "number": ({"pushed_authorization_request_endpoint": 7}, '"pushed_authorization_request_endpoint" is malformed'),
    "flag": ({"require_pushed_authorization_requests": "false"}, '"require_pushed_authorization_requests" is malformed'),
    "list": ({"code_challenge_methods_supported": "S256"}, '"code_challenge_methods_supported" is malformed'),
    "methods": ({"token_endpoint_auth_methods_supported": [None]}, '"token_endpoint_auth_methods_supported" is malformed'),
    "algorithms": ({"id_token_signing_alg_values_supported": {}}, '"id_token_signing_alg_values_supported" is malformed'),
    "issuer_flag": ({"authorization_response_iss_parameter_supported": 1},
                    '"authorization_response_iss_parameter_supported" is malformed'),
}


@pytest.fixture(scope="module")
def metadata(provider) -> Provider:
    for name, (members, _) in ODD.items():
        provider.metadata[name] = members
    provider.metadata["slash"] = {"issuer": f"{provider.url}/issuers/slash/"}
    provider.metadata["no_token"] = {"token_endpoint": "token"}
    return provider


@pytest.fixture(scope="module")
def installation(folder, metadata) -> Installation:
    installation = Installation(folder / "metadata", metadata, {"clients": {"wiki_public": None}})

    def entry(name: str) -> dict:
        oauth = {"discovery": True, "issuer": f"{metadata.url}/issuers/{name}", "scopes": ["read"]}
        return {"displayName": "Odd", "category": "wiki", "provider": "wiki", "oauth": oauth}

    installation.write_catalog({name: entry(name) for name in (*ODD, "slash", "no_token", "plain")})
    return installation


@pytest.fixture(scope="module")
def broker(installation) -> Iterator[Broker]:
    with Broker(installation) as running:
        yield running


def told(broker: Broker, words: str) -> list[dict]:
    lines = [json.loads(line) for line in broker.logs.splitlines() if line.startswith("{")]
    return [line for line in lines if words in line.get("reason", "")]


@pytest.mark.parametrize("name", ODD)
def test_a_member_that_nobody_needs_stops_no_flow_and_is_told_once(broker, metadata, name):
    for _ in range(2):
        assert broker.credentials(name)["accessToken"]
    [line] = told(broker, f"/issuers/{name}\"")
    assert line["level"] == "warning" and ODD[name][1] in line["reason"] and "as absent" in line["reason"]


def test_a_document_in_order_is_not_told(broker):
    assert broker.credentials("plain")["accessToken"]
    assert not told(broker, "/issuers/plain")


def test_what_is_needed_is_missed_by_its_name(broker):
    grant = broker.consented("no_token")
    response = broker.callback(grant.callback)
    assert response.status_code in (409, 502)
    events = broker.client.get(
        "/v1/admin/auditEvents?pageSize=5", headers=broker.bearer(tenant=None, scope="broker:admin")).json()["items"]
    assert any('a token endpoint: "token_endpoint" is no https address' in (event["detail"] or "") for event in events)


def test_a_slash_is_told_as_that(broker):
    """RFC 8414 § 3.3."""
    assert_problem(broker.authorize("slash"), 502, "provider_rejected")
    assert "by the trailing slash alone" in broker.logs


def test_doctor_tells_of_each_document(installation, broker):
    result = run("doctor", "--config", installation.config, "--json")
    found = {item["finding"].partition(": ")[0].rpartition("/")[2]: item
             for item in json.loads(result.stdout) if item["subject"] == "metadata"}
    assert found.keys() >= {*ODD, "slash"}, found.keys()
    for name, (_, words) in ODD.items():
        assert found[name]["level"] == "warn" and words in found[name]["finding"]
    assert found["slash"]["level"] == "fail" and "trailing slash" in found["slash"]["finding"]
    assert any(item["finding"].endswith("/issuers/plain is in order") for item in json.loads(result.stdout))


def test_a_trial_tells_it_too(folder, metadata, installation):
    of_its_own = Installation(folder / "metadata-trial", metadata, {"clients": {"wiki_public": None}})
    of_its_own.write("source-types.yaml", (installation.folder / "source-types.yaml").read_text())
    with Trial(of_its_own.config, "empty") as trial:
        assert ODD["empty"][1] in trial.wait_for("warning: the metadata of")
    with Trial(of_its_own.config, "slash") as trial:
        assert trial.end() == 1
        assert "by the trailing slash alone" in trial.text
