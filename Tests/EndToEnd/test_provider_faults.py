"""What the broker makes of a provider's answers, odd ones and broken ones."""

import gzip
import json
import time
import zlib
from collections.abc import Iterator

import httpx
import pytest

import provider as answers
from broker import Broker, Installation, assert_problem, fragment, in_background, merged, source_types
from provider import callback_path

TIMEOUT = 2
SLACK = 4  # seconds for everything but the provider, on a busy machine

REJECTED = (502, "provider_rejected")
UNREACHABLE = (502, "provider_unreachable")
TIMED_OUT = (504, "provider_timeout")


@pytest.fixture(scope="module")
def broker(folder, provider) -> Iterator[Broker]:
    """A broker that soon gives up, and reads small answers only."""
    limits = {"connectTimeout": 1, "timeout": TIMEOUT, "maxResponseBytes": 65536}
    with Broker(Installation(folder / "impatient", provider, {"provider": limits})) as running:
        yield running


# Odd answers that are good all the same.


@pytest.mark.parametrize("answer", [
    answers.tokens(), answers.form_encoded(), answers.with_byte_order_mark, answers.gzipped,
    answers.tokens(expires_in="3600"), answers.tokens(token_type=None), answers.tokens(token_type="bearer"),
    answers.tokens(unknown={"nested": [1, None]}), answers.tokens(refresh_token=None),
    answers.form_encoded(expires_in="3600", token_type=None),
    answers.shaped(lambda grant: grant.token_response(), status=201),
    answers.tokens(expires_in=3600.0),
], ids=[
    "json", "form", "byte-order-mark", "gzip", "string-expiry", "no-type", "lower-type", "unknown-members", "no-refresh",
    "form-string-expiry", "201", "float-expiry",
])
def test_an_odd_answer_with_tokens_is_taken(broker, answer):
    """Postel's law, as far as the contract goes."""
    body = broker.credentials("wiki", answer)
    assert body["accessToken"].startswith("access-")
    assert body["tokenType"].lower() == "bearer"
    assert body["expiresAt"] > time.time() * 1000 + 3_500_000


ODD_CODINGS = [
    "UTF-8", "utf8", "aws-chunked", "identity", "none", "binary", "json", "*", "", ",", "br", "zstd", "compress",
    "UTF-8, aws-chunked", "gzip", "deflate", "x-gzip", "\"gzip\"", "gzip;q=1", "chunked", "7bit",
]


@pytest.mark.parametrize("coding", ODD_CODINGS)
def test_a_coding_that_the_body_does_not_have_is_ignored(broker, provider, coding):
    """RFC 9110 § 8.4.1; the code is spent by then, so what can be read is read."""

    def answer(handler, grant):
        handler.send(200, json.dumps(grant.token_response()).encode(), headers={"Content-Encoding": coding})

    assert broker.credentials("wiki", answer)["accessToken"].startswith("access-")


@pytest.mark.parametrize("coding, pack", [
    ("gzip", gzip.compress), ("x-gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress),
    ("deflate", lambda body: zlib.compress(body)[2:-4]), ("aws-chunked, gzip", gzip.compress),
    ("gzip, UTF-8", gzip.compress), ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
    ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))), ("gzip, gzip", gzip.compress),
])
def test_a_coding_that_the_body_has_is_taken_back(broker, coding, pack):
    def answer(handler, grant):
        handler.send(200, pack(json.dumps(grant.token_response()).encode()), headers={"Content-Encoding": coding})

    assert broker.credentials("wiki", answer)["accessToken"].startswith("access-")


def test_an_error_is_read_under_an_odd_coding_too(broker, strict):
    """Every answer: a refusal of a refresh decides what the caller does."""
    def answer(handler, grant):
        handler.send(400, b'{"error": "invalid_grant"}', headers={"Content-Encoding": "UTF-8"})

    assert_problem(broker.callback(broker.consented("wiki", answer).callback), 502, "provider_rejected")
    assert "invalid_grant" in broker.logs


@pytest.mark.parametrize("media_type", [
    "text/plain", "text/html; charset=utf-8", "application/octet-stream", "application/json;charset=UTF-8",
    "application/x-www-form-urlencoded",
])
def test_json_is_json_under_any_media_type(broker, media_type):
    def answer(handler, grant):
        handler.send(200, json.dumps(grant.token_response()).encode(), media_type)

    assert broker.credentials("wiki", answer)["accessToken"].startswith("access-")


@pytest.mark.parametrize("expires_in", [-1, "-5", 10**15, 10**30, "soon", "", True, [3600], {"s": 1}, 1e300], ids=str)
def test_an_absurd_expiry_is_unknown(broker, expires_in):
    body = broker.credentials("wiki", answers.tokens(expires_in=expires_in))
    assert body["expiresAt"] is None
    assert "expiry_unknown" in body["warnings"]


def test_tokens_of_any_characters_come_out_as_they_went_in(broker):
    """RFC 6749 appendix A.12: any printable ASCII."""
    token = bytes(range(0x21, 0x7F)).decode() + " " + "x" * 4000
    assert broker.credentials("wiki", answers.tokens(access_token=token))["accessToken"] == token


# Broken answers.


@pytest.mark.parametrize("answer, outcomes", [
    (answers.refusal("invalid_grant"), {REJECTED}),
    (answers.refusal("invalid_client", status=401), {REJECTED}),
    (answers.refusal("invalid_grant", status=200), {REJECTED}),
    (answers.shaped(lambda grant: grant.token_response(error="invalid_grant")), {REJECTED}),
    (answers.raw(b"error=bad_verification_code&error_description=x", "application/x-www-form-urlencoded"), {REJECTED}),
    (answers.raw(b"oops", "text/plain", 500), {REJECTED}),
    (answers.raw(b"", "text/plain", 503), {REJECTED}),
    (answers.shaped(lambda grant: grant.token_response(), status=500), {REJECTED}),
    (answers.raw(b"\x00\xff\xfe garbage \x80" * 99), {REJECTED}),
    (answers.raw(b"<!DOCTYPE html><title>Sign in</title>", "text/html"), {REJECTED}),
    (answers.raw(b""), {REJECTED}),
    (answers.raw(b"", status=204), {REJECTED}),
    (answers.raw(b"null"), {REJECTED}),
    (answers.raw(b"[]"), {REJECTED}),
    (answers.raw(b'"access_token"'), {REJECTED}),
    (answers.raw(b'{"access_token": "x"'), {REJECTED}),
    (answers.raw(b"[" * 60_000), {REJECTED}),
    (answers.raw(b'{"a":' * 12_000), {REJECTED}),
    (answers.tokens(access_token=None), {REJECTED}),
    (answers.tokens(access_token=""), {REJECTED}),
    (answers.tokens(access_token=["x"]), {REJECTED}),
    (answers.tokens(access_token={"x": 1}), {REJECTED}),
    (answers.tokens(padding="x" * 70_000), {REJECTED}),
    (answers.decompression_bomb, {REJECTED}),
    (answers.endless, {REJECTED}),
    (answers.redirect("https://example.com/token"), {REJECTED}),
    (answers.raw(b"not gzip", "application/json"), {REJECTED}),
    (answers.cut_short, {REJECTED, UNREACHABLE}),
    (answers.not_http, {REJECTED, UNREACHABLE}),
    (answers.reset, {UNREACHABLE}),
    (answers.closed, {UNREACHABLE}),
    (answers.dripping, {TIMED_OUT}),
    (answers.dripping_headers, {TIMED_OUT}),
    (answers.silent, {TIMED_OUT}),
], ids=[
    "invalid-grant", "invalid-client", "200-with-error", "200-with-error-and-tokens", "form-error", "500", "503", "500-with-tokens",
    "garbage", "html", "empty", "204", "null", "array", "string", "half", "deep", "deeper", "no-token", "empty-token", "array-token",
    "object-token", "too-long", "bomb", "endless", "redirect", "no-gzip", "cut-short", "not-http", "reset", "closed", "dripping",
    "dripping-headers", "silent",
])
def test_every_fault_has_its_answer_in_time_and_the_code_is_sent_once(broker, provider, answer, outcomes):
    grant = broker.consented("wiki", answer)
    began = time.monotonic()
    response = broker.callback(grant.callback)
    took = time.monotonic() - began
    grant.released.set()
    assert (response.status_code, response.json()["code"]) in outcomes, response.text
    assert_problem(response, response.status_code, response.json()["code"])
    assert took < TIMEOUT + SLACK
    assert grant.access_token not in response.text and grant.code not in response.text
    assert_problem(broker.callback(grant.callback), 400, "invalid_state")
    assert len(provider.exchanges(grant)) == 1
    broker.finish(broker.consented("wiki"))  # the next flow does not suffer


def test_a_failure_inside_a_200_is_a_failure_where_the_catalog_says_so(broker):
    for ok in (False, None, "true", 1):
        answer = answers.shaped(lambda grant, ok=ok: {"ok": ok, "authed_user": {"access_token": grant.access_token}})
        assert_problem(broker.callback(broker.consented("wiki_nested", answer).callback), *REJECTED)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(broker, provider, status):
    """The code and the client secret must not travel to wherever an answer points."""
    before = len(provider.calls_to("/elsewhere"))
    grant = broker.consented("wiki", answers.redirect(f"{provider.url}/elsewhere", status))
    assert_problem(broker.callback(grant.callback), *REJECTED)
    assert len(provider.calls_to("/elsewhere")) == before
    assert len(provider.exchanges(grant)) == 1


def test_a_closed_port_and_a_failed_handshake_are_unreachable(broker):
    for source_type in ("wiki_closed", "wiki_tls"):
        began = time.monotonic()
        assert_problem(broker.callback(broker.consented(source_type).callback), *UNREACHABLE)
        assert time.monotonic() - began < TIMEOUT + SLACK


def test_the_providers_words_are_not_passed_on_whole(broker):
    """What a provider sends is hostile text."""
    words = "look: " + "<script>alert(1)</script>" * 1000
    grant = broker.consented("wiki", answers.refusal("invalid_grant", error_description=words))
    response = broker.callback(grant.callback, headers={"Accept": "text/html"})
    assert response.status_code == 502
    assert "<script>alert" not in response.text
    assert len(response.text) < 20_000


def test_others_are_unharmed_while_forty_calls_hang(another_broker, provider):
    broker = another_broker("patient", {"provider": {"timeout": 20}})
    hanging = [broker.consented("wiki", answers.slow) for _ in range(40)]
    calls = [in_background(lambda grant=grant: _alone(broker, grant)) for grant in hanging]
    for grant in hanging:
        assert grant.arrived.wait(15), "forty calls are not under way at once"
    for _ in range(5):
        assert broker.credentials("wiki")["accessToken"]
    assert all(call.is_alive() for call in calls)
    for grant in hanging:
        grant.released.set()
    for call in calls:
        assert fragment(call.result())["credentialKey"]


def _alone(broker: Broker, grant):
    """A callback over a connection of its own."""
    with httpx.Client(timeout=30, trust_env=False) as client:
        return client.get(f"{broker.url}{callback_path(grant.callback)}", params=grant.callback)


# Where the broker may not connect.

HOSTS = {
    "literal": "127.0.0.1", "name": "localhost", "mapped": "[::ffff:127.0.0.1]", "any": "0.0.0.0",
}


@pytest.fixture(scope="module")
def guarded(folder, provider) -> Iterator[Broker]:
    """A broker that may use http, but not call private addresses; its catalog leads there by many names."""
    limits = {"allowPrivateAddresses": False, "connectTimeout": 1, "timeout": TIMEOUT}
    installation = Installation(folder / "guarded", provider, {"provider": limits})
    entry = source_types(provider)["wiki"]
    installation.write_catalog(source_types(provider) | {
        f"wiki_{name}": merged(entry, {"oauth": {"tokenURL": f"http://{host}:{provider.port}/token"}})
        for name, host in HOSTS.items()
    })
    with Broker(installation) as running:
        yield running


@pytest.mark.parametrize("name", HOSTS)
def test_private_addresses_are_not_called_unless_allowed(guarded, provider, name):
    """Whatever name leads there: the address is checked where the connection is made."""
    grant = provider.consent(guarded.begin(f"wiki_{name}").authorization_url)
    assert_problem(guarded.callback(grant.callback), *UNREACHABLE)
    assert not grant.arrived.is_set()
