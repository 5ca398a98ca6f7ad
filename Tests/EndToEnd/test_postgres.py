"""Brokers that share one PostgreSQL: the same promises, whoever dies."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import test_crashes
from broker import Broker, Installation, assert_problem, eventually, free_port, run, simultaneously, source_types
from postgres import CommitThief, PostgresServer
from test_races import assert_one_got_it, redemption


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    running = PostgresServer().start()
    yield running
    running.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """One for a test to stop and spoil."""
    running = PostgresServer().start()
    yield running
    running.close()


def installed(folder: Path, provider, url: str, changes: dict | None = None) -> Installation:
    return Installation(folder, provider, {"storage": {"url": url}} | (changes or {}))


def another(installation: Installation) -> Broker:
    return Broker(installation, {"CLOAKROOM_HTTP_PORT": str(free_port())})


@pytest.fixture(scope="module")
def pair(folder, provider, server) -> Iterator[tuple[Broker, Broker]]:
    installation = installed(folder / "pair", provider, server.url(server.database()))
    with Broker(installation) as one, another(installation) as two:
        yield one, two


# Once


def test_what_one_broker_began_another_finishes_and_redeems_once(pair):
    one, two = pair
    grant = one.consented()
    key = two.finish(grant)
    assert one.redeem(key).json()["accessToken"] == grant.access_token
    for broker in pair:
        assert_problem(broker.redeem(key), 400, "invalid_credential_key")


@pytest.mark.parametrize("round", range(5))
def test_of_simultaneous_redemptions_by_two_brokers_one_gets_the_tokens(pair, round):
    grant = pair[0].consented()
    key = pair[1].finish(grant)
    requests = [redemption(broker.port, key) for _ in range(32) for broker in pair]
    assert_one_got_it(simultaneously(requests), grant.access_token)


def test_a_revocation_holds_in_all_brokers_at_once(pair):
    one, two = pair
    key = one.key()
    grant = two.consented()
    answer = one.client.post(
        "/v1/admin/revocations", json={"tenant": "acme", "reason": "leaked", "revokeAtProvider": False},
        headers=one.bearer(scope="broker:admin"))
    assert answer.status_code == 200 and answer.json()["credentialKeysRevoked"] >= 1
    assert_problem(two.redeem(key), 400, "invalid_credential_key")
    assert_problem(two.callback(grant.callback), 400, "invalid_state")


@pytest.mark.parametrize("sealer_is_dead", [False, True])
def test_tokens_that_nobody_redeemed_are_taken_back_at_the_provider_by_any_broker(tmp_path, strict, server, sealer_is_dead):
    """Also once the broker that sealed them was killed: it handed its process key to the others before."""
    installation = installed(tmp_path / "unredeemed", strict, server.url(server.database()))
    entries = source_types(strict)
    wiki = entries["wiki"]["oauth"] | {"revocationURL": f"{strict.url}/revoke"}
    installation.write_catalog(entries | {"wiki": entries["wiki"] | {"oauth": wiki}})
    with Broker(installation) as one, another(installation) as two:
        handed = "SELECT count(*) FROM handovers"
        name = installation.settings["storage"]["url"].rsplit("/", 1)[1]
        eventually(lambda: server.query(handed, name) == "2", 20, "each has handed its key to the other")
        now = int(server.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", name))
        eventually(lambda: int(server.query("SELECT min(seen_at) FROM brokers", name)) > now, 20, "each has taken it")
        grant = one.consented()
        key = one.finish(grant)
        if sealer_is_dead:
            one.process.kill()
            one.process.wait()
        answer = two.client.post(
            "/v1/admin/revocations", json={"tenant": "acme", "reason": "leaked"}, headers=two.bearer(scope="broker:admin"))
        assert answer.status_code == 200 and answer.json()["revokedAtProvider"] == 1, answer.text
        assert strict.calls_to("/revoke")[-1].members["token"] in (grant.access_token, grant.refresh_token)
        assert_problem(two.redeem(key), 400, "invalid_credential_key")


def test_the_trail_of_both_is_proven(pair):
    pair[0].credentials()
    pair[1].credentials()
    verified = run("audit", "verify", "--config", pair[0].installation.config)
    assert verified.returncode == 0 and "whole" in verified.stdout, verified.stderr
    events = pair[0].client.get("/v1/admin/auditEvents?pageSize=1000", headers=pair[0].bearer(scope="broker:admin")).json()
    times = [event["time"] for event in events["items"]]
    assert times == sorted(times, reverse=True)
    assert len({event["id"] for event in events["items"]}) == len(events["items"])


def test_an_event_that_is_altered_or_removed_shows(folder, provider, server):
    name = server.database()
    installation = installed(folder / "altered", provider, server.url(name))
    with Broker(installation) as broker:
        broker.credentials()
    assert run("audit", "verify", "--config", installation.config).returncode == 0
    server.query("UPDATE audit_events SET tenant = 'evil' WHERE type = 'flow.succeeded'", name)
    broken = run("audit", "verify", "--config", installation.config)
    assert broken.returncode == 1 and "altered" in broken.stderr
    server.query("DELETE FROM audit_events; DELETE FROM audit_chains", name)
    broken = run("audit", "verify", "--config", installation.config)
    assert broken.returncode == 1 and "removed" in broken.stderr, broken.stdout + broken.stderr


# Commands


def test_check_doctor_and_master_keys_work_on_it(pair):
    config = pair[0].installation.config
    assert run("check", "--config", config).returncode == 0
    doctor = run("doctor", "--config", config, "--json")
    findings = [json.loads(doctor.stdout)] if doctor.stdout.startswith("{") else json.loads(doctor.stdout)
    subjects = {finding["subject"]: finding for finding in findings}
    assert subjects["database"]["ok"] and "PostgreSQL" in subjects["database"]["finding"]
    assert subjects["audit trail"]["ok"]
    listed = run("master-key", "list", "--config", config)
    assert listed.returncode == 0 and "yes" in listed.stdout


@pytest.mark.parametrize("command", [["backup", "/tmp/never"], ["restore", "/etc/passwd", "--yes"]])
def test_commands_for_files_say_so_and_what_to_do_instead(pair, command):
    done = run(*command, "--config", pair[0].installation.config)
    assert done.returncode == 1 and "PostgreSQL" in done.stderr
    assert "pg_dump" in done.stderr and "store reopen" in done.stderr


def test_an_address_is_refused_without_a_word_of_its_password(tmp_path, provider):
    for url in ["postgres://u:hunter2@h/d", "postgres://u:hun@ter2@h/d", "postgres://u@h/d?password=hunter2"]:
        done = installed(tmp_path / "refused", provider, url).check()
        assert done.returncode == 1 and "storage.url" in done.stderr
        assert "hun" not in done.stderr and "ter2" not in done.stderr


def test_shared_limits_are_divided_among_the_brokers_that_run(tmp_path, provider, server):
    limits = {"limits": {"shared": True, "authorizePerTenant": 0.4}}
    installation = installed(tmp_path / "limits", provider, server.url(server.database()), limits)

    def policy(broker: Broker) -> str:
        return broker.authorize().headers["RateLimit-Policy"]

    with Broker(installation) as one:
        assert policy(one) == '"tenant";q=4;w=10'
        with another(installation) as two:
            for broker in (one, two):
                eventually(lambda: policy(broker) == '"tenant";q=2;w=10', 10, "each has half")
        # Killed or stopped, it is counted for some seconds more.
        eventually(lambda: policy(one) == '"tenant";q=4;w=10', 20, "one has all again")


def test_limits_cannot_be_shared_through_a_file(tmp_path, provider):
    done = Installation(tmp_path / "file", provider, {"limits": {"shared": True}}).check()
    assert done.returncode == 1 and "limits.shared" in done.stderr and "PostgreSQL" in done.stderr


def test_a_role_that_makes_no_tables_serves_with_those_of_the_owner(tmp_path, provider, server):
    name = server.database()
    server.query(f"CREATE ROLE service_{name} LOGIN", name)
    installation = installed(tmp_path / "roles", provider, server.url(name, user=f"service_{name}"))
    refused = installation.check()
    assert refused.returncode == 1 and "store migrate" in refused.stderr
    done = run("store", "migrate", "--grant-to", f"service_{name}", "--config", installation.config,
               env={"CLOAKROOM_STORAGE_URL": server.url(name)})
    assert done.returncode == 0, done.stderr
    with Broker(installation) as broker:
        broker.credentials()
        key = broker.key()
        broker.redeem(key), broker.redeem(key)
    doctor = run("doctor", "--config", installation.config)
    assert "privileges" not in doctor.stdout, doctor.stdout
    refused = run("check", "--config", installation.config, env={"CLOAKROOM_STORAGE_URL": server.url(name + "x")})
    assert refused.returncode == 1 and "no database of that name" in refused.stderr


def test_eight_brokers_that_start_at_once_make_the_tables_once(tmp_path, provider, server):
    installation = installed(tmp_path / "eight", provider, server.url(server.database()))
    brokers = [another(installation) for _ in range(8)]
    threads = [threading.Thread(target=broker.start) for broker in brokers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        key = brokers[0].key()
        assert brokers[7].redeem(key).status_code == 200
    finally:
        for broker in brokers:
            broker.stop()


def test_a_newer_schema_is_refused(tmp_path, provider, server):
    name = server.database()
    installation = installed(tmp_path / "newer", provider, server.url(name))
    with Broker(installation) as broker:
        broker.key()
    server.query("UPDATE schema_version SET version = 99", name)
    done = installation.check()
    assert done.returncode == 1 and "newer version" in done.stderr


def test_a_broken_trail_on_a_server_is_set_aside_by_the_tables_owner(tmp_path, provider, server):
    installation = installed(tmp_path / "reset", provider, server.url(server.database()))
    name = server.database()
    url = server.url(name)
    service = server.url(name, user=f"service_{name}")
    server.query(f"CREATE ROLE service_{name} LOGIN", name)
    made = run(
        "store", "migrate", "--grant-to", f"service_{name}", "--config", installation.config,
        env={"CLOAKROOM_STORAGE_URL": url})
    assert made.returncode == 0, made.stderr

    def reset_by(address: str):
        return run(
            "audit", "reset", "--reason", "of Monday", "--yes", "--config", installation.config,
            env={"CLOAKROOM_STORAGE_URL": address})

    with Broker(installation, {"CLOAKROOM_STORAGE_URL": service}) as broker:
        broker.credentials()
        whole = reset_by(url)
        assert whole.returncode == 1 and "nothing to reset" in whole.stderr, whole.stderr
        server.query("UPDATE audit_events SET tenant = 'evil' WHERE type = 'flow.succeeded'", name)
        running = reset_by(url)
        assert running.returncode == 1 and "stop all brokers first" in running.stderr, running.stderr
    other = reset_by(service)
    assert other.returncode == 1 and "own" in other.stderr and "CLOAKROOM_STORAGE_URL" in other.stderr, other.stderr
    done = reset_by(url)
    assert done.returncode == 0 and "audit_events_until_" in done.stdout, done.stderr
    with Broker(installation, {"CLOAKROOM_STORAGE_URL": service}) as broker:
        broker.credentials()
        events = broker.client.get("/v1/admin/auditEvents", headers=broker.bearer(scope="broker:admin")).json()["items"]
        assert [event["type"] for event in events][-1] == "audit.broken" and events[-1]["detail"] == "of Monday"
    verified = run("audit", "verify", "--config", installation.config, env={"CLOAKROOM_STORAGE_URL": service})
    assert verified.returncode == 0 and "4 events" in verified.stdout, verified.stderr + verified.stdout
    evidence = [table for table in done.stdout.replace(",", " ").split() if table.startswith("audit_events_until_")]
    assert server.query(f"SELECT count(*) FROM {evidence[0]}", name) == "3"


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_trail_of_another_master_key_is_not_reset(tmp_path, provider, server, engine):
    """It is whole: what is wrong is the file of keys."""
    url = "sqlite:cloakroom.db" if engine == "sqlite" else server.url(server.database())
    installation = installed(tmp_path / "keys", provider, url)
    with Broker(installation) as broker:
        broker.credentials()
    keys = installation.folder / "master.key"
    kept = keys.read_text()
    installation.write("master.key", run("master-key", "new", "--id", "another").stdout, mode=0o600)
    config = installation.config
    refused = run("audit", "reset", "--reason", "of Monday", "--yes", "--config", config)
    assert refused.returncode == 1 and "masterKeyFile: found no key" in refused.stderr, refused.stderr + refused.stdout
    assert "put the key back" in refused.stderr and not list(installation.folder.glob("*.trail-*"))
    installation.write("master.key", kept, mode=0o600)
    verified = run("audit", "verify", "--config", config)
    assert verified.returncode == 0 and "3 events" in verified.stdout, verified.stderr
    with Broker(installation) as broker:
        broker.credentials()


def test_a_broker_that_was_away_during_a_reset_leaves_the_new_trail_alone(tmp_path, provider, own_server):
    name = own_server.database()
    installation = installed(tmp_path / "away", provider, own_server.url(name))
    sessions = f"FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'cloakroom'"
    with Broker(installation) as broker:
        broker.credentials()
        key = broker.key()
        own_server.query("UPDATE audit_events SET tenant = 'evil' WHERE type = 'flow.succeeded'", name)
        broker.process.send_signal(signal.SIGSTOP)
        try:
            own_server.query(f"SELECT pg_terminate_backend(pid) {sessions}")
            eventually(lambda: own_server.query(f"SELECT count(*) {sessions}") == "0", 10, "its sessions are gone")
            done = run("audit", "reset", "--reason", "of Monday", "--yes", "--config", installation.config)
            assert done.returncode == 0, done.stderr
        finally:
            broker.process.send_signal(signal.SIGCONT)
        assert_problem(broker.redeem(key), 503, "unavailable")
        assert_problem(broker.client.get("/readyz"), 503, "unavailable")
        assert "the audit trail was begun anew" in broker.logs and "start it again" in broker.logs
        verified = run("audit", "verify", "--config", installation.config)
        assert verified.returncode == 0 and "1 event," in verified.stdout, verified.stderr
    with Broker(installation) as broker:
        assert broker.redeem(key).status_code == 200
    assert run("audit", "verify", "--config", installation.config).returncode == 0


@pytest.mark.parametrize("change", ["sealed_key = '\\x00'", "anchor = '', anchor_proof = '\\x00'"])
def test_a_broker_whose_trails_head_was_altered_comes_back_to_work(tmp_path, provider, own_server, change):
    """Evidence of a change keeps nobody from connecting accounts: it is told by who verifies the trail."""
    name = own_server.database()
    with Broker(installed(tmp_path / "altered-head", provider, own_server.url(name))) as broker:
        key = broker.key()
        own_server.query(f"UPDATE audit_trail SET {change}", name)
        own_server.query(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' "
            "AND application_name = 'cloakroom'")
        assert broker.redeem(key).status_code == 200


def test_tables_that_are_read_at_length_are_migrated_later_and_nobody_waits_behind(tmp_path, provider, server):
    name = server.database()
    installation = installed(tmp_path / "reader", provider, server.url(name))
    assert run("store", "migrate", "--config", installation.config).returncode == 0
    server.query(
        "ALTER TABLE audit_trail DROP COLUMN copy, DROP COLUMN copying, DROP COLUMN copied_to; "
        "ALTER TABLE audit_chains DROP COLUMN ordered_from; UPDATE schema_version SET version = 1", name)
    sleeps = f"FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
    with ThreadPoolExecutor() as pool:
        reader = pool.submit(server.query, "SELECT count(*), pg_sleep(60) FROM audit_trail, generation", name, False)
        try:
            eventually(lambda: server.query(f"SELECT count(*) {sleeps}") == "1", 10, "it reads")
            migration = pool.submit(run, "store", "migrate", "--config", installation.config)
            waiting = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND wait_event = 'relation'"
            for _ in range(3):
                eventually(lambda: server.query(waiting) != "0", 10, "it waits for the table")
                # As each broker that starts.
                server.query(
                    "SET lock_timeout = '3s'; BEGIN; SELECT sealed_key FROM audit_trail; "
                    "SELECT pg_advisory_xact_lock(x'636C6B72'::int, 2); COMMIT", name)
            assert not migration.done()
        finally:
            server.query(f"SELECT pg_terminate_backend(pid) {sleeps}")
            reader.result()
        done = migration.result(30)
    assert done.returncode == 0, done.stderr
    with Broker(installation) as broker:
        broker.credentials()


# Secrecy


def test_no_secret_is_in_the_servers_own_log(pair, server):
    grant = pair[0].consented()
    key = pair[0].finish(grant)
    assert pair[1].redeem(key).status_code == 200
    pair[0].redeem(key)
    log = server.log
    assert "insert into flows" in log.lower(), "the server logs statements"
    for secret in [key, grant.access_token, grant.callback["code"], grant.callback["state"]]:
        assert secret not in log and secret.encode().hex() not in log


# Death


def test_crashes_of_brokers_under_load_double_nothing_and_lose_nothing(tmp_path, provider, server, monkeypatch):
    url = server.url(server.database())
    monkeypatch.setattr(
        test_crashes, "Installation",
        lambda folder, provider: Installation(folder, provider, {"storage": {"url": url}}))
    test_crashes.test_ten_crashes_under_load_double_nothing_and_lose_nothing(tmp_path, provider)
    verified = run("audit", "verify", "--config", tmp_path / "crashing/cloakroom.yaml")
    assert verified.returncode == 0, verified.stderr


def test_a_server_that_stops_at_once_is_back_within_five_seconds_and_lost_nothing(tmp_path, provider, own_server):
    installation = installed(tmp_path / "stopped", provider, own_server.url(own_server.database()))
    with Broker(installation) as broker:
        for _ in range(3):
            keys = [broker.key() for _ in range(5)]
            assert broker.redeem(keys[0]).status_code == 200
            own_server.stop(signal.SIGQUIT)
            assert "not spent" in assert_problem(broker.redeem(keys[1]), 503, "unavailable")["detail"]
            assert broker.client.get("/readyz").status_code == 503
            own_server.start()
            began = time.monotonic()
            eventually(lambda: broker.client.get("/readyz").status_code == 200, 5, "ready again")
            assert time.monotonic() - began < 5
            assert_problem(broker.redeem(keys[0]), 400, "invalid_credential_key")
            # A redemption that was told 503 while the server was away did not happen.
            assert [broker.redeem(key).status_code for key in keys[1:]] == [200] * 4


def test_a_connection_that_is_terminated_costs_nobody_anything(tmp_path, provider, own_server):
    name = own_server.database()
    with Broker(installed(tmp_path / "terminated", provider, own_server.url(name))) as broker:
        for _ in range(5):
            key = broker.key()
            own_server.query(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' "
                "AND application_name = 'cloakroom'")
            assert broker.redeem(key).status_code == 200


def test_a_server_without_a_free_connection_is_waited_for(tmp_path, provider, own_server):
    name = own_server.database()
    own_server.query("CREATE ROLE plain LOGIN", name)
    own_server.query(f"ALTER DATABASE {name} OWNER TO plain")
    own_server.query("GRANT CREATE ON SCHEMA public TO plain", name)
    installation = installed(tmp_path / "full", provider, own_server.url(name, user="plain"))
    with Broker(installation) as broker:
        key = broker.key()
        own_server.query("ALTER ROLE plain CONNECTION LIMIT 0")
        own_server.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'plain'")
        assert_problem(broker.redeem(key), 503, "unavailable")
        assert "53300" in broker.logs
        own_server.query("ALTER ROLE plain CONNECTION LIMIT -1")
        eventually(lambda: broker.redeem(key).status_code == 200, 5, "redeemed")


def test_a_server_that_becomes_read_only_is_left_and_found_again(tmp_path, provider, own_server):
    name = own_server.database()
    with Broker(installed(tmp_path / "read-only", provider, own_server.url(name))) as broker:
        key = broker.key()
        own_server.query(f"ALTER SYSTEM SET default_transaction_read_only = on")
        own_server.query("SELECT pg_reload_conf()")
        time.sleep(0.5)
        assert_problem(broker.redeem(key), 503, "unavailable")
        assert "25006" in broker.logs
        reset(own_server)
        eventually(lambda: broker.redeem(key).status_code == 200, 8, "redeemed")


def reset(server: PostgresServer) -> None:
    """The file itself: the server takes no ALTER SYSTEM while it is read-only."""
    (server.folder / "data/postgresql.auto.conf").write_text("")
    server.query("SELECT pg_reload_conf()")


# A commit whose answer is lost


@pytest.fixture
def thief(own_server) -> Iterator[CommitThief]:
    between = CommitThief(own_server)
    yield between
    between.close()


def test_a_commit_whose_answer_is_lost_is_found_again(tmp_path, provider, own_server, thief):
    url = own_server.url(own_server.database(), port=thief.port)
    with Broker(installed(tmp_path / "lost", provider, url)) as broker:
        for _ in range(5):
            grant = broker.consented()
            key = broker.finish(grant)
            thief.armed.set()
            answer = broker.redeem(key)
            assert answer.status_code == 200 and answer.json()["accessToken"] == grant.access_token
            assert_problem(broker.redeem(key), 400, "invalid_credential_key")
        assert thief.stolen == 5


def test_where_nobody_can_tell_no_tokens_are_given_and_the_caller_learns_that_the_key_may_be_spent(
    tmp_path, provider, own_server, thief
):
    url = own_server.url(own_server.database(), port=thief.port)
    with Broker(installed(tmp_path / "unknown", provider, url)) as broker:
        key = broker.key()
        thief.holds_after = True
        thief.armed.set()
        with httpx.Client(base_url=broker.url, timeout=30, trust_env=False) as client:
            answer = client.post("/v1/tenants/acme/assets:oauthCredentials", json={"credentialKey": key})
        body = assert_problem(answer, 503, "unavailable")
        assert "spent" in body["detail"] and "connect again" in body["detail"]
        thief.holds.clear()
        eventually(lambda: broker.client.get("/readyz").status_code == 200, 5, "ready again")
        # It was.
        assert_problem(broker.redeem(key), 400, "invalid_credential_key")
        assert broker.credentials()


# Standbys


def test_without_a_synchronous_standby_nothing_is_redeemed_where_one_is_required(tmp_path, provider, own_server):
    url = own_server.url(own_server.database())
    installation = installed(
        tmp_path / "standby", provider, url, {"storage": {"url": url, "requireSynchronousStandby": True}})
    done = installation.check()
    assert done.returncode == 0 and "synchronous_standby_names" in done.stderr
    broker = Broker(installation)
    broker._ready = lambda: eventually(lambda: answers(f"{broker.url}/healthz"), 10)
    with broker:
        assert "nothing is redeemed" in broker.logs
        assert_problem(broker.client.get("/readyz"), 503, "unavailable")
        key = broker.key()
        assert_problem(broker.redeem(key), 503, "unavailable")
        assert "synchronous_standby_names" in broker.logs


def test_a_commit_that_is_found_on_the_primary_alone_gives_no_tokens(tmp_path, provider, own_server):
    """A failover would take it back, and the key would be good again."""
    url = own_server.url(own_server.database())
    waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with Broker(installed(tmp_path / "alone", provider, url)) as broker, ThreadPoolExecutor() as pool:
        key = broker.key()
        own_server.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        own_server.query("SELECT pg_reload_conf()")
        try:
            with httpx.Client(base_url=broker.url, timeout=30, trust_env=False) as client:
                answer = pool.submit(
                    client.post, "/v1/tenants/acme/assets:oauthCredentials", json={"credentialKey": key})
                eventually(lambda: own_server.query(f"SELECT count(*) {waiting}") != "0", 10, "a commit waits")
                own_server.query(f"SELECT pg_terminate_backend(pid) {waiting}")
                body = assert_problem(answer.result(), 503, "unavailable")
            assert "spent" in body["detail"] and "connect again" in body["detail"]
        finally:
            own_server.query("ALTER SYSTEM RESET synchronous_standby_names")
            own_server.query("SELECT pg_reload_conf()")
        eventually(lambda: broker.client.get("/readyz").status_code == 200, 10, "ready again")
        assert_problem(broker.redeem(key), 400, "invalid_credential_key")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
