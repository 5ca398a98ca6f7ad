"""Spans, read by OpenTelemetry's own message types, and W3C `traceparent` in and out."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

import tokens
from broker import Broker, Installation, eventually, run
from provider import refusal

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
REDEEM = "/v1/tenants/{tenant}/assets:oauthCredentials"


class Collector:
    """Takes spans, and gives the keys of callers' tokens where it is asked for them."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.bodies: list[bytes] = []
        self.jwks = b"{}"
        self.headers: list[dict] = []
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
                collector.bodies.append(body)
                if collector.status == 200:
                    for resource in Parse(body, ExportTraceServiceRequest()).resource_spans:
                        names = {item.key: item.value.string_value for item in resource.resource.attributes}
                        assert names["service.name"] == "cloakroom" and names["service.version"]
                        collector.spans += [span for scope in resource.scope_spans for span in scope.spans]
                self.answer(collector.status, b"{}")

            def do_GET(self) -> None:
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.answer(200, collector.jwks)

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


def identifier(field: bytes) -> str:
    """JSON holds identifiers in hexadecimal (OTLP); the general reader takes them for base64."""
    return base64.b64encode(field).decode()


def attributes(span: Span) -> dict:
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()


def traced(tmp_path, provider, collector: Collector, **changes) -> Broker:
    tracing = {"tracing": {"endpoint": f"{collector.url}/v1/traces"} | changes.pop("tracing", {})}
    return Broker(Installation(tmp_path / "traced", provider, tracing | changes))


def traceparent(flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{TRACE}-{PARENT}-{flags}", "tracestate": "vendor=1"}


def test_a_flow_is_told_in_spans(tmp_path, provider, collector):
    with traced(tmp_path, provider, collector) as broker:
        flow = broker.begin(headers=broker.bearer() | traceparent())
        key = broker.key()
        broker.redeem(key, headers=traceparent())
        broker.redeem(key, headers=traceparent())
        failed = broker.consented(answer=refusal("server_error", 500))
        broker.callback(failed.callback)
    # What was not sent yet is sent at the end.
    (first, _, _) = collector.named("POST /v1/tenants/{tenant}/assets:authorize")
    assert identifier(first.trace_id) == TRACE and identifier(first.parent_span_id) == PARENT
    assert first.trace_state == "vendor=1"
    assert first.kind == Span.SPAN_KIND_SERVER
    assert attributes(first)["http.route"] == "/v1/tenants/{tenant}/assets:authorize"
    assert attributes(first)["http.response.status_code"] == 200
    (event,) = first.events
    assert event.name == "flow.started"
    assert {item.key: item.value.string_value for item in event.attributes}["cloakroom.flow"] == flow.flow

    (redeemed, reused) = collector.named(f"GET {REDEEM}")
    assert identifier(redeemed.trace_id) == identifier(reused.trace_id) == TRACE
    assert [span.events[0].name for span in (redeemed, reused)] == ["credential_key.redeemed", "credential_key.reused"]
    # A caller's mistake is no error of ours.
    assert attributes(reused)["http.response.status_code"] == 400 and reused.status.code == Status.STATUS_CODE_UNSET

    callbacks = {span.span_id: span for span in collector.named("GET /oauth/callback/{name}")}
    (good, bad) = collector.named("POST wiki")
    for span in (good, bad):
        assert span.kind == Span.SPAN_KIND_CLIENT
        parent = callbacks[span.parent_span_id]
        assert span.trace_id == parent.trace_id
        assert parent.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano < span.end_time_unix_nano <= parent.end_time_unix_nano
    assert good.status.code == Status.STATUS_CODE_UNSET and attributes(good)["http.response.status_code"] == 200
    assert bad.status.code == Status.STATUS_CODE_ERROR and attributes(bad)["error.type"] == "500"

    # Neither the key nor anything of the grant, and not the tenant's name in a path.
    text = b"".join(collector.bodies).decode()
    for secret in (key, flow.state, failed.callback["code"], failed.state, "credentialKey=", "/tenants/acme"):
        assert secret not in text


def test_providers_learn_nothing_of_traces_and_the_issuer_does(tmp_path, provider, collector):
    changes = {"auth": {"jwksFile": None, "jwksURL": f"{collector.url}/keys"}}
    broker = traced(tmp_path, provider, collector, **changes)
    collector.jwks = json.dumps(tokens.jwks(broker.installation.signer)).encode()
    with broker:
        flow = broker.begin(headers=broker.bearer() | traceparent())
        assert "traceparent" not in flow.authorization_url
        assert collector.headers[-1]["traceparent"].startswith(f"00-{TRACE}-")
        assert collector.headers[-1]["tracestate"] == "vendor=1"
        grant = broker.provider.consent(flow.authorization_url)
        broker.callback(grant.callback, headers=traceparent())
        (exchange,) = broker.provider.exchanges(grant)
        assert not [name for name in exchange.headers if name.startswith("trace")]


def test_whoever_began_the_trace_decides_whether_it_is_kept(tmp_path, provider, collector):
    with traced(tmp_path, provider, collector, tracing={"sampleRatio": 0}) as broker:
        broker.client.get("/healthz")
        broker.client.get("/healthz", headers=traceparent("00"))
        broker.client.get("/healthz", headers=traceparent("01"))
        broker.client.get("/healthz", headers={"traceparent": "00-broken"})
    (span,) = collector.spans
    assert identifier(span.trace_id) == TRACE


def test_log_lines_have_the_trace(tmp_path, provider, collector):
    with Broker(Installation(tmp_path / "untraced", provider)) as broker:
        broker.client.get("/connect.js", headers=traceparent())
        several = [("traceparent", f"00-{digit * 32}-{PARENT}-01") for digit in "12"]
        broker.client.get("/connect.d.ts", headers=several)
        lines = [json.loads(line) for line in broker.logs.splitlines()]
    found = {line.get("route"): line.get("trace_id") for line in lines}
    assert found["/connect.js"] == TRACE
    assert found["/connect.d.ts"] is None


def test_a_collector_that_refuses_is_told_once_and_nobody_waits(tmp_path, provider, collector):
    collector.status = 503
    with traced(tmp_path, provider, collector) as broker:
        for count in (1, 2, 3):
            assert broker.redeem(broker.key()).status_code == 200
            eventually(lambda: len(collector.bodies) >= count, within=10, what="spans are sent")
        assert broker.logs.count("the collector accepts no spans") == 1
        assert "cloakroom_spans_dropped_total 0\n" not in broker.client.get("/metrics").text
        collector.status = 200
        broker.client.get("/healthz")
        eventually(lambda: "the collector accepts spans again" in broker.logs, within=10, what="it is told")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4318", "collector:4318/v1/traces", "ftp://a/b", ""])
def test_an_endpoint_that_cannot_be_one_is_refused(tmp_path, provider, endpoint):
    checked = Installation(tmp_path / "bad", provider, {"tracing": {"endpoint": endpoint}}).check()
    assert checked.returncode != 0
    assert "tracing.endpoint: found" in checked.stderr


def test_doctor_says_whether_the_collector_takes_spans(tmp_path, provider, collector):
    installation = Installation(tmp_path / "looked-at", provider, {"tracing": {"endpoint": f"{collector.url}/v1/traces"}})

    def finding() -> dict:
        found = json.loads(run("doctor", "--config", installation.config, "--json").stdout)
        return next(item for item in found if item["subject"] == "collector")

    assert finding()["ok"] and collector.spans == []
    collector.status = 503
    assert not finding()["ok"] and "answers 503" in finding()["finding"]
    collector.server.shutdown()
    collector.server.server_close()
    assert not finding()["ok"] and "does not answer" in finding()["finding"]
