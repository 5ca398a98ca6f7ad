"""A broker that dies without warning: nothing is doubled, and nothing that was answered is lost."""

import sqlite3
import threading
import time
from collections import Counter

import httpx

from broker import Broker, Installation, eventually, fragment
from provider import callback_path, slow

CRASHES = 10
WORKERS = 4
KEYS_BEFORE_A_CRASH = 30


class Ledger:
    """What the callers know: which keys they were given, and what became of them."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}  # by key, once its redirect was answered
        self.attempted: set[str] = set()  # presented at least once, whatever came of it
        self.paid: Counter[str] = Counter()  # answers with tokens
        self.failures: list[str] = []
        self.lock = threading.Lock()

    def redeem(self, broker: Broker, client: httpx.Client, key: str) -> int:
        with self.lock:
            self.attempted.add(key)
        response = client.post("/v1/tenants/acme/assets:oauthCredentials", json={"credentialKey": key})
        if response.status_code == 200:
            with self.lock:
                self.paid[key] += 1
            if response.json()["accessToken"] != self.tokens[key]:
                self.failures.append(f"another flow's tokens for {key[-6:]}")
        return response.status_code


def work(broker: Broker, ledger: Ledger, token: str, stop: threading.Event) -> None:
    """Flow after flow; every second key is presented at once. Ends with the broker."""
    with httpx.Client(base_url=broker.url, timeout=10, trust_env=False) as client:
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                begun = client.post(
                    "/v1/tenants/acme/assets:authorize", json={"sourceType": "wiki"},
                    headers={"Authorization": f"Bearer {token}"},
                )
                grant = broker.provider.consent(begun.json()["authorizationUrl"])
                response = client.get(callback_path(grant.callback), params=grant.callback)
                if response.status_code != 302:
                    ledger.failures.append(f"callback: {response.status_code} {response.text[:200]}")
                    return
                key = fragment(response)["credentialKey"]
                with ledger.lock:
                    ledger.tokens[key] = grant.access_token
                if turn % 2 and ledger.redeem(broker, client, key) != 200:
                    ledger.failures.append("a fresh key was refused")
            except httpx.TransportError:
                return  # the broker is gone


def test_ten_crashes_under_load_double_nothing_and_lose_nothing(tmp_path, provider):
    installation = Installation(tmp_path / "crashing", provider)
    ledger = Ledger()
    for crash in range(CRASHES):
        broker = Broker(installation).start()
        settle(broker, ledger, sparing=crash % 2)
        before = len(ledger.tokens)
        stop = threading.Event()
        workers = [
            threading.Thread(target=work, args=(broker, ledger, broker.token(), stop), daemon=True) for _ in range(WORKERS)
        ]
        for worker in workers:
            worker.start()
        try:
            eventually(lambda: len(ledger.tokens) >= before + KEYS_BEFORE_A_CRASH or ledger.failures, 20, "keys are given out")
            time.sleep(0.01 * crash)  # another moment of the work each time
        finally:
            broker.kill()
            stop.set()
            for worker in workers:
                worker.join(15)
        assert not ledger.failures
    with Broker(installation) as broker:
        settle(broker, ledger)
        assert len(ledger.tokens) >= CRASHES * KEYS_BEFORE_A_CRASH
        assert max(ledger.paid.values()) == 1
    assert not ledger.failures
    with sqlite3.connect(installation.database) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def settle(broker: Broker, ledger: Ledger, sparing: bool = False) -> None:
    """After a restart: keys that nobody presented are good, paid ones are spent, and the rest were either.

    Sparing leaves half of the good ones to outlive another crash.
    """
    with httpx.Client(base_url=broker.url, timeout=30, trust_env=False) as client:
        waiting = [key for key in ledger.tokens if key not in ledger.attempted]
        uncertain = [key for key in ledger.attempted if not ledger.paid[key]]
        spent = list(ledger.paid)[-8:]
        for key in waiting[:: 2 if sparing else 1]:
            assert ledger.redeem(broker, client, key) == 200, "a key whose redirect was answered is lost"
        for key in uncertain:
            assert ledger.redeem(broker, client, key) in (200, 400)
        for key in [*spent, *uncertain]:
            assert ledger.redeem(broker, client, key) == 400, "a key was redeemed twice"


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
