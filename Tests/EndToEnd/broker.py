"""A real `cloakroom serve`: its folder as an operator would lay it out, its process, and calls to it."""

import html
import json
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import httpx
import pytest
import yaml

import tokens
from provider import Answer, Grant, Provider, callback_path, remember_redirect
from tokens import Signer

if TYPE_CHECKING:
    from postgres import PostgresServer

APP = "https://app.example.com"
OTHER_APP = "https://second.example.com:8443"
FOREIGN = "https://evil.example.net"
FOREIGN_ORIGINS = [
    FOREIGN, "null", "http://app.example.com", f"{APP}:8443", f"{APP}.evil.example.net", "https://APP.example.com.",
    "https://second.example.com", f"{APP}/",
]

# Characters that RFC 6749 § 2.3.1 wants encoded inside a Basic header.
CLIENT_SECRET = "s3cret:/+ &%=" + secrets.token_hex(12)


def binary() -> str:
    return os.environ["CLOAKROOM_BINARY"]


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Ours without any CLOAKROOM_ variable: each of them is a setting."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CLOAKROOM_")}
    return clean | (extra or {})


def run(*arguments: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """The command line, to its end."""
    return subprocess.run(
        [binary(), *map(str, arguments)],
        env=environment(env), cwd=cwd, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=30,
    )


def free_port() -> int:
    """A loopback port below the range that outgoing connections are given, in a part of this process's own."""
    first = 20000 + 4000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 3)
    for _ in range(1000):
        port = random.SystemRandom().randrange(first, first + 3997)  # three more are looked for behind some
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def eventually(condition: Callable[[], Any], within: float = 10, what: str = "") -> Any:
    """The condition's first true value; fails when there is none in time."""
    deadline = time.monotonic() + within
    while True:
        if value := condition():
            return value
        assert time.monotonic() < deadline, f"not within {within} s: {what or condition}"
        time.sleep(0.02)


def wait_until(milliseconds: float) -> None:
    """Until just after a moment that the broker gave."""
    time.sleep(max(0, milliseconds / 1000 - time.time()) + 0.05)


def source_types(provider: Provider) -> dict[str, dict]:
    """A catalog of awkward providers, all of them the one on loopback."""
    url = provider.url

    def wiki(**oauth) -> dict:
        """One source type; members given as `None` are left out."""
        usual = {"authorizationURL": f"{url}/authorize", "tokenURL": f"{url}/token", "scopes": ["read", "write"]}
        members = {name: value for name, value in (usual | oauth).items() if value is not None}
        return {"displayName": "Test Wiki", "category": "wiki", "provider": "wiki", "oauth": members}

    digits = {"account": {"pattern": "^[0-9]{1,8}$", "description": "Account number", "required": True}}
    subdomain = {
        "subdomain": {
            "pattern": "^[a-z0-9][a-z0-9-]{0,62}$",
            "description": "The part before .example.com",
            "required": True,
        }
    }
    letters = {"name": {"pattern": "^[A-Za-z]{1,16}$", "description": "Letters", "required": True}}
    return {
        "wiki": wiki(),
        "wiki_account": wiki(
            authorizationURL=url + "/accounts/{account}/authorize",
            tokenURL=url + "/accounts/{account}/token",
            parameters=digits,
        ),
        "wiki_closed": wiki(tokenURL=f"http://127.0.0.1:{closed_port()}/token"),
        "wiki_expiry": wiki(response={"expiresAt": "/expires_at"}),
        "wiki_extras": wiki(extras={"callback": ["realmId"], "token": {"instanceUrl": "/instance_url"}}),
        "wiki_issuer": wiki(issuer=f"{url}/issuer"),
        "wiki_issuer_required": wiki(issuer=f"{url}/issuer", requireIssuer=True),
        "wiki_json": wiki(tokenRequestFormat="json", clientAuthentication="post"),
        "wiki_letters": wiki(authorizationURL=url + "/letters/{name}/authorize", parameters=letters),
        "wiki_nested": wiki(
            response={
                "accessToken": "/authed_user/access_token",
                "refreshToken": "/authed_user/refresh_token",
                "expiresIn": "/authed_user/expires_in",
                "error": "/error",
                "failureUnless": {"pointer": "/ok", "equals": True},
            },
            extras={"token": {"team": "/team/id"}},
        ),
        "wiki_offline": wiki(refreshToken="expected"),
        "wiki_post": wiki(
            clientAuthentication="post",
            tokenParameters={"audience": "wiki-api"},
            tokenHeaders={"Accept": "application/json", "X-Api-Version": "2"},
        ),
        "wiki_public": wiki(clientAuthentication="none") | {"provider": "wiki_public"},
        "wiki_scopes": wiki(
            scopeSeparator=",",
            scopeParameter="user_scope",
            authorizationParameters={"access_type": "offline", "prompt": "consent"},
        ),
        "wiki_site": wiki(
            authorizationURL="https://{subdomain}.example.com/oauth/authorize",
            tokenURL=url + "/sites/{subdomain}/token",
            parameters=subdomain,
        ),
        "wiki_tls": wiki(tokenURL=f"https://127.0.0.1:{provider.port}/token"),
        "wiki_unconfigured": wiki() | {"provider": "wiki_unconfigured"},
        "wiki_unproved": wiki(pkce="none"),
        "wiki_upload": {"displayName": "Upload to the wiki", "category": "upload"},
    }


def closed_port() -> int:
    """A port that nobody listens at, kept bound so that nobody will."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    _held.append(holder)
    return holder.getsockname()[1]


_held: list[socket.socket] = []


def merged(base: dict, changes: dict) -> dict:
    """`base` with `changes` laid over it; a member given as `None` is left out."""
    result = dict(base)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def shared_server() -> "PostgresServer | None":
    """With CLOAKROOM_TEST_STORE=postgres each installation has a database of this one."""
    if os.environ.get("CLOAKROOM_TEST_STORE") != "postgres":
        return None
    import postgres  # which imports this module

    return postgres.shared()


on_sqlite = pytest.mark.skipif(
    os.environ.get("CLOAKROOM_TEST_STORE") == "postgres", reason="opens the database's file, or is about it")


def usual_store() -> str:
    server = shared_server()
    return server.url(server.database()) if server else "sqlite:cloakroom.db"


class Installation:
    """A folder with configuration, catalog and keys. All paths in it are relative to it."""

    def __init__(self, folder: Path, provider: Provider, changes: dict | None = None, port: int | None = None) -> None:
        self.folder = folder
        self.provider = provider
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.signer = Signer.new()
        provider.clients |= {"wiki-client": CLIENT_SECRET, "public-client": None}
        folder.mkdir(parents=True, exist_ok=True)
        self.write("jwks.json", json.dumps(tokens.jwks(self.signer)))
        self.write("master.key", run("master-key", "new").stdout, mode=0o600)
        self.write("wiki.secret", CLIENT_SECRET, mode=0o600)
        self.write_catalog(source_types(provider))
        self.settings = merged(
            {
                "http": {"host": "127.0.0.1", "port": self.port, "publicURL": self.url},
                "frontend": {"origins": [APP, OTHER_APP]},
                "auth": {"issuer": tokens.ISSUER, "audience": tokens.AUDIENCE, "jwksFile": "jwks.json"},
                "storage": {"url": usual_store()},
                "masterKeyFile": "master.key",
                "provider": {"connectTimeout": 5, "timeout": 10, "allowInsecure": True, "allowPrivateAddresses": True},
                "catalogFiles": ["source-types.yaml"],
                "clients": {
                    "wiki": {"clientId": "wiki-client", "clientSecretFile": "wiki.secret"},
                    "wiki_public": {"clientId": "public-client"},
                },
                "log": {"level": "info", "format": "json"},
            },
            changes or {},
        )
        self.write_configuration()

    @property
    def config(self) -> Path:
        return self.folder / "cloakroom.yaml"

    @property
    def database(self) -> Path:
        return self.folder / "cloakroom.db"

    @property
    def database_on_server(self) -> str | None:
        """Its name on the shared server; `None` where the database is a file."""
        return self.settings["storage"]["url"].rpartition("/")[2] if shared_server() else None

    def stored(self) -> dict[str, bytes]:
        """All files in which the store keeps anything, the write-ahead log among them."""
        if name := self.database_on_server:
            return shared_server().files(name)
        return {path.name: path.read_bytes() for path in self.folder.glob("cloakroom.db*")}

    def write(self, name: str, text: str | bytes, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def write_configuration(self) -> None:
        self.write("cloakroom.yaml", yaml.safe_dump(self.settings, sort_keys=False, allow_unicode=True))

    def write_catalog(self, entries: dict) -> None:
        self.write("source-types.yaml", yaml.safe_dump({"sourceTypes": entries}, sort_keys=False))

    def check(self, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        return run("check", "--config", self.config, env=env)


@dataclass(frozen=True)
class Flow:
    """What `assets:authorize` answered."""

    authorization_url: str
    flow: str
    expires_at: int

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.authorization_url).query, keep_blank_values=True))

    @property
    def state(self) -> str:
        return self.query["state"]


class Broker:
    """The process, and a client that follows no redirect. Stopping it asserts a clean exit."""

    def __init__(self, installation: Installation, env: dict[str, str] | None = None) -> None:
        self.installation = installation
        self.provider = installation.provider
        self.env = env or {}
        self.port = int(self.env.get("CLOAKROOM_HTTP_PORT", installation.port))
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = installation.folder / f"broker-{self.port}.log"
        self.client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        self.process: subprocess.Popen | None = None

    # The process.

    def start(self) -> "Broker":
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [binary(), "serve", "--config", str(self.installation.config)],
                env=environment(self.env), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/",
            )
        try:
            eventually(self._ready, within=30, what="/readyz says 200")
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self, within: float = 15) -> None:
        """SIGTERM: stop accepting, finish what runs, exit 0."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        status = self.wait(within)
        assert status == 0, f"exit status {status} after SIGTERM\n{self.logs[-2000:]}"

    def wait(self, within: float = 15) -> int:
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {within} s after it was told to stop") from None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    @property
    def logs(self) -> str:
        return self.log_path.read_text(errors="replace")

    def __enter__(self) -> "Broker":
        return self.start()

    def __exit__(self, failure, *_) -> None:
        if self.process.poll() is None:
            self.stop() if failure is None else self.kill()

    def _ready(self) -> bool:
        status = self.process.poll()
        assert status is None, f"exited with {status} before it was ready\n{self.logs[-4000:]}"
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    # Calls.

    def token(self, tenant: Any = "acme", scope: Any = "assets:read assets:write", **claims) -> str:
        return self.installation.signer.sign(tokens.claims(tenant, scope, **claims))

    def bearer(self, tenant: Any = "acme", scope: Any = "assets:read assets:write", **claims) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(tenant, scope, **claims)}"}

    def source_types(self, tenant: str = "acme", **options) -> httpx.Response:
        options.setdefault("headers", self.bearer(tenant))
        return self.client.get(f"/v1/tenants/{tenant}/assets:sourceTypes", **options)

    def authorize(self, source_type: Any = "wiki", tenant: str = "acme", headers: dict = {}, **members) -> httpx.Response:
        return self.client.post(
            f"/v1/tenants/{tenant}/assets:authorize",
            json={"sourceType": source_type} | members,
            headers=self.bearer(tenant) | headers,
        )

    def begin(self, source_type: str = "wiki", tenant: str = "acme", headers: dict = {}, **members) -> Flow:
        """A flow that must start."""
        response = self.authorize(source_type, tenant, headers, **members)
        assert response.status_code == 200, response.text
        answer = response.json()
        flow = Flow(answer["authorizationUrl"], answer["flow"], answer["expiresAt"])
        remember_redirect(flow.query)
        return flow

    def consented(self, source_type: str = "wiki", answer: Answer | None = None, **members) -> Grant:
        """A flow up to the moment when the browser comes back with a code."""
        return self.provider.consent(self.begin(source_type, **members).authorization_url, answer)

    def callback(
        self, members: dict | Iterable[tuple[str, str]], method: str = "GET", at: str | None = None, **options
    ) -> httpx.Response:
        """The provider's redirect to the flow's own address, as a browser carries it; problems are asked for as JSON."""
        members = list(members.items() if isinstance(members, dict) else members)
        path = callback_path(members) if at is None else at
        options.setdefault("headers", {"Accept": "application/json"})
        if method == "POST":
            headers = options.pop("headers") | {"Content-Type": "application/x-www-form-urlencoded"}
            return self.client.post(path, content=encoded(members), headers=headers, **options)
        return self.client.request(method, f"{path}?{encoded(members)}", **options)

    def finish(self, grant: Grant, **extra) -> str:
        """A callback that must succeed; its credential key."""
        response = self.callback(grant.callback | extra)
        assert response.status_code == 302, f"{response.status_code} {response.text}\n{self.provider.complaints}"
        return fragment(response)["credentialKey"]

    def key(self, source_type: str = "wiki", answer: Answer | None = None, **members) -> str:
        """A credential key, by a whole flow."""
        return self.finish(self.consented(source_type, answer, **members))

    def redeem(self, key: str, tenant: str = "acme", headers: dict = {}, **members) -> httpx.Response:
        return self.client.get(
            f"/v1/tenants/{tenant}/assets:oauthCredentials?{encoded({'credentialKey': key} | members)}", headers=headers
        )

    def redeem_by_post(self, key: Any, tenant: str = "acme", **members) -> httpx.Response:
        return self.client.post(f"/v1/tenants/{tenant}/assets:oauthCredentials", json={"credentialKey": key} | members)

    def credentials(self, source_type: str = "wiki", answer: Answer | None = None, **members) -> dict:
        """What a whole flow and its redemption give."""
        response = self.redeem(self.key(source_type, answer, **members))
        assert response.status_code == 200, response.text
        return response.json()

    def outcome(self, flow: str, verifier: str, tenant: str = "acme") -> httpx.Response:
        query = encoded({"flow": flow, "exchangeVerifier": verifier})
        return self.client.get(f"/v1/tenants/{tenant}/assets:oauthFlow?{query}")

    def outcome_by_post(self, flow: Any, verifier: Any, tenant: str = "acme") -> httpx.Response:
        members = {"flow": flow, "exchangeVerifier": verifier}
        return self.client.post(f"/v1/tenants/{tenant}/assets:oauthFlow", json=members)


def encoded(members: dict | Iterable[tuple[str, str]]) -> str:
    return urlencode(list(members.items()) if isinstance(members, dict) else list(members))


def fragment(response: httpx.Response) -> dict[str, str]:
    """The members after the `#` of a redirect."""
    return dict(parse_qsl(urlsplit(response.headers["location"]).fragment, keep_blank_values=True))


def assert_problem(response: httpx.Response, status: int, code: str | set[str]) -> dict:
    """RFC 9457 with our extension members; gives the body."""
    assert response.status_code == status, f"{response.status_code} {response.text}"
    assert response.headers["content-type"].partition(";")[0] == "application/problem+json"
    body = response.json()
    assert body["code"] in ({code} if isinstance(code, str) else code), body
    assert {"type", "title", "status", "detail", "instance", "code", "requestId"} <= body.keys(), body
    assert body["status"] == status
    path = response.request.url.raw_path.decode().partition("?")[0]
    assert body["instance"] in (path, unquote(path))
    assert body["requestId"] == response.headers["x-request-id"]
    assert all(isinstance(body[name], str) and body[name] for name in ("type", "title", "detail"))
    assert re.fullmatch(r"[a-z][a-z0-9_]*", body["code"])
    return body


def text_of(response: httpx.Response) -> str:
    """A page as a reader sees it: entities resolved."""
    assert response.headers["content-type"].startswith("text/html"), response.headers
    return html.unescape(response.text)


def simultaneously(requests: list[tuple[int, bytes]], within: float = 30) -> list[tuple[int, bytes]]:
    """Sends each request to its port over a socket of its own, all last bytes at once.

    Gives each answer's status and body. The requests must ask for `Connection: close`.
    """
    sockets = []
    try:
        for port, request in requests:
            connection = socket.create_connection(("127.0.0.1", port), timeout=within)
            sockets.append(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request[:-1])
        for connection, (_, request) in zip(sockets, requests):
            connection.sendall(request[-1:])
        return [_answer(connection) for connection in sockets]
    finally:
        for connection in sockets:
            connection.close()


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    octets = bytearray()
    while chunk := connection.recv(65536):
        octets += chunk
    head, _, body = bytes(octets).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def get_request(port: int, target: str, **headers: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def in_background(work: Callable[[], Any]) -> "Background":
    return Background(work)


class Background(threading.Thread):
    """Work on another thread; `result` waits and passes on what it raised."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work, self._value, self._failure = work, None, None
        self.start()

    def run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as failure:
            self._failure = failure

    def result(self, within: float = 30) -> Any:
        self.join(max(0, within))
        assert not self.is_alive(), f"still running after {within} s"
        if self._failure:
            raise self._failure
        return self._value
