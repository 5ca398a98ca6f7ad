"""Generated requests, and whole flows, against the running broker: every answer is one that the API's description knows."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

import provider as answers
from broker import APP, CLIENT_SECRET, Broker, Installation, closed_port, fragment, source_types
from tokens import challenge_of, new_verifier

DOCUMENT = Path(__file__).parents[2] / "Sources" / "BrokerServer" / "API" / "openapi.json"
CHECKS = [content_type_conformance, response_headers_conformance, response_schema_conformance, status_code_conformance]
# What is fetched ahead or asked of a provider may be answered so without any fault of the broker.
UNAVAILABLE = {502, 503, 504}
SCOPES = "broker:admin assets:read assets:write credentials:write"

schema = schemathesis.openapi.from_path(DOCUMENT)


# Generated requests.


def at_home(members: object) -> None:
    """Source types that could be known become the test's own: nobody else's provider is ever asked."""
    name = members.get("sourceType") if isinstance(members, dict) else None
    if isinstance(name, str) and re.fullmatch("[a-z][a-z0-9_]*", name):
        members["sourceType"] = "wiki"


@schema.parametrize()
@hypothesis.settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(hypothesis.HealthCheck))
def test_generated_requests_are_answered_as_described(case, broker):
    for members in (case.body, case.query, case.path_parameters):
        at_home(members)
    # The tenant of the path, where it is one: else nothing behind the first check is met.
    tenant = (case.path_parameters or {}).get("tenant", "acme")
    headers = broker.bearer(tenant, SCOPES) if case.path.startswith("/v1/") else {}
    response = case.call(base_url=broker.url, headers=headers, allow_redirects=False)
    sound = [] if response.status_code in UNAVAILABLE else [not_a_server_error]
    case.validate_response(response, checks=CHECKS + [unsupported_method] + sound)


# Whole flows: what no generated request meets.


class Described:
    """Holds every answer that a broker's client gets against the document, and remembers which kinds came."""

    def __init__(self) -> None:
        self.paths = {re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)): path for path in schema}
        self.met: set[tuple[str, str, int]] = set()

    def __call__(self, response: httpx.Response) -> None:
        method, target = response.request.method, response.request.url.path
        path, names = next(
            (path, found.groupdict()) for pattern, path in self.paths.items() if (found := pattern.fullmatch(target)))
        response.read()
        schema[path][method].Case(path_parameters=names).validate_response(response, checks=CHECKS)
        self.met.add((method, path, response.status_code))


@pytest.fixture
def described(tmp_path, strict) -> Iterator[tuple[Broker, Described]]:
    changes = {
        "provider": {"connectTimeout": 1, "timeout": 1},
        "clients": {"wiki_post": {"clientId": "wiki-client", "clientSecret": CLIENT_SECRET, "legacyRedirect": True}},
    }
    installation = Installation(tmp_path / "described", strict, changes)
    entries = source_types(strict)
    revocable = {"oauth": entries["wiki"]["oauth"] | {"revocationURL": f"{strict.url}/revoke"}}
    gone = {"oauth": entries["wiki"]["oauth"] | {"revocationURL": f"http://127.0.0.1:{closed_port()}/revoke"}}
    installation.write_catalog(entries | {"revoke": entries["wiki"] | revocable, "revoke_closed": entries["wiki"] | gone})
    with Broker(installation) as broker:
        seen = Described()
        broker.client.event_hooks["response"].append(seen)
        yield broker, seen


def test_whole_flows_are_answered_as_described(described, strict):
    broker, seen = described
    service = broker.bearer(scope="credentials:write")
    operator = broker.bearer(tenant=None, scope="broker:admin")

    def call(name: str, **members) -> httpx.Response:
        return broker.client.post(f"/v1/tenants/acme/assets:{name}", headers=service, json=members)

    # Flows that end well, each way.
    broker.source_types()
    assert broker.redeem(broker.key()).status_code == 200
    assert broker.client.post("/oauth/success", json={"credentialKey": broker.key()}).json() == {"taken": False}
    posted = broker.callback(broker.consented().callback, "POST")
    assert broker.redeem_by_post(fragment(posted)["credentialKey"]).status_code == 200
    verifier = new_verifier()
    for ending in ({}, {"error": "access_denied", "error_description": "no"}):
        flow = broker.begin(exchangeChallenge=challenge_of(verifier), frontendOrigin=APP)
        binding = {"flow": flow.flow, "exchangeVerifier": verifier, "frontendOrigin": APP}
        assert broker.client.post("/oauth/popup", json=binding).status_code == 204
        grant = strict.consent(flow.authorization_url)
        broker.callback({"state": grant.state} | ending if ending else grant.callback)
        for ask in (broker.outcome, broker.outcome_by_post):
            assert ask(flow.flow, verifier).json()["status"] == ("failed" if ending else "succeeded")
        assert broker.client.get("/oauth/frontendOrigin", params={"flow": flow.flow}).status_code == 200

    # At the address of before, and at that of a tenant's own app.
    own = "/v1/admin/tenants/beta/clients/wiki"
    members = {"clientId": "wiki-client", "clientSecret": CLIENT_SECRET}
    assert broker.client.put(own, headers=operator, json=members).status_code == 201
    for name, tenant in (("wiki_post", "acme"), ("wiki", "beta")):
        for method, status in (("GET", 302), ("POST", 303)):
            assert broker.callback(broker.consented(name, tenant=tenant).callback, method).status_code == status
    # Posted by another site's page, without the flow's cookie.
    foreign = {"Accept": "text/html", "Origin": "https://provider.example"}
    for name, tenant in (("wiki", "acme"), ("wiki_post", "acme"), ("wiki", "beta")):
        posted = broker.consented(name, tenant=tenant, exchangeChallenge=challenge_of(verifier)).callback
        assert broker.callback(posted, "POST", headers=foreign).status_code == 200
    assert broker.client.delete(own, headers=operator).status_code == 204

    # And badly.
    for accept in ("application/json", "text/html"):
        headers = {"Accept": accept}
        broker.callback({"state": "unknown"}, headers=headers)
        broker.callback({"state": broker.begin().state, "error": "our_own.Error-7"}, headers=headers)
        broker.callback(broker.consented(answer=answers.refusal()).callback, headers=headers)
        broker.callback(broker.consented("wiki_closed").callback, headers=headers)
        broker.callback(broker.consented(answer=answers.slow).callback, headers=headers)
        broker.callback({"state": "unknown"}, headers=headers | {"Sec-Purpose": "prefetch"})
    denied = {"error": "access_denied", "state": broker.begin(returnUrl=f"{APP}/back", exchangeChallenge=challenge_of(verifier)).state}
    assert broker.callback(denied).status_code == 302
    for name in ("wiki_unconfigured", "wiki_upload", "wiki_site", "unknown"):
        broker.authorize(name)
    broker.redeem("x", headers={"Sec-Purpose": "prefetch"})
    call("authorize", sourceType="wiki")

    # Asset services.
    assert call("refreshCredentials", sourceType="wiki", refreshToken=strict.granted().code).status_code == 200
    refused = strict.granted(answers.refusal("server_error", 500)).code
    assert call("refreshCredentials", sourceType="wiki", refreshToken=refused).status_code == 502
    assert call("refreshCredentials", sourceType="wiki_closed", refreshToken="x").status_code == 502
    slow = strict.granted(answers.slow).code
    assert call("refreshCredentials", sourceType="wiki", refreshToken=slow).status_code == 504
    assert call("refreshCredentials", sourceType="wiki_unconfigured", refreshToken="x").status_code == 409
    assert call("revokeCredentials", sourceType="revoke", token="x").status_code == 204
    assert call("revokeCredentials", sourceType="revoke_closed", token="x").status_code == 502
    assert call("revokeCredentials", sourceType="wiki", token="x").status_code == 409

    # Operators.
    for name in ("revoke", "revoke_closed", "wiki"):
        broker.key(name)
    keys = "/v1/admin/credentialKeys"
    token = broker.client.get(keys, params={"pageSize": 1}, headers=operator).json()["nextPageToken"]
    broker.client.get(keys, params={"pageToken": token}, headers=operator)
    order = {"all": True, "reason": "the end"}
    result = broker.client.post("/v1/admin/revocations", headers=operator, json=order).json()
    assert [failure["code"] for failure in result["providerFailures"]] == ["provider_unreachable"]
    broker.client.get("/v1/admin/auditEvents", params={"pageSize": 1000}, headers=operator)
    client = "/v1/admin/tenants/acme/clients/wiki"
    for method, status in (("PUT", 201), ("PUT", 200), ("GET", 200), ("DELETE", 204), ("DELETE", 404), ("GET", 404)):
        members = {"json": {"clientId": "own", "clientSecret": "<client secret>"}} if method == "PUT" else {}
        assert broker.client.request(method, client, headers=operator, **members).status_code == status

    # Everybody.
    for path in (
            "/oauth/success", "/oauth/popup", "/connect.js", "/connect.d.ts", "/healthz", "/readyz", "/metrics",
            f"/oauth/client/{22 * 'A'}.json",
        ):
        broker.client.get(path)
    broker.client.get("/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    good = {
        (operation.method.upper(), operation.path, int(status)) for operation in operations
        for status in operation.definition.raw["responses"] if status < "400"
    }
    assert good <= seen.met, good - seen.met


def test_limits_are_answered_as_described(tmp_path, strict):
    limits = {"authorizePerTenant": 0.1, "callbackPerAddress": 0.1, "redeemPerAddress": 0.1}
    with Broker(Installation(tmp_path / "limited", strict, {"limits": limits})) as broker:
        seen = Described()
        broker.client.event_hooks["response"].append(seen)
        for _ in range(2):
            broker.authorize()
            broker.redeem("x")
            broker.redeem_by_post("x")
            broker.callback({"state": "x"})
            broker.callback({"state": "x"}, "POST", headers={"Accept": "text/html"})
        assert len([status for _, _, status in seen.met if status == 429]) == 5
