"""`assets:refreshCredentials` of two processes on one database: one call to the provider, and its answer for both."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from broker import Broker, Installation, assert_problem, free_port, in_background, simultaneously, source_types
from provider import Answer, Grant
from thief import Thief


@pytest.fixture(scope="module")
def installation(folder, strict) -> Installation:
    installation = Installation(folder / "between", strict)
    entries = source_types(strict)
    wiki = entries["wiki"]
    wiki = wiki | {"oauth": wiki["oauth"] | {"revocationURL": f"{strict.url}/revoke"}}
    installation.write_catalog(entries | {"wiki": wiki})
    return installation


@pytest.fixture(scope="module")
def pair(installation) -> Iterator[tuple[Broker, Broker]]:
    with Broker(installation) as one, Broker(installation, {"CLOAKROOM_HTTP_PORT": str(free_port())}) as two:
        yield one, two


def rotating(first: Answer | None = None) -> Answer:
    """Takes a second use of the token for theft (RFC 9700 § 4.14.2)."""
    lock, uses = threading.Lock(), []

    def answer(handler, grant: Grant) -> None:
        with lock:
            uses.append(handler)
        if len(uses) > 1:
            handler.send_json(400, {"error": "invalid_grant"})
        elif first:
            first(handler, grant)
        else:
            handler.send_json(200, grant.token_response())

    return answer


def body(grant: Grant) -> dict:
    return {"sourceType": "wiki", "refreshToken": grant.code}


def refresh(broker: Broker, grant: Grant) -> httpx.Response:
    return broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", headers=broker.bearer(scope="credentials:write"), json=body(grant))


def request(broker: Broker, grant: Grant) -> tuple[int, bytes]:
    content = json.dumps(body(grant)).encode()
    head = [
        "POST /v1/tenants/acme/assets:refreshCredentials HTTP/1.1", f"Host: 127.0.0.1:{broker.port}",
        f"Authorization: Bearer {broker.token(scope='credentials:write')}", "Content-Type: application/json",
        f"Content-Length: {len(content)}", "Connection: close",
    ]
    return broker.port, "\r\n".join(head).encode() + b"\r\n\r\n" + content


def events(broker: Broker) -> int:
    """How often tokens were given out."""
    response = broker.client.get(
        "/v1/admin/auditEvents?type=credentials.refreshed&pageSize=1000",
        headers=broker.bearer(tenant=None, scope="broker:admin"))
    return len(response.json()["items"])


# First of all: each row that the others leave behind costs the thief more time.
def test_files_and_master_key_open_no_kept_answer(installation, pair, strict, tmp_path: Path):
    grant = strict.granted()
    assert refresh(pair[0], grant).status_code == 200
    thief = Thief.of(installation)
    assert thief.opened(tmp_path) == []
    # So that finding nothing means something: who has the token that was sent too finds the answer.
    assert thief.opened(tmp_path, grant.code.encode()) != []
    secret = (grant.code, grant.access_token, grant.refresh_token)
    assert not any(text.encode() in content for content in thief.files.values() for text in secret)


@pytest.mark.parametrize("round", range(5))
def test_8_calls_with_one_rotating_token_are_one_call_and_8_equal_answers(pair, strict, round):
    grant = strict.granted(rotating())
    before = events(pair[0])
    answers = simultaneously([request(broker, grant) for _ in range(4) for broker in pair])
    assert [status for status, _ in answers] == [200] * 8, answers
    assert len({body for _, body in answers}) == 1
    assert len(strict.refreshes(grant)) == 1
    assert events(pair[0]) == before + 8


def test_8_calls_share_a_refusal_and_nobody_after_them(pair, strict):
    def refused(handler, grant: Grant) -> None:
        grant.released.wait(1)
        handler.send_json(400, {"error": "invalid_grant"})

    grant = strict.granted(refused)
    answers = simultaneously([request(broker, grant) for _ in range(4) for broker in pair])
    assert {(status, json.loads(body)["code"]) for status, body in answers} == {(400, "reauthorization_required")}
    assert len(strict.refreshes(grant)) == 1
    grant.released.set()
    assert_problem(refresh(pair[1], grant), 400, "reauthorization_required")
    assert len(strict.refreshes(grant)) == 2


@pytest.mark.parametrize("token", ["code", "access_token", "refresh_token"])
def test_a_revocation_at_one_ends_the_answer_at_the_other(pair, strict, token):
    one, two = pair
    grant = strict.granted(rotating())
    assert refresh(one, grant).status_code == 200
    response = two.client.post(
        "/v1/tenants/acme/assets:revokeCredentials", headers=two.bearer(scope="credentials:write"),
        json={"sourceType": "wiki", "token": getattr(grant, token)})
    assert response.status_code == 204, response.text
    assert_problem(refresh(one, grant), 400, "reauthorization_required")


def test_after_a_restart_the_same_call_gets_the_same_answer(tmp_path, strict):
    installation = Installation(tmp_path / "restarted", strict)
    grant = strict.granted(rotating())
    with Broker(installation) as before:
        first = refresh(before, grant)
    with Broker(installation) as after:
        again = refresh(after, grant)
    assert first.status_code == 200 and again.status_code == 200, again.text
    assert first.content == again.content and len(strict.refreshes(grant)) == 1


def test_where_the_broker_that_asks_is_killed_another_takes_over(tmp_path, strict):
    """The provider never came to rotate."""
    installation = Installation(tmp_path / "killed", strict)
    calls: list[object] = []

    def answer(handler, grant: Grant) -> None:
        calls.append(handler)
        if len(calls) == 1:
            grant.released.wait(60)
            handler.close_connection = True
        else:
            handler.send_json(200, grant.token_response())

    grant = strict.granted(answer)
    one = Broker(installation).start()
    with Broker(installation, {"CLOAKROOM_HTTP_PORT": str(free_port())}) as two:
        lost = in_background(lambda: refresh(one, grant))
        assert grant.arrived.wait(10)
        waiting = in_background(lambda: refresh(two, grant))
        one.kill()
        answered = waiting.result(30)
        assert answered.status_code == 200 and answered.json()["accessToken"] == grant.access_token
        with pytest.raises(httpx.TransportError):
            lost.result()
        assert len(strict.refreshes(grant)) == 2
        grant.released.set()


def test_a_broker_that_stops_finishes_what_the_other_waits_for(tmp_path, strict):
    installation = Installation(tmp_path / "stopped", strict)

    def answer(handler, grant: Grant) -> None:
        grant.released.wait(30)
        handler.send_json(200, grant.token_response())

    grant = strict.granted(rotating(answer))
    one = Broker(installation).start()
    with Broker(installation, {"CLOAKROOM_HTTP_PORT": str(free_port())}) as two:
        first = in_background(lambda: refresh(one, grant))
        assert grant.arrived.wait(10)
        second = in_background(lambda: refresh(two, grant))
        one.process.terminate()
        grant.released.set()
        assert second.result().json()["accessToken"] == grant.access_token
        assert first.result().content == second.result().content and len(strict.refreshes(grant)) == 1
        assert one.wait() == 0




def test_the_answer_of_a_broker_that_was_frozen_is_everybodys(tmp_path, strict):
    """Another took its lease over, and its second use of the token is refused."""
    installation = Installation(tmp_path / "frozen", strict)
    calls: list[object] = []
    second, awake = threading.Event(), threading.Event()

    def answer(handler, grant: Grant) -> None:
        calls.append(handler)
        if len(calls) == 1:
            grant.released.wait(60)
            handler.send_json(200, grant.token_response())
        else:
            second.set()
            awake.wait(60)
            handler.send_json(400, {"error": "invalid_grant"})

    grant = strict.granted(answer)
    patient = {"CLOAKROOM_PROVIDER_TIMEOUT": "60"}
    other_port = {"CLOAKROOM_HTTP_PORT": str(free_port())}
    with Broker(installation, patient) as one, Broker(installation, patient | other_port) as two:
        slept = in_background(lambda: refresh(one, grant))
        assert grant.arrived.wait(10)
        one.process.send_signal(signal.SIGSTOP)
        grant.released.set()
        other = in_background(lambda: refresh(two, grant))
        assert second.wait(30)
        one.process.send_signal(signal.SIGCONT)
        assert slept.result(30).status_code == 200
        awake.set()
        assert other.result(30).content == slept.result().content
        assert refresh(two, grant).content == slept.result().content
    assert len(strict.refreshes(grant)) == 2
