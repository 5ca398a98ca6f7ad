"""Callers of a broker that ends without warning, and what they know of their keys."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable

import httpx

from broker import Broker, Installation, eventually, fragment
from provider import callback_path

WORKERS = 4


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


def end_under_load(
    installation: Installation, times: int, keys: int, end: Callable[[Broker], None], env: dict[str, str] | None = None
) -> None:
    """Has brokers ended, each once so many keys were given out: no key is doubled, and none lost that was answered."""
    ledger = Ledger()
    for turn in range(times):
        broker = Broker(installation, env).start()
        settle(broker, ledger, sparing=turn % 2)
        before = len(ledger.tokens)
        stop = threading.Event()
        workers = [
            threading.Thread(target=work, args=(broker, ledger, broker.token(), stop), daemon=True) for _ in range(WORKERS)
        ]
        for worker in workers:
            worker.start()
        try:
            eventually(lambda: len(ledger.tokens) >= before + keys or ledger.failures, 20, "keys are given out")
            time.sleep(0.01 * turn)  # another moment of the work each time
        finally:
            end(broker)
            stop.set()
            for worker in workers:
                worker.join(15)
        assert not ledger.failures
    with Broker(installation) as broker:
        settle(broker, ledger)
        assert len(ledger.tokens) >= times * keys
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
