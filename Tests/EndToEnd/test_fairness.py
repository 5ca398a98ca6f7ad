"""One tenant's calls to a provider that hangs take nobody else's places: real sockets, one of which never answers."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from broker import Broker, Installation, assert_problem, eventually, fragment, source_types
from test_metrics import value

TIMEOUT = 8


class Hung:
    """Accepts connections and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                self.connections.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def hung() -> Iterator[Hung]:
    running = Hung()
    yield running
    running.close()


def installed(folder, provider, hung: Hung, **settings) -> Installation:
    installation = Installation(folder, provider, {"provider": {"timeout": TIMEOUT} | settings})
    entries = source_types(provider)
    wiki = entries["wiki"]
    entries["wiki_hung"] = wiki | {"oauth": wiki["oauth"] | {
        "tokenURL": f"{hung.url}/token", "revocationURL": f"{hung.url}/revoke"}}
    installation.write_catalog(entries)
    return installation


class Flood:
    """Calls of one tenant at a steady rate, each on a thread of its own, from now until it is left."""

    def __init__(self, broker: Broker, tenant: str, per_second: float, call: str = "refresh") -> None:
        self.broker, self.tenant, self.call, self.interval = broker, tenant, call, 1 / per_second
        self.answers: list[tuple[float, httpx.Response]] = []
        self._headers = broker.bearer(tenant, "credentials:write")
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(400)
        self._client = httpx.Client(
            base_url=broker.url, timeout=60, trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0))

    def __enter__(self) -> "Flood":
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(self.interval):
            number += 1
            self._pool.submit(self._ask, number)

    def _ask(self, number: int) -> None:
        began = time.monotonic()
        body = {"sourceType": "wiki_hung", "refreshToken": f"r{number}", "token": f"r{number}"}
        answer = self._client.post(
            f"/v1/tenants/{self.tenant}/assets:{self.call}Credentials", json=body, headers=self._headers)
        self.answers.append((time.monotonic() - began, answer))


@pytest.mark.parametrize("per_second, call", [(12, "refresh"), (30, "refresh"), (30, "revoke")])
def test_a_tenant_that_floods_a_hung_provider_delays_nobody_and_costs_no_state(
    tmp_path, provider, hung, per_second, call
):
    with Broker(installed(tmp_path / "flood", provider, hung)) as broker:
        grants = [broker.consented(tenant=f"other{number}") for number in range(20)]
        with Flood(broker, "acme", per_second, call) as flood:
            eventually(lambda: len(hung.connections) >= 48, within=20, what="the share is taken")
            time.sleep(2)
            times = []
            for grant in grants:
                began = time.monotonic()
                response = broker.callback(grant.callback)
                times.append(time.monotonic() - began)
                assert response.status_code == 302 and "credentialKey" in fragment(response), response.text
            assert max(times) < TIMEOUT / 2, times
            # Its own users' come before its refreshes.
            assert "credentialKey" in fragment(broker.callback(broker.consented(tenant="acme").callback))
        if per_second == 30:
            refused = [(after, answer) for after, answer in flood.answers if answer.status_code == 429]
            assert refused, "none waited in vain"
            for after, answer in refused:
                assert_problem(answer, 429, "rate_limited")
                assert int(answer.headers["retry-after"]) > 0
                assert after > 4.5
            assert value(broker, "cloakroom_provider_calls_refused_total") >= len(refused)
        assert {answer.status_code for _, answer in flood.answers} <= {429, 504}


def test_a_hosts_share_holds_up_that_host_alone(tmp_path, provider, hung):
    """Two of three tenants wait at the host; all go on elsewhere."""
    with Broker(installed(tmp_path / "host", provider, hung, callsPerHost=2)) as broker:
        with Flood(broker, "acme", 20), Flood(broker, "other", 20):
            eventually(lambda: len(hung.connections) == 2, what="the host's share is taken")
            time.sleep(1)
            assert len(hung.connections) == 2
            for tenant in ("acme", "other", "third"):
                began = time.monotonic()
                assert "credentialKey" in fragment(broker.callback(broker.consented(tenant=tenant).callback))
                assert time.monotonic() - began < TIMEOUT / 2


def test_a_callback_waits_for_its_turn_and_then_has_the_providers_whole_time(tmp_path, provider, hung):
    """Behind its own tenant's hung call, which takes the whole timeout; its own answer takes most of another."""
    def slow(handler, grant) -> None:
        grant.released.wait(TIMEOUT * 0.75)
        handler.send_json(200, grant.token_response())

    with Broker(installed(tmp_path / "turn", provider, hung, callsPerTenant=1)) as broker:
        grant = broker.consented(answer=slow)
        with Flood(broker, "acme", 1):
            eventually(lambda: len(hung.connections) == 1, what="the tenant's share is taken")
            began = time.monotonic()
            response = broker.callback(grant.callback)
            assert response.status_code == 302, response.text
            assert time.monotonic() - began > TIMEOUT


def test_after_a_revocation_nobody_gets_an_answer_that_was_kept(tmp_path, strict):
    """With the events of all who got one before."""
    installation = Installation(tmp_path / "kept", strict)
    entries = source_types(strict)
    entries["wiki"]["oauth"]["revocationURL"] = f"{strict.url}/revoke"
    installation.write_catalog(entries)
    with Broker(installation) as broker:
        grant = strict.granted()

        def refresh(subject: str) -> httpx.Response:
            return broker.client.post(
                "/v1/tenants/acme/assets:refreshCredentials",
                headers=broker.bearer(scope="credentials:write", sub=subject),
                json={"sourceType": "wiki", "refreshToken": grant.code})

        def revoke(token: str) -> int:
            return broker.client.post(
                "/v1/tenants/acme/assets:revokeCredentials", headers=broker.bearer(scope="credentials:write"),
                json={"sourceType": "wiki", "token": token}).status_code

        for calls, token in enumerate([grant.code, grant.access_token, grant.refresh_token], start=1):
            assert refresh("one").status_code == 200
            assert refresh("two").status_code == 200
            assert len(strict.refreshes(grant)) == calls
            assert revoke(token) == 204
        refresh("three")
        assert len(strict.refreshes(grant)) == 4
        admin = broker.bearer(None, "broker:admin")
        items = broker.client.get("/v1/admin/auditEvents?type=credentials.refreshed", headers=admin).json()["items"]
        assert [item["actor"] for item in items] == ["three"] + ["two", "one"] * 3
        reason = {"tenant": "acme", "reason": "left"}
        assert broker.client.post("/v1/admin/revocations", json=reason, headers=admin).status_code == 200
        refresh("four")
        assert len(strict.refreshes(grant)) == 5
