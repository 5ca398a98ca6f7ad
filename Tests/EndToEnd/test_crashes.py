"""A broker that dies without warning: nothing is doubled, and nothing that was answered is lost."""

import threading

import httpx

from broker import Broker, Installation
from ledger import end_under_load
from provider import slow


def test_ten_crashes_under_load_double_nothing_and_lose_nothing(tmp_path, provider):
    end_under_load(Installation(tmp_path / "crashing", provider), times=10, keys=30, end=Broker.kill)


def test_a_crash_during_the_exchange_spends_the_state(tmp_path, provider):
    """The code may have been sent, so it is not sent again."""
    installation = Installation(tmp_path / "exchanging", provider)
    broker = Broker(installation).start()
    grant = broker.consented("wiki", slow)
    caller = threading.Thread(target=lambda: _quietly(lambda: broker.callback(grant.callback)), daemon=True)
    caller.start()
    assert grant.arrived.wait(10)
    broker.kill()
    grant.released.set()
    caller.join(10)
    with Broker(installation) as again:
        response = again.callback(grant.callback)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_state")
    assert len(provider.exchanges(grant)) == 1


def _quietly(call) -> None:
    try:
        call()
    except httpx.TransportError:
        pass
