"""The operator's commands over the admin API: transcripts of the real binary, at a real broker."""

import json
import os
import pty
import select
import subprocess
import threading
import time

import pytest

import tokens
from broker import Broker, Installation, binary, environment, eventually, free_port, on_sqlite, run


@pytest.fixture
def admin(broker):
    """Runs a command as an operator of the module's broker."""

    def call(*arguments, scope: str = "broker:admin", **options):
        token = broker.token(tenant=None, scope=scope, sub="ops@example.com", jti="token-7")
        return run(*arguments, env={"CLOAKROOM_BROKER": broker.url, "CLOAKROOM_TOKEN": token}, **options)

    return call


def on_terminal(arguments: list[str], env: dict[str, str], typed: str, columns: int = 80) -> tuple[int, str]:
    """A command on a terminal of its own, with something typed at its question; status and all it showed."""
    leader, follower = pty.openpty()
    subprocess.run(["stty", "cols", str(columns)], stdin=follower, check=True)
    process = subprocess.Popen(
        [binary(), *arguments], env=environment(env), stdin=follower, stdout=follower, stderr=follower, close_fds=True)
    os.close(follower)
    os.write(leader, typed.encode())
    shown = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                data = os.read(leader, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data
        elif process.poll() is not None:
            break
    os.close(leader)
    return process.wait(10), shown.decode().replace("\r\n", "\n")


# keys and revoke.


def test_keys_are_listed_for_people_and_for_programs(broker, admin):
    key = broker.key(tenant="listed")
    listed = admin("keys", "list", "--tenant", "listed")
    assert listed.returncode == 0
    head, row = listed.stdout.splitlines()
    assert head.split("  ")[0] == "ID" and "SOURCE TYPE" in head
    assert " listed " in row and " wiki " in row
    assert listed.stderr == "1 credential key\n"
    items = json.loads(admin("keys", "list", "--tenant", "listed", "--json").stdout)
    assert [item["tenant"] for item in items] == ["listed"]
    assert items[0].keys() == {"id", "tenant", "sourceType", "flow", "createdAt", "expiresAt"}
    assert key not in listed.stdout + json.dumps(items)


def test_revoke_destroys_what_was_selected(broker, admin):
    key, kept = broker.key(tenant="gone"), broker.key(tenant="stays")
    waiting = broker.begin(tenant="gone")
    revoked = admin("revoke", "--tenant", "gone", "--reason", "left us", "--yes")
    assert revoked.returncode == 0, revoked.stderr
    assert revoked.stdout.splitlines()[1].split() == ["1", "0", "1", "0"]
    assert broker.redeem(key, "gone").json()["code"] == "invalid_credential_key"
    assert broker.redeem(kept, "stays").status_code == 200
    assert broker.callback({"code": "c", "state": waiting.state}).json()["code"] == "invalid_state"
    assert admin("keys", "list", "--tenant", "gone", "--json").stdout == "[\n\n]\n"


def test_revoke_of_one_key_by_its_id(broker, admin):
    keys = [broker.key(tenant="single") for _ in range(2)]
    items = json.loads(admin("keys", "list", "--tenant", "single", "--json").stdout)
    result = admin("revoke", "--id", items[0]["id"], "--reason", "r", "--yes", "--json")
    assert json.loads(result.stdout)["credentialKeysRevoked"] == 1
    assert sorted(broker.redeem(key, "single").status_code for key in keys) == [200, 400]


def test_an_id_may_begin_with_a_hyphen(admin):
    """One in 64 does."""
    result = admin("revoke", "--id", "-" + "A" * 21, "--reason", "r", "--yes", "--json")
    assert json.loads(result.stdout)["credentialKeysRevoked"] == 0, result.stderr


def test_nothing_is_destroyed_where_nobody_confirms(broker, admin):
    key = broker.key(tenant="asked")
    result = admin("revoke", "--tenant", "asked", "--reason", "r")
    assert result.returncode == 1
    assert "1 credential key" in result.stderr and "--yes" in result.stderr
    assert broker.redeem(key, "asked").status_code == 200


@pytest.mark.parametrize("typed, status", [("yes\n", 0), ("no\n", 1), ("\n", 1), ("y\n", 1)])
def test_a_person_is_asked_with_what_will_be_destroyed(broker, typed, status):
    key = broker.key(tenant="person")
    env = {"CLOAKROOM_BROKER": broker.url, "CLOAKROOM_TOKEN": broker.token(tenant=None, scope="broker:admin")}
    result, shown = on_terminal(["revoke", "--tenant", "person", "--reason", "r"], env, typed)
    assert result == status, shown
    assert 'This destroys 1 credential key of tenant "person"' in shown
    assert ("nothing was done" in shown) == (status == 1)
    assert broker.redeem(key, "person").status_code == (400 if status == 0 else 200)


@pytest.mark.parametrize(
    "arguments",
    [[], ["--all", "--tenant", "acme"], ["--tenant"], ["--frobnicate"]],
    ids=["nothing", "both", "no value", "unknown"],
)
def test_an_unclear_order_is_bad_usage(broker, admin, arguments):
    result = admin("revoke", "--reason", "r", "--yes", *arguments)
    assert result.returncode == 2
    assert result.stdout == ""


def test_a_reason_must_be_given(admin):
    assert admin("revoke", "--all", "--yes").returncode == 2


def test_two_operators_at_once_revoke_each_key_once(broker, admin):
    count = 60
    for _ in range(count):
        broker.key(tenant="crowd")
    results = []
    threads = [
        threading.Thread(
            target=lambda: results.append(
                json.loads(admin("revoke", "--tenant", "crowd", "--reason", "r", "--yes", "--json").stdout)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result["credentialKeysRevoked"] for result in results) == count


# audit.


def test_the_audit_trail_tells_a_flow(broker, admin):
    key = broker.key(tenant="told")
    broker.redeem(key, "told")
    broker.redeem(key, "told")
    shown = admin("audit", "--tenant", "told")
    assert shown.returncode == 0 and shown.stdout.splitlines()[0].endswith("  CODE OR DETAIL")
    types = [line.split()[1] for line in shown.stdout.splitlines()[1:]]
    assert types == ["flow.started", "flow.succeeded", "credential_key.redeemed", "credential_key.reused"]
    events = json.loads(admin("audit", "--tenant", "told", "--type", "flow.started", "--json").stdout)
    assert len(events) == 1 and events[0]["remoteAddress"] == "127.0.0.1"
    assert events[0].keys() >= {"id", "time", "type", "tenant", "sourceType", "flow", "actor", "remoteAddress", "code"}
    assert key not in shown.stdout


def test_who_revoked_and_why_is_told(broker, admin):
    broker.key(tenant="blamed")
    admin("revoke", "--tenant", "blamed", "--reason", "lost laptop", "--yes")
    events = json.loads(admin("audit", "--tenant", "blamed", "--type", "revocation", "--json").stdout)
    assert {event["actor"] for event in events} == {"ops@example.com"}
    assert {event["tokenId"] for event in events} == {"token-7"}
    assert "lost laptop" in {event["detail"] for event in events}


def test_since_takes_a_span_and_a_time(admin):
    assert admin("audit", "--since", "1h").returncode == 0
    assert admin("audit", "--since", "2027-02-16T08:00:00Z", "--json").stdout == "[\n\n]\n"
    assert admin("audit", "--since", "yesterday").returncode == 2


def test_follow_prints_what_happens(broker):
    env = {"CLOAKROOM_BROKER": broker.url, "CLOAKROOM_TOKEN": broker.token(tenant=None, scope="broker:admin")}
    process = subprocess.Popen(
        [binary(), "audit", "--follow", "--tenant", "followed", "--json"], env=environment(env), stdout=subprocess.PIPE,
        text=True)
    try:
        flow = broker.begin(tenant="followed")
        line = json.loads(process.stdout.readline())
        assert (line["type"], line["flow"]) == ("flow.started", flow.flow)
        flow = broker.begin(tenant="followed")
        assert json.loads(process.stdout.readline())["flow"] == flow.flow
    finally:
        process.kill()
        process.wait()


@on_sqlite
def test_the_trail_is_proven_while_the_broker_runs_and_tampering_is_found(installation):
    import sqlite3

    with Broker(installation) as broker:
        broker.credentials()
        proven = run("audit", "verify", "--config", installation.config)
        assert proven.returncode == 0, proven.stderr
        assert proven.stdout == "the audit trail is whole: 3 events, 1 to 3\n"
    with sqlite3.connect(installation.database) as database:
        database.execute("DELETE FROM audit_events WHERE sequence = 3")
    broken = run("audit", "verify", "--config", installation.config)
    assert broken.returncode == 1
    assert "broken at event 3" in broken.stderr


@on_sqlite
def test_a_cut_trail_is_an_alarm_until_an_operator_begins_a_new_one(installation):
    """The cut fits at its end: `last` and its digest were set, as who has the file but no key can."""
    import sqlite3

    with Broker(installation) as broker:
        broker.credentials()
    with sqlite3.connect(installation.database) as database:
        database.execute("DELETE FROM audit_events WHERE sequence > 1")
        database.execute("UPDATE audit_trail SET last = 1, last_digest = (SELECT digest FROM audit_events)")
    with Broker(installation) as broker:
        broker.credentials()
        assert broker.client.get("/readyz").status_code == 200
        eventually(lambda: "cloakroom_audit_trail_broken 1" in broker.client.get("/metrics").text, what="the alarm")
        lines = [json.loads(line) for line in broker.logs.splitlines() if '"audit.broken"' in line]
        assert [line["level"] for line in lines] == ["error"]
        running = run("audit", "reset", "--reason", "test", "--yes", "--config", installation.config)
        assert running.returncode == 1 and "stop it first" in running.stderr
    broken = run("audit", "verify", "--config", installation.config)
    assert broken.returncode == 1 and "broken at event 2" in broken.stderr
    reset = run("audit", "reset", "--reason", "found on Monday", "--yes", "--config", installation.config)
    assert reset.returncode == 0, reset.stderr
    with Broker(installation) as broker:
        broker.credentials()
        operator = {"Authorization": f"Bearer {broker.token(tenant=None, scope='broker:admin')}"}
        items = broker.client.get("/v1/admin/auditEvents?type=audit.broken", headers=operator).json()["items"]
        assert [(item["id"], item["detail"]) for item in items] == [("2", "found on Monday")]
        assert "cloakroom_audit_trail_broken 0" in broker.client.get("/metrics").text
    whole = run("audit", "verify", "--config", installation.config)
    assert whole.stdout == "the audit trail is whole: 4 events, 2 to 5\n"
    again = run("audit", "reset", "--reason", "test", "--yes", "--config", installation.config)
    assert again.returncode == 1 and "there is nothing to reset" in again.stderr


def test_a_crash_leaves_a_trail_that_is_whole(installation):
    broker = Broker(installation).start()
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            try:
                broker.credentials()
            except Exception:
                return

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: broker.logs.count("credential_key.redeemed") > 40, within=30)
    broker.kill()
    stop.set()
    for thread in threads:
        thread.join()
    assert run("audit", "verify", "--config", installation.config).returncode == 0
    with Broker(installation) as broker:
        broker.credentials()
        assert run("audit", "verify", "--config", installation.config).returncode == 0


# clients.


def test_a_tenants_own_app_comes_and_goes(broker, admin, tmp_path):
    secret = tmp_path / "own.secret"
    secret.write_text(" 0wn secret \n")
    secret.chmod(0o644)
    place = ["--tenant", "owner", "--source-type", "wiki"]
    assert admin("clients", "show", *place).returncode == 1
    done = admin(
        "clients", "set", *place, "--client-id", "own-app", "--client-secret-file", secret, "--scope", "one", "--scope",
        "two")
    assert done.returncode == 0, done.stderr
    assert "own-app" in done.stdout and "0wn secret" not in done.stdout
    assert "warning: --client-secret-file" in done.stderr and "others can read it" in done.stderr
    flow = broker.begin(tenant="owner")
    assert (flow.query["client_id"], flow.query["scope"]) == ("own-app", "one two")
    shown = json.loads(admin("clients", "show", *place, "--json").stdout)
    assert (shown["clientId"], shown["scopes"], shown["hasClientSecret"]) == ("own-app", ["one", "two"], True)
    assert admin("clients", "delete", *place).returncode == 1
    assert admin("clients", "delete", *place, "--yes").returncode == 0
    assert broker.begin(tenant="owner").query["client_id"] == "wiki-client"


def test_a_tenants_own_app_proves_itself_with_its_own_secret(broker, admin, tmp_path, provider):
    secret = tmp_path / "own.secret"
    secret.write_text(" 0wn:/secret\t\n")
    provider.clients["own-app-2"] = "0wn:/secret"
    admin(
        "clients", "set", "--tenant", "prover", "--source-type", "wiki", "--client-id", "own-app-2",
        "--client-secret-file", secret)
    assert broker.redeem(broker.key(tenant="prover"), "prover").status_code == 200


def test_a_tenants_secret_is_sealed_on_the_disk(installation, tmp_path):
    with Broker(installation) as broker:
        response = broker.client.put(
            "/v1/admin/tenants/acme/clients/wiki", json={"clientId": "own", "clientSecret": "0wn-hunter2-secret"},
            headers=broker.bearer(tenant=None, scope="broker:admin"))
        assert response.status_code == 201
        files = b"".join(installation.stored().values())
        assert b"0wn-hunter2-secret" not in files and b"own" in files
    with Broker(installation) as broker:
        assert broker.begin().query["client_id"] == "own"


def test_a_tenant_without_an_app_is_told_in_an_operators_words(admin):
    place = ["--tenant", "without", "--source-type", "wiki"]
    for command in (["show"], ["delete"], ["delete", "--yes"]):
        refused = admin("clients", *command, *place)
        assert refused.returncode == 1
        assert "this tenant has no client of its own for this source type (request " in refused.stderr
        assert "admin API" not in refused.stderr


def test_a_malformed_parameter_is_bad_usage_of_this_command(admin):
    refused = admin(
        "clients", "set", "--tenant", "acme", "--source-type", "okta", "--client-id", "a", "--parameter", "subdomain")
    assert refused.returncode == 2 and "Usage: cloakroom clients set" in refused.stderr


# Who may, and what is told.


def test_the_address_without_the_admin_api_is_told_from_that_with_it(tmp_path, provider):
    port = free_port()
    installation = Installation(tmp_path / "apart", provider, {"admin": {"host": "127.0.0.1", "port": port}})
    with Broker(installation) as broker:
        token = broker.token(tenant=None, scope="broker:admin")

        def called(url: str, *arguments: str):
            return run(*arguments, env={"CLOAKROOM_BROKER": url, "CLOAKROOM_TOKEN": token})

        place = ["--tenant", "acme", "--source-type", "wiki"]
        delete = ["clients", "delete", "--yes", *place]
        for command in (["keys", "list"], ["audit"], ["clients", "show", *place], delete):
            refused = called(broker.url, *command)
            assert refused.returncode == 1
            assert "hint: with the setting `admin`, the admin API is at that address alone" in refused.stderr, command
        assert called(f"http://127.0.0.1:{port}", "keys", "list").returncode == 0
        lines = [json.loads(line) for line in broker.logs.splitlines() if '"listening"' in line]
        assert {(line["address"], line["for"]) for line in lines} == {
            (f"127.0.0.1:{installation.port}", "callers"), (f"127.0.0.1:{port}", "operators")}


def test_a_token_without_the_scope_is_refused_with_a_hint(admin):
    result = admin("keys", "list", scope="assets:write")
    assert result.returncode == 1
    assert result.stderr.startswith("error: insufficient_scope: ")
    assert "broker:admin" in result.stderr.splitlines()[1]


@pytest.mark.parametrize(
    "env, words",
    [
        ({}, "no broker's address is given"),
        ({"CLOAKROOM_BROKER": "http://127.0.0.1:1"}, "no token is given"),
        ({"CLOAKROOM_BROKER": "http://broker.example.com", "CLOAKROOM_TOKEN": "t"}, "must not be sent over http"),
        ({"CLOAKROOM_BROKER": "http://127.0.0.1.example.com", "CLOAKROOM_TOKEN": "t"}, "must not be sent over http"),
        ({"CLOAKROOM_BROKER": "nonsense", "CLOAKROOM_TOKEN": "t"}, "address"),
        ({"CLOAKROOM_BROKER": "http://127.0.0.1:1", "CLOAKROOM_TOKEN": "t"}, "did not answer"),
        ({"CLOAKROOM_BROKER": "http://127.0.0.1:1", "CLOAKROOM_TOKEN": "a b"}, "visible ASCII"),
    ],
)
def test_what_is_missing_is_told_in_one_line(env, words):
    result = run("keys", "list", env=env)
    assert result.returncode == 1
    assert words in result.stderr.splitlines()[0]


def test_a_table_fits_its_terminal(broker):
    broker.key(tenant="a-tenant-with-a-name-that-is-much-longer-than-most-of-them")
    env = {"CLOAKROOM_BROKER": broker.url, "CLOAKROOM_TOKEN": broker.token(tenant=None, scope="broker:admin")}
    status, shown = on_terminal(["keys", "list"], env, "", columns=70)
    assert status == 0
    assert max(len(line) for line in shown.splitlines()) <= 70
    assert "…" in shown
