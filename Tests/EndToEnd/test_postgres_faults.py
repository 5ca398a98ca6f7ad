"""Brokers that share one PostgreSQL, under load, while brokers and server die, fail over, fill up and are upgraded.

With CLOAKROOM_TEST_LONG=1 there are as many crashes as take some minutes.
"""

import http.client
import json
import os
import random
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from broker import Broker, assert_problem, eventually, free_port, in_background, run
from postgres import PostgresServer, Proxy, Standby, own
from provider import Grant, callback_target, remember_redirect
from test_full_disk import fill, mount
from test_postgres import another, installed, own_server, server

LONG = os.environ.get("CLOAKROOM_TEST_LONG") == "1"
KILLS = 100 if LONG else 12
STOPS = 10 if LONG else 2
FAILOVERS = 4 if LONG else 1
BROKERS = 4
WORKERS = 6
# Seconds after the server's return within which each broker serves again.
RECOVERY = 5
SLACK = 3  # two cores are shared by all this

AUTHORIZE = "/v1/tenants/acme/assets:authorize"
REDEEM = "/v1/tenants/acme/assets:oauthCredentials"
NOT_SPENT = "the key is not spent"
MAY_BE_SPENT = "if a credential key is refused then, it is spent: connect again"


# Callers


class Caller:
    """Keeps a connection to each broker, as a service does."""

    def __init__(self) -> None:
        self._connections: dict[int, http.client.HTTPConnection] = {}

    def send(self, broker: Broker, method: str, target: str, body: dict | None = None, headers: dict = {}) -> bool:
        connection = self._connections.get(broker.port)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", broker.port, timeout=30)
            self._connections[broker.port] = connection
        octets = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if octets else {}) | headers
        try:
            connection.request(method, target, octets, headers)
            return True
        except (OSError, http.client.HTTPException):
            self._drop(broker)
            return False

    def receive(self, broker: Broker) -> tuple[int, str, dict]:
        """Status, location and body; the status is 0 where no answer came."""
        connection = self._connections.get(broker.port)
        try:
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException, AttributeError):
            self._drop(broker)
            return 0, "", {}
        is_json = "json" in response.headers.get("Content-Type", "")
        return response.status, response.headers.get("Location", ""), json.loads(body) if is_json else {}

    def call(self, broker: Broker, *arguments, **options) -> tuple[int, str, dict]:
        return self.receive(broker) if self.send(broker, *arguments, **options) else (0, "", {})

    def _drop(self, broker: Broker) -> None:
        if connection := self._connections.pop(broker.port, None):
            connection.close()

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()


class Key:
    """A credential key whose redirect was answered, and what its callers know of it."""

    def __init__(self, text: str, grant: Grant) -> None:
        self.text = text
        self.grant = grant
        self.paid = 0
        self.may_be_spent = False
        """A presentation was not answered, or so that nobody knows."""


class Load:
    """Flow after flow, each step at another broker. What an answer promises is checked when the next one comes."""

    def __init__(self, brokers: list[Broker], workers: int = WORKERS) -> None:
        self.brokers = brokers
        self.keys: list[Key] = []
        self.faults: list[str] = []
        self.answers: Counter[str] = Counter()
        self.token = brokers[0].token(lifetime=3600)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(workers)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(40)

    def goes_on(self, count: int, within: float = 40) -> None:
        """Until so many more keys were given out."""
        wanted = len(self.keys) + count
        eventually(lambda: self.faults or len(self.keys) >= wanted, within, f"{count} keys are given out: {self.answers}")
        assert not self.faults, self.faults[:5]

    def _work(self, number: int) -> None:
        caller, chance, turn = Caller(), random.Random(number), number
        while not self._stop.is_set():
            turn += 1
            try:
                self._flow(caller, chance, turn)
            except Exception as fault:  # a worker that ends would hide what it met
                self.faults.append(f"{type(fault).__name__}: {fault}")
        caller.close()

    def _flow(self, caller: Caller, chance: random.Random, turn: int) -> None:
        key = self._key(caller, chance)
        if key is None:
            time.sleep(0.02)
            return
        if turn % 4 == 1:
            self._present_twice(caller, key, chance.sample(self.brokers, 2))
        elif turn % 4:
            for _ in range(3):
                if self.present(caller, key, chance.choice(self.brokers)) in (200, 400):
                    break

    def _key(self, caller: Caller, chance: random.Random) -> Key | None:
        headers = {"Authorization": f"Bearer {self.token}"}
        broker = chance.choice(self.brokers)
        status, _, body = caller.call(broker, "POST", AUTHORIZE, {"sourceType": "wiki"}, headers)
        self.answers[f"authorize {status}"] += 1
        if status != 200:
            if status not in (0, 503):
                self.faults.append(f"authorize: {status} {body}")
            return None
        address = body["authorizationUrl"]
        remember_redirect(dict(parse_qsl(urlsplit(address).query)))
        grant = broker.provider.consent(address)
        status, location, body = caller.call(chance.choice(self.brokers), "GET", callback_target(grant.callback))
        members = dict(parse_qsl(urlsplit(location).fragment))
        self.answers[f"callback {status}{' ' + members['error'] if 'error' in members else ''}"] += 1
        if status == 302 and "credentialKey" in members:
            key = Key(members["credentialKey"], grant)
            self.keys.append(key)
            return key
        # A callback that was not answered, or with a failure of the broker's, has spent its state.
        if status not in (0, 503) and members.get("error") != "unavailable":
            self.faults.append(f"a flow that was begun is gone: {status} {members} {body}")
        return None

    def present(self, caller: Caller, key: Key, broker: Broker) -> int:
        return self._judge(key, [caller.call(broker, "POST", REDEEM, {"credentialKey": key.text})])[0]

    def _present_twice(self, caller: Caller, key: Key, brokers: list[Broker]) -> None:
        """At the same moment."""
        sent = [caller.send(broker, "POST", REDEEM, {"credentialKey": key.text}) for broker in brokers]
        self._judge(key, [caller.receive(broker) if is_sent else (0, "", {}) for broker, is_sent in zip(brokers, sent)])

    def _judge(self, key: Key, answers: list[tuple[int, str, dict]]) -> list[int]:
        """Nobody else presents the key meanwhile."""
        statuses = [status for status, _, _ in answers]
        for status, _, body in answers:
            detail = body.get("detail", "")
            self.answers[f"redeem {status}{' may be spent' if MAY_BE_SPENT in detail else ''}"] += 1
            if status == 200:
                key.paid += 1
                if body["accessToken"] != key.grant.access_token:
                    self.faults.append("another flow's tokens")
            elif status == 0 or (status == 503 and MAY_BE_SPENT in detail):
                key.may_be_spent = True
            elif not (status == 400 or (status == 503 and NOT_SPENT in detail)):
                self.faults.append(f"redeem: {status} {body}")
        if key.paid > 1:
            self.faults.append(f"a key was redeemed {key.paid} times: {statuses}")
        if 400 in statuses and not key.paid and not key.may_be_spent:
            self.faults.append(f"a good key was refused: {statuses}")
        return statuses

    def settle(self) -> None:
        """Once all is well: keys that nobody presented are good, paid ones are spent, and the rest were either."""
        caller = Caller()
        for key in self.keys:
            before = key.paid
            status = self.present(caller, key, random.choice(self.brokers))
            assert status in ((400,) if before else (200, 400) if key.may_be_spent else (200,)), (status, before)
        for key in self.keys:
            assert self.present(caller, key, random.choice(self.brokers)) == 400, "a key was redeemed twice"
        caller.close()
        assert not self.faults, self.faults[:5]
        assert max(key.paid for key in self.keys) == 1


def assert_sound(server: PostgresServer, database: str, broker: Broker, load: Load | None = None) -> None:
    """The trail is whole; what tables say of one thing is one; indexes and tables are as PostgreSQL wants them."""
    verified = run("audit", "verify", "--config", broker.installation.config)
    assert verified.returncode == 0 and "whole" in verified.stdout, verified.stdout + verified.stderr
    wrong = {
        "a key's row against its flow's": "credential_keys c JOIN flows f ON f.id = c.flow "
        "WHERE (c.spent_at IS NOT NULL) <> (f.status = 4)",
        "a spent key that is still sealed": "credential_keys WHERE spent_at IS NOT NULL AND sealed IS NOT NULL",
        "two redemptions of a flow in the trail": "(SELECT 1 FROM audit_events WHERE type = 'credential_key.redeemed' "
        "GROUP BY flow HAVING count(*) > 1) twice",
        "a spent key that the trail does not have": "credential_keys c WHERE spent_at IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM audit_events e WHERE e.type = 'credential_key.redeemed' AND e.flow = c.flow)",
    }
    for what, rows in wrong.items():
        assert server.query(f"SELECT count(*) FROM {rows}", database) == "0", what
    server.query("CREATE EXTENSION IF NOT EXISTS amcheck", database)
    server.query(
        "SELECT bt_index_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relnamespace = 'public'::regnamespace", database)
    if load:
        redeemed = int(server.query("SELECT count(*) FROM audit_events WHERE type = 'credential_key.redeemed'", database))
        assert redeemed >= sum(key.paid for key in load.keys)


@contextmanager
def brokers_of(installation, count: int = BROKERS) -> Iterator[list[Broker]]:
    with ExitStack() as stack:
        yield [stack.enter_context(another(installation)) for _ in range(count)]


def is_ready(broker: Broker) -> bool:
    try:
        return httpx.get(f"{broker.url}/readyz", trust_env=False, timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def assert_all_serve_within(brokers: list[Broker], seconds: float) -> None:
    """Readiness is a commit of its own."""
    began = time.monotonic()

    def wait(broker: Broker) -> float:
        eventually(lambda: is_ready(broker), seconds + SLACK, f"{broker.url} serves again")
        return time.monotonic() - began

    for waiting in [in_background(lambda broker=broker: wait(broker)) for broker in brokers]:
        assert waiting.result(seconds + 15) <= seconds + SLACK


# Death under load


def test_brokers_that_are_killed_in_turn_double_nothing_and_lose_nothing(tmp_path, provider, server):
    name = server.database()
    chance = random.Random(1)
    with brokers_of(installed(tmp_path / "killed", provider, server.url(name))) as brokers:
        with Load(brokers) as load:
            for turn in range(KILLS):
                load.goes_on(12)
                time.sleep(chance.random() * 0.05)  # another moment of the work each time
                broker = brokers[turn % BROKERS]
                broker.kill()
                load.goes_on(4)  # the others go on meanwhile
                broker.start()
        load.settle()
        assert_sound(server, name, brokers[0], load)
    assert len(load.keys) >= 16 * KILLS


def test_a_server_that_crashes_under_load_is_back_within_seconds_and_doubles_nothing(tmp_path, provider, own_server):
    name = own_server.database()
    with brokers_of(installed(tmp_path / "crashed", provider, own_server.url(name))) as brokers:
        with Load(brokers) as load:
            for stop in range(STOPS):
                load.goes_on(60)
                own_server.stop(signal.SIGQUIT)
                # Now for less, now for more than a call waits.
                time.sleep((0.2, 6)[stop % 2])
                own_server.start()
                assert_all_serve_within(brokers, RECOVERY)
                load.goes_on(20)
        load.settle()
        assert_sound(own_server, name, brokers[0], load)
    assert any(" 503" in answer for answer in load.answers), load.answers  # the load met a stop


def test_a_failover_to_a_synchronous_standby_doubles_nothing_and_loses_nothing(tmp_path, provider):
    with ExitStack() as stack:
        primary = PostgresServer({"log_statement": "none", "log_min_duration_statement": "-1"}).start()
        stack.callback(primary.close)
        name = primary.database()
        ports = [primary.port]
        for _ in range(FAILOVERS):
            standby = Standby(primary).start()
            stack.callback(standby.close)
            ports.append(standby.port)
            primary.set("synchronous_standby_names", "*")
            eventually(lambda: primary.query("SELECT sync_state FROM pg_stat_replication") == "sync", 10, "it is synchronous")
            hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
            url = f"postgres://owner@{hosts}/{name}"
            installation = installed(tmp_path / f"failover-{len(ports)}", provider, url)
            if len(ports) > 2:  # the database's own key
                installation.write("master.key", key, mode=0o600)
            key = (installation.folder / "master.key").read_text()
            with brokers_of(installation) as brokers:
                with Load(brokers) as load:
                    load.goes_on(80)
                    primary.stop(signal.SIGQUIT)
                    time.sleep(0.3)
                    standby.promote()
                    assert_all_serve_within(brokers, RECOVERY)
                    load.goes_on(40)
                load.settle()
                assert_sound(standby, name, brokers[0], load)
            primary = standby


@pytest.mark.skipif(not LONG, reason="takes twenty seconds, most of them waiting")
def test_a_failover_from_a_primary_that_falls_silent_doubles_nothing_and_loses_nothing(tmp_path, provider, replicated):
    """Its machine is gone from the network: the brokers' connections stay open, and new ones are never answered."""
    primary, standby = replicated
    name = primary.database()
    primary.set("synchronous_standby_names", "*")
    proxy = Proxy(primary)
    url = f"postgres://owner@127.0.0.1:{proxy.port},127.0.0.1:{standby.port}/{name}"
    with brokers_of(installed(tmp_path / "silent", provider, url)) as brokers:
        with Load(brokers) as load:
            load.goes_on(40)
            proxy.thawed.clear()
            time.sleep(0.2)
            standby.promote()
            # Each first gives its connection the five seconds that any answer may take.
            assert_all_serve_within(brokers, 3 * RECOVERY)
            load.goes_on(40)
        load.settle()
        assert_sound(standby, name, brokers[0], load)
    proxy.close()


# Standbys


@pytest.fixture
def replicated() -> Iterator[tuple[PostgresServer, Standby]]:
    primary = PostgresServer().start()
    standby = Standby(primary)
    try:
        yield primary, standby.start()
    finally:
        standby.close()
        primary.close()


def test_a_standby_that_is_not_synchronous_is_told(tmp_path, provider, replicated):
    primary, _ = replicated
    installation = installed(tmp_path / "asynchronous", provider, primary.url(primary.database()))
    words = "no standby is synchronous (1 standby connected"
    with Broker(installation) as broker:
        assert words in broker.logs and "may be redeemed again" in broker.logs
        assert broker.redeem(broker.key()).status_code == 200
        for command in ("doctor", "check"):
            told = run(command, "--config", installation.config)
            assert words in told.stdout + told.stderr and "synchronous_standby_names" in told.stdout + told.stderr
    installation.settings["storage"]["requireSynchronousStandby"] = True
    installation.write_configuration()
    broker = another(installation)
    broker._ready = lambda: "synchronous_standby_names" in broker.logs and lives(broker)
    with broker:
        key = broker.key()
        detail = assert_problem(broker.redeem(key), 503, "unavailable")["detail"]
        assert NOT_SPENT in detail
        told = run("doctor", "--config", installation.config)
        assert "nothing is redeemed" in told.stdout
        primary.set("synchronous_standby_names", "*")
        eventually(lambda: broker.redeem(key).status_code == 200, 10, "it is redeemed now")
        told = run("doctor", "--config", installation.config)
        assert "synchronous_standby_names" not in told.stdout and "replication" not in told.stdout, told.stdout


def lives(broker: Broker) -> bool:
    try:
        return httpx.get(f"{broker.url}/healthz", trust_env=False, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_a_synchronous_standby_that_is_away_makes_redemptions_wait_and_gives_no_tokens(tmp_path, provider, replicated):
    primary, standby = replicated
    primary.set("synchronous_standby_names", "*")
    url = primary.url(primary.database())
    installation = installed(tmp_path / "away", provider, url, {"storage": {"url": url, "requireSynchronousStandby": True}})
    with Broker(installation) as broker:
        key, other = broker.key(), broker.key()
        standby.stop()
        detail = assert_problem(broker.redeem(key), 503, "unavailable")["detail"]
        assert MAY_BE_SPENT in detail
        standby.start()
        assert_all_serve_within([broker], 10)
        # It is there, and on the standby.
        assert_problem(broker.redeem(key), 400, "invalid_credential_key")
        assert broker.redeem(other).status_code == 200


# The network between


@pytest.fixture
def proxy(server) -> Iterator[Proxy]:
    between = Proxy(server)
    yield between
    between.close()


@pytest.fixture
def far(tmp_path, provider, server, proxy) -> Iterator[Broker]:
    """A broker whose server is behind the proxy."""
    url = server.url(server.database(), port=proxy.port)
    with Broker(installed(tmp_path / "far", provider, url)) as running:
        yield running


@pytest.mark.parametrize("direction", ["to", "from"])
def test_a_connection_that_is_cut_anywhere_doubles_nothing(far, proxy, direction):
    key = far.key()
    before = dict(proxy.passed)
    assert far.redeem(key).status_code == 200
    size = proxy.passed[direction] - before[direction]
    assert size > 200
    paid = 0
    for place in range(0, size, max(1, size // (200 if LONG else 30))):
        load = Load([far])
        grant = far.consented()
        load.keys.append(Key(far.finish(grant), grant))
        proxy.cut_after(direction, place)
        caller = Caller()
        load.present(caller, load.keys[0], far)
        # Where a redemption takes a little less than the one that was measured, another commit comes to the place.
        eventually(lambda: proxy.is_cut() or not is_ready(far), 10, "it is cut")
        paid += load.keys[0].paid
        eventually(lambda: is_ready(far), RECOVERY, "it serves again")
        load.settle()
        caller.close()
    assert proxy.cuts >= 30
    # The server can be asked what became of it: the caller notices next to nothing.
    assert paid >= proxy.cuts * 0.9


def test_a_slow_network_makes_slow_answers_and_no_wrong_ones(far, proxy):
    keys = [far.key() for _ in range(3)]
    proxy.delay = 0.15
    for key in keys:
        assert far.redeem(key).status_code == 200
        assert_problem(far.redeem(key), 400, "invalid_credential_key")
    proxy.delay = 0.0


def test_a_server_that_falls_silent_is_a_503_in_bounded_time(far, proxy):
    keys = [far.key() for _ in range(2)]
    proxy.thawed.clear()
    began = time.monotonic()
    detail = assert_problem(far.redeem(keys[0]), 503, "unavailable")["detail"]
    assert NOT_SPENT in detail or MAY_BE_SPENT in detail
    assert time.monotonic() - began < 20
    assert far.client.get("/healthz").status_code == 200
    proxy.thawed.set()
    assert_all_serve_within([far], RECOVERY)
    assert far.redeem(keys[0]).status_code == (200 if NOT_SPENT in detail else 400)
    assert far.redeem(keys[1]).status_code == 200


def test_a_server_that_is_gone_without_a_word_is_left_for_the_next(tmp_path, provider, server, proxy):
    """The first of two machines is off: nothing refuses a connection, nothing answers."""
    name = server.database()
    url = f"postgres://owner@127.0.0.1:{proxy.port},127.0.0.1:{server.port}/{name}"
    with Broker(installed(tmp_path / "gone", provider, url)) as broker:
        keys = [broker.key() for _ in range(3)]
        assert broker.redeem(keys[0]).status_code == 200
        assert proxy.passed["to"] > 1000, "the first is used while it is there"
        proxy.thawed.clear()
        eventually(lambda: broker.authorize().status_code == 200, 40, "it has gone over to the second")
        assert [broker.redeem(key).status_code for key in keys] == [400, 200, 200]
        assert broker.credentials()
    # A start does the same.
    with another(broker.installation) as late:
        assert late.credentials()


# What the server says


@pytest.fixture(scope="module")
def faulty(folder, provider, server) -> Iterator[tuple[Broker, Callable[[str], str]]]:
    """A broker, and statements in its database."""
    name = server.database()
    with Broker(installed(folder / "faulty", provider, server.url(name))) as broker:
        server.query(
            """
            CREATE SEQUENCE met;
            CREATE TABLE fault (times bigint, code text, level text, key bytea);
            CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE f fault;
            BEGIN
                SELECT * INTO f FROM fault;
                IF FOUND AND (f.key IS NULL OR f.key = NEW.digest) AND nextval('met') <= f.times THEN
                    IF f.level = 'WARNING' THEN RAISE WARNING 'as the test wants it';
                    ELSE RAISE EXCEPTION 'as the test wants it' USING ERRCODE = f.code;
                    END IF;
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER at_once BEFORE UPDATE ON credential_keys FOR EACH ROW EXECUTE FUNCTION meet();
            CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON credential_keys DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION meet();
            """, name)
        yield broker, lambda sql: server.query(sql, name)


@contextmanager
def fault(
    ask: Callable[[str], str], code: str, when: str, times: int = 1, level: str = "EXCEPTION", key: str = "NULL"
) -> Iterator[None]:
    other = {"at_once": "at_commit", "at_commit": "at_once"}[when]
    ask(
        f"ALTER TABLE credential_keys ENABLE TRIGGER {when}; ALTER TABLE credential_keys DISABLE TRIGGER {other}; "
        f"ALTER SEQUENCE met RESTART; DELETE FROM fault; INSERT INTO fault VALUES ({times}, '{code}', '{level}', {key})")
    yield
    ask("DELETE FROM fault")


def met(ask: Callable[[str], str]) -> int:
    return int(ask("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM met"))


WHEN = ["at_once", "at_commit"]


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("code,times", [
    # Transactions in each other's way.
    ("40001", 3), ("40P01", 3), ("55P03", 3),
    # A server that is about to go: it is left, and asked anew.
    ("57P01", 2), ("57P02", 2), ("57P03", 2), ("25006", 2), ("08006", 2),
])
def test_what_passes_is_tried_again(faulty, code, times, when):
    broker, ask = faulty
    key = broker.key()
    with fault(ask, code, when, times=times):
        assert broker.redeem(key).status_code == 200
        assert met(ask) == times + 1
    assert_problem(broker.redeem(key), 400, "invalid_credential_key")


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("code", ["53100", "53200", "53300", "57014", "58030", "XX000"])
def test_a_server_in_need_is_a_503_that_spends_nothing(faulty, code, when):
    broker, ask = faulty
    key = broker.key()
    with fault(ask, code, when, times=1000):
        assert NOT_SPENT in assert_problem(broker.redeem(key), 503, "unavailable")["detail"]
        assert met(ask) >= 1
        assert f"SQLSTATE {code}" in broker.logs
    assert broker.redeem(key).status_code == 200


@pytest.mark.parametrize("when", WHEN)
def test_an_operation_that_fails_does_not_fail_its_neighbours(faulty, when):
    broker, ask = faulty
    keys = [broker.key() for _ in range(24)]
    newest = "(SELECT digest FROM credential_keys WHERE spent_at IS NULL ORDER BY created_at DESC, digest LIMIT 1)"
    with fault(ask, "22012", when, times=1000, key=newest):
        redemptions = [in_background(lambda key=key: httpx.post(
            broker.url + REDEEM, json={"credentialKey": key}, trust_env=False, timeout=30)) for key in keys]
        answers = [redemption.result() for redemption in redemptions]
    assert sorted(answer.status_code for answer in answers) == [200] * 23 + [503]
    [failed] = [key for key, answer in zip(keys, answers) if answer.status_code == 503]
    assert broker.redeem(failed).status_code == 200


def test_a_commit_with_a_warning_gives_no_tokens(faulty):
    broker, ask = faulty
    key = broker.key()
    with fault(ask, "01000", "at_commit", level="WARNING"):
        assert MAY_BE_SPENT in assert_problem(broker.redeem(key), 503, "unavailable")["detail"]
        assert met(ask) == 1
    assert_problem(broker.redeem(key), 400, "invalid_credential_key")


def test_a_real_deadlock_is_broken_and_survived(tmp_path, provider, server):
    """The test's transaction has the key's row and wants the broker's chain, which the broker has."""
    name = server.database()
    # The time in which the test joins the circle. The broker gives a lock up after three seconds.
    server.query(f"ALTER DATABASE {name} SET deadlock_timeout = '2500ms'")
    with Broker(installed(tmp_path / "deadlock", provider, server.url(name))) as broker, Session(server, name) as session:
        key = broker.key()
        before = server.log.count("deadlock detected")
        # The broker is the one to be told: its own wait is looked at first.
        session.run("SET deadlock_timeout = '1h'; BEGIN; SELECT 1 FROM credential_keys FOR UPDATE;")
        redemption = in_background(lambda: broker.redeem(key))
        waits = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
        eventually(lambda: server.query(waits) == "1", 10, "the broker waits")
        session.send("SELECT 1 FROM audit_chains FOR UPDATE; ROLLBACK;")
        assert redemption.result().status_code == 200
        session.wait()
        assert server.log.count("deadlock detected") == before + 1
        assert_problem(broker.redeem(key), 400, "invalid_credential_key")
        assert_sound(server, name, broker)


class Session:
    """One connection of the test's own, whose transaction lasts."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        self.process = subprocess.Popen(
            ["psql", "-h", str(server.folder), "-p", str(server.port), "-U", "owner", "-XAtq", database],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def send(self, sql: str) -> None:
        self.process.stdin.write(sql + "\n\\echo done\n")
        self.process.stdin.flush()

    def wait(self) -> None:
        while line := self.process.stdout.readline():
            if line == "done\n":
                return
            assert "ERROR" not in line, line
        raise AssertionError("psql ended")

    def run(self, sql: str) -> None:
        self.send(sql)
        self.wait()


class Crowd:
    """Clients that take each connection that the server has for them, and keep it."""

    def __init__(self, server: PostgresServer, database: str, count: int) -> None:
        self._place = f"{server.folder}/.s.PGSQL.{server.port}"
        self._database = database
        self._gone = threading.Event()
        self._threads = [threading.Thread(target=self._take, daemon=True) for _ in range(count)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._gone.set()
        for thread in self._threads:
            thread.join(10)

    def _take(self) -> None:
        members = f"user\0crowd\0database\0{self._database}\0\0".encode()
        greeting = struct.pack("!ii", 8 + len(members), 3 << 16) + members
        while not self._gone.is_set():
            with socket.socket(socket.AF_UNIX) as connection:
                try:
                    connection.connect(self._place)
                    connection.sendall(greeting)
                    if self._is_taken(connection):
                        self._gone.wait()
                except OSError:
                    pass
            self._gone.wait(0.02)

    @staticmethod
    def _is_taken(connection: socket.socket) -> bool:
        """Reads messages up to the one that says that statements are taken, or an error."""
        file = connection.makefile("rb")
        while head := file.read(5):
            kind, size = struct.unpack("!ci", head)
            file.read(size - 4)
            if kind in (b"Z", b"E"):
                return kind == b"Z"
        return False


def test_a_server_whose_connections_are_all_taken_is_waited_for(tmp_path, provider):
    """By others, who keep them: 53300."""
    server = PostgresServer({"max_connections": "12", "superuser_reserved_connections": "3"}).start()
    try:
        name = server.database()
        server.query("CREATE ROLE crowd LOGIN; CREATE ROLE plain LOGIN; GRANT pg_monitor TO plain")
        server.query(f"ALTER DATABASE {name} OWNER TO plain")
        server.query("GRANT CREATE ON SCHEMA public TO plain", name)
        count = "SELECT count(*) FROM pg_stat_activity WHERE usename ="
        with Broker(installed(tmp_path / "taken", provider, server.url(name, user="plain"))) as broker:
            key = broker.key()
            with Crowd(server, name, 9):
                def leave_none() -> bool:
                    server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'plain'")
                    return server.query(f"{count} 'crowd'") == "9"

                eventually(leave_none, 20, "the crowd has all connections")
                assert NOT_SPENT in assert_problem(broker.redeem(key), 503, "unavailable")["detail"]
                assert "53300" in broker.logs
                assert broker.client.get("/healthz").status_code == 200
            assert_all_serve_within([broker], RECOVERY)
            assert broker.redeem(key).status_code == 200
    finally:
        server.close()


# Full disks


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], Path]]:
    """File systems of so many megabytes, for a server's files."""
    mounted: list[Path] = []

    def make(megabytes: int) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="cloakroom-disk-"))
        folder.chmod(0o755)
        if not mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)):
            folder.rmdir()
            pytest.skip("only root can mount a file system")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def test_tables_on_a_full_disk_are_a_503_that_spends_nothing(tmp_path, provider, own_server, small_disk):
    disk = small_disk(8)
    (disk / "tables").mkdir()
    own(disk / "tables")
    name = own_server.database()
    own_server.query(f"CREATE TABLESPACE small LOCATION '{disk}/tables'")
    own_server.query(f"ALTER DATABASE {name} SET default_tablespace = 'small'")
    with Broker(installed(tmp_path / "full", provider, own_server.url(name))) as broker:
        keys = [broker.key() for _ in range(4)]
        waiting = broker.consented()
        filler = fill(disk)
        refused = until_refused(broker)
        assert "again" in refused["detail"] and "disk" not in refused["detail"]
        assert "SQLSTATE 53100" in broker.logs
        answers = [broker.redeem(key) for key in keys]
        assert all(answer.status_code == 200 or NOT_SPENT in assert_problem(answer, 503, "unavailable")["detail"]
                   for answer in answers)
        filler.unlink()
        assert_all_serve_within([broker], RECOVERY)
        for key, answer in zip(keys, answers):
            assert broker.redeem(key).status_code == (400 if answer.status_code == 200 else 200)
        assert broker.redeem(broker.finish(waiting)).status_code == 200
        assert_sound(own_server, name, broker)


def until_refused(broker: Broker) -> dict:
    for _ in range(4000):
        answer = broker.authorize()
        if answer.status_code != 200:
            return assert_problem(answer, 503, "unavailable")
    raise AssertionError("the disk never got full")


def test_a_server_that_crashes_for_want_of_room_lost_nothing_that_was_answered(tmp_path, provider, small_disk):
    """A write-ahead log that cannot grow is a PANIC, and no server, until somebody makes room."""
    disk = small_disk(160)
    # Segments are not used again.
    server = PostgresServer({"wal_keep_size": "1GB"}, place=disk)
    try:
        server.start()
        name = server.database()
        with Broker(installed(tmp_path / "panic", provider, server.url(name))) as broker:
            keys = [broker.key() for _ in range(10)]
            assert broker.redeem(keys[0]).status_code == 200
            filler = fill(disk)
            assert until_refused(broker)
            write = "SELECT pg_logical_emit_message(true, 'test', repeat('x', 4000000))"
            # Nor does it start again: it would have to write.
            eventually(lambda: server.query(write, check=False) == "" and server.process.poll(), 60, "the server is down")
            detail = assert_problem(broker.redeem(keys[1]), 503, "unavailable")["detail"]
            assert NOT_SPENT in detail
            server.stop(signal.SIGQUIT)
            filler.unlink()
            server.start()
            assert_all_serve_within([broker], RECOVERY)
            assert_problem(broker.redeem(keys[0]), 400, "invalid_credential_key")
            assert [broker.redeem(key).status_code for key in keys[1:]] == [200] * 9
            assert_sound(server, name, broker)
    finally:
        server.close()


# Races


def test_ten_thousand_redemptions_by_four_brokers_give_each_key_once(tmp_path, provider):
    server = PostgresServer({"log_statement": "none", "log_min_duration_statement": "-1"}).start()
    try:
        name = server.database()
        with brokers_of(installed(tmp_path / "race", provider, server.url(name))) as brokers:
            grants = [broker.consented() for broker in brokers for _ in range(8)]
            keys = {broker.finish(grant): grant for broker, grant in zip(brokers * 8, grants)}
            answers: Counter[tuple[str, int]] = Counter()
            lock, racers, each = threading.Lock(), 32, 10
            together = threading.Barrier(racers)

            def race(number: int) -> None:
                caller, broker = Caller(), brokers[number % BROKERS]
                for key, grant in keys.items():
                    together.wait(60)
                    for _ in range(each):
                        status, _, body = caller.call(broker, "POST", REDEEM, {"credentialKey": key})
                        assert status != 200 or body["accessToken"] == grant.access_token
                        with lock:
                            answers[key, status] += 1
                caller.close()

            for racing in [in_background(lambda number=number: race(number)) for number in range(racers)]:
                racing.result(240)
            assert sum(answers.values()) == len(keys) * racers * each >= 10_000
            for key in keys:
                assert answers[key, 200] == 1, [count for (each, status), count in answers.items() if each == key]
            # None was put off either.
            assert {status for _, status in answers} == {200, 400}
            assert_sound(server, name, brokers[0])
    finally:
        server.close()


# Upgrades


def test_brokers_go_on_while_the_next_version_comes(tmp_path, provider, server):
    name = server.database()
    installation = installed(tmp_path / "upgrade", provider, server.url(name))
    with brokers_of(installation) as brokers:
        with Load(brokers) as load:
            load.goes_on(20)
            # What this version's command does while brokers run.
            for _ in range(3):
                done = run("store", "migrate", "--config", installation.config)
                assert done.returncode == 0, done.stderr
                load.goes_on(10)
            # What a later version's would: it adds only.
            tables = server.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name).split()
            assert {"flows", "credential_keys", "audit_events", "audit_chains", "revocations", "generation"} <= set(tables)
            for table in tables:
                server.query(
                    f"ALTER TABLE {table} ADD COLUMN later text; "
                    f"ALTER TABLE {table} ADD COLUMN later_still bigint DEFAULT 7", name)
                load.goes_on(2)
            server.query("CREATE TABLE later (id bytea PRIMARY KEY, flow bytea REFERENCES flows (id) ON DELETE CASCADE)", name)
            server.query("CREATE INDEX CONCURRENTLY later_by_tenant ON flows (tenant, later)", name)
            load.goes_on(20)
            server.query("UPDATE schema_version SET version = version + 1", name)
            load.goes_on(20)
            # Those that run go on; none starts.
            for command in ("check", "serve"):
                refused = run(command, "--config", installation.config, env={"CLOAKROOM_HTTP_PORT": str(free_port())})
                assert refused.returncode == 1 and "newer version of cloakroom" in refused.stderr, refused.stderr
            refused = run("store", "migrate", "--config", installation.config)
            assert refused.returncode == 1 and "newer version of cloakroom" in refused.stderr
            load.goes_on(20)
            server.query("UPDATE schema_version SET version = version - 1", name)
            # One after the other is stopped and started again, as a deployment does it.
            for broker in brokers:
                broker.process.send_signal(signal.SIGTERM)
                assert broker.wait() == 0
                load.goes_on(5)
                broker.start()
                load.goes_on(5)
        load.settle()
        assert_sound(server, name, brokers[0], load)
    # Nothing but a stopped broker was noticed.
    told = {answer: count for answer, count in load.answers.items() if answer.split()[1] not in ("0", "200", "302", "400")}
    assert not told, load.answers
