"""A redirect address for each authorization server and client (RFC 9700 § 4.4), and whose pages a flow ends at."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import APP, OTHER_APP, Broker, Installation, assert_problem, fragment, free_port, run, source_types
from provider import Provider
from tokens import challenge_of, new_verifier

TENANT_APP = "https://acme.example.com"
CHALLENGE = challenge_of(new_verifier())


@pytest.fixture(scope="module")
def evil() -> Iterator[Provider]:
    """A server that a tenant runs himself."""
    running = Provider()
    yield running
    running.close()


def entries(provider: Provider) -> dict[str, dict]:
    """An honest provider, one that announces its issuer, and the shape of `gitlab_self_managed`, with and without PKCE."""
    host = {"host": {"pattern": "^127\\.0\\.0\\.1:[0-9]+$", "description": "The server", "setByOperator": True}}
    own = {
        "authorizationURL": "http://{host}/authorize", "tokenURL": "http://{host}/token", "clientAuthentication": "none",
        "parameters": host,
    }
    def honest(**oauth) -> dict:
        return {"authorizationURL": f"{provider.url}/authorize", "tokenURL": f"{provider.url}/token", "scopes": ["read"]} | oauth
    oauth = {
        "honest": honest(), "issuing": honest(issuer=f"{provider.url}/issuer"), "server": own,
        "server_unproved": own | {"pkce": "none"},
    }
    return {name: {"displayName": name, "category": "code", "oauth": members} for name, members in oauth.items()}


def install(folder: Path, provider: Provider, **changes) -> Installation:
    client = {"clientId": "wiki-client", "clientSecretFile": "wiki.secret"}
    installation = Installation(folder, provider, {"clients": {"honest": client, "issuing": client}} | changes)
    installation.write_catalog(source_types(provider) | entries(provider))
    return installation


@pytest.fixture(scope="module")
def house(folder: Path, provider: Provider) -> Iterator[Broker]:
    with Broker(install(folder / "redirects", provider)) as running:
        yield running


def bring(broker: Broker, tenant: str, source_type: str, client: str, **members) -> dict:
    """A tenant's own client, by the admin API; what that says."""
    response = broker.client.put(
        f"/v1/admin/tenants/{tenant}/clients/{source_type}", json={"clientId": client} | members,
        headers=broker.bearer(tenant=None, scope="broker:admin"))
    assert response.status_code in (200, 201), response.text
    return response.json()


def path_of(address: str) -> str:
    return "/oauth/callback" + address.partition("/oauth/callback")[2]


# The attack.


@pytest.mark.parametrize("issuer", [{}, {"iss": "{honest}"}, {"iss": "https://evil.example.net"}], ids=["none", "honest", "evil"])
@pytest.mark.parametrize("victims", ["honest", "issuing"])
@pytest.mark.parametrize("attackers", ["server", "server_unproved"])
def test_an_honest_providers_code_never_reaches_the_server_of_an_attackers_flow(house, provider, evil, attackers, victims, issuer):
    """He mails the provider's own link with his flow's state; the provider sends the browser to that link's address."""
    host = evil.url.removeprefix("http://")
    bring(house, "mallory", attackers, "mallory", parameters={"host": host})
    attack = house.begin(attackers, tenant="mallory")
    assert attack.query["redirect_uri"].startswith(f"{house.url}/oauth/callback/{attackers}/")
    grant = house.consented(victims)
    link = grant.request["redirect_uri"]
    assert link == f"{house.url}/oauth/callback/{victims}"
    members = {"code": grant.code, "state": attack.state}
    members |= {name: value.format(honest=f"{provider.url}/issuer") for name, value in issuer.items()}
    before = len(evil.calls)
    for path in (path_of(link), "/oauth/callback", f"/oauth/callback/{attackers}", "/oauth/callback/nothing"):
        for method in ("GET", "POST"):
            assert_problem(house.callback(members, method, at=path), 400, "invalid_state")
    assert len(evil.calls) == before
    # Neither flow was spent by it: the victim's connection goes on.
    response = house.callback(grant.callback)
    assert response.status_code == 302 and fragment(response)["credentialKey"]


def test_clients_of_one_source_type_do_not_share_an_address(house, provider):
    """Two tenants' own and the installation's: no two flows can be ended at one another's address."""
    provider.clients |= {"one": "s3cret", "two": "s3cret"}
    for tenant in ("one", "two"):
        bring(house, tenant, "honest", tenant, clientSecret="s3cret")
    flows = {tenant: house.begin("honest", tenant=tenant) for tenant in ("one", "two", "three")}
    paths = {tenant: path_of(flow.query["redirect_uri"]) for tenant, flow in flows.items()}
    assert len(set(paths.values())) == 3 and paths["three"] == "/oauth/callback/honest"
    for tenant, flow in flows.items():
        for path in set(paths.values()) - {paths[tenant]}:
            assert_problem(house.callback({"code": "c", "state": flow.state}, at=path), 400, "invalid_state")
        grant = provider.consent(flow.authorization_url)
        assert house.callback(grant.callback).status_code == 302
        assert provider.exchanges(grant)[0].members["redirect_uri"] == flow.query["redirect_uri"]


def test_a_client_that_is_replaced_meanwhile_ends_the_flow(house, provider):
    bring(house, "moving", "honest", "before", clientSecret="s3cret")
    flow = house.begin("honest", tenant="moving")
    bring(house, "moving", "honest", "after", clientSecret="s3cret")
    grant = provider.consent(flow.authorization_url)
    assert_problem(house.callback(grant.callback), 400, "invalid_state")
    assert provider.exchanges(grant) == []


def test_an_issuer_that_nothing_expects_is_in_the_trail(house):
    grant = house.consented("honest")
    house.callback(grant.callback | {"iss": "https://other.example\n\x1b[31m"})
    headers = house.bearer(tenant=None, scope="broker:admin")
    events = house.client.get("/v1/admin/auditEvents?type=flow.succeeded&pageSize=1", headers=headers).json()["items"]
    assert events[0]["detail"] == r'iss "https://other.example\u{A}\u{1B}[31m" was not expected'


# Restarts and several brokers.


def test_a_flow_outlives_a_restart_and_ends_at_its_own_address_alone(tmp_path, provider):
    installation = install(tmp_path / "restarted", provider)
    with Broker(installation) as broker:
        grant = broker.consented("honest")
    with Broker(installation) as broker:
        assert_problem(broker.callback(grant.callback, at="/oauth/callback/issuing"), 400, "invalid_state")
        assert broker.callback(grant.callback).status_code == 302


def test_two_brokers_of_one_store_agree(tmp_path, provider):
    installation = install(tmp_path / "shared", provider)
    with Broker(installation) as first, Broker(installation, {"CLOAKROOM_HTTP_PORT": str(free_port())}) as second:
        grant = first.consented("honest")
        assert_problem(second.callback(grant.callback, at="/oauth/callback"), 400, "invalid_state")
        assert second.callback(grant.callback).status_code == 302
        assert_problem(first.callback(grant.callback), 400, "invalid_state")


# Moving from the single address.


def test_a_legacy_client_keeps_the_bare_address_and_is_told_about(tmp_path, provider):
    legacy = {"clientId": "wiki-client", "clientSecretFile": "wiki.secret", "legacyRedirect": True}
    installation = install(tmp_path / "legacy", provider, clients={"honest": legacy, "issuing": legacy | {"legacyRedirect": False}})
    checked = installation.check()
    assert checked.returncode == 0
    assert [line for line in checked.stderr.splitlines() if "clients.honest.legacyRedirect" in line]
    assert "clients.issuing.legacyRedirect" not in checked.stderr
    assert f"{installation.url}/oauth/callback for honest" in checked.stdout
    # The one to register first is told, so that nothing has to be taken away to see it.
    later = f"{installation.url}/oauth/callback/honest"
    assert f"it shares {installation.url}/oauth/callback, " in checked.stderr
    assert f"register {later}, then " in checked.stderr
    examined = run("doctor", "--config", installation.config).stdout
    [line] = [line for line in examined.splitlines() if "legacyRedirect" in line]
    assert line.startswith("warn  configuration: ") and later in line
    shown = run("sources", "show", "honest", "--config", installation.config).stdout
    assert re.search(rf"^redirect address +{installation.url}/oauth/callback$", shown, re.MULTILINE)
    assert re.search(rf"^without legacyRedirect +{later}$", shown, re.MULTILINE)
    assert "without legacyRedirect" not in run("sources", "show", "issuing", "--config", installation.config).stdout
    with Broker(installation) as broker:
        grant, other = broker.consented("honest"), broker.consented("issuing")
        assert grant.request["redirect_uri"] == f"{broker.url}/oauth/callback"
        assert_problem(broker.callback(other.callback, at="/oauth/callback"), 400, "invalid_state")
        assert_problem(broker.callback(grant.callback, at="/oauth/callback/honest"), 400, "invalid_state")
        assert broker.callback(grant.callback, at="/oauth/callback").status_code == 302
        bring(broker, "acme", "honest", "own", clientSecret="s3cret")
        assert broker.begin("honest").query["redirect_uri"].startswith(f"{broker.url}/oauth/callback/honest/")
        [warning] = [json.loads(line) for line in broker.logs.splitlines() if "legacyRedirect" in line]
        assert warning["level"] == "warning"


# What to register.


def test_each_command_tells_the_address_that_flows_use(house, tmp_path):
    installation = house.installation

    def shown(*arguments) -> str:
        lines = run("sources", "show", *arguments).stdout.splitlines()
        return next(line for line in lines if line.startswith("redirect address")).split()[-1]

    for source_type in ("honest", "issuing"):
        expected = house.begin(source_type).query["redirect_uri"]
        assert shown(source_type, "--config", installation.config) == expected
        assert f"{expected} for {source_type}" in installation.check().stdout
        assert expected in run("doctor", "--config", installation.config).stdout
    # Without a configuration: as it will be with the settings that are shown beside it.
    for source_type, name in [("google_drive", "google"), ("gitlab_self_managed", "gitlab_self_managed"), ("slack", "slack")]:
        assert shown(source_type) == f"{{http.publicURL}}/oauth/callback/{name}"


def test_addresses_are_told_of_what_can_be_used_or_has_a_client_of_its_own(tmp_path, provider):
    """GitLab's provider is also that of servers of one's own, whose client names its host."""
    client = {"clientId": "a", "clientSecretFile": "wiki.secret"}
    installation = install(tmp_path / "gitlab", provider, clients={"gitlab": client})
    told = f"{installation.url}/oauth/callback/gitlab for gitlab\n"
    checked = installation.check().stdout
    assert told in checked and "gitlab_self_managed" not in checked
    assert "gitlab_self_managed" not in run("doctor", "--config", installation.config).stdout
    installation.settings["clients"]["gitlab_self_managed"] = client
    installation.write_configuration()
    checked = installation.check().stdout
    assert told in checked
    assert f"{installation.url}/oauth/callback/gitlab_self_managed for gitlab_self_managed" in checked


def test_a_tenants_address_is_told_before_there_is_a_client(house):
    place = ["--tenant", "newcomer", "--source-type", "honest"]
    env = {"CLOAKROOM_BROKER": house.url, "CLOAKROOM_TOKEN": house.token(tenant=None, scope="broker:admin")}
    missing = run("clients", "show", *place, env=env)
    assert missing.returncode == 1 and "not_found" in missing.stderr
    [address] = re.findall(r"http\S+/oauth/callback/honest/[A-Za-z0-9_-]{22}(?!\S)", missing.stdout)
    assert address in missing.stderr
    assert json.loads(run("clients", "show", *place, "--json", env=env).stdout) == {"redirectUri": address}
    assert bring(house, "newcomer", "honest", "own", clientSecret="s3cret")["redirectUri"] == address
    assert address in run("clients", "show", *place, env=env).stdout
    assert house.begin("honest", tenant="newcomer").query["redirect_uri"] == address
    offline = ["sources", "show", "honest", "--config", house.installation.config, "--tenant"]
    assert address in run(*offline, "newcomer").stdout.split()
    assert address not in run(*offline, "another").stdout
    assert run(*offline, "no tenant").returncode == 1


# Whose pages.


@pytest.fixture(scope="module")
def pages(folder: Path, provider: Provider) -> Iterator[Broker]:
    frontend = {
        "origins": ["https://*.previews.example.com", APP], "returnURLs": [f"{APP}/connected", "com.example.app:/connected"],
        "tenants": {"acme": {"origins": [TENANT_APP]}},
    }
    installation = Installation(folder / "pages", provider)
    installation.settings["frontend"] = frontend
    installation.write_configuration()
    env = {
        "CLOAKROOM_FRONTEND_TENANTS_GLOBEX_ORIGINS": f"{OTHER_APP}",
        "CLOAKROOM_FRONTEND_TENANTS_GLOBEX_RETURN_URLS": f"{OTHER_APP}/a,{OTHER_APP}/b",
    }
    with Broker(installation, env) as running:
        yield running


def test_a_variable_means_the_tenant_that_the_file_names(tmp_path, provider):
    """Capitals and hyphens cannot be told in a variable's name; a tenant must not be taken for another."""
    installation = Installation(tmp_path / "spelt", provider)
    installation.settings["frontend"]["tenants"] = {"Acme-Corp": {"origins": [APP]}}
    installation.write_configuration()
    env = {"CLOAKROOM_FRONTEND_TENANTS_ACME_CORP_ORIGINS": TENANT_APP}
    with Broker(installation, env) as broker:
        for origin, status in ((TENANT_APP, 200), (APP, 400)):
            assert broker.authorize("wiki", "Acme-Corp", headers={"Origin": origin}).status_code == status
    other = run("check", "--config", installation.config, env={"CLOAKROOM_FRONTEND_TENANTS_ACME_ORIGINS": TENANT_APP})
    assert other.returncode == 0 and 'the tenant "acme"' in other.stderr
    installation.settings["frontend"]["tenants"]["acme.corp"] = {"origins": [APP]}
    installation.write_configuration()
    two = run("check", "--config", installation.config, env=env)
    assert two.returncode == 1 and "Acme-Corp, acme.corp" in two.stderr


@pytest.mark.parametrize("tenant, origin, allowed", [
    ("acme", TENANT_APP, True), ("acme", APP, False), ("acme", "https://pr-1.previews.example.com", False),
    ("other", TENANT_APP, False), ("other", APP, True), ("other", "https://pr-1.previews.example.com", True),
    ("other", "https://a.pr-1.previews.example.com", False), ("other", "https://previews.example.com", False),
    ("globex", OTHER_APP, True), ("globex", APP, False),
])
def test_a_tenants_flows_talk_to_its_own_pages_alone(pages, tenant, origin, allowed):
    """A shared client whose consent is remembered lets another tenant's flow end without a question."""
    for options in ({"headers": {"Origin": origin}}, {"frontendOrigin": origin}):
        response = pages.authorize("wiki", tenant, **options)
        assert response.status_code == (200 if allowed else 400), response.text
    cors = pages.source_types(tenant, headers=pages.bearer(tenant) | {"Origin": origin})
    assert cors.headers.get("access-control-allow-origin") == (origin if allowed else None)


@pytest.mark.parametrize("tenant, url, allowed", [
    ("other", f"{APP}/connected", True), ("other", "com.example.app:/connected", True), ("other", f"{APP}/connected?x", False),
    ("other", f"{APP}/else", False), ("other", "com.example.app:/else", False), ("other", "com.example.app:/connected#x", False),
    ("acme", f"{TENANT_APP}/anywhere", True), ("acme", f"{APP}/connected", False), ("acme", "com.example.app:/connected", False),
    ("globex", f"{OTHER_APP}/b", True), ("globex", f"{OTHER_APP}/c", False),
])
def test_return_addresses_are_exact_where_they_are_listed(pages, tenant, url, allowed):
    response = pages.authorize("wiki", tenant, returnUrl=url, exchangeChallenge=CHALLENGE)
    if allowed:
        assert response.status_code == 200, response.text
    else:
        assert "returnUrl" in assert_problem(response, 400, "invalid_request")["detail"]


def test_a_refusal_names_the_lists_that_are_a_tenants_own(pages):
    """Else an operator looks at general lists that already have the page."""
    origin = pages.authorize("wiki", "acme", headers={"Origin": APP})
    url = pages.authorize("wiki", "acme", returnUrl=f"{APP}/connected", exchangeChallenge=CHALLENGE)
    for response in (origin, url):
        assert "frontend.tenants" in assert_problem(response, 400, "invalid_request")["detail"]


def test_a_native_apps_address_gets_the_key_and_the_errors(pages):
    address = "com.example.app:/connected"
    verifier = new_verifier()
    grant = pages.consented(tenant="other", returnUrl=address, exchangeChallenge=challenge_of(verifier))
    response = pages.callback(grant.callback)
    assert response.headers["location"].startswith(f"{address}#credentialKey=")
    assert pages.redeem(fragment(response)["credentialKey"], "other", exchangeVerifier=verifier).status_code == 200
    denied = pages.begin(tenant="other", returnUrl=address, exchangeChallenge=CHALLENGE)
    response = pages.callback({"error": "access_denied", "state": denied.state})
    assert response.headers["location"] == f"{address}#error=access_denied&flow={denied.flow}"


def test_a_return_address_without_a_challenge_is_refused(pages):
    """Else whoever is led to the end of somebody's flow connects his account there (RFC 9700 § 4.7)."""
    response = pages.authorize("wiki", "acme", returnUrl=f"{TENANT_APP}/done")
    assert "exchangeChallenge" in assert_problem(response, 400, "invalid_request")["detail"]
