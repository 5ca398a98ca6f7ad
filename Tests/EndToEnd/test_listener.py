"""Strangers' connections: how many, how slow, how long, and what is no HTTP (RFC 9112)."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from broker import Broker, Installation, eventually
from raw import answers, connected, connection, exchange, is_closed_within, read_all

TIMEOUT = 2
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: broker.example.com\r\n"
AUTHORIZE = b"POST /v1/tenants/acme/assets:authorize HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def hurried(folder, provider) -> Iterator[Broker]:
    """A broker with a short patience."""
    with Broker(Installation(folder / "hurried", provider, {"http": {"requestTimeout": TIMEOUT}})) as running:
        yield running


@pytest.fixture(scope="module")
def small(folder, provider) -> Iterator[Broker]:
    """A broker for few callers at once."""
    with Broker(Installation(folder / "small", provider, {"http": {"maxConnections": 20}})) as running:
        yield running


def assert_bad_request(answer, status: int = 400, code: str = "invalid_request") -> None:
    got, fields, body = answer
    problem = json.loads(body)
    assert (got, problem["code"], problem["status"]) == (status, code, status)
    assert fields["content-type"] == "application/problem+json" and fields["connection"] == "close"
    assert fields["x-request-id"] == problem["requestId"] and fields["x-content-type-options"] == "nosniff"
    assert fields["cache-control"] == "no-store" and fields["referrer-policy"] == "no-referrer"


# What is no request.


@pytest.mark.parametrize("request_", [
    b"GET /healthz HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
    b"GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: \r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: user@a\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n".replace(b", ", b",\t"),
    b"GET /healthz HTTP/1.1\r\nHost: a:b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a:99999\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n",
    b"GET http:///healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET ftp://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://a/healthz HTTP/1.1\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT http://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n",
    b"nonsense\r\n\r\n",
])
def test_a_request_against_the_rules_is_a_400_and_the_end(broker, request_):
    """RFC 9112 § 3.2: no Host, two of them, one that is none; targets that are none."""
    [answer] = exchange(broker.port, request_ + HEALTH + b"\r\n")
    assert_bad_request(answer)


@pytest.mark.parametrize("head", [
    b"GET /healthz HTTP/1.1\r\nHost: broker.example.com\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: broker.example.com:8080\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: 192.0.2.1:\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: under_score-1.example\r\n",
    b"GET http://elsewhere.example/healthz HTTP/1.1\r\nHost: a\r\n",
    b"GET HTTPS://a:1/healthz?x HTTP/1.1\r\nHost: a\r\n",
    b"GET /healthz HTTP/1.0\r\n",
])
def test_what_the_rules_allow_is_answered(broker, head):
    [(status, fields, _)] = exchange(broker.port, head + b"Connection: close\r\n\r\n")
    assert status == 200 and fields["connection"] == "close"


@pytest.mark.parametrize("fields, body", [
    (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
    (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"12345"),
    (b"Content-Length: 5\r\nContent-Length: 5\r\n", b"12345"),
    (b"Content-Length: 5, 5\r\n", b"12345"),
    (b"Content-Length: +5\r\n", b"12345"),
    (b"Content-Length: -1\r\n", b"12345"),
    (b"Content-Length: 0x5\r\n", b"12345"),
    (b"Content-Length: 99999999999999999999\r\n", b"12345"),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: gzip\r\n", b"0\r\n\r\n"),
    (b"Content-Length: 5\r\n folded\r\n", b"12345"),
])
def test_a_length_that_can_be_read_in_two_ways_is_a_400_and_the_end(broker, fields, body):
    """RFC 9112 §§ 6.1, 6.3 and 11.2: what follows would be one request to us and two to a proxy."""
    got = exchange(broker.port, AUTHORIZE + fields + b"\r\n" + body + HEALTH + b"\r\n")
    assert [status for status, *_ in got] == [400]
    assert got[0][1]["connection"] == "close"


def test_http_1_0_has_no_chunks(broker):
    got = exchange(broker.port, AUTHORIZE.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert [status for status, *_ in got] == [400]


@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"5\r\n{}\r\n0\r\n\r\n", b"-1\r\n\r\n", b"2\r\n{}xx"])
@pytest.mark.parametrize("path", ["assets:authorize", "assets:sourceTypes", "nothing"])
def test_a_malformed_chunk_is_a_400_and_the_end(broker, chunks, path):
    method = "POST" if path == "assets:authorize" else "GET"
    head = (
        f"{method} /v1/tenants/acme/{path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {broker.token()}\r\nTransfer-Encoding: chunked\r\n\r\n")
    [answer] = exchange(broker.port, head.encode() + chunks + HEALTH + b"\r\n")
    assert_bad_request(answer)


@pytest.mark.parametrize("framing, part", [
    (b"Content-Length: 100\r\n", b'{"sourceType":'), (b"Transfer-Encoding: chunked\r\n", b"20\r\n{"),
])
def test_a_body_that_breaks_off_is_no_failure_of_the_broker(broker, framing, part):
    def failures() -> tuple[list[str], int]:
        lines = broker.client.get("/metrics").text.splitlines()
        return [line for line in lines if 'status="500"' in line], broker.logs.count("request failed")

    before = failures()
    head = AUTHORIZE + f"Authorization: Bearer {broker.token()}\r\n".encode() + framing + b"\r\n"
    with connected(broker.port) as sock:
        sock.sendall(head + part)
        sock.shutdown(socket.SHUT_WR)
        got = answers(read_all(sock))
    assert [status for status, *_ in got] in ([400], [])
    with connected(broker.port) as sock:
        sock.sendall(head + part)
    time.sleep(0.2)
    assert failures() == before


@pytest.mark.parametrize("fields", [
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
])
def test_a_request_for_another_protocol_leaves_no_dead_connection(broker, fields):
    """RFC 9110 § 7.8: it is answered as if the field were absent. RFC 9112 § 9.6: who keeps connections learns of it."""
    [(status, answer, _)] = exchange(broker.port, HEALTH + fields + b"\r\n" + HEALTH + b"\r\n")
    assert status == 200 and answer["connection"] == "close"


def test_a_body_that_is_held_back_is_asked_for(broker):
    """RFC 9110 § 10.1.1."""
    body = b'{"credentialKey": "x"}'
    path = b"POST /v1/tenants/acme/assets:oauthCredentials HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head = path + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    with connected(broker.port) as sock:
        sock.sendall(head % len(body))
        assert sock.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        [(status, _, answer)] = answers(sock.recv(1 << 16))
    assert status == 400 and json.loads(answer)["code"] == "invalid_credential_key"
    for length in 1 << 17, 1 << 63, (1 << 64) - 1:
        [answer] = exchange(broker.port, head % length)
        assert_bad_request(answer, 413, "body_too_large")


def test_a_head_beyond_its_bounds_is_refused(broker):
    many = b"".join(b"X-%d: y\r\n" % number for number in range(1000))
    for fields in (b"X-Long: " + b"a" * 40_000 + b"\r\n", many):
        [answer] = exchange(broker.port, HEALTH + fields + b"\r\n")
        assert_bad_request(answer, 431)
    [(status, *_)] = exchange(broker.port, b"GET /healthz?" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status in (400, 431)


def test_pipelined_requests_are_answered_in_order(broker):
    pipelined = HEALTH + b"\r\n" + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + HEALTH + b"Connection: close\r\n\r\n"
    got = exchange(broker.port, pipelined + HEALTH + b"\r\n")
    assert [status for status, *_ in got] == [200, 404, 200], "what follows the last is not answered"
    got = exchange(broker.port, HEALTH + b"\r\n" + b"GET /healthz HTTP/1.1\r\n\r\n" + HEALTH + b"\r\n")
    assert [status for status, *_ in got] == [200, 400]


# Too much.


@pytest.mark.parametrize("framing", [b"Content-Length: 314572800\r\n", b"Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("head", [AUTHORIZE, HEALTH], ids=["POST", "GET"])
def test_a_body_too_large_is_a_413_and_the_connection_closes(broker, framing, head):
    """No more than a few buffers full are taken after it."""
    token = f"Authorization: Bearer {broker.token()}\r\n".encode()
    chunk = b"a" * 65536
    chunk = b"10000\r\n" + chunk + b"\r\n" if b"chunked" in framing else chunk
    with connected(broker.port) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sock.sendall(head + token + framing + b"\r\n")
        sent = 0
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while sent < 300 << 20:
                sent += sock.send(chunk)
        assert sent < 32 << 20 and time.monotonic() - began < 10
        [(status, fields, body)] = answers(read_all(sock))
    assert status == 413 and fields["connection"] == "close" and json.loads(body)["code"] == "body_too_large"


def test_a_body_a_little_too_large_is_read_so_that_the_answer_arrives(broker):
    response = httpx.post(
        f"{broker.url}/v1/tenants/acme/assets:authorize", headers=broker.bearer(), json={"sourceType": "a" * 300_000},
        trust_env=False)
    assert response.status_code == 413 and response.headers["connection"] == "close"


# Too slow.


def drip(sock: socket.socket, parts: bytes, seconds: float) -> float:
    """A byte every tenth of a second; for how long the broker took it."""
    began = time.monotonic()
    sock.settimeout(0.1)
    for byte in parts:
        if time.monotonic() - began > seconds:
            break
        try:
            sock.send(bytes([byte]))
            if sock.recv(1) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


@pytest.mark.parametrize("begin", [
    b"", b"GET /hea", HEALTH + b"X-Slow: ", AUTHORIZE + b"Content-Length: 1000\r\n\r\n",
    AUTHORIZE + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n", HEALTH + b"\r\n" + HEALTH + b"X-Slow: ",
], ids=["nothing", "line", "head", "body", "chunks", "second"])
def test_a_request_that_does_not_arrive_in_time_ends_the_connection(hurried, begin):
    """However steadily it drips."""
    with connected(hurried.port) as sock:
        sock.sendall(begin)
        if b"\r\n\r\n" in begin and begin.startswith(b"GET"):
            assert sock.recv(1 << 16).startswith(b"HTTP/1.1 200")
        taken = drip(sock, b"a" * 1000, 5 * TIMEOUT) if begin else 0
        assert is_closed_within(sock, 5 * TIMEOUT) and taken < 4 * TIMEOUT


def test_a_connection_may_wait_between_requests(hurried):
    with connected(hurried.port) as sock:
        for _ in range(2):
            sock.sendall(HEALTH + b"\r\n")
            assert sock.recv(1 << 16).startswith(b"HTTP/1.1 200")
            time.sleep(2 * TIMEOUT)
        sock.sendall(HEALTH + b"\r\n")
        assert sock.recv(1 << 16).startswith(b"HTTP/1.1 200")


def resident_kilobytes(broker: Broker) -> int:
    status = Path(f"/proc/{broker.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def descriptors(broker: Broker) -> int:
    """The peer's state would not tell: the end of a connection stands behind what it does not take."""
    return len(list(Path(f"/proc/{broker.process.pid}/fd").iterdir()))


def test_an_answer_that_nobody_takes_ends_the_connection(hurried):
    """The API's description, again and again, to who never reads."""
    request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 60
    hurried.client.close()
    memory, before = resident_kilobytes(hurried), descriptors(hurried)
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(connection(hurried.port, receive_buffer=4096)).sendall(request)
        eventually(lambda: descriptors(hurried) >= before + 25, what="open")
        eventually(lambda: descriptors(hurried) <= before + 2, within=3 * TIMEOUT + 4, what="closed")
    assert resident_kilobytes(hurried) - memory < 100_000
    hurried.client = httpx.Client(base_url=hurried.url, timeout=30, trust_env=False)
    assert hurried.client.get("/healthz").status_code == 200


def test_an_answer_that_is_taken_slowly_but_in_time_arrives(hurried):
    with connection(hurried.port, receive_buffer=4096) as sock:
        sock.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(TIMEOUT / 2)
        [(status, fields, body)] = answers(read_all(sock))
    assert status == 200 and len(body) == int(fields["content-length"])


# Too many.


def test_beyond_the_most_connections_new_ones_are_closed(small):
    held: list[socket.socket] = []
    small.client.close()
    with contextlib.ExitStack() as stack:
        # More than there are places for: the connection of before may not have left yet.
        for _ in range(25):
            sock = stack.enter_context(connection(small.port))
            with contextlib.suppress(OSError):
                sock.sendall(HEALTH)
            held.append(sock)

        def one_more_is_closed() -> bool:
            with connection(small.port) as sock:
                with contextlib.suppress(OSError):
                    sock.sendall(HEALTH + b"\r\n")
                return is_closed_within(sock, 1) is True

        eventually(one_more_is_closed, what="closed at once")
        held[0].sendall(b"\r\n")
        assert held[0].recv(1 << 16).startswith(b"HTTP/1.1 200"), "those that are there are served"

    def answers_again() -> bool:
        try:
            text = httpx.get(f"{small.url}/metrics", trust_env=False).text
        except httpx.TransportError:
            return False
        refused = [line for line in text.splitlines() if line.startswith("cloakroom_http_connections_refused_total{")]
        return any(float(line.split()[-1]) >= 1 for line in refused)

    eventually(answers_again, what="room again, and the refused are counted")
    assert "too many connections" in small.logs


def test_a_stop_takes_ten_seconds_whoever_is_connected(folder, provider):
    broker = Broker(Installation(folder / "stuck", provider)).start()
    with contextlib.ExitStack() as stack:
        for number in range(60):
            sock = stack.enter_context(connection(broker.port, receive_buffer=4096))
            sock.sendall(
                [HEALTH, AUTHORIZE + b"Content-Length: 9\r\n\r\n", b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 60][
                    number % 3])
        time.sleep(0.5)
        began = time.monotonic()
        broker.stop()
        assert time.monotonic() - began < 13
