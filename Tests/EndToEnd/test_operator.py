"""An operator's story, from a bare machine to a backup restored on another."""

import json
import os
import shutil
from collections.abc import Iterator

import pytest

from broker import Broker, Installation, assert_problem, eventually, fragment, run
from browser import Browser
from frontend import ConnectPage, Site
from operators import Operator
from provider import callback_target

pytestmark = pytest.mark.skipif(
    not (shutil.which("dpkg-shlibdeps") and shutil.which("chromium")), reason="dpkg-dev or chromium is not installed")

CONFIG = "--config /etc/cloakroom/cloakroom.yaml"


@pytest.fixture
def app() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


class Console:
    """The operator's shell: commands on the machine, with a token for the admin API in a file."""

    def __init__(self, operator: Operator) -> None:
        self.operator, self.machine = operator, operator.machine
        token = operator.broker().token(tenant=None, scope="broker:admin", sub="ops", jti="t-1")
        self.machine.write("/root/admin.token", token, mode=0o600)

    def admin(self, command: str) -> str:
        """To the broker itself: nginx does not let it through."""
        return self.machine.run(
            f"cloakroom {command} --token-file /root/admin.token",
            CLOAKROOM_BROKER=f"http://127.0.0.1:{self.operator.installation.port}").stdout

    def local(self, command: str, check: bool = True):
        """As the broker's user, who may read its files."""
        return self.machine.run(f"runuser -u cloakroom -- cloakroom {command} {CONFIG}", check)


class Users:
    """People of each tenant, in one browser."""

    def __init__(self, browser: Browser, app: Site, operator: Operator, broker: Broker, provider) -> None:
        self.browser, self.app, self.operator, self.broker, self.provider = browser, app, operator, broker, provider

    def connect(self, tenant: str) -> tuple[dict, dict]:
        """What the frontend gets, and what the provider was asked."""
        page = ConnectPage(self.browser, self.app.origin, self.operator.url, tenant, self.broker.token(tenant))
        popup = page.connect("wiki")
        self.browser.choose(popup)
        self.browser.until(lambda: self.browser.address.startswith(self.provider.url), what="the provider's page")
        grant = self.provider.consent(self.browser.address)
        self.browser.go(f"{self.operator.url}{callback_target(grant.callback)}")
        connection = page.connection()
        self.browser.wait_closed(popup)
        return connection, grant.request

    def redeem(self, tenant: str, connection: dict):
        return self.broker.redeem(
            connection["credentialKey"], tenant=tenant, exchangeVerifier=connection["exchangeVerifier"])


def test_from_a_bare_machine_to_a_backup_restored_on_another(machine, provider, package, app, tmp_path):
    operator = Operator(machine, provider, tmp_path, origins=[app.origin])
    operator.bring(package)
    machine.run("apt-get update --quiet")
    _, install, configure, start, proxy, *_ = operator.blocks
    operator.follow(install)
    operator.write_configuration()
    operator.follow(configure, start, proxy)
    console, broker = Console(operator), operator.broker()

    # Two tenants bring apps of their own, and connect through nginx.
    for tenant in ("acme", "globex"):
        provider.clients[f"{tenant}-app"] = f"secret of {tenant}"
        machine.write(f"/root/{tenant}.secret", f"secret of {tenant}\n", mode=0o600)
        console.admin(
            f"clients set --tenant {tenant} --source-type wiki --client-id {tenant}-app "
            f"--client-secret-file /root/{tenant}.secret")
    browser = Browser(f"ignore-certificate-errors-spki-list={operator.certificate.fingerprint}")
    try:
        browser.reset()
        users = Users(browser, app, operator, broker, provider)
        waiting = {}
        for tenant in ("acme", "globex"):
            first, request = users.connect(tenant)
            assert request["client_id"] == f"{tenant}-app"
            assert users.redeem(tenant, first).status_code == 200
            waiting[tenant], _ = users.connect(tenant)
    finally:
        browser.quit()

    # A tenant is revoked: its key and nobody else's.
    listed = json.loads(console.admin("keys list --json"))
    assert sorted(item["tenant"] for item in listed) == ["acme", "globex"]
    assert "1" in console.admin('revoke --tenant acme --reason "left us" --yes')
    assert_problem(users.redeem("acme", waiting["acme"]), 400, "invalid_credential_key")
    assert users.redeem("globex", waiting["globex"]).status_code == 200

    # The master key is rotated while a flow is under way, and the old one retired once nothing needs it.
    flow = broker.begin(tenant="globex")
    (old,) = json.loads(console.local("master-key list --json").stdout)
    console.local("master-key rotate")
    assert "still needed" in console.local(f"master-key retire {old['id']}", check=False).stderr
    key = fragment(broker.callback(provider.consent(flow.authorization_url).callback))["credentialKey"]
    assert broker.redeem(key, tenant="globex").status_code == 200

    def retire() -> bool:
        return console.local(f"master-key retire {old['id']}", check=False).returncode == 0

    eventually(retire, within=20, what="the broker has moved all to the new key")
    assert broker.redeem(broker.key(tenant="globex"), tenant="globex").status_code == 200

    # The trail is whole, and tells all of it.
    assert "the audit trail is whole" in console.local("audit verify").stdout
    events = json.loads(console.admin("audit --json"))
    assert {event["type"] for event in events} == {
        "flow.started", "flow.succeeded", "credential_key.redeemed", "credential_key.refused", "revocation",
        "client.changed"}
    assert {event["actor"] for event in events if event["type"] == "revocation"} == {"ops"}

    # A backup, taken while it runs, goes on elsewhere.
    outstanding = broker.key(tenant="globex")
    console.local("backup /var/lib/cloakroom/backup.db")
    elsewhere = Installation(tmp_path / "elsewhere", provider, {"frontend": {"origins": [app.origin]}})
    elsewhere.signer = operator.installation.signer
    for name, source in (("jwks.json", operator.installation.folder / "jwks.json"),
                         ("master.key", machine.path("/etc/cloakroom/master.key")),
                         ("backup.db", machine.path("/var/lib/cloakroom/backup.db"))):
        elsewhere.write(name, source.read_bytes(), mode=0o600)
    restored = run("restore", elsewhere.folder / "backup.db", "--config", elsewhere.config)
    assert restored.returncode == 0, restored.stderr
    assert run("audit", "verify", "--config", elsewhere.config).returncode == 0
    with Broker(elsewhere) as second:
        assert_problem(second.redeem(outstanding, tenant="globex"), 400, "invalid_credential_key")
        assert second.begin(tenant="globex").query["client_id"] == "globex-app"
        assert second.redeem(second.key(tenant="globex"), tenant="globex").status_code == 200
    assert broker.redeem(outstanding, tenant="globex").status_code == 200, "the first one still has it"
