"""A file that moves to a PostgreSQL server, and databases of the past: nothing is redeemed twice, whatever is killed when."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from broker import Broker, Installation, assert_problem, binary, environment, eventually, run
from documents import blocks
from machine import REPOSITORY
from postgres import CommitWatch, PostgresServer
from provider import Grant
from proxies import replaced


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    running = PostgresServer().start()
    yield running
    running.close()


@pytest.fixture
def installation(tmp_path: Path, provider) -> Installation:
    """On a file, whatever the other tests use."""
    return Installation(tmp_path / "moving", provider, {"storage": {"url": "sqlite:cloakroom.db"}})


@dataclass
class Left:
    """What a broker left behind in its file."""

    waiting: list[Grant] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    spent: list[str] = field(default_factory=list)
    revoked: str = ""
    events: int = 0


def admin(broker: Broker) -> dict[str, str]:
    return broker.bearer(tenant=None, scope="broker:admin")


def filled(installation: Installation) -> Left:
    left = Left()
    with Broker(installation) as broker:
        answer = broker.client.put(
            "/v1/admin/tenants/acme/clients/wiki_post", json={"clientId": "own", "clientSecret": "s"}, headers=admin(broker))
        assert answer.status_code in (200, 201), answer.text
        left.revoked = broker.key(tenant="gone")
        answer = broker.client.post(
            "/v1/admin/revocations", json={"tenant": "gone", "reason": "left", "revokeAtProvider": False},
            headers=admin(broker))
        assert answer.status_code == 200, answer.text
        for _ in range(4):
            grant = broker.consented()
            left.keys[broker.finish(grant)] = grant.access_token
            left.waiting.append(broker.consented())
            left.spent.append(broker.key())
            assert broker.redeem(left.spent[-1]).status_code == 200
    with sqlite3.connect(installation.database) as database:
        # No server to register at is needed for a row to move.
        database.execute("INSERT INTO client_registrations VALUES ('https://as.example', 'https://b.example', x'00', 1)")
        left.events = database.execute("SELECT count(*) FROM audit_events").fetchone()[0]
    return left


def arguments(installation: Installation, url: str, *options: str) -> list[str]:
    return ["store", "copy", "--from", f"sqlite:{installation.database}", "--to", url, "--config", str(installation.config),
            *options]


def copy(installation: Installation, url: str, *options: str) -> subprocess.CompletedProcess:
    return run(*arguments(installation, url, *(options or ("--yes",))))


def make_tables(installation: Installation, url: str) -> None:
    done = run("store", "migrate", "--config", installation.config, env=on(installation, url))
    assert done.returncode == 0, done.stderr


def on(installation: Installation, url: str) -> dict[str, str]:
    return {"CLOAKROOM_STORAGE_URL": url}


def assert_moved(installation: Installation) -> None:
    """Neither `check` nor a broker takes the file."""
    refused = installation.check()
    assert refused.returncode == 1 and "was moved" in refused.stderr and "store reopen" in refused.stderr, refused.stderr
    served = run("serve", "--config", installation.config)
    assert served.returncode == 1 and "was moved" in served.stderr + served.stdout


def assert_served(installation: Installation, url: str, left: Left) -> None:
    """The server gives out what the file had, once."""
    verified = run("audit", "verify", "--config", installation.config, env=on(installation, url))
    assert verified.returncode == 0 and f"{left.events} events, 1 to {left.events}" in verified.stdout, verified.stderr
    with Broker(installation, on(installation, url)) as broker:
        for key, token in left.keys.items():
            assert broker.redeem(key).json()["accessToken"] == token
        for key in [*left.keys, *left.spent, left.revoked]:
            assert_problem(broker.redeem(key), 400, "invalid_credential_key")
        for grant in left.waiting[1:]:
            assert broker.redeem(broker.finish(grant)).json()["accessToken"] == grant.access_token
        assert broker.begin("wiki_post").query["client_id"] == "own"

        def reused() -> int:
            query = "/v1/admin/auditEvents?type=credential_key.reused&pageSize=100"
            return len(broker.client.get(query, headers=admin(broker)).json()["items"])

        eventually(lambda: reused() >= len(left.keys) + len(left.spent), what="second uses are told")
        # A revocation of now has what was begun before the move.
        answer = broker.client.post(
            "/v1/admin/revocations", json={"all": True, "reason": "x", "revokeAtProvider": False}, headers=admin(broker))
        assert answer.status_code == 200
        assert_problem(broker.callback(left.waiting[0].callback), 400, "invalid_state")
        assert broker.credentials()["accessToken"]
    verified = run("audit", "verify", "--config", installation.config, env=on(installation, url))
    assert verified.returncode == 0, verified.stderr


def test_all_that_a_file_has_moves_and_the_file_is_served_no_more(installation, server):
    left = filled(installation)
    url = server.url(server.database())
    done = copy(installation, url, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["compared"] and report["auditTrail"] == {"events": left.events, "first": 1, "last": left.events}
    assert report["rows"] == {
        "clients": 1, "clientRegistrations": 1, "revocations": 1, "flows": 13, "credentialKeys": 4, "spentKeys": 4,
        "auditEvents": left.events}
    assert_moved(installation)
    assert_served(installation, url, left)
    again = copy(installation, url, "--json")
    assert again.returncode == 0 and not json.loads(again.stdout)["compared"], again.stderr
    elsewhere = copy(installation, server.url(server.database()))
    assert elsewhere.returncode == 1 and "was moved" in elsewhere.stderr, elsewhere.stderr


@pytest.fixture
def watch(server) -> Iterator[CommitWatch]:
    between = CommitWatch(server)
    yield between
    between.close()


def test_a_copy_that_is_killed_at_each_commit_goes_on_and_doubles_nothing(installation, server, watch):
    left = filled(installation)
    name = server.database()
    # The name of a host is no name of a copy.
    direct, watched = server.url(name), server.url(name, port=watch.port)
    make_tables(installation, direct)
    kills, states = 0, []
    while True:
        assert kills < 100
        process = subprocess.Popen(
            [binary(), *arguments(installation, watched, "--yes")], env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        struck = threading.Event()

        def strike() -> None:
            struck.set()
            process.kill()

        watch.lets_through = kills % 2 == 1
        watch.strike = strike
        _, told = process.communicate(timeout=60)
        watch.strike = None
        if not struck.is_set():
            break
        kills += 1
        assert_moved(installation)
        unfinished = installation.check(on(installation, direct))
        states.append("not finished" in unfinished.stderr)
        assert states[-1] == (unfinished.returncode != 0), unfinished.stderr
    assert process.returncode == 0, told
    # Each page, its beginning and its end, before and after: the server is there before the first and after the last.
    assert states == [False] + [True] * 16 + [False]
    assert_served(installation, direct, left)


def test_a_server_of_a_moment_within_the_copy_gives_out_nothing_again(installation, server, watch):
    """As point-in-time recovery makes one."""
    left = filled(installation)
    name, past = server.database(), server.database()
    make_tables(installation, server.url(name))
    process = subprocess.Popen(
        [binary(), *arguments(installation, server.url(name, port=watch.port), "--yes")], env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watch.strike, watch.lets_through = process.kill, True
    process.communicate(timeout=60)
    watch.strike = None
    dumped = subprocess.run(
        ["pg_dump", "-h", str(server.folder), "-p", str(server.port), "-U", "owner", name], capture_output=True, text=True,
        check=True).stdout
    done = copy(installation, server.url(name))
    assert done.returncode == 0, done.stderr
    assert_served(installation, server.url(name), left)
    subprocess.run(
        ["psql", "-h", str(server.folder), "-p", str(server.port), "-U", "owner", "-Xqv", "ON_ERROR_STOP=1", past],
        input=dumped, capture_output=True, text=True, check=True)
    refused = copy(installation, server.url(past))
    assert refused.returncode == 1 and "was put back" in refused.stderr, refused.stderr + refused.stdout
    assert "store reopen" in refused.stderr
    unfinished = installation.check(on(installation, server.url(past)))
    assert unfinished.returncode == 1 and "not finished" in unfinished.stderr
    again = copy(installation, server.url(name), "--json")
    assert again.returncode == 0 and not json.loads(again.stdout)["compared"], again.stderr


def test_a_copy_that_is_killed_at_any_moment_goes_on(installation, server):
    left = filled(installation)
    url = server.url(server.database())
    for round in range(15):
        process = subprocess.Popen(
            [binary(), *arguments(installation, url, "--yes")], env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(random.uniform(0, 0.4))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        states = [installation.check(), installation.check(on(installation, url))]
        # Never both; a server without any row of it is not asked for the file's.
        assert "was moved" in states[0].stderr or "not finished" not in states[1].stderr
    done = copy(installation, url)
    assert done.returncode == 0, done.stderr
    assert_moved(installation)
    assert_served(installation, url, left)


def test_a_server_that_stops_meanwhile_is_told_and_the_copy_goes_on(installation, provider):
    left = filled(installation)
    own = PostgresServer().start()
    try:
        watch = CommitWatch(own)
        name = own.database()
        make_tables(installation, own.url(name))
        has_stopped = threading.Event()

        def stop() -> None:
            own.stop(signal.SIGQUIT)
            has_stopped.set()

        watch.strike, watch.lets_through = stop, True
        stopped = copy(installation, own.url(name, port=watch.port))
        assert stopped.returncode == 1 and "goes on where it stopped" in stopped.stderr, stopped.stderr
        assert has_stopped.wait(30)
        assert_moved(installation)
        own.start()
        done = copy(installation, own.url(name))
        assert done.returncode == 0, done.stderr
        assert_served(installation, own.url(name), left)
    finally:
        own.close()


def test_the_pages_commands_move_it(installation, server):
    left = filled(installation)
    name = server.database()
    server.query(f"CREATE ROLE service_{name} LOGIN", name)
    url = server.url(name, user=f"service_{name}")
    page = blocks("bash", (REPOSITORY / "Docs/Deploy.md").read_text())
    [move] = [block for block in page if "store copy" in block]
    [again] = [block for block in page if "store reopen" in block]
    for password in ("owner.password", "pg.password"):
        installation.write(password, "none is asked for\n", mode=0o600)
    programs = installation.folder / "programs"
    programs.mkdir()
    (programs / "cloakroom").symlink_to(binary())

    def follow(block: str, replacements: dict[str, str], **variables: str) -> None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", replaced(block, replacements)], cwd=installation.folder,
            env=environment(variables | {"PATH": f"{programs}:{os.environ['PATH']}"}), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    follow(move, {
        "sudo systemctl stop cloakroom": ":",
        "'postgres://cloakroom_owner@db.internal/cloakroom'": f"'{server.url(name)}'",
        "--grant-to cloakroom": f"--grant-to service_{name}",
        "sqlite:/var/lib/cloakroom/cloakroom.db": f"sqlite:{installation.database}",
        "--to postgres://cloakroom@db.internal/cloakroom": f"--yes --to '{url}'",
    })
    assert_moved(installation)
    assert_served(installation, url, left)
    follow(again, {"store reopen": "store reopen --yes"}, CLOAKROOM_STORAGE_URL=url)


# Refusals


def test_nothing_is_moved_under_a_running_broker_or_unasked(installation, server):
    url = server.url(server.database())
    with Broker(installation) as broker:
        key = broker.key()
        refused = copy(installation, url)
        assert refused.returncode == 1 and "in use" in refused.stderr and "stop it first" in refused.stderr
        assert broker.redeem(key).status_code == 200
    unasked = copy(installation, url, "--json")
    assert unasked.returncode == 1 and "--yes" in unasked.stderr and "No broker starts" in unasked.stderr
    assert installation.check().returncode == 0
    assert installation.check(on(installation, url)).returncode == 0


def test_a_database_that_is_not_empty_is_refused_and_the_file_stays(installation, server, provider, tmp_path):
    filled(installation)
    url = server.url(server.database())
    with Broker(installation, on(installation, url)) as broker:
        broker.key()
    refused = copy(installation, url)
    assert refused.returncode == 1 and "not empty" in refused.stderr, refused.stderr
    assert installation.check().returncode == 0
    with Broker(installation) as broker:
        assert broker.credentials()["accessToken"]


def test_a_trail_that_is_broken_or_of_another_key_is_refused_and_the_file_stays(installation, server):
    filled(installation)
    keys = installation.folder / "master.key"
    kept = keys.read_text()
    installation.write("master.key", run("master-key", "new").stdout, mode=0o600)
    refused = copy(installation, server.url(server.database()))
    assert refused.returncode == 1 and "found no key" in refused.stderr, refused.stderr
    keys.write_text(kept)
    with sqlite3.connect(installation.database) as database:
        database.execute("UPDATE audit_events SET code = 'x' WHERE sequence = 2")
    refused = copy(installation, server.url(server.database()))
    assert refused.returncode == 1 and "broken at event 2" in refused.stderr and "audit reset" in refused.stderr
    assert installation.check().returncode == 0


def test_wrong_arguments_are_told_without_a_word_of_a_password(installation, server):
    file, url = f"sqlite:{installation.database}", server.url("postgres")
    for arguments, words in [
        (["--to", url], "--from"),
        (["--from", file], "--to"),
        (["--from", "postgres://h/d", "--to", url], "--from takes sqlite:PATH"),
        (["--from", "sqlite::memory:", "--to", url], "--from takes sqlite:PATH"),
        (["--from", file, "--to", file], "another scheme"),
        (["--from", file, "--to", "postgres://u:hunter2@h/d"], "a password"),
        (["--from", file, "--to", "postgres://u:hun@ter2@h/d"], "--to"),
        (["--from", file, "--to", "postgres://u@h/d?password=hunter2"], "--to"),
    ]:
        refused = run("store", "copy", *arguments, "--config", installation.config)
        assert refused.returncode == 2 and words in refused.stderr, refused.stderr
        assert "hun" not in refused.stderr and "ter2" not in refused.stderr
    missing = run(
        "store", "copy", "--yes", "--from", f"sqlite:{installation.folder}/none.db", "--to", url,
        "--config", installation.config)
    assert missing.returncode == 1 and "it is not there" in missing.stderr
    assert not (installation.folder / "none.db").exists() and not (installation.folder / "none.db.lock").exists()
    with Broker(installation):
        pass
    unknown = copy(installation, server.url("nowhere"))
    assert unknown.returncode == 1 and "no database of that name" in unknown.stderr
    assert installation.check().returncode == 0


def test_a_password_comes_from_a_file(installation, provider):
    own = PostgresServer().start()
    try:
        name = own.database()
        own.query(f"CREATE ROLE carla LOGIN PASSWORD 'hunter2'; ALTER DATABASE {name} OWNER TO carla")
        hba = own.folder / "data/pg_hba.conf"
        hba.write_text("host all carla 127.0.0.1/32 scram-sha-256\n" + hba.read_text())
        own.query("SELECT pg_reload_conf()")
        with Broker(installation) as broker:
            broker.credentials()
        url = own.url(name, port=own.port, user="carla")
        refused = copy(installation, url)
        assert refused.returncode == 1 and "hunter2" not in refused.stderr
        assert "see --password-file" in refused.stderr and "storage." not in refused.stderr, refused.stderr
        assert installation.check().returncode == 0
        password = installation.write("pg.password", "hunter2\n")
        done = copy(installation, url, "--yes", "--password-file", str(password))
        assert done.returncode == 0 and "others can read it" in done.stderr, done.stderr
        password.chmod(0o600)
        again = copy(installation, url, "--yes", "--password-file", str(password))
        assert again.returncode == 0 and "warning" not in again.stderr
    finally:
        own.close()


# Databases of the past


def reopen(installation: Installation, url: str | None = None, *options: str) -> subprocess.CompletedProcess:
    return run(
        "store", "reopen", "--reason", "of Monday", "--config", installation.config, *(options or ("--yes",)),
        env=on(installation, url) if url else None)


def test_a_file_that_was_moved_is_served_again_by_an_operators_word_alone(installation, server):
    left = filled(installation)
    url = server.url(server.database())
    assert copy(installation, url).returncode == 0
    unasked = run("store", "reopen", "--reason", "x", "--config", installation.config)
    assert unasked.returncode == 1 and "--yes" in unasked.stderr
    assert_moved(installation)
    for command in [["backup", installation.folder / "copy.db"], ["audit", "reset", "--reason", "x", "--yes"]]:
        refused = run(*command, "--config", installation.config)
        assert refused.returncode == 1, refused.stderr
    with Broker(installation, on(installation, url)) as broker:
        key = next(iter(left.keys))
        assert broker.redeem(key).status_code == 200
    done = reopen(installation)
    assert done.returncode == 0 and "4 credential keys destroyed" in done.stdout, done.stderr
    with Broker(installation) as broker:
        for key in [*left.keys, *left.spent]:
            assert_problem(broker.redeem(key), 400, "invalid_credential_key")
        for grant in left.waiting:
            assert_problem(broker.callback(grant.callback), 400, "invalid_state")
        assert broker.credentials()["accessToken"]
        events = broker.client.get("/v1/admin/auditEvents?type=revocation", headers=admin(broker)).json()["items"]
        assert events[0]["detail"] == "of Monday" and events[0]["actor"] == "cloakroom store reopen"
    assert run("audit", "verify", "--config", installation.config).returncode == 0


def test_a_restored_server_gives_out_nothing_that_was_redeemed_since(installation, server):
    past, now = server.database(), server.database()
    url = server.url(now)
    with Broker(installation, on(installation, url)) as broker:
        key, grant = broker.key(), broker.consented()
        spent = broker.key()
        assert broker.redeem(spent).status_code == 200
    dump = subprocess.run(
        ["pg_dump", "-h", str(server.folder), "-p", str(server.port), "-U", "owner", now], capture_output=True, text=True,
        check=True).stdout
    with Broker(installation, on(installation, url)) as broker:
        assert broker.redeem(key).status_code == 200
    subprocess.run(
        ["psql", "-h", str(server.folder), "-p", str(server.port), "-U", "owner", "-Xqv", "ON_ERROR_STOP=1", past],
        input=dump, capture_output=True, text=True, check=True)
    restored = server.url(past)
    done = reopen(installation, restored)
    assert done.returncode == 0 and "1 credential key destroyed" in done.stdout, done.stderr
    with Broker(installation, on(installation, restored)) as broker:
        for old in (key, spent):
            assert_problem(broker.redeem(old), 400, "invalid_credential_key")
        assert_problem(broker.callback(grant.callback), 400, "invalid_state")
        assert broker.credentials()["accessToken"]
    verified = run("audit", "verify", "--config", installation.config, env=on(installation, restored))
    assert verified.returncode == 0, verified.stderr
