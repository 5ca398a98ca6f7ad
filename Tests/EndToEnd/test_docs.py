"""Every command of the operator's pages, run as it stands there; Docs/Deploy.md is followed in test_deb.py."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from broker import Broker, Installation, binary, environment, eventually
from browser import Browser
from documents import blocks, commands
from frontend import Site
from provider import callback_target
from machine import REPOSITORY
from trial import Trial

BROKER = "https://broker.example.com"
OPERATORS = "http://127.0.0.1:8081"


@pytest.fixture(scope="module")
def app() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def installation(tmp_path: Path, provider, app: Site) -> Installation:
    return Installation(tmp_path / "operator", provider, {"frontend": {"origins": [app.origin]}})


class Shell:
    """An operator's, in the installation's folder. What a block exports the next one has."""

    def __init__(self, installation: Installation) -> None:
        self.folder = installation.folder
        programs = self.folder / "programs"
        programs.mkdir()
        (programs / "cloakroom").symlink_to(binary())
        self.env = environment({"PATH": f"{programs}:{os.environ['PATH']}"})

    def _result(self, script: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60)

    def status(self, block: str) -> int:
        return self._result(block).returncode

    def run(self, block: str) -> str:
        """Stops at the first command that fails."""
        kept = self.folder / "environment"
        result = self._result(f"{block}\nenv -0 >{shlex.quote(str(kept))}")
        assert result.returncode == 0, f"{block}\n{result.stdout}{result.stderr}"
        self.env = dict(pair.split("=", 1) for pair in kept.read_text().split("\0") if pair)
        return result.stdout


@pytest.fixture
def shell(installation: Installation) -> Shell:
    return Shell(installation)


def write_admin_token(broker: Broker) -> None:
    broker.installation.write("admin.token", broker.token(tenant=None, scope="broker:admin", sub="ops"), mode=0o600)


def test_operating(installation, shell):
    old = installation.folder.joinpath("master.key").read_text().partition(":")[0]
    access, select, audit, verify, reset, why, rotate, retire, copy, restore, doctor = commands(
        "Docs/Operate.md",
        {
            OPERATORS: installation.url,
            '--reason "tenant left"': '--reason "tenant left" --yes',
            "cloakroom audit --follow": "(timeout 2 cloakroom audit --follow || [ $? = 124 ])",
            "20270216-a7Qz": old,
            # Started and stopped below.
            "sudo systemctl stop cloakroom": ":",
            "sudo systemctl start cloakroom": ":",
            "restore cloakroom-backup.db": "restore --yes cloakroom-backup.db",
            # It tells that the tests' settings are for trials.
            "cloakroom doctor --config cloakroom.yaml\n": "cloakroom doctor --config cloakroom.yaml || [ $? = 1 ]\n",
        },
    )
    with Broker(installation) as broker:
        write_admin_token(broker)
        key, kept = broker.key(), broker.key(tenant="other")
        shell.run(access)
        revoked = shell.run(select)
        assert " acme " in revoked and " other " not in revoked
        assert broker.redeem(key).status_code == 400 and broker.redeem(kept, "other").status_code == 200
        assert "ops" in shell.run(audit)
        broker.callback({"error": "access_denied", "state": broker.begin().state})
        assert 'access_denied: the provider redirected with the error "access_denied"' in shell.run(why)
        assert "whole" in shell.run(verify)

        assert old in shell.run(rotate)
        eventually(lambda: shell.status(retire) == 0, what="nothing needs the old key")
        assert broker.credentials()["accessToken"]
        shell.run(copy)
        assert "ok    database: " in shell.run(doctor)
    assert "restored" in shell.run(restore)
    with Broker(installation) as broker:
        assert broker.credentials()["accessToken"]
    shell.run(verify)
    assert shell.status(reset) == 1, "a trail that is whole stays"


def test_providers(installation, shell, provider):
    installation.write("acme.secret", "acme's secret\n", mode=0o600)
    show, check, attempt, own, delete, instance, lint = commands(
        "Docs/Providers.md", {OPERATORS: installation.url, "google_drive": "wiki_offline"})
    assert "redirect address" in shell.run(show)
    assert f"{installation.url}/oauth/callback" in shell.run(check)

    *command, option, _ = shlex.split(attempt)
    assert (command[:-1], option) == (["cloakroom", "sources", "try"], "--config")
    with Trial(installation.config, command[-1]) as trial:
        grant = provider.consent(trial.address())
        httpx.get(
            f"{installation.url}{callback_target(grant.callback)}", follow_redirects=True, trust_env=False)
        assert trial.end() == 0, trial.text

    with Broker(installation) as broker:
        write_admin_token(broker)
        assert "acme-app" in shell.run(own)
        assert broker.begin("wiki_offline").query["client_id"] == "acme-app"
        shell.run(delete.replace("clients delete", "clients delete --yes"))
        assert broker.begin("wiki_offline").query["client_id"] == "wiki-client"
        shell.run(instance)
        assert broker.begin("okta").authorization_url.startswith("https://acme.okta.com/")
    # The tests' provider speaks http.
    shell.run(lint.replace("sources lint", "sources lint --allow-insecure"))


def test_security(installation, shell):
    look, version = commands("Docs/Security.md", {})
    with Broker(installation) as broker:
        broker.credentials()
        shown = shell.run(look)
    assert shown.startswith("600 ") and "whole" in shown
    assert shell.run(version).strip()


def test_frontend(installation, shell, provider, app):
    """The example is the page's own script: a click in a real Chromium, to what it saves and what it shows."""
    [types] = commands("Docs/Frontend.md", {BROKER: installation.url})
    text = (REPOSITORY / "Docs/Frontend.md").read_text().replace(BROKER, installation.url)
    example, resuming, *_ = blocks("js", text)
    chromium = Browser()
    try:
        with Broker(installation) as broker:
            shell.run(types)
            assert "export function connect" in (installation.folder / "connect.d.ts").read_text()
            chromium.reset()
            chromium.go(app.origin)
            chromium.run(
                """
                window.saved = []; window.shown = [];
                window.yourToken = () => arguments[1];
                window.save = async (connection) => saved.push(connection);
                window.show = (...words) => shown.push(words);
                window.button = Object.assign(
                  document.createElement("button"), { id: "connect", textContent: "Connect" });
                document.body.append(button);
                document.body.append(
                  Object.assign(document.createElement("script"), { type: "module", textContent: arguments[0] }));
                """,
                example.replace("google_drive", "wiki"), broker.token())
            chromium.wait("await new Promise((done) => setTimeout(done, 500))")

            popup = chromium.opened_by(chromium.find("#connect").click)
            grant = provider.consent(arrived(chromium, popup, provider.url))
            chromium.go(f"{installation.url}{callback_target(grant.callback)}")
            chromium.choose(chromium.main)
            [saved] = chromium.until(lambda: chromium.run("return saved"), what="the connection is saved")
            redeemed = broker.redeem(saved["credentialKey"], exchangeVerifier=saved["exchangeVerifier"])
            assert redeemed.json()["accessToken"] == grant.access_token

            popup = chromium.opened_by(chromium.find("#connect").click)
            asked = httpx.URL(arrived(chromium, popup, provider.url)).params
            denial = urlencode({"error": "access_denied", "state": asked["state"]})
            chromium.go(f"{asked['redirect_uri']}?{denial}")
            chromium.choose(chromium.main)
            [shown] = chromium.until(lambda: chromium.run("return shown"), what="the error is shown")
            assert shown[0] == "access_denied"

            popup = chromium.opened_by(chromium.find("#connect").click)
            grant = provider.consent(arrived(chromium, popup, provider.url))
            chromium.choose(chromium.main)
            chromium.driver.refresh()
            chromium.run(
                """
                window.saved = [];
                window.save = async (connection) => saved.push(connection);
                document.body.append(
                  Object.assign(document.createElement("script"), { type: "module", textContent: arguments[0] }));
                """,
                resuming)
            chromium.choose(popup)
            chromium.go(f"{installation.url}{callback_target(grant.callback)}")
            chromium.choose(chromium.main)
            [saved] = chromium.until(lambda: chromium.run("return saved"), what="the connection is found again")
            redeemed = broker.redeem(saved["credentialKey"], exchangeVerifier=saved["exchangeVerifier"])
            assert redeemed.json()["accessToken"] == grant.access_token
            assert chromium.complaints() == []
    finally:
        chromium.quit()


def test_frontend_without_a_popup(installation, provider, app):
    """The page is left by the second example and goes on by the third."""
    text = (REPOSITORY / "Docs/Frontend.md").read_text().replace(BROKER, installation.url)
    *_, leaving, resuming = blocks("js", text.replace("https://app.example.com", app.origin))
    chromium = Browser()

    def run(script: str) -> None:
        chromium.run(
            """
            window.saved = []; window.shown = [];
            window.yourToken = () => arguments[1];
            window.save = async (connection) => saved.push(connection);
            window.show = (...words) => shown.push(words);
            window.button = Object.assign(document.createElement("button"), { id: "connect", textContent: "Connect" });
            document.body.append(button);
            document.body.append(
              Object.assign(document.createElement("script"), { type: "module", textContent: arguments[0] }));
            """,
            script.replace("google_drive", "wiki"), broker.token())
        chromium.wait("await new Promise((done) => setTimeout(done, 500))")

    try:
        provider.decision = "allow"
        with Broker(installation) as broker:
            chromium.go(app.origin)
            run(leaving)
            chromium.find("#connect").click()
            chromium.until(lambda: "/connected#" in chromium.address, what="the person comes back")
            run(resuming)
            [saved] = chromium.until(lambda: chromium.run("return saved"), what="the connection is saved")
            redeemed = broker.redeem_by_post(saved["credentialKey"], exchangeVerifier=saved["exchangeVerifier"])
            assert redeemed.status_code == 200, redeemed.text
            assert chromium.address == f"{app.origin}/connected"

            # A page that is not left, and an answer that is not for this tab, are told.
            chromium.go(app.origin)
            run(leaving.replace("/connected", "/connected#there"))
            chromium.find("#connect").click()
            [shown] = chromium.until(lambda: chromium.run("return shown"), what="the refusal is shown")
            assert shown[0] == "invalid_request"
            chromium.go(f"{app.origin}/connected#error=access_denied&flow={'A' * 22}")
            run(resuming)
            [shown] = chromium.until(lambda: chromium.run("return shown"), what="the foreign answer is shown")
            assert shown[0] == "foreign_flow"
    finally:
        provider.decision = ""
        chromium.quit()


def arrived(chromium: Browser, popup: str, provider: str) -> str:
    """The provider's address that the popup is at."""
    chromium.choose(popup)
    chromium.until(lambda: chromium.address.startswith(f"{provider}/authorize"), what="the provider's page")
    return chromium.address
