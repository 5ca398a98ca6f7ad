"""`admin: { host, port }`: what operators call, at an address that strangers do not reach."""

import contextlib
import socket
from collections.abc import Iterator

import httpx
import pytest

from broker import Broker, Installation, assert_problem, eventually, free_port, run
from raw import connection

REVOCATION = {"tenant": "acme", "reason": "a test"}


class Operators:
    """A broker with an address for operators, and a client for that."""

    def __init__(self, broker: Broker, port: int) -> None:
        self.broker, self.port = broker, port
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
        self.headers = broker.bearer(tenant=None, scope="broker:admin", sub="ops")


@pytest.fixture(scope="module")
def operators(folder, provider) -> Iterator[Operators]:
    port = free_port()
    changes = {"admin": {"host": "127.0.0.1", "port": port}, "http": {"maxConnections": 12}}
    with Broker(Installation(folder / "operators", provider, changes)) as broker:
        yield Operators(broker, port)


ADMIN = [
    ("GET", "/metrics", None), ("GET", "/v1/admin/credentialKeys", None), ("GET", "/v1/admin/auditEvents", None),
    ("POST", "/v1/admin/revocations", REVOCATION), ("GET", "/v1/admin/tenants/acme/clients/wiki", None),
    ("PUT", "/v1/admin/tenants/acme/clients/wiki", {"clientId": "x", "clientSecret": "y"}),
    ("DELETE", "/v1/admin/tenants/acme/clients/wiki", None), ("OPTIONS", "/v1/admin/auditEvents", None),
]


@pytest.mark.parametrize("method, path, body", ADMIN)
def test_the_public_address_knows_nothing_of_it(operators, method, path, body):
    response = operators.broker.client.request(method, path, headers=operators.headers, json=body)
    assert_problem(response, 404, "not_found")


def test_operators_do_all_of_it_at_theirs(operators):
    key = operators.broker.key()
    assert "cloakroom_flows_started_total" in operators.client.get("/metrics").text
    items = operators.client.get("/v1/admin/credentialKeys", headers=operators.headers).json()["items"]
    assert [item["tenant"] for item in items] == ["acme"]
    path = "/v1/admin/tenants/globex/clients/wiki"
    assert operators.client.put(path, headers=operators.headers, json={"clientId": "x", "clientSecret": "y"}).status_code in (200, 201)
    assert operators.client.get(path, headers=operators.headers).json()["clientId"] == "x"
    assert operators.client.delete(path, headers=operators.headers).status_code in (200, 204)
    revoked = operators.client.post("/v1/admin/revocations", headers=operators.headers, json=REVOCATION)
    assert revoked.json()["credentialKeysRevoked"] == 1
    assert operators.broker.redeem(key).status_code == 400


@pytest.mark.parametrize("method, path, body", [call for call in ADMIN if call[1] != "/metrics" and call[0] != "OPTIONS"])
def test_a_token_is_needed_there_too(operators, method, path, body):
    assert operators.client.request(method, path, json=body).status_code == 401
    assert operators.client.request(
        method, path, json=body, headers=operators.broker.bearer(scope="assets:write")).status_code == 403


@pytest.mark.parametrize("path", [
    "/v1/tenants/acme/assets:sourceTypes", "/oauth/callback", "/oauth/success", "/oauth/popup", "/connect.js", "/openapi.json",
])
def test_nothing_else_is_there(operators, path):
    assert operators.broker.client.get(path).status_code != 404
    response = operators.client.get(path)
    assert_problem(response, 404, "not_found")
    assert "access-control-allow-origin" not in response.headers


def test_both_say_that_they_live_and_are_ready(operators):
    for client in (operators.client, operators.broker.client):
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_commands_speak_to_it(operators, tmp_path):
    token = tmp_path / "token"
    token.write_text(operators.headers["Authorization"].removeprefix("Bearer "))
    token.chmod(0o600)
    done = run("audit", "list", "--json", "--broker", f"http://127.0.0.1:{operators.port}", "--token-file", token)
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr
    token.chmod(0o644)
    done = run("audit", "list", "--json", "--broker", f"http://127.0.0.1:{operators.port}", "--token-file", token)
    assert done.returncode == 0 and "others can read it" in done.stderr


def test_operators_get_in_however_many_strangers_come(operators):
    operators.broker.client.close()
    operators.client.close()
    with contextlib.ExitStack() as stack:
        def is_full() -> bool:
            sock = stack.enter_context(connection(operators.broker.port))
            sock.sendall(b"GET /")
            sock.settimeout(0.1)
            try:
                return sock.recv(1) == b""
            except TimeoutError:
                return False
            except ConnectionResetError:
                return True

        eventually(is_full, what="the public address takes no more")
        metrics = httpx.get(f"http://127.0.0.1:{operators.port}/metrics", trust_env=False)
        assert metrics.status_code == 200
        lines = [line for line in metrics.text.splitlines() if line.startswith("cloakroom_http_connections{")]
        assert {line.split('"')[1] for line in lines} == {"public", "admin"}
    operators.broker.client = httpx.Client(base_url=operators.broker.url, timeout=30, trust_env=False)


def test_an_address_in_use_is_named_by_its_setting(tmp_path, provider):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        installation = Installation(tmp_path / "taken", provider, {"admin": {"port": port}})
        result = run("serve", "--config", installation.config)
    assert result.returncode == 1 and f"127.0.0.1:{port}" in result.stderr and "admin.port" in result.stderr, result.stderr
