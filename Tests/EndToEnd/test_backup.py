"""Backups: consistent while the broker runs, without a token, and no way to redeem anything twice."""

import shutil
import sqlite3
import threading

import pytest

from broker import Broker, Installation, eventually, run


def config(installation):
    return ["--config", installation.config]


def test_a_backup_under_load_is_whole_and_restores_elsewhere(installation, tmp_path, provider):
    copy = tmp_path / "copy.db"
    with Broker(installation) as broker:
        broker.client.put(
            "/v1/admin/tenants/acme/clients/wiki_post", json={"clientId": "own", "clientSecret": "s"},
            headers=broker.bearer(tenant=None, scope="broker:admin"))
        stop = threading.Event()

        def load() -> None:
            while not stop.is_set():
                broker.credentials()

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        done = run("backup", copy, *config(installation))
        stop.set()
        for thread in threads:
            thread.join()
        assert done.returncode == 0, done.stderr
        assert copy.stat().st_mode & 0o777 == 0o600
        assert run("backup", copy, *config(installation)).returncode == 1
    elsewhere = Installation(tmp_path / "elsewhere", provider)
    elsewhere.signer = installation.signer
    for name in ("master.key", "jwks.json"):
        shutil.copy(installation.folder / name, elsewhere.folder / name)
    restored = run("restore", copy, *config(elsewhere))
    assert restored.returncode == 0, restored.stderr
    with Broker(elsewhere) as broker:
        assert broker.begin("wiki_post").query["client_id"] == "own"
        assert broker.credentials()["accessToken"]
        assert run("audit", "verify", *config(elsewhere)).returncode == 0


def test_a_backup_holds_no_ticket_and_brings_none_back(installation, tmp_path):
    copy = tmp_path / "copy.db"
    with Broker(installation) as broker:
        key, waiting = broker.key(), broker.consented()
        assert run("backup", copy, *config(installation)).returncode == 0
        assert broker.redeem(key).status_code == 200
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT count(*) FROM credential_keys").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM flows WHERE sealed_key IS NOT NULL OR status < 3").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM audit_events").fetchone() == (3,)
    assert run("restore", copy, "--yes", *config(installation)).returncode == 0
    with Broker(installation) as broker:
        assert broker.redeem(key).json()["code"] == "invalid_credential_key"
        assert broker.callback(waiting.callback).json()["code"] == "invalid_state"


def test_the_old_database_stays_beside_the_restored_one(installation, tmp_path):
    copy = tmp_path / "copy.db"
    with Broker(installation) as broker:
        broker.credentials()
        run("backup", copy, *config(installation))
    assert run("restore", copy, *config(installation)).returncode == 1  # nobody confirms
    restored = run("restore", copy, "--yes", *config(installation))
    assert restored.returncode == 0 and "the old database is in" in restored.stderr
    assert len(list(installation.folder.glob("cloakroom.db.before-*"))) >= 1


def test_nothing_is_restored_under_a_running_broker(installation, tmp_path):
    copy = tmp_path / "copy.db"
    with Broker(installation) as broker:
        run("backup", copy, *config(installation))
        refused = run("restore", copy, "--yes", *config(installation))
        assert refused.returncode == 1 and "stop it first" in refused.stderr
        assert broker.credentials()["accessToken"]


@pytest.mark.parametrize("host", ["::1", "::"])
def test_a_broker_that_listens_by_ipv6_is_noticed_too(installation, tmp_path, host):
    copy = tmp_path / "copy.db"
    installation.settings["http"]["host"] = host
    installation.write_configuration()
    broker = Broker(installation)
    broker.url = f"http://[::1]:{installation.port}"
    with broker:
        run("backup", copy, *config(installation))
        for command in (["restore", copy], ["audit", "reset", "--reason", "test"]):
            refused = run(*command, "--yes", *config(installation))
            assert refused.returncode == 1 and "stop it first" in refused.stderr, refused.stderr
    assert not list(installation.folder.glob("cloakroom.db.before-*"))


def test_a_broker_that_another_configuration_started_is_noticed_too(installation, tmp_path, provider):
    copy = tmp_path / "copy.db"
    elsewhere = Installation(
        tmp_path / "elsewhere", provider, {"storage": {"url": f"sqlite:{installation.database}"}})
    elsewhere.signer = installation.signer
    for name in ("master.key", "jwks.json"):
        shutil.copy(installation.folder / name, elsewhere.folder / name)
    with Broker(elsewhere) as broker, Broker(installation):
        run("backup", copy, *config(installation))
        broker.credentials()
    with Broker(elsewhere) as broker:
        for command in (["restore", copy], ["audit", "reset", "--reason", "test"]):
            refused = run(*command, "--yes", *config(installation))
            assert refused.returncode == 1 and "in use" in refused.stderr, refused.stderr
        assert broker.credentials()["accessToken"]
    assert not list(installation.folder.glob("cloakroom.db.before-*"))
    assert run("restore", copy, "--yes", *config(installation)).returncode == 0


def test_the_files_that_a_command_was_given_are_told_as_such(installation, tmp_path):
    copy, text = tmp_path / "copy.db", tmp_path / "text.db"
    with Broker(installation) as broker:
        broker.credentials()
        run("backup", copy, *config(installation))
    with sqlite3.connect(copy) as database:
        database.execute("DELETE FROM audit_events WHERE sequence = 2")
    text.write_text("no database at all, but some hundred bytes of text " * 4)
    cases = [
        (["restore", copy], str(copy), "name another backup"),
        (["restore", text], str(text), "name a file that `cloakroom backup` made"),
        (["backup", tmp_path / "nowhere" / "copy.db"], "nowhere/copy.db", "a folder that you may write"),
    ]
    for command, file, hint in cases:
        refused = run(*command, *config(installation))
        assert refused.returncode == 1 and file in refused.stderr and hint in refused.stderr, refused.stderr
        assert "storage.url" not in refused.stderr
    damaged = bytearray(installation.database.read_bytes())
    damaged[4096 * 3 : 4096 * 5] = b"\xa5" * 8192
    installation.database.write_bytes(damaged)
    refused = run("backup", tmp_path / "other.db", *config(installation))
    assert refused.returncode == 1 and f'storage.url: "{installation.database}"' in refused.stderr, refused.stderr


def test_what_is_no_sound_backup_is_not_restored(installation, tmp_path):
    copy = tmp_path / "copy.db"
    with Broker(installation) as broker:
        broker.credentials()
        run("backup", copy, *config(installation))
    before = installation.database.read_bytes()
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE notes (text)")
    text = tmp_path / "text.db"
    text.write_text("no database at all, but some hundred bytes of text " * 4)
    with sqlite3.connect(copy) as database:
        database.execute("DELETE FROM audit_events WHERE sequence = 2")
    for file in (foreign, text, copy, tmp_path / "missing.db"):
        refused = run("restore", file, "--yes", *config(installation))
        assert refused.returncode == 1, file
        assert refused.stderr.startswith("error: ")
    assert installation.database.read_bytes() == before
