"""Docs/Deploy.md, "More than one broker": followed block by block, from a bare machine to one of two brokers that is killed."""

import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from broker import Broker, Installation, assert_problem, eventually, fragment, free_port, run
from documents import blocks, commands, part
from machine import REPOSITORY, Machine
from postgres import PostgresServer
from proxies import Certificate, replaced

SECTION = "More than one broker"
PLACES = "/etc/ssl/broker.example.com"
DUMP = "/var/lib/postgresql/cloakroom.dump"


class Site:
    """A machine, an operator who follows the page on it, and the address that users have then."""

    def __init__(self, machine: Machine, provider, folder: Path, package: Path) -> None:
        self.machine = machine
        self.ports = {"8080": str(free_port()), "8180": short_port(), "8280": short_port()}
        tls_port, plain_port = free_port(), free_port()
        self.url = f"https://localhost:{tls_port}"
        changes = {
            "http": {"publicURL": self.url, "trustedProxies": ["127.0.0.1"]},
            "admin": {"host": "127.0.0.1", "port": 8081},
            "storage": {"url": "postgres://cloakroom@127.0.0.1:5432/cloakroom", "passwordFile": "postgres.password"},
        }
        self.installation = Installation(folder / "written", provider, changes)
        certificate = Certificate.new(folder)
        machine.write(f"{PLACES}/fullchain.pem", certificate.chain.read_text())
        machine.write(f"{PLACES}/privkey.pem", certificate.key.read_text(), mode=0o600)
        machine.write("/root/authority.pem", certificate.authority.read_text())
        shutil.copy(package, machine.path("/root"))
        self.client = httpx.Client(
            base_url=self.url, verify=ssl.create_default_context(cafile=certificate.authority), timeout=30)
        self.broker = Broker(self.installation)
        self.broker.client.close()
        self.broker.client = self.client

        port = "$(pg_lsclusters --no-header | awk '{print $3}')"
        site = "/etc/nginx/conf.d/cloakroom.conf"
        self.blocks = commands(
            "Docs/Deploy.md",
            {
                "sudoedit /etc/cloakroom/cloakroom.yaml":
                    f'sed -i "s/:5432/:{port}/" /root/written/cloakroom.yaml; cp /root/written/* /etc/cloakroom/',
                "cloakroom_owner@127.0.0.1/": f"cloakroom_owner@127.0.0.1:{port}/",
                "sudo -u cloakroom ": "runuser -u cloakroom -- ",
                "sudo -u postgres ": "runuser -u postgres -- ",
                "sudo ": "",
                "apt-get install ": "apt-get install --quiet --yes --no-install-recommends ",
                "https://broker.example.com/readyz": f"{self.url}/readyz",
                "nginx -t": "rm -f /etc/nginx/sites-enabled/default; nginx -t",
                "8180": self.ports["8180"], "8280": self.ports["8280"],
                # Ports that are free here, and none of IPv6.
                f"sudoedit {site}":
                    f"sed -i 's/listen 443/listen {tls_port}/; s/listen 80/listen {plain_port}/; /listen .::/d' {site}; sed -i '"
                    + " ".join(f"s/:{old}\\b/:{new}/;" for old, new in self.ports.items())
                    + f"' {site} /etc/nginx/modules-enabled/90-cloakroom.conf",
            },
            SECTION)

    def follow(self, block: str) -> None:
        self.machine.run(f"cd /root\n{block}", CURL_CA_BUNDLE="/root/authority.pem")

    def write_configuration(self) -> None:
        """What the operator types, but the master key, which the package made."""
        folder = self.machine.path("/root/written")
        shutil.copytree(self.installation.folder, folder, ignore=shutil.ignore_patterns("master.key"))
        for file in folder.iterdir():
            file.chmod(0o644)

    def log(self, port: str) -> str:
        return self.machine.path(f"/var/log/cloakroom@{self.ports[port]}.log").read_text()


def short_port() -> str:
    """A free port that is free with a 1 before it too."""
    while True:
        port = random.SystemRandom().randrange(2000, 10000)
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", 10000 + port))
                return str(port)
            except OSError:
                continue


def listens(port: int) -> bool:
    """Until a process is gone, its connections may be taken and then reset."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Users:
    """Some at once, each with one flow after the other. Between requests they can be held up: what a broker is doing at
    the moment that it is killed is nobody's to save."""

    def __init__(self, broker: Broker, count: int = 8) -> None:
        self.broker = broker
        self.flows = 0
        self.failures: list[str] = []
        self._over = threading.Event()
        self._turn = threading.Condition()
        self._asking, self._held = 0, False
        self._threads = [threading.Thread(target=self._connect, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self, request):
        with self._turn:
            self._turn.wait_for(lambda: not self._held)
            self._asking += 1
        try:
            return request()
        finally:
            with self._turn:
                self._asking -= 1
                self._turn.notify_all()

    def _connect(self) -> None:
        while not self._over.is_set():
            try:
                flow = self._ask(self.broker.begin)
                grant = self.broker.provider.consent(flow.authorization_url)
                answer = self._ask(lambda: self.broker.callback(grant.callback))
                assert answer.status_code == 302, answer.text
                redeemed = self._ask(lambda: self.broker.redeem(fragment(answer)["credentialKey"]))
                assert redeemed.status_code == 200, redeemed.text
                assert redeemed.json()["accessToken"] == grant.access_token
                self.flows += 1
            except Exception as failure:
                self.failures.append(repr(failure))

    def between_requests(self, act) -> None:
        with self._turn:
            self._held = True
            self._turn.wait_for(lambda: self._asking == 0)
        try:
            act()
        finally:
            with self._turn:
                self._held = False
                self._turn.notify_all()

    def some_more(self) -> None:
        wanted = self.flows + 24
        eventually(lambda: self.flows >= wanted or self.failures, 60, "users go on connecting")
        assert self.failures == []

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    running = PostgresServer().start()
    yield running
    running.close()


@pytest.fixture
def site(machine, provider, tmp_path, package) -> Iterator[Site]:
    site = Site(machine, provider, tmp_path, package)
    yield site
    site.client.close()


@pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="dpkg-dev is not installed")
def test_from_a_bare_machine_to_one_of_two_brokers_that_is_killed(site):
    site.machine.run("apt-get update --quiet")
    install, roles, configure, start, proxy, kill, restart, copy, restore = site.blocks[:9]
    site.follow(install)
    site.follow(roles)
    site.write_configuration()
    site.follow(configure)
    site.follow(start)
    site.follow(proxy)
    broker = site.broker
    assert broker.credentials()["accessToken"].startswith("access-")

    users = Users(broker)
    try:
        users.some_more()
        assert all("assets:oauthCredentials" in site.log(port) for port in ("8180", "8280")), "both are used"

        # What the page kills, and asks for a hundred times meanwhile.
        killing, asking = kill.split("\n", 1)

        def kill_it(port: str, block: str) -> None:
            site.follow(block)
            eventually(lambda: not listens(int(port)), what="it is dead")

        users.between_requests(lambda: kill_it(site.ports["8180"], killing))
        site.follow(asking)
        users.some_more()

        # It comes back, as systemd has it, and the other goes: nothing hangs on either.
        before = len(site.log("8180"))
        site.machine.run(f"systemctl start cloakroom@{site.ports['8180']}")
        eventually(lambda: "assets:oauthCredentials" in site.log("8180")[before:], 30, "nginx uses it again")
        one, other = site.ports["8180"], site.ports["8280"]
        users.between_requests(lambda: kill_it(other, killing.replace(one, other)))
        users.some_more()
        users.between_requests(lambda: site.follow(restart))
        users.some_more()
    finally:
        users.end()
    assert users.failures == []

    # A copy, and back to it: tenants' clients and the trail are there, and no key is.
    token = {"Authorization": f"Bearer {broker.token(tenant=None, scope='broker:admin', sub='ops', jti='t-1')}"}
    admin = f"http://127.0.0.1:1{site.ports['8280']}/v1/admin"
    own = {"clientId": "acme-app", "clientSecret": "secret of acme"}
    answer = httpx.put(f"{admin}/tenants/acme/clients/wiki", json=own, headers=token, trust_env=False)
    assert answer.status_code in (200, 201, 204), answer.text
    outstanding, flow = broker.key("wiki_public"), broker.begin()
    spent = broker.key("wiki_public")
    site.follow(copy)
    assert site.machine.run(f"stat --format '%a %U' {DUMP}").stdout.split() == ["600", "postgres"]
    assert broker.redeem(spent).status_code == 200
    site.follow(restore)
    eventually(lambda: site.client.get("/readyz").status_code == 200, 30)
    for key in (spent, outstanding):
        assert_problem(broker.redeem(key), 400, "invalid_credential_key")
    assert_problem(broker.callback({"code": "any", "state": flow.state}), 400, "invalid_state")
    assert broker.begin().query["client_id"] == "acme-app"
    assert broker.redeem(broker.key("wiki_public")).status_code == 200
    verified = site.machine.run("runuser -u cloakroom -- cloakroom audit verify --config /etc/cloakroom/cloakroom.yaml")
    assert "whole" in verified.stdout


def test_passwords_reach_no_command_line():
    """They come from files, and go to psql's standard input."""
    roles = commands("Docs/Deploy.md", {}, SECTION)[1]
    assert all(line.startswith("CREATE ROLE ") for line in roles.splitlines() if "$(" in line)


def test_a_broker_that_begins_is_waited_for():
    """systemd has started it before it listens."""
    text = (REPOSITORY / "Docs/Deploy.md").read_text()
    waited = [
        line for block in blocks("sh", text) if re.search(r"systemctl (enable --now|start|restart) cloakroom", block)
        for line in block.splitlines() if "curl " in line]
    assert len(waited) == 4 and [line for line in waited if "--retry-connrefused " not in line] == []


def test_the_role_that_serves_makes_no_table_on_postgresql_14_either(own_server):
    """There everybody may, in a new database, and `public` is not of the database's owner."""
    own_server.query("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
    own_server.query("GRANT CREATE ON SCHEMA public TO PUBLIC; ALTER SCHEMA public OWNER TO owner", "template0")
    block = replaced(commands("Docs/Deploy.md", {}, SECTION)[1], {"sudo -u postgres psql": "psql"})
    statements = replaced(block[block.index("psql"):], {
        "$(sudo cat /root/cloakroom-owner.password)": "a", "$(sudo cat /etc/cloakroom/postgres.password)": "b"})
    done = subprocess.run(
        ["sh", "-euc", statements], capture_output=True, text=True, timeout=30, env=os.environ | {
            "PGHOST": str(own_server.folder), "PGPORT": str(own_server.port), "PGUSER": "owner", "PGDATABASE": "postgres"})
    assert done.returncode == 0, done.stderr
    may = {role: own_server.query(f"SELECT has_schema_privilege('{role}', 'public', 'CREATE')", "cloakroom")
           for role in ("cloakroom_owner", "cloakroom")}
    assert may == {"cloakroom_owner": "t", "cloakroom": "f"}


def test_a_past_that_is_restored_whole_gives_nothing_out_again(installation, own_server):
    """With the page's command, run before any broker starts. Without it a redeemed key is good again."""
    assert "cloakroom store reopen --reason" in part((REPOSITORY / "Docs/Deploy.md").read_text(), SECTION)
    name = own_server.database()
    installation.settings["storage"] = {"url": own_server.url(name)}
    installation.write_configuration()
    with Broker(installation) as broker:
        spent, outstanding, flow = broker.key(), broker.key(), broker.begin()
    own_server.query(f"CREATE DATABASE past TEMPLATE {name}")
    with Broker(installation) as broker:
        assert broker.redeem(spent).status_code == 200
    own_server.query(f"ALTER DATABASE {name} RENAME TO before")
    own_server.query(f"ALTER DATABASE past RENAME TO {name}")
    reopened = run("store", "reopen", "--reason", "restored", "--yes", "--config", installation.config)
    assert reopened.returncode == 0, reopened.stderr
    with Broker(installation) as broker:
        for key in (spent, outstanding):
            assert_problem(broker.redeem(key), 400, "invalid_credential_key")
        assert_problem(broker.callback({"code": "any", "state": flow.state}), 400, "invalid_state")
        assert broker.credentials()["accessToken"]
    verified = run("audit", "verify", "--config", installation.config)
    assert verified.returncode == 0 and "whole" in verified.stdout
