"""What an operator sees of a failure: one line of the log and one event of the trail, under the answer's request id."""

import json
import re
import signal
from collections.abc import Iterator

import pytest

import provider as answers
from broker import (
    APP, CLIENT_SECRET, Broker, Installation, assert_problem, closed_port, eventually, merged, run, source_types,
)
from test_metrics import value
from tokens import challenge_of, new_verifier

# Words of Swift's, which are nobody's.
SWIFT = re.compile(r"Error\.|Broker\.|\w+\((?:error|_)?:|Optional|OpenError|TransportError|StoreError")


@pytest.fixture(scope="module")
def broker(folder, provider) -> Iterator[Broker]:
    limits = {"connectTimeout": 1, "timeout": 2, "maxResponseBytes": 65536}
    installation = Installation(folder / "reasons", provider, {"provider": limits})
    entries = source_types(provider)
    discovered = {"tokenURL": None, "authorizationURL": None, "discovery": True}
    installation.write_catalog(entries | {
        "wiki_unknown_host": merged(entries["wiki"], {"oauth": {"tokenURL": "https://nowhere.invalid/token"}}),
        "wiki_missing": merged(
            entries["wiki"], {"oauth": discovered | {"issuer": f"{provider.url}/issuers/missing"}}),
        "wiki_liar": merged(entries["wiki"], {"oauth": discovered | {"issuer": f"{provider.url}/issuers/liar"}}),
        "wiki_broken_par": merged(
            entries["wiki"], {"oauth": {"pushedAuthorizationURL": f"{provider.url}/broken/par"}}),
        "wiki_openid": merged(
            entries["wiki"], {"oauth": {
                "issuer": f"{provider.url}/issuer", "openid": True, "jwksURL": f"{provider.url}/jwks.json"}}),
    })
    with Broker(installation) as running:
        yield running


def lines(broker: Broker, request: str) -> list[dict]:
    """The log's lines of a request, but for the one that each request has."""
    found = [json.loads(line) for line in broker.logs.splitlines() if line.startswith("{")]
    return [line for line in found if line.get("request_id") == request and line["message"] != "request"]


def events(broker: Broker, request: str) -> list[dict]:
    response = broker.client.get(
        "/v1/admin/auditEvents?pageSize=1000", headers=broker.bearer(tenant=None, scope="broker:admin"))
    return [event for event in response.json()["items"] if event["requestId"] == request]


def access_line(broker: Broker, request: str) -> dict:
    found = [json.loads(line) for line in broker.logs.splitlines() if line.startswith("{")]
    [line] = [line for line in found if line.get("request_id") == request and line["message"] == "request"]
    return line


# Flows: the event, in the trail and the log.

OPENID = answers.tokens(id_token="a.b.c")
REFUSED = [
    ("wiki", answers.refusal("invalid_client", 401), {}, 502, "provider_rejected",
     'the token endpoint: answered 401 with the error "invalid_client"'),
    ("wiki", answers.refusal("invalid_grant", 200), {}, 502, "provider_rejected",
     'the token endpoint: answered 200 with the error "invalid_grant"'),
    ("wiki", answers.raw(b"oops", "text/plain", 503), {}, 502, "provider_rejected", "the token endpoint: answered 503"),
    ("wiki", answers.raw(b"<html>"), {}, 502, "provider_rejected",
     "the token endpoint: answered 200 with something that is neither JSON nor a form"),
    ("wiki", answers.tokens(access_token=None), {}, 502, "provider_rejected",
     "the token endpoint: answered 200 without a sound /access_token"),
    ("wiki", answers.refusal('Bad "client"\x1b[31m \u202e' + "x " * 500), {}, 502, "provider_rejected",
     r'the token endpoint: answered 400 with the error "Bad \"client\"\u{1B}[31m \u{202E}x x '),
    ("wiki_nested", answers.shaped(lambda grant: {"ok": False}), {}, 502, "provider_rejected",
     "the token endpoint: answered 200, and /ok says that it failed"),
    ("wiki", answers.endless, {}, 502, "provider_rejected", "the token endpoint: its answer was longer than it may be"),
    ("wiki_openid", None, {}, 502, "provider_rejected", "the id_token: the answer has none"),
    ("wiki_openid", OPENID, {}, 502, "provider_rejected", "the id_token: it is no signed JWT"),
    ("wiki_closed", None, {}, 502, "provider_unreachable",
     "the token endpoint: the connection was refused, or there is no way to it"),
    ("wiki_tls", None, {}, 502, "provider_unreachable", "the token endpoint: TLS failed"),
    ("wiki", answers.reset, {}, 502, "provider_unreachable", "the token endpoint: the connection broke"),
    ("wiki", answers.silent, {}, 504, "provider_timeout", "the token endpoint: no answer came in time"),
    ("wiki", None, {"error": "access_denied", "error_description": "not\x1bnow"}, 400, "access_denied",
     r'the provider redirected with the error "access_denied": "not\u{1B}now"'),
    ("wiki", None, {"error": "<script>"}, 400, "access_denied", 'the provider redirected with the error "<script>"'),
    ("wiki", None, {"code": ""}, 400, "invalid_callback", "no code came"),
    ("wiki", None, {"code": "a", "error": "b"}, 400, "invalid_callback", "a code and an error came together"),
    ("wiki_issuer", None, {"code": "a", "iss": "https://evil.example"}, 400, "issuer_mismatch",
     'iss is "https://evil.example"'),
    ("wiki_issuer_required", None, {"code": "a"}, 400, "issuer_mismatch", "no iss came"),
]


@pytest.mark.parametrize(
    "source_type, answer, members, status, code, detail", REFUSED, ids=[row[5][:60] for row in REFUSED])
def test_why_a_flow_failed_is_in_trail_and_log_and_nobody_else_is_told(
    broker, source_type, answer, members, status, code, detail
):
    grant = broker.consented(source_type, answer)
    metric = code if code in ("access_denied", "invalid_callback", "issuer_mismatch") else code
    labels = {"source_type": source_type, "code": metric}
    before = value(broker, "cloakroom_flows_failed_total", **labels)
    response = broker.callback({"state": grant.state} | members if members else grant.callback)
    grant.released.set()
    problem = assert_problem(response, status, code)
    [line] = lines(broker, problem["requestId"])
    [event] = events(broker, problem["requestId"])
    assert line["event"] == event["type"] == "flow.failed"
    assert line["code"] == event["code"] == code
    assert line["detail"] == event["detail"]
    assert event["detail"].startswith(detail) and len(event["detail"]) < 600
    assert event["flow"] == line["flow"] and event["sourceType"] == source_type
    assert value(broker, "cloakroom_flows_failed_total", **labels) == before + 1
    # The page and the frontend get the code.
    assert detail not in response.text
    assert not SWIFT.search(event["detail"])
    for secret in (grant.code, grant.access_token, grant.state, CLIENT_SECRET, "\x1b"):
        assert secret not in event["detail"]


def test_what_a_provider_repeats_of_what_it_was_sent_is_hidden(broker):
    def answer(handler, grant):
        handler.send_json(400, {"error": f"code {grant.code} of {CLIENT_SECRET} gave {grant.access_token}"})

    grant = broker.consented("wiki", answer)
    problem = assert_problem(broker.callback(grant.callback), 502, "provider_rejected")
    [event] = events(broker, problem["requestId"])
    assert 'with the error "code [hidden] of [hidden]' in event["detail"]
    for secret in (grant.code, grant.access_token, CLIENT_SECRET):
        assert secret not in broker.logs and secret[:16] not in event["detail"]


# Callbacks of no flow: the log alone, which strangers cannot fill for longer than it is kept.


@pytest.mark.parametrize("members, reason", [
    ({"error": "access_denied", "error_description": "No\x1b"},
     r'no state came; the provider\'s error is "access_denied": "No\u{1B}"'.replace("\\'", "'")),
    ({"error": "x" * 5000}, "no state came; the provider's error is \"[hidden]…\""),
    ({"error": "x " * 5000}, "no state came; the provider's error is \"" + "x " * 100 + "…\""),
    ({"code": "a"}, "no state came"), ({"code": "a", "state": "short"}, "the state that came is none of this broker's"),
    ({"code": "a", "state": "A" * 43}, "no flow waits for this state: unknown, expired, spent, revoked, or begun for another address"),
    ({"error": "y", "state": "A" * 43}, "no flow waits for this state: unknown, expired, spent, revoked, or begun for another address; the provider's error is \"y\""),
], ids=["error", "long-word", "long", "alone", "short", "unknown", "unknown-error"])
def test_a_callback_of_no_flow_is_logged_with_the_providers_error(broker, members, reason):
    problem = assert_problem(broker.callback(members), 400, "invalid_state")
    [line] = lines(broker, problem["requestId"])
    assert (line["level"], line["message"], line["code"]) == ("info", "request failed", "invalid_state")
    assert line["reason"] == reason
    assert events(broker, problem["requestId"]) == []


def test_a_parameter_that_came_twice_is_told(broker):
    flow = broker.begin("wiki")
    response = broker.callback([("code", "a"), ("code", "b"), ("state", flow.state)])
    problem = assert_problem(response, 400, "invalid_callback")
    [line] = lines(broker, problem["requestId"])
    assert line["reason"] == "code came twice"


@pytest.mark.parametrize("members, back, status, code", [
    ({"error": "access_denied"}, False, 400, "access_denied"), ({"error": "login_required"}, True, 302, "login_required"),
    ({}, False, 400, "invalid_callback"),
])
def test_what_became_of_a_callback_is_in_the_line_of_its_request(broker, members, back, status, code):
    more = {"returnUrl": f"{APP}/connected", "exchangeChallenge": challenge_of(new_verifier())} if back else {}
    flow = broker.begin("wiki", **more)
    response = broker.callback(members | {"state": flow.state}, headers={"Accept": "text/html"})
    line = access_line(broker, response.headers["X-Request-Id"])
    assert (line["status"], line["code"], line["route"]) == (status, code, "/oauth/callback/{name}")
    assert response.status_code == status


# Calls with a token.


@pytest.mark.parametrize("source_type, status, code, reason", [
    ("wiki_missing", 502, "provider_rejected", "the provider's metadata: answered 404"),
    ("wiki_liar", 502, "provider_rejected",
     "the provider's metadata: the document is another issuer's (RFC 8414 § 3.3)"),
    ("wiki_broken_par", 502, "provider_rejected",
     'the pushed authorization request: answered 400 with the error "invalid_request"'),
])
def test_why_no_flow_began_is_logged(broker, source_type, status, code, reason):
    problem = assert_problem(broker.authorize(source_type), status, code)
    [line] = lines(broker, problem["requestId"])
    assert line["level"] == "warning" and line["message"] == "request failed"
    assert (line["code"], line["reason"]) == (code, reason)
    assert (line["tenant"], line["source_type"]) == ("acme", source_type)
    assert reason not in problem["detail"]
    access = access_line(broker, problem["requestId"])
    assert (access["status"], access["code"]) == (status, code)


@pytest.mark.parametrize("body, code", [
    ({"sourceType": 1}, "invalid_request"), ({"sourceType": "nothing"}, "unknown_source_type"),
    ({"sourceType": "wiki_upload"}, "source_type_without_oauth"), ({"sourceType": "wiki_account"}, "invalid_parameter"),
    ({"sourceType": "wiki_unconfigured"}, "source_type_not_configured"),
])
def test_what_a_caller_got_wrong_is_in_the_line_of_his_request(broker, body, code):
    response = broker.client.post("/v1/tenants/acme/assets:authorize", json=body, headers=broker.bearer())
    problem = response.json()
    assert access_line(broker, problem["requestId"])["code"] == problem["code"] == code
    # The answer tells all there is.
    assert lines(broker, problem["requestId"]) == []


@pytest.mark.parametrize("source_type, status, code, level, reason", [
    ("wiki", 400, "reauthorization_required", "info", 'the token endpoint: answered 400 with the error "invalid_grant"'),
    ("wiki_closed", 502, "provider_unreachable", "warning",
     "the token endpoint: the connection was refused, or there is no way to it"),
    ("wiki_tls", 502, "provider_unreachable", "warning", "the token endpoint: TLS failed"),
    ("wiki_missing", 502, "provider_rejected", "warning", "the provider's metadata: answered 404"),
])
def test_why_nothing_was_refreshed_is_logged(broker, source_type, status, code, level, reason):
    before = value(broker, "cloakroom_refreshes_total", outcome=code)
    response = broker.client.post(
        "/v1/tenants/acme/assets:refreshCredentials", json={"sourceType": source_type, "refreshToken": "r3fresh-t0ken"},
        headers=broker.bearer(scope="credentials:write"))
    problem = assert_problem(response, status, code)
    [line] = lines(broker, problem["requestId"])
    assert (line["level"], line["code"], line["source_type"]) == (level, code, source_type)
    assert line["reason"].startswith(reason) and "r3fresh" not in line["reason"]
    assert value(broker, "cloakroom_refreshes_total", outcome=code) == before + 1


def test_a_name_that_does_not_resolve_is_told_as_that(broker):
    grant = broker.consented("wiki_unknown_host")
    response = broker.callback(grant.callback)
    [event] = events(broker, response.json()["requestId"])
    # Without a resolver at hand the question may go unanswered.
    assert event["detail"] in (
        "the token endpoint: its name does not resolve (DNS)", "the token endpoint: no answer came in time")


def test_an_address_that_is_not_allowed_is_told_as_that(tmp_path, provider):
    limits = {"allowPrivateAddresses": False}
    with Broker(Installation(tmp_path / "guarded", provider, {"provider": limits})) as broker:
        response = broker.callback(broker.consented("wiki").callback)
        [event] = events(broker, response.json()["requestId"])
        assert event["code"] == "provider_unreachable"
        assert event["detail"].startswith("the token endpoint: its address is not allowed")


def test_why_callers_keys_are_not_there_is_logged_once_not_for_each_call(tmp_path, provider):
    closed = f"http://127.0.0.1:{closed_port()}/jwks"
    installation = Installation(tmp_path / "keyless", provider, {"auth": {"jwksFile": None, "jwksURL": closed}})
    with Broker(installation) as broker:
        for _ in range(5):
            problem = assert_problem(broker.authorize(), 503, "unavailable")
            assert lines(broker, problem["requestId"]) == []
            assert access_line(broker, problem["requestId"])["code"] == "unavailable"
        told = [json.loads(line) for line in broker.logs.splitlines() if "the keys for callers' tokens" in line]
        assert [line["level"] for line in told] == ["error"]
        assert told[0]["reason"].startswith("auth.jwksURL: the connection was refused")


# A master key that is gone.


def test_a_key_that_no_master_key_opens_is_told_and_not_spent(installation):
    config = ["--config", installation.config]
    file = installation.folder / "master.key"
    [first] = [line.partition(":")[0] for line in file.read_text().splitlines()]
    with Broker(installation) as broker:
        key = broker.key()
        assert run("master-key", "rotate", "--id", "second", *config).returncode == 0
        eventually(
            lambda: not next(
                item for item in json.loads(run("master-key", "list", *config, "--json").stdout) if item["id"] == first
            )["auditTrail"], what="the audit key is moved")
    both = file.read_text()
    installation.write("master.key", both.splitlines()[0] + "\n", mode=0o600)
    with Broker(installation) as broker:
        requests = [assert_problem(broker.redeem(key), 500, "internal_error")["requestId"] for _ in range(12)]
        [line] = lines(broker, requests[0])
        assert line["level"] == "error" and line["event"] == "credential_key.unreadable"
        assert line["detail"] == f'the master key "{first}" is not in the file'
        assert not SWIFT.search(broker.logs)

        def unreadable() -> list[dict]:
            response = broker.client.get(
                "/v1/admin/auditEvents?type=credential_key.unreadable",
                headers=broker.bearer(tenant=None, scope="broker:admin"))
            return response.json()["items"]

        assert len(unreadable()) == 10
        assert {event["detail"] for event in unreadable()} == {line["detail"]}
        assert unreadable()[-1]["requestId"] == requests[0] and unreadable()[-1]["flow"] == line["flow"]
        assert value(broker, "cloakroom_credential_keys_unreadable_total") == 12
        assert value(broker, "cloakroom_credential_keys_redeemed_total") == 0
        # Back in time, it loses nothing, and it is good once.
        installation.write("master.key", both, mode=0o600)
        broker.process.send_signal(signal.SIGHUP)
        eventually(lambda: broker.redeem(key).status_code == 200, what="the key is read")
        assert_problem(broker.redeem(key), 400, "invalid_credential_key")
    assert run("audit", "verify", *config).returncode == 0


# Commands.


def test_commands_say_how_a_connection_failed(installation):
    failed = run("audit", env={"CLOAKROOM_BROKER": f"http://127.0.0.1:{closed_port()}", "CLOAKROOM_TOKEN": "t"})
    assert "did not answer: the connection was refused" in failed.stderr and not SWIFT.search(failed.stderr)
    doctor = run("doctor", "--config", installation.config)
    assert "does not answer: the connection was refused" in doctor.stdout
    assert not SWIFT.search(doctor.stdout), doctor.stdout
