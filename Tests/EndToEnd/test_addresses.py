"""Where a flow goes, as `Docs/Catalog.md` promises: hosts that callbacks or operators tell, regions, dates."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from broker import CLIENT_SECRET, Broker, Installation, assert_problem, merged
from provider import Grant
from strict_provider import StrictProvider

HOST = {"pattern": "^127\\.0\\.0\\.1:[0-9]+$", "description": "Your own server"}


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[StrictProvider]:
    """The same provider's other host."""
    running = StrictProvider()
    running.clients["wiki-client"] = CLIENT_SECRET
    yield running
    running.close()


def entries(strict: StrictProvider, elsewhere: StrictProvider) -> dict:
    url = strict.url

    def entry(**oauth) -> dict:
        usual = {
            "authorizationURL": f"{url}/authorize", "tokenURL": f"{url}/token", "revocationURL": f"{url}/revoke",
            "scopes": ["read"],
        }
        return {"displayName": "Test Wiki", "category": "wiki", "provider": "wiki", "oauth": usual | oauth}

    def own(**oauth) -> dict:
        return entry(
            authorizationURL="http://{host}/authorize", tokenURL="http://{host}/token",
            revocationURL="http://{host}/revoke", clientPerInstance=True, parameters={"host": HOST}, **oauth)

    origin = {
        "callbackParameter": "accounts-server",
        "pattern": f"^http://127\\.0\\.0\\.1:({strict.port}|{elsewhere.port})$",
    }
    named = {
        "callbackParameter": "dc", "pattern": "^[a-z]{2}$", "origin": f"http://{{dc}}.localhost:{elsewhere.port}",
        "required": True,
    }
    kept = {"callback": ["accounts-server"]}
    return {
        "origin": entry(tokenOrigin=origin, extras=kept),
        "origin_required": entry(tokenOrigin=origin | {"required": True}),
        "origin_named": entry(tokenOrigin=named),
        "regions": entry(regions={
            "eu": {"authorizationURL": f"{url}/eu/authorize", "tokenURL": f"{url}/eu/token"},
            "au": {"tokenURL": f"{elsewhere.url}/au/token", "revocationURL": f"{elsewhere.url}/au/revoke"},
        }),
        "dated": entry(endpointsFrom={
            "2020-01-01": {"tokenURL": f"{url}/2020/token"}, "2021-01-01": {"tokenURL": f"{url}/2021/token"},
            "2999-01-01": {"tokenURL": f"{url}/2999/token"},
        }),
        "own": own() | {"provider": "own"},
        "own_unset": own() | {"provider": "own_unset"},
    }


def installed(folder, strict: StrictProvider, elsewhere: StrictProvider, changes: dict = {}) -> Installation:
    own = {"clientId": "wiki-client", "clientSecretFile": "wiki.secret"}
    installation = Installation(folder, strict, merged({"clients": {
        "wiki_public": None, "own": own | {"parameters": {"host": f"127.0.0.1:{elsewhere.port}"}}, "own_unset": own,
    }}, changes))
    installation.write_catalog(entries(strict, elsewhere))
    return installation


@pytest.fixture(scope="module")
def broker(folder, strict, elsewhere) -> Iterator[Broker]:
    with Broker(installed(folder / "addresses", strict, elsewhere)) as running:
        yield running


def call(broker: Broker, name: str, **members) -> httpx.Response:
    return broker.client.post(
        f"/v1/tenants/acme/assets:{name}", headers=broker.bearer(scope="credentials:write"), json=members)


def consented(broker: Broker, source_type: str, at: StrictProvider, **parameters: str) -> Grant:
    """A consent whose code that host trades."""
    flow = broker.begin(source_type, parameters=parameters)
    return at.consent(flow.authorization_url)


# The token's host, told by the callback.


def test_the_callback_tells_which_host_trades_the_code(broker, strict, elsewhere):
    grant = consented(broker, "origin", elsewhere)
    credentials = broker.redeem(broker.finish(grant, **{"accounts-server": elsewhere.url})).json()
    assert credentials["accessToken"] == grant.access_token
    assert credentials["extras"] == {"accounts-server": elsewhere.url}
    assert len(elsewhere.exchanges(grant)) == 1 and strict.exchanges(grant) == []


def test_without_a_word_the_entrys_own_host_trades_it(broker, strict):
    grant = consented(broker, "origin", strict)
    assert broker.redeem(broker.finish(grant)).json()["extras"] == {}


def test_a_template_may_hold_the_value(broker, strict, elsewhere):
    grant = consented(broker, "origin_named", elsewhere)
    assert broker.redeem(broker.finish(grant, dc="eu")).status_code == 200
    assert elsewhere.exchanges(grant)[0].headers["host"] == f"eu.localhost:{elsewhere.port}"


@pytest.mark.parametrize("value", [
    "https://evil.example.net", "{}.evil.example.net", "{}/", "{}/path", "{}?a=b", "{}\n", " {}", "http://user@127.0.0.1:1",
    "{}@evil.example.net", "{}\\@evil.example.net",
])
def test_any_other_host_is_sent_nothing(broker, strict, elsewhere, value):
    grant = consented(broker, "origin", elsewhere)
    response = broker.callback(grant.callback | {"accounts-server": value.format(elsewhere.url)})
    assert_problem(response, 400, "invalid_callback")
    assert elsewhere.exchanges(grant) == strict.exchanges(grant) == []


def test_two_hosts_are_none(broker, strict, elsewhere):
    grant = consented(broker, "origin", elsewhere)
    response = broker.callback([
        *grant.callback.items(), ("accounts-server", elsewhere.url), ("accounts-server", strict.url)])
    assert_problem(response, 400, "invalid_callback")
    assert elsewhere.exchanges(grant) == strict.exchanges(grant) == []


@pytest.mark.parametrize("source_type", ["origin_required", "origin_named"])
def test_a_host_may_be_required(broker, strict, source_type):
    grant = consented(broker, source_type, strict)
    assert_problem(broker.callback(grant.callback), 400, "invalid_callback")
    assert strict.exchanges(grant) == []


def test_a_denial_needs_no_host(broker):
    flow = broker.begin("origin_required")
    assert_problem(broker.callback({"error": "access_denied", "state": flow.state}), 400, "access_denied")


def test_refresh_and_revocation_take_the_host_as_a_parameter(broker, strict, elsewhere):
    told = {"accounts-server": elsewhere.url}
    grant = elsewhere.granted()
    response = call(broker, "refreshCredentials", sourceType="origin", refreshToken=grant.code, parameters=told)
    assert response.status_code == 200, response.text
    assert len(elsewhere.refreshes(grant)) == 1
    before = len(elsewhere.calls_to("/revoke"))
    assert call(broker, "revokeCredentials", sourceType="origin", token="t", parameters=told).status_code == 204
    assert len(elsewhere.calls_to("/revoke")) == before + 1
    wrong = {"accounts-server": "https://evil.example.net"}
    for name, members in (("refreshCredentials", {"refreshToken": "t"}), ("revokeCredentials", {"token": "t"})):
        assert_problem(call(broker, name, sourceType="origin", parameters=wrong, **members), 400, "invalid_parameter")


def test_a_caller_cannot_choose_the_host_of_a_flow(broker, elsewhere):
    response = broker.authorize("origin", parameters={"accounts-server": elsewhere.url})
    assert_problem(response, 400, "invalid_parameter")


# Regions and dates.


def test_a_region_has_its_own_addresses(broker, strict, elsewhere):
    for region, at, authorize, token in [
        ("eu", strict, "/eu/authorize", "/eu/token"), ("au", elsewhere, "/authorize", "/au/token"),
        (None, strict, "/authorize", "/token"),
    ]:
        parameters = {"region": region} if region else {}
        flow = broker.begin("regions", parameters=parameters)
        assert urlsplit(flow.authorization_url).path == authorize
        grant = at.consent(flow.authorization_url)
        assert broker.redeem(broker.finish(grant)).status_code == 200
        assert at.exchanges(grant)[0].path == token
        old = at.granted()
        response = call(broker, "refreshCredentials", sourceType="regions", refreshToken=old.code, parameters=parameters)
        assert response.status_code == 200 and at.refreshes(old)[0].path == token
    assert call(
        broker, "revokeCredentials", sourceType="regions", token="t", parameters={"region": "au"}).status_code == 204
    assert elsewhere.calls[-1].path == "/au/revoke"


@pytest.mark.parametrize("region", ["us", "EU", "", "eu|au", "e"])
def test_any_other_region_is_refused(broker, region):
    assert_problem(broker.authorize("regions", parameters={"region": region}), 400, "invalid_parameter")


def test_the_region_is_listed_as_a_parameter(broker):
    items = {item["type"]: item for item in broker.source_types().json()["items"]}
    parameter, = items["regions"]["oauth"]["parameters"]
    assert parameter["name"] == "region" and parameter["required"] is False


def test_the_latest_address_whose_day_has_come_holds(broker, strict):
    grant = consented(broker, "dated", strict)
    assert broker.redeem(broker.finish(grant)).status_code == 200
    assert strict.exchanges(grant)[0].path == "/2021/token"


# What the operator sets.


def test_the_operators_value_fills_the_address(broker, elsewhere):
    flow = broker.begin("own")
    assert flow.authorization_url.startswith(f"{elsewhere.url}/authorize?")
    assert broker.redeem(broker.finish(elsewhere.consent(flow.authorization_url))).status_code == 200
    grant = elsewhere.granted()
    assert call(broker, "refreshCredentials", sourceType="own", refreshToken=grant.code).status_code == 200
    assert call(broker, "revokeCredentials", sourceType="own", token="t").status_code == 204


def test_a_caller_cannot_send_it_not_even_the_same(broker, strict, elsewhere):
    before = len(strict.calls), len(elsewhere.calls)
    for at in (strict, elsewhere):
        host = {"host": f"127.0.0.1:{at.port}"}
        assert_problem(broker.authorize("own", parameters=host), 400, "invalid_parameter")
        for name, members in (("refreshCredentials", {"refreshToken": "t"}), ("revokeCredentials", {"token": "t"})):
            assert_problem(call(broker, name, sourceType="own", parameters=host, **members), 400, "invalid_parameter")
    assert (len(strict.calls), len(elsewhere.calls)) == before


def test_it_is_no_parameter_of_callers(broker):
    items = {item["type"]: item for item in broker.source_types().json()["items"]}
    assert items["own"]["oauth"]["parameters"] == []


def test_without_the_operators_value_nothing_starts(broker, strict):
    for parameters in ({}, {"host": f"127.0.0.1:{strict.port}"}):
        assert_problem(broker.authorize("own_unset", parameters=parameters), 409, "source_type_not_configured")
    items = {item["type"]: item for item in broker.source_types().json()["items"]}
    assert items["own"]["configured"] is True and items["own_unset"]["configured"] is False


def test_the_operators_value_is_checked_at_start(tmp_path, strict, elsewhere):
    wrong = installed(tmp_path, strict, elsewhere, {"clients": {"own": {"parameters": {"host": "evil.example.net"}}}})
    result = wrong.check()
    assert result.returncode == 1 and "clients.own.parameters.host" in result.stderr


def test_the_environment_may_set_it(tmp_path, strict, elsewhere):
    installation = installed(tmp_path, strict, elsewhere)
    env = {"CLOAKROOM_CLIENTS_OWN_UNSET_PARAMETERS_HOST": f"127.0.0.1:{strict.port}"}
    with Broker(installation, env) as broker:
        assert broker.begin("own_unset").authorization_url.startswith(f"{strict.url}/authorize?")
