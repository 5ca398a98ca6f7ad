"""Master keys that change while the broker runs: no flow is lost, and no key goes that is still needed."""

import json
import signal
import sqlite3
import threading
import time

import pytest

from broker import Broker, eventually, run


def config(installation):
    return ["--config", installation.config]


def listed(installation) -> dict[str, dict]:
    result = run("master-key", "list", *config(installation), "--json")
    assert result.returncode == 0, result.stderr
    return {item["id"]: item for item in json.loads(result.stdout)}


def sealing(installation) -> str:
    return next(name for name, item in listed(installation).items() if item["seals"])


def test_rotation_under_load_loses_no_flow(installation):
    with Broker(installation) as broker:
        first = sealing(installation)
        stop, done, failures = threading.Event(), [], []

        def load() -> None:
            while not stop.is_set():
                try:
                    assert broker.credentials()["accessToken"]
                    done.append(1)
                except Exception as error:
                    failures.append(repr(error))
                    return

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        # Begun under the old key, ended under the new one.
        waiting = broker.consented()
        key = broker.key()
        rotated = run("master-key", "rotate", "--id", "second", *config(installation))
        assert rotated.returncode == 0, rotated.stderr
        eventually(lambda: "master keys read again" in broker.logs and '"second, ' in broker.logs, what="read again")
        before = len(done)
        eventually(lambda: len(done) > before + 20, within=30, what="flows under the new key")
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert sealing(installation) == "second"
        assert broker.redeem(key).status_code == 200
        assert broker.redeem(broker.finish(waiting)).status_code == 200
        eventually(lambda: not listed(installation)[first]["auditTrail"], what="the audit key is moved")
        retired = run("master-key", "retire", first, *config(installation))
        assert retired.returncode == 0, retired.stderr
        assert list(listed(installation)) == ["second"]
        assert broker.credentials()["accessToken"]
    with Broker(installation) as broker:
        assert broker.credentials()["accessToken"]
    assert run("audit", "verify", *config(installation)).returncode == 0


def test_tenants_secrets_move_to_the_new_key(installation):
    with Broker(installation) as broker:
        first = sealing(installation)
        broker.provider.clients["own-app"] = "0wn"
        for tenant in ("acme", "other"):
            broker.client.put(
                f"/v1/admin/tenants/{tenant}/clients/wiki", json={"clientId": "own-app", "clientSecret": "0wn"},
                headers=broker.bearer(tenant=None, scope="broker:admin"))
        assert listed(installation)[first]["clients"] == 2
        refused = run("master-key", "retire", first, *config(installation))
        assert refused.returncode == 1 and "is the one that seals" in refused.stderr
        run("master-key", "rotate", "--id", "second", *config(installation))
        eventually(lambda: listed(installation)["second"]["clients"] == 2, what="sealed again")
        assert run("master-key", "retire", first, *config(installation)).returncode == 0
        eventually(lambda: broker.logs.count("master keys read again") >= 3, what="read without the old key")
        assert broker.redeem(broker.key()).status_code == 200


def test_what_still_needs_a_key_keeps_it(installation):
    with Broker(installation) as broker:
        first = sealing(installation)
        broker.begin()
        run("master-key", "rotate", "--id", "second", *config(installation))
        eventually(lambda: not listed(installation)[first]["auditTrail"])
        refused = run("master-key", "retire", first, *config(installation))
        assert refused.returncode == 1
        assert "still needed for 1 flows" in refused.stderr
        assert list(listed(installation)) == ["second", first]


def test_sighup_reads_the_file_at_once_and_ends_nothing(installation):
    with Broker(installation) as broker:
        lines = (installation.folder / "master.key").read_text()
        installation.write("master.key", lines + run("master-key", "new", "--id", "third").stdout, mode=0o600)
        broker.process.send_signal(signal.SIGHUP)
        eventually(lambda: "third" in broker.logs)
        assert broker.credentials()["accessToken"]


def test_a_broken_file_changes_nothing_and_is_told(installation):
    with Broker(installation) as broker:
        good = (installation.folder / "master.key").read_text()
        installation.write("master.key", "nonsense\n", mode=0o600)
        broker.process.send_signal(signal.SIGHUP)
        eventually(lambda: "the master keys stay as they are" in broker.logs)
        assert broker.credentials()["accessToken"]
        installation.write("master.key", good, mode=0o600)


def test_the_wrong_file_is_told_at_the_start(installation):
    with Broker(installation):
        pass
    installation.write("master.key", run("master-key", "new", "--id", "other").stdout, mode=0o600)
    refused = run("serve", "--config", installation.config)
    assert refused.returncode == 1
    assert "found no key" in refused.stderr
    assert "hint: put the key back" in refused.stderr


def test_the_file_keeps_its_mode_and_the_list_shows_no_key(installation):
    secret = (installation.folder / "master.key").read_text().split(":")[1].strip()
    assert run("master-key", "rotate", *config(installation)).returncode == 0
    assert (installation.folder / "master.key").stat().st_mode & 0o777 == 0o600
    shown = run("master-key", "list", *config(installation)).stdout
    assert secret not in shown and "SEALS" in shown


@pytest.mark.parametrize("arguments", [["retire", "nobody"], ["rotate", "--id", "a b"], ["retire"]])
def test_what_cannot_be_done_is_refused(installation, arguments):
    before = (installation.folder / "master.key").read_text()
    assert run("master-key", *arguments, *config(installation)).returncode in (1, 2)
    assert (installation.folder / "master.key").read_text() == before
