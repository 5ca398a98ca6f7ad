"""A database that cannot be written for a while."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from broker import Broker, Installation, assert_problem, free_port, in_background

PATIENCE = 16  # seconds after which every caller must have an answer, however many wait


@contextmanager
def locked(installation: Installation) -> Iterator[None]:
    """Another process holds the write lock."""
    other = sqlite3.connect(installation.database, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


@pytest.fixture
def lockable(tmp_path, provider) -> Iterator[Broker]:
    with Broker(Installation(tmp_path / "lockable", provider)) as running:
        yield running


def test_a_database_that_stays_locked_is_503_and_loses_nothing(lockable, provider):
    key, begun = lockable.key(), lockable.consented()
    with locked(lockable.installation):
        deadline = time.monotonic() + PATIENCE
        calls = [in_background(lambda: lockable.redeem(key)), in_background(lambda: lockable.callback(begun.callback))]
        calls += [in_background(lambda: lockable.authorize("wiki")) for _ in range(6)]
        for call in calls:
            assert_problem(call.result(deadline - time.monotonic()), 503, "unavailable")
        assert lockable.client.get("/healthz").status_code == 200
    assert provider.exchanges(begun) == []  # the code must not go out before the flow is claimed
    assert lockable.redeem(key).status_code == 200
    lockable.finish(begun)


def test_a_short_lock_is_waited_for(lockable):
    key = lockable.key()
    with locked(lockable.installation):
        redemption = in_background(lambda: lockable.redeem(key))
        redemption.join(0.5)
        assert redemption.is_alive()
    assert redemption.result().status_code == 200


def test_readers_are_not_held_up_by_a_lock(lockable):
    with locked(lockable.installation):
        assert lockable.source_types().status_code == 200


def test_brokers_that_start_at_once_on_a_new_database_all_start(tmp_path, provider):
    """Each would make the tables; one of them did, while the other looked."""
    for round in range(8):
        installation = Installation(tmp_path / f"new-{round}", provider)
        pair = [Broker(installation, {"CLOAKROOM_HTTP_PORT": str(free_port())}) for _ in range(2)]
        starts = [in_background(broker.start) for broker in pair]
        for start in starts:
            start.result(30)
        for broker in pair:
            broker.stop()
