"""A power cut, and a disk that refuses: what was answered was in the log, on the disk, before."""

import shutil
import subprocess
from pathlib import Path

import pytest

from broker import Broker, Installation, assert_problem, run
from ledger import end_under_load


@pytest.fixture(scope="module")
def disk(tmp_path_factory) -> Path:
    library = tmp_path_factory.mktemp("disk") / "disk.so"
    compiler = shutil.which("clang") or "cc"
    source = Path(__file__).with_name("disk.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library


def cut_the_power(broker: Broker) -> None:
    """Of the log stays what was brought to the disk, and nothing of what processes shared."""
    broker.kill()
    log, durable = (Path(f"{broker.installation.database}{suffix}") for suffix in ("-wal", "-wal.durable"))
    shutil.copy(durable, log)
    log.with_name(log.name.replace("-wal", "-shm")).unlink()


def test_power_cuts_under_load_double_nothing_and_lose_nothing(tmp_path, provider, disk):
    installation = Installation(tmp_path / "cut", provider)
    end_under_load(installation, times=4, keys=20, end=cut_the_power, env={"LD_PRELOAD": str(disk), "DISK_DELAYS": "5000"})
    assert run("audit", "verify", "--config", installation.config).returncode == 0


def test_what_was_answered_outlives_a_power_cut_at_once(installation, disk):
    for _ in range(3):
        broker = Broker(installation, {"LD_PRELOAD": str(disk), "DISK_DELAYS": "200000"}).start()
        key = broker.key()
        assert broker.redeem(key).status_code == 200
        cut_the_power(broker)
        broker = Broker(installation, {"LD_PRELOAD": str(disk), "DISK_DELAYS": "200000"}).start()
        assert broker.redeem(key).status_code == 400
        waiting = broker.key()
        cut_the_power(broker)
        with Broker(installation) as again:
            assert again.redeem(waiting).status_code == 200
        Path(f"{installation.database}-wal.durable").unlink()  # as the log, which went with a clean end


def test_behind_what_the_disk_refused_nothing_is_lost(installation, disk):
    """What stands behind it in the log would go with it in a power cut, and a key that was redeemed be good again."""
    refusing = installation.folder / "refusing"
    broker = Broker(installation, {"LD_PRELOAD": str(disk), "DISK_REFUSES": str(refusing)}).start()
    key, other, waiting = broker.key(), broker.key(), broker.key()
    refusing.touch()
    assert_problem(broker.redeem(key), 503, "unavailable")
    # The system tells a failure once: that the next call succeeds says nothing of what the first one lost.
    refusing.unlink()
    assert broker.redeem(other).status_code == 200
    cut_the_power(broker)
    with Broker(installation) as again:
        assert again.redeem(other).status_code == 400
        assert again.redeem(waiting).status_code == 200
        assert again.redeem(key).status_code in (200, 400)
        assert_problem(again.redeem(key), 400, "invalid_credential_key")
    assert run("audit", "verify", "--config", installation.config).returncode == 0
