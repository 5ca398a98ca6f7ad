"""An OAuth provider on loopback that answers each code as its test says, and remembers every request.

It checks what a strict provider checks (client, redirect address, PKCE) before it answers, so a
broker that sends something wrong gets no tokens.
"""

import base64
import gzip
import json
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from tokens import Signer, challenge_of, jwks

PATIENCE = 30  # seconds after which even the slowest answer gives up


@dataclass(frozen=True)
class Call:
    """One request that the provider got."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def members(self) -> dict[str, str]:
        """The body's members, from a form or from JSON."""
        if self.headers.get("content-type", "").startswith("application/json"):
            return json.loads(self.body)
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Grant:
    """One consent: the code, what it was asked for, and what the token endpoint says to it."""

    code: str
    state: str
    request: dict[str, str]
    answer: "Answer" = field(repr=False)
    access_token: str = field(default_factory=lambda: f"access-{secrets.token_urlsafe(24)}")
    refresh_token: str = field(default_factory=lambda: f"refresh-{secrets.token_urlsafe(24)}")
    arrived: threading.Event = field(default_factory=threading.Event, repr=False)
    released: threading.Event = field(default_factory=threading.Event, repr=False)
    used: bool = False

    @property
    def callback(self) -> dict[str, str]:
        return {"code": self.code, "state": self.state}

    def token_response(self, **changes) -> dict:
        """RFC 6749 § 5.1; a member given as `None` is left out."""
        members = {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": self.refresh_token,
            "scope": self.request.get("scope", ""),
        } | changes
        return {name: value for name, value in members.items() if value is not None}


Answer = Callable[["Handler", Grant], None]


# Good answers.


def tokens(**changes) -> Answer:
    """The usual JSON, with members changed or (`None`) left out."""
    return lambda handler, grant: handler.send_json(200, grant.token_response(**changes))


def form_encoded(**changes) -> Answer:
    """Tokens as `application/x-www-form-urlencoded`, as GitHub sends them unless asked otherwise."""

    def answer(handler: "Handler", grant: Grant) -> None:
        body = urlencode(grant.token_response(**changes)).encode()
        handler.send(200, body, "application/x-www-form-urlencoded")

    return answer


def shaped(make: Callable[[Grant], object], status: int = 200) -> Answer:
    """JSON that the test makes from the grant."""
    return lambda handler, grant: handler.send_json(status, make(grant))


def with_byte_order_mark(handler: "Handler", grant: Grant) -> None:
    handler.send(200, b"\xef\xbb\xbf" + json.dumps(grant.token_response()).encode())


def gzipped(handler: "Handler", grant: Grant) -> None:
    body = gzip.compress(json.dumps(grant.token_response()).encode())
    handler.send(200, body, headers={"Content-Encoding": "gzip"})


def slow(handler: "Handler", grant: Grant) -> None:
    """The usual JSON, but only when the test releases the grant."""
    grant.released.wait(PATIENCE)
    handler.send_json(200, grant.token_response())


# Bad answers.


def refusal(error: str = "invalid_grant", status: int = 400, **members) -> Answer:
    """RFC 6749 § 5.2."""
    return lambda handler, grant: handler.send_json(status, {"error": error} | members)


def raw(body: bytes, content_type: str = "application/json", status: int = 200) -> Answer:
    return lambda handler, grant: handler.send(status, body, content_type)


def redirect(location: str, status: int = 302) -> Answer:
    return lambda handler, grant: handler.send(status, b"", headers={"Location": location})


def decompression_bomb(handler: "Handler", grant: Grant) -> None:
    """Some 100 KB that unpack to 100 MB."""
    body = gzip.compress(b'{"padding": "' + bytes(100_000_000), compresslevel=1)
    handler.send(200, body, headers={"Content-Encoding": "gzip"})


def endless(handler: "Handler", grant: Grant) -> None:
    handler.send_raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for _ in range(4096):
        handler.send_raw(b" " * 65536)


def dripping(handler: "Handler", grant: Grant) -> None:
    """One byte at a time: every read succeeds, the answer never ends."""
    handler.send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(PATIENCE * 10):  # far fewer than promised
        handler.send_raw(b" ")
        if grant.released.wait(0.1):
            return


def dripping_headers(handler: "Handler", grant: Grant) -> None:
    handler.send_raw(b"HTTP/1.1 200 OK\r\n")
    for number in range(PATIENCE * 10):
        handler.send_raw(f"X-{number}: 0\r\n".encode())
        if grant.released.wait(0.1):
            return


def silent(handler: "Handler", grant: Grant) -> None:
    grant.released.wait(PATIENCE)
    handler.close_connection = True


def reset(handler: "Handler", grant: Grant) -> None:
    """SO_LINGER 0: the peer sees a reset, not an end."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def closed(handler: "Handler", grant: Grant) -> None:
    handler.close_connection = True


def cut_short(handler: "Handler", grant: Grant) -> None:
    """Fewer bytes than Content-Length promises, though they are whole JSON."""
    body = json.dumps(grant.token_response()).encode()
    handler.send_raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n")
    handler.send_raw(body)


def not_http(handler: "Handler", grant: Grant) -> None:
    handler.send_raw(b"SSH-2.0-OpenSSH_9.6\r\n" * 3)


_redirects: dict[str, str] = {}


def remember_redirect(request: dict[str, str]) -> None:
    """Where the flow of this authorization request wants the browser to come back."""
    if "state" in request and "redirect_uri" in request:
        _redirects[request["state"]] = request["redirect_uri"]


def callback_path(members: "dict | Iterable[tuple[str, str]]") -> str:
    """The path under the broker's address to which a browser brings these members; the bare one where no flow is known."""
    states = [value for name, value in dict(members).items() if name == "state"]
    address = _redirects.get(states[0], "") if states else ""
    return "/oauth/callback" + address.partition("/oauth/callback")[2]


def callback_target(members: dict[str, str]) -> str:
    """That path with the members as its query."""
    return f"{callback_path(members)}?{urlencode(members)}"


class Provider:
    """The running provider. `clients` maps client ids to secrets (`None`: a public client)."""

    def __init__(self, handler: "type[Handler] | None" = None) -> None:
        self.clients: dict[str, str | None] = {}
        self.signer = Signer.new("RS256", "provider-key")
        self.jwks: dict = jwks(self.signer)
        self.calls: list[Call] = []
        self.complaints: list[str] = []
        self.metadata: dict[str, dict] = {}  # more of what an issuer says of itself, by its name
        self.decision = ""  # what a browser is answered at once: `allow`, `deny`, or nothing where it must wait
        self.posted: dict[str, str] = {}  # what it posts besides, where `response_mode=form_post` is asked for
        self._grants: dict[str, Grant] = {}
        self._pushed: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), handler or Handler)
        self._server.provider = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def consent(self, authorization_url: str, answer: Answer | None = None, code: str | None = None) -> Grant:
        """What a user's consent leads to: a code for this request. The test carries it to the callback."""
        request = self.requested(dict(parse_qsl(urlsplit(authorization_url).query, keep_blank_values=True)))
        remember_redirect(request)
        grant = Grant(code or f"code-{secrets.token_urlsafe(24)}", request["state"], request, answer or tokens())
        with self._lock:
            self._grants[grant.code] = grant
        return grant

    def exchanges(self, grant: Grant) -> list[Call]:
        """The token requests that carried this grant's code."""
        return [call for call in self.calls_to("/token") if call.members.get("code") == grant.code]

    def calls_to(self, ending: str) -> list[Call]:
        with self._lock:
            return [call for call in self.calls if call.path.endswith(ending)]

    def release_all(self) -> None:
        with self._lock:
            grants = list(self._grants.values())
        for grant in grants:
            grant.released.set()

    def close(self) -> None:
        self.release_all()
        self._server.shutdown()
        self._server.server_close()

    def requested(self, members: dict[str, str]) -> dict[str, str]:
        """What the address asks for, wherever it says so."""
        return self._pushed[members["request_uri"]] if "request_uri" in members else members

    # What the handler asks.

    def note(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)

    def push(self, members: dict[str, str]) -> str:
        """RFC 9126 § 2.2."""
        address = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(8)}"
        self._pushed[address] = members
        return address

    def claim(self, call: Call) -> tuple[Grant | None, str]:
        """The grant that a token request may have, or the reason why not."""
        members = call.members
        with self._lock:
            grant = self._grants.get(members.get("code", ""))
        if grant is None:
            return None, "invalid_grant: unknown code"
        grant.arrived.set()
        asked = grant.request
        if reason := self.refuses_client(call, asked.get("client_id")):
            return None, reason
        if members.get("grant_type") != "authorization_code":
            return None, "unsupported_grant_type"
        if members.get("redirect_uri") != asked.get("redirect_uri"):
            return None, "invalid_grant: another redirect_uri"
        if challenge := asked.get("code_challenge"):
            if challenge_of(members.get("code_verifier", "")) != challenge:
                return None, "invalid_grant: PKCE verifier"
        elif "code_verifier" in members:
            return None, "invalid_grant: a verifier without a challenge"
        if grant.used:
            return None, "invalid_grant: code used twice"
        grant.used = True
        return grant, ""

    def refuses_client(self, call: Call, expected: str | None) -> str:
        """RFC 6749 § 2.3.1: Basic (form-encoded inside) or the body; never both."""
        authorization = call.headers.get("authorization", "")
        if authorization.startswith("Basic "):
            identifier, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
            # Under `/raw/` a server that does not decode, as many do not.
            if "/raw/" not in call.path:
                identifier, secret = unquote_plus(identifier), unquote_plus(secret)
            if "client_secret" in call.members:
                return "invalid_request: two client authentications"
        else:
            identifier = call.members.get("client_id", "")
            secret = call.members.get("client_secret")
        if identifier not in self.clients or (expected is not None and identifier != expected):
            return f"invalid_client: {identifier!r}"
        if self.clients[identifier] != secret:
            return "invalid_client: wrong secret"
        return ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    provider: Provider

    def handle_error(self, request, client_address) -> None:
        """A caller that hangs up is what many tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        call = self._read()
        path, provider = call.path, self.server.provider
        if path.endswith("/jwks.json"):
            self.send_json(200, provider.jwks)
        elif "/.well-known/" in path:
            self._metadata(path)
        elif path.endswith("/authorize") and provider.decision:
            self._decide({name: value for name, [value] in call.query.items()})
        else:
            self.send_json(404, {"error": "not_found"})

    def _decide(self, request: dict[str, str]) -> None:
        members = {"error": "access_denied", "state": request["state"]}
        if self.server.provider.decision == "allow":
            members = self.server.provider.consent(f"?{urlencode(request)}").callback
        if request.get("response_mode") == "form_post":
            return self._post(request["redirect_uri"], members | self.server.provider.posted)
        self.send(302, b"", headers={"Location": f"{request['redirect_uri']}?{urlencode(members)}"})

    def _post(self, address: str, members: dict[str, str]) -> None:
        """OAuth 2.0 Form Post Response Mode § 2, by a page that cuts its opener off."""
        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in members.items())
        page = f"""<!doctype html><html lang=en><meta charset=utf-8><title>Provider</title><link rel=icon href="data:,">
            <form method=post action="{escape(address)}">{fields}<button id=go>Go on</button></form>
            <script>HTMLFormElement.prototype.submit.call(document.querySelector("form"))</script>"""
        self.send(200, page.encode(), "text/html; charset=utf-8", {"Cross-Origin-Opener-Policy": "same-origin"})

    def do_POST(self) -> None:
        call = self._read()
        if call.path.endswith("/token"):
            self._token(call)
        elif call.path.endswith("/par"):
            self._pushed(call)
        else:
            self.send_json(404, {"error": "not_found"})

    def _read(self) -> Call:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.command, parts.path, parse_qs(parts.query), headers, body)
        self.server.provider.note(call)
        return call

    def _token(self, call: Call) -> None:
        grant, reason = self.server.provider.claim(call)
        if grant:
            grant.answer(self, grant)
        else:
            self.server.provider.complaints.append(reason)
            error = reason.partition(":")[0]
            self.send_json(401 if error == "invalid_client" else 400, {"error": error, "error_description": reason})

    def _pushed(self, call: Call) -> None:
        if "/broken/" in call.path:
            self.send_json(400, {"error": "invalid_request"})
        elif reason := self.server.provider.refuses_client(call, None):
            self.server.provider.complaints.append(reason)
            self.send_json(401, {"error": "invalid_client"})
        else:
            self.send_json(201, {"request_uri": self.server.provider.push(call.members), "expires_in": 60})

    def _metadata(self, path: str) -> None:
        """RFC 8414 § 3.1 puts `.well-known` before the issuer's path, OpenID Connect after it."""
        url = self.server.provider.url
        name = path.rpartition("/issuers/")[2].partition("/")[0]
        issuer = f"{url}/issuers/{name}"
        if name == "missing":
            self.send_json(404, {"error": "not_found"})
        elif name == "silent":
            threading.Event().wait(PATIENCE / 3)
            self.close_connection = True
        else:
            self.send_json(200, {
                "issuer": f"{url}/issuers/another" if name == "liar" else issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{url}/jwks.json",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            } | self.server.provider.metadata.get(name, {}))

    def send(self, status: int, body: bytes, content_type: str = "application/json", headers: dict = {}) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, status: int, value: object) -> None:
        self.send(status, json.dumps(value).encode())

    def send_raw(self, octets: bytes) -> None:
        self.close_connection = True
        self.wfile.write(octets)

    def log_message(self, format: str, *args) -> None:
        """The calls are kept in `Provider.calls`."""
