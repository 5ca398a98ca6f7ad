"""What strangers write costs time linear in its bytes; headers are ASCII."""

import socket
import threading
import time

import pytest

import tokens
from broker import APP, Broker

# Marks of two classes, which Unicode's normal form sorts: comparing such a run took time with its square.
MARKS = ("\u0301\u0316" * 18_000).encode()


def sent(broker: Broker, request: bytes, timeout: float = 30) -> tuple[bytes, float]:
    """What the broker answers to these very bytes, and how long it took."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", broker.port), timeout=timeout) as peer:
        peer.sendall(request)
        answer = b""
        while data := peer.recv(65536):
            answer += data
            if b"\r\n\r\n" in answer:
                break
    return answer, time.monotonic() - began


def get(target: bytes, headers: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n"


@pytest.mark.parametrize(
    "name",
    ["Accept", "Accept-Language", "Authorization", "Connection", "Content-Type", "Cookie", "Expect", "Forwarded",
     "If-None-Match", "Origin", "Purpose", "Sec-Purpose", "Upgrade", "X-Forwarded-For", "X-Request-Id", "X-Unknown"])
def test_a_header_of_marks_keeps_nobody_waiting(broker, name):
    # Eight at once, so that what each takes shows; the least of three, since other programs run.
    requests = [get(b"/oauth/callback?state=x", f"{name}: a".encode() + MARKS + b"\r\n")] * 8
    spent = []
    for _ in range(3):
        threads = [threading.Thread(target=sent, args=(broker, request)) for request in requests]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent.append(time.monotonic() - began)
        if spent[-1] < 1:
            return
    assert min(spent) < 1, spent


@pytest.mark.parametrize("start", [b"/", b"/oauth/callback?state=", b"/v1/tenants/a/", b"", b"http://a/"])
def test_a_target_of_marks_keeps_nobody_waiting(broker, start):
    spent = [sent(broker, get(start + MARKS))[1] for _ in range(3)]
    assert min(spent) < 1, spent


def test_headers_that_are_not_ascii_count_as_absent(broker):
    path = b"/v1/tenants/acme/assets:sourceTypes"
    bearer = f"Bearer {broker.token()}"
    assert sent(broker, get(path, f"Authorization: {bearer}\r\n".encode()))[0].startswith(b"HTTP/1.1 200")
    for odd in (bearer.encode() + "é".encode(), bearer.encode() + b"\xe9"):
        answer = sent(broker, get(path, b"Authorization: " + odd + b"\r\n"))[0]
        assert answer.startswith(b"HTTP/1.1 401") and b'Bearer realm="cloakroom"\r\n' in answer
    german = sent(broker, get(b"/oauth/callback?state=x", b"Accept-Language: de\r\n"))[0]
    assert b"Content-Language: de" in german
    odd = sent(broker, get(b"/oauth/callback?state=x", "Accept-Language: de, é\r\n".encode()))[0]
    assert b"Content-Language: en" in odd


def test_of_cookies_only_the_odd_pair_is_absent(broker):
    """Another application of the host may have set it: this browser is still the one that began the flow."""
    verifier = tokens.new_verifier()
    flow = broker.begin(exchangeChallenge=tokens.challenge_of(verifier))
    set_cookie = broker.client.post(
        "/oauth/popup", json={"flow": flow.flow, "exchangeVerifier": verifier, "frontendOrigin": APP},
    ).headers["set-cookie"]
    grant = broker.provider.consent(flow.authorization_url)
    cookie = "odd=é; " + set_cookie.split(";")[0] + "; a=" + "\u0301\u0316" * 8000
    answer = broker.callback(grant.callback, headers={"Cookie": cookie.encode()})
    assert answer.status_code == 302
    assert broker.outcome(flow.flow, verifier).json()["status"] == "succeeded"
