"""`cloakroom sources try`: connects once, with a person at the browser, and says what the provider gave."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import provider as answers
from broker import CLIENT_SECRET, Broker, Installation, closed_port, eventually, free_port, source_types
from provider import Grant, callback_target
from tokens import JWS
from trial import Trial, is_free, listening, open_page


def carried(installation: Installation, grant: Grant) -> httpx.Response:
    return open_page(f"{installation.url}{callback_target(grant.callback)}")


def assert_silent_of(trial: Trial, grant: Grant) -> None:
    for secret in (grant.access_token, grant.refresh_token, grant.code, CLIENT_SECRET):
        assert secret not in trial.text


def test_a_trial_tells_what_was_granted_and_no_token(installation, provider):
    with Trial(installation.config, "wiki_offline") as trial:
        grant = provider.consent(trial.address())
        page = carried(installation, grant)
        assert page.status_code == 200 and page.url.path == "/oauth/success"
        assert trial.end() == 0, trial.text
    text = "\n".join(trial.out)
    assert "scopes granted: read write" in text and "refresh token: yes" in text
    assert re.search(r"access token expires: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    assert "warning" not in text
    assert_silent_of(trial, grant)


def test_the_last_page_is_there_for_the_browser(installation, provider):
    """With all that it loads, though the command has said what it knows."""
    with Trial(installation.config, "wiki") as trial:
        grant = provider.consent(trial.address())
        response = httpx.get(f"{installation.url}{callback_target(grant.callback)}", trust_env=False)
        trial.wait_for("connected")
        page = httpx.get(response.headers["location"].partition("#")[0], trust_env=False)
        assert page.status_code == 200
        for asset in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
            assert httpx.get(installation.url + asset, trust_env=False).status_code == 200
        assert trial.end() == 0


def test_a_trial_warns_of_what_will_hurt(installation, provider):
    with Trial(installation.config, "wiki_offline") as trial:
        grant = provider.consent(
            trial.address(), answers.tokens(refresh_token=None, expires_in=None, scope="read"))
        carried(installation, grant)
        assert trial.end() == 0, trial.text
    text = "\n".join(trial.out)
    assert "refresh token: no" in text and "access token expires: not told" in text and "scopes granted: read\n" in text
    assert {"missing_refresh_token", "scope_reduced", "expiry_unknown"} <= set(re.findall(r"warning: (\w+):", text))


def test_a_trial_takes_parameters_and_scopes(installation, provider):
    arguments = ["wiki_account", "--parameter", "account=42", "--scope", "one", "--scope", "two"]
    with Trial(installation.config, *arguments) as trial:
        address = trial.address()
        assert address.startswith(f"{provider.url}/accounts/42/authorize?")
        grant = provider.consent(address)
        assert grant.request["scope"] == "one two"
        carried(installation, grant)
        assert trial.end() == 0
        assert provider.exchanges(grant)[0].path == "/accounts/42/token"


def test_a_denial_is_told_and_fails(installation, provider):
    with Trial(installation.config, "wiki") as trial:
        grant = provider.consent(trial.address())
        page = open_page(f"{installation.url}{callback_target({'error': 'access_denied', 'state': grant.state})}")
        assert page.status_code == 400
        assert trial.end() == 1
    assert any(line.startswith("error: ") and "access_denied" in line for line in trial.err)
    assert any(line.startswith("hint: ") for line in trial.err)


def test_a_refused_code_is_told_and_fails(installation, provider):
    with Trial(installation.config, "wiki") as trial:
        grant = provider.consent(trial.address(), answers.refusal("invalid_client", 401))
        assert carried(installation, grant).status_code == 502
        assert trial.end() == 1
    assert 'provider_rejected: the token endpoint: answered 401 with the error "invalid_client"' in trial.text
    assert_silent_of(trial, grant)


def test_a_refused_client_is_told_what_to_try_where_nobody_confirmed_it(installation, provider):
    entries = source_types(provider)
    entries["wiki"]["oauth"]["unverified"] = ["clientAuthentication"]
    installation.write_catalog(entries)
    with Trial(installation.config, "wiki") as trial:
        carried(installation, provider.consent(trial.address(), answers.refusal("invalid_client", 401)))
        assert trial.end() == 1
    assert "nobody has confirmed clientAuthentication: basic" in trial.text and "set it to post in the entry" in trial.text


@pytest.mark.parametrize("source_type, words", [
    ("wiki_closed", "the flow failed with provider_unreachable: the token endpoint: the connection was refused"),
    ("wiki_tls", "the flow failed with provider_unreachable: the token endpoint: TLS failed"),
])
def test_how_a_connection_failed_is_told_in_words(installation, provider, source_type, words):
    with Trial(installation.config, source_type) as trial:
        carried(installation, provider.consent(trial.address()))
        assert trial.end() == 1
    assert words in trial.text


def test_why_no_flow_can_start_is_told_in_words(installation, provider):
    installation.write_catalog(source_types(provider) | {"wiki": {
        "displayName": "Wiki", "category": "wiki",
        "oauth": {"discovery": True, "issuer": f"http://127.0.0.1:{closed_port()}"}}})
    with Trial(installation.config, "wiki") as trial:
        assert trial.end() == 1
    assert "no sound answer: the provider's metadata: the connection was refused" in trial.text
    assert "unreachable(" not in trial.text and "Broker." not in trial.text


def test_a_state_that_is_not_its_own_leaves_the_trial_waiting(installation, provider):
    with Trial(installation.config, "wiki") as trial:
        grant = provider.consent(trial.address())
        wrong = {"code": grant.code, "state": "A" * 43}
        assert open_page(f"{installation.url}{callback_target(wrong)}").status_code == 400
        assert trial.process.poll() is None
        carried(installation, grant)
        assert trial.end() == 0


def test_nobody_in_time_is_told_and_fails(installation):
    installation.settings["lifetimes"] = {"state": 1}
    installation.write_configuration()
    with Trial(installation.config, "wiki") as trial:
        trial.address()
        assert trial.end() == 1
    assert "in time" in trial.text


def test_a_broker_at_the_address_is_a_refusal(installation, provider):
    """What comes back to it is for its own callers alone."""
    with Broker(installation) as broker, Trial(installation.config, "wiki") as trial:
        assert trial.end() == 1
        assert "a broker answers" in trial.text and "hint: stop it" in trial.text
        assert trial.out == []
        assert broker.redeem(broker.key()).status_code == 200, "it has not been disturbed"


def test_a_port_in_use_is_a_refusal(installation):
    with listening(installation.port), Trial(installation.config, "wiki") as trial:
        assert trial.end() == 1
        assert f"cannot listen at 127.0.0.1:{installation.port}: Address already in use" in trial.text


@pytest.mark.parametrize("arguments, words", [
    (["wiki_upload"], "has no OAuth"), (["wiki_unconfigured"], "has no client id"),
    (["wiki_account"], "\"account\" is missing"), (["wiki_account", "--parameter", "account=x"], "does not match"),
    (["wiki", "--parameter", "other=1"], "unknown"), (["wiki", "--scope", "a b"], "scope"),
    (["wik"], "there is no source type"),
])
def test_what_cannot_start_is_told_and_fails(installation, arguments, words):
    with Trial(installation.config, *arguments) as trial:
        assert trial.end() == 1
        assert words in trial.text and any(line.startswith("hint: ") for line in trial.err)


def test_a_parameter_that_comes_with_the_client_is_to_be_left_out(installation):
    installation.settings["clients"]["okta"] = {
        "clientId": "a", "clientSecret": "b", "parameters": {"subdomain": "acme"}}
    installation.write_configuration()
    with Trial(installation.config, "okta", "--parameter", "subdomain=acme") as trial:
        assert trial.end() == 1
        assert any(line.startswith("hint: leave --parameter subdomain out") for line in trial.err), trial.text


def test_a_malformed_parameter_is_bad_usage_of_this_command(installation):
    with Trial(installation.config, "wiki_account", "--parameter", "account") as trial:
        assert trial.end() == 2
        assert "Usage: cloakroom sources try" in trial.text


def test_a_trial_leaves_no_trace(installation, provider):
    """Its store is its own, and gone; the broker's is not touched; the port is free."""
    with Trial(installation.config, "wiki") as trial:
        carried(installation, provider.consent(trial.address()))
        assert list(trial.temporary.iterdir()) != []
        assert trial.end() == 0
    assert list(trial.temporary.iterdir()) == [] and is_free(installation.url)
    assert not installation.database.exists()


def test_an_interrupted_trial_leaves_no_trace(installation):
    with Trial(installation.config, "wiki") as trial:
        trial.address()
        trial.interrupt()
        assert trial.end() == 1
    assert "error: given up before anyone came back" in trial.err
    assert list(trial.temporary.iterdir()) == [] and is_free(installation.url)


def test_a_trial_serves_no_caller(installation, provider):
    """Nobody's token is good there, not even one that the configuration's broker takes."""
    with Trial(installation.config, "wiki") as trial:
        trial.address()
        broker = Broker(installation)
        assert broker.authorize("wiki").status_code == 401
        assert broker.source_types().status_code == 401
        broker.client.close()


# A provider that is not ours.


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    with (tmp_path / "oidc.log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("oidc-provider-mock")), "--port", str(port), "--user", "ada"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield eventually(lambda: _issuer(port, process), within=30, what="the provider answers")
    finally:
        process.kill()
        process.wait(10)


def _issuer(port: int, process: subprocess.Popen) -> str | None:
    assert process.poll() is None, "the provider ended"
    try:
        return httpx.get(f"http://localhost:{port}/.well-known/openid-configuration", trust_env=False).json()["issuer"]
    except httpx.TransportError:
        return None


def test_a_trial_with_openid_connect_by_discovery(installation, issuer):
    oauth = {"discovery": True, "openid": True, "issuer": issuer, "scopes": ["openid", "email"]}
    installation.write_catalog(source_types(installation.provider) | {
        "oidc": {"displayName": "OpenID", "category": "wiki", "oauth": oauth}})
    installation.settings["clients"]["oidc"] = {"clientId": "cloakroom", "clientSecret": "any"}
    installation.write_configuration()
    with Trial(installation.config, "oidc") as trial:
        consent = httpx.post(trial.address(), data={"sub": "ada"}, trust_env=False, timeout=20)
        assert open_page(consent.headers["location"]).status_code == 200
        assert trial.end() == 0, trial.text
    assert "id_token: yes" in trial.out and any(line.startswith("scopes granted: openid") for line in trial.out)
    assert not JWS.search(trial.text)
