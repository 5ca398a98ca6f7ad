"""A disk that is full, read-only or gone: a clear 503, nothing half written, and flows again when it is well."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from broker import Broker, Installation, assert_problem, eventually, free_port, run


def mount(*arguments: str) -> bool:
    return os.geteuid() == 0 and subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)):
        pytest.skip("only root can mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def installation_on(disk, tmp_path, provider) -> Installation:
    return Installation(
        tmp_path / "installation", provider, {"storage": {"url": f"sqlite:{disk / 'cloakroom.db'}"}})


def fill(disk: Path) -> Path:
    """A file that takes all that is left."""
    filler = disk / "filler"
    file = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(file, b"\0" * 4096)
    except OSError:
        pass
    finally:
        os.close(file)
    return filler


def exhaust(broker: Broker) -> None:
    """Until the write-ahead log's last free page is used."""
    for _ in range(2000):
        if broker.authorize().status_code == 503:
            # A page or two may still fit where a flow does not: the check of readiness writes one each time.
            return eventually(lambda: broker.client.get("/readyz").status_code == 503, what="the last page is used")
    raise AssertionError("the disk never got full")


def reasons(broker: Broker, request: str) -> list[dict]:
    """What the log has of a request besides the line that each has."""
    lines = [json.loads(line) for line in broker.logs.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("request_id") == request and line["message"] != "request"]


def test_a_full_disk_is_a_503_and_flows_go_on_when_there_is_room(installation_on, disk):
    with Broker(installation_on) as broker:
        key, waiting = broker.key(), broker.consented()
        filler = fill(disk)
        exhaust(broker)
        refused = assert_problem(broker.authorize(), 503, "unavailable")
        assert "Retry-After" in broker.authorize().headers and "again" in refused["detail"]
        problems = [
            refused, assert_problem(broker.callback(waiting.callback), 503, "unavailable"),
            assert_problem(broker.redeem(key), 503, "unavailable"),
            assert_problem(broker.client.get("/readyz"), 503, "unavailable"),
        ]
        for problem in problems:
            [line] = reasons(broker, problem["requestId"])
            assert line["level"] == "error" and line["code"] == "unavailable"
            assert line["reason"].startswith("the database: 13 (database or disk is full)"), line
            assert "disk" not in problem["detail"]
        assert broker.client.get("/healthz").status_code == 200
        filler.unlink()
        eventually(lambda: broker.client.get("/readyz").status_code == 200, what="ready again")
        # What was refused was not spent.
        assert broker.redeem(key).status_code == 200
        assert broker.redeem(broker.finish(waiting)).status_code == 200
        assert run("audit", "verify", "--config", installation_on.config).returncode == 0


def test_a_spent_key_is_an_alarm_on_a_full_disk_too(installation_on, disk):
    """The trail cannot take it then: the log has it, and no more of it than the trail would have."""
    with Broker(installation_on) as broker:
        key = broker.key()
        assert broker.redeem(key).status_code == 200
        filler = fill(disk)
        exhaust(broker)
        for _ in range(30):
            assert broker.redeem(key).status_code == 400
        alarms = lambda: [line for line in broker.logs.splitlines() if '"credential_key.reused"' in line]
        eventually(lambda: len(alarms()) >= 10, what="it is told")
        # Until the last of them was tried too.
        time.sleep(1)
        assert broker.client.get("/readyz").status_code == 503
        filler.unlink()
        eventually(lambda: broker.client.get("/readyz").status_code == 200, what="ready again")
        assert len(alarms()) == 10
        assert all("13 (database or disk is full)" in line for line in alarms())


def test_operators_alone_are_told_why_a_broker_is_not_ready(installation_on, disk):
    port = free_port()
    installation_on.settings["admin"] = {"port": port}
    installation_on.write_configuration()
    with Broker(installation_on) as broker:
        filler = fill(disk)
        exhaust(broker)
        public = assert_problem(broker.client.get("/readyz"), 503, "unavailable")
        told = assert_problem(httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False), 503, "unavailable")
        assert "the store cannot write" in told["detail"] and "full" in told["detail"]
        assert not {"store", "full", "disk"} & set(public["detail"].replace(":", " ").split())
        filler.unlink()
        eventually(lambda: broker.client.get("/readyz").status_code == 200, what="ready again")


def test_a_disk_that_turns_read_only_is_a_503(installation_on, disk):
    with Broker(installation_on) as broker:
        key = broker.key()
        # The files are open for writing, which a remount would refuse: the limit of the file system does the same.
        size = shutil.disk_usage(disk).used // 1024
        assert mount("-o", f"remount,size={max(size, 4)}k", str(disk))
        exhaust(broker)
        assert_problem(broker.redeem(key), 503, "unavailable")
        assert mount("-o", "remount,size=2m", str(disk))
        eventually(lambda: broker.client.get("/readyz").status_code == 200, what="ready again")
        assert broker.redeem(key).status_code == 200


def test_a_start_on_a_full_disk_says_what_to_do(installation_on, disk):
    fill(disk)
    refused = run("serve", "--config", installation_on.config)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ") and "hint: " in refused.stderr


def test_a_backup_onto_a_full_disk_leaves_no_half_of_itself(installation, disk):
    with Broker(installation) as broker:
        broker.credentials()
        fill(disk)
        refused = run("backup", disk / "copy.db", "--config", installation.config)
        assert refused.returncode == 1
        assert [path.name for path in disk.iterdir()] == ["filler"]
        assert broker.credentials()["accessToken"]


def test_the_write_ahead_log_does_not_grow_without_end(installation):
    with Broker(installation) as broker:
        sizes = []
        for _ in range(4):
            for _ in range(700):
                broker.begin()
            sizes.append(Path(f"{installation.database}-wal").stat().st_size)
        # Folded back at 4,000 pages of 4 KiB.
        assert max(sizes) < 24 << 20, sizes
