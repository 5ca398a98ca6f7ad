"""SIGTERM: stop accepting, finish what runs, exit 0."""

import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

from broker import Broker, Installation, binary, environment, eventually, fragment, in_background
from provider import callback_path, slow


@pytest.fixture
def stopping(tmp_path, provider) -> Iterator[Broker]:
    """A broker that the test itself stops."""
    broker = Broker(Installation(tmp_path / "stopping", provider, {"provider": {"timeout": 25}})).start()
    yield broker
    if broker.process.poll() is None:
        broker.kill()


def refuses_connections(broker: Broker) -> bool:
    """Refused, or closed without an answer to a request."""
    try:
        with socket.create_connection(("127.0.0.1", broker.port), timeout=1) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return connection.recv(1) == b""
    except OSError:
        return True


def test_an_idle_broker_stops_at_once(stopping):
    assert stopping.source_types().status_code == 200
    stopping.process.send_signal(signal.SIGTERM)  # our client keeps its idle connection open
    assert stopping.wait(5) == 0


def test_a_running_callback_is_finished_and_new_connections_are_refused(stopping, provider):
    grant = stopping.consented("wiki", slow)
    running = in_background(lambda: httpx.get(
        f"{stopping.url}{callback_path(grant.callback)}", params=grant.callback, timeout=20, trust_env=False
    ))
    assert grant.arrived.wait(10)
    stopping.process.send_signal(signal.SIGTERM)
    eventually(lambda: refuses_connections(stopping), within=5, what="new connections are refused")
    assert stopping.process.poll() is None and running.is_alive()
    grant.released.set()
    assert fragment(running.result())["credentialKey"]
    assert stopping.wait(5) == 0


def test_a_key_given_while_stopping_is_good_after_the_restart(stopping):
    grant = stopping.consented("wiki", slow)
    running = in_background(lambda: httpx.get(
        f"{stopping.url}{callback_path(grant.callback)}", params=grant.callback, timeout=20, trust_env=False
    ))
    assert grant.arrived.wait(10)
    stopping.process.send_signal(signal.SIGTERM)
    grant.released.set()
    key = fragment(running.result())["credentialKey"]
    assert stopping.wait(5) == 0
    with Broker(stopping.installation) as again:
        assert again.redeem(key).status_code == 200


def test_what_takes_too_long_is_given_up_after_ten_seconds(stopping):
    grant = stopping.consented("wiki", slow)
    running = in_background(lambda: _quietly(f"{stopping.url}{callback_path(grant.callback)}", grant.callback))
    assert grant.arrived.wait(10)
    began = time.monotonic()
    stopping.process.send_signal(signal.SIGTERM)
    assert stopping.wait(15) == 0
    assert time.monotonic() - began < 14
    assert "what still ran was cut off" in stopping.logs
    grant.released.set()
    running.result()


def _quietly(url: str, members: dict) -> None:
    try:
        httpx.get(url, params=members, timeout=30, trust_env=False)
    except httpx.TransportError:
        pass


def test_a_second_signal_does_no_harm(stopping):
    for _ in range(2):
        stopping.process.send_signal(signal.SIGTERM)
    assert stopping.wait(5) in (0, -signal.SIGTERM)


def test_an_interrupt_stops_it_too(stopping):
    stopping.process.send_signal(signal.SIGINT)
    assert stopping.wait(5) == 0


def test_a_stalled_reader_of_the_log_holds_up_no_request(tmp_path, provider):
    installation = Installation(tmp_path / "stalled", provider, {"log": {"level": "trace"}})
    broker = Broker(installation)
    reading, writing = os.pipe()
    broker.process = subprocess.Popen(
        [binary(), "serve", "--config", str(installation.config)], env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=writing, cwd="/")
    os.close(writing)
    fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, 4096)
    with broker.client, httpx.Client(base_url=broker.url, timeout=5, trust_env=False) as client:
        eventually(broker._ready, within=30, what="/readyz says 200")
        for _ in range(100):
            assert client.get("/healthz", headers={"User-Agent": "x" * 100}).status_code == 200
        assert "cloakroom_log_lines_dropped_total 0\n" in client.get("/metrics").text
        # Nothing of what waited is lost.
        lines = in_background(lambda: open(reading).read().splitlines())
        broker.process.send_signal(signal.SIGTERM)
        assert broker.wait(10) == 0
        assert sum("/healthz" in line for line in lines.result()) >= 100
