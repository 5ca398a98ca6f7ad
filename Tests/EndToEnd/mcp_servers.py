"""MCP servers: of the protocol's own package, of another make, and one that misbehaves as a test says."""

import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.auth import ClientRegistrationOptions as FastRegistrationOptions
from fastmcp.server.auth.auth import RemoteAuthProvider
from fastmcp.server.auth.auth import RevocationOptions as FastRevocationOptions
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from mcp.server.auth.provider import (
    AccessToken, AuthorizationCode, AuthorizationParams, OAuthAuthorizationServerProvider, RefreshToken,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyHttpUrl

from broker import free_port


class Serving:
    """An ASGI application on a loopback port, in a thread."""

    def __init__(self, application: Any, port: int) -> None:
        self.server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=port, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < deadline and self.thread.is_alive(), "the MCP server did not start"
            time.sleep(0.02)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)


class NotesProvider(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """An authorization server in memory, for the package's own routes. It consents to everything."""

    def __init__(self) -> None:
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.tokens: dict[str, AccessToken] = {}
        self.refresh_tokens: dict[str, tuple[RefreshToken, str | None]] = {}
        self.lifetime = 3600

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        code = secrets.token_urlsafe(24)
        self.codes[code] = AuthorizationCode(
            code=code, client_id=client.client_id, scopes=params.scopes or [], expires_at=time.time() + 60,
            code_challenge=params.code_challenge, redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly, resource=params.resource,
        )
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state)

    async def load_authorization_code(self, client: OAuthClientInformationFull, code: str) -> AuthorizationCode | None:
        return self.codes.get(code)

    def _issue(self, client_id: str, scopes: list[str], resource: str | None) -> OAuthToken:
        access, refresh = "sdk-access-" + secrets.token_urlsafe(24), "sdk-refresh-" + secrets.token_urlsafe(24)
        self.tokens[access] = AccessToken(
            token=access, client_id=client_id, scopes=scopes, expires_at=int(time.time()) + self.lifetime,
            resource=resource,
        )
        self.refresh_tokens[refresh] = (RefreshToken(token=refresh, client_id=client_id, scopes=scopes), resource)
        return OAuthToken(
            access_token=access, token_type="Bearer", expires_in=self.lifetime, scope=" ".join(scopes),
            refresh_token=refresh,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del self.codes[authorization_code.code]
        return self._issue(client.client_id, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        found = self.refresh_tokens.get(refresh_token)
        return found[0] if found and found[0].client_id == client.client_id else None

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        _, resource = self.refresh_tokens.pop(refresh_token.token)
        return self._issue(client.client_id, scopes or refresh_token.scopes, resource)

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.tokens.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        self.tokens.pop(token.token, None)
        self.refresh_tokens.pop(token.token, None)


class SDKServer(Serving):
    """The protocol's own package (PyPI: mcp), resource and authorization server in one."""

    def __init__(self, port: int | None = None, provider: NotesProvider | None = None, **registration: Any) -> None:
        port = port or free_port()
        self.origin = f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}/mcp"
        self.provider = provider or NotesProvider()
        server = MCPServer(
            "Notes", auth_server_provider=self.provider,
            auth=AuthSettings(
                issuer_url=self.origin, resource_server_url=self.url, required_scopes=["notes"],
                validate_token_resource=True,
                client_registration_options=ClientRegistrationOptions(enabled=True, **registration),
                revocation_options=RevocationOptions(enabled=True),
            ),
        )

        @server.tool()
        def note() -> str:
            """Reads the one note."""
            return "buy milk"

        super().__init__(server.streamable_http_app(), port)


class FastServer(Serving):
    """The same by fastmcp."""

    def __init__(self) -> None:
        port = free_port()
        self.origin = f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}/mcp"
        self.provider = InMemoryOAuthProvider(
            base_url=self.origin, required_scopes=["notes"],
            client_registration_options=FastRegistrationOptions(enabled=True, valid_scopes=["notes", "more"]),
            revocation_options=FastRevocationOptions(enabled=True),
        )
        server = FastMCP("Fast notes", auth=self.provider)

        @server.tool
        def note() -> str:
            """Reads the one note."""
            return "buy eggs"

        super().__init__(server.http_app(), port)


class RemoteServer(Serving):
    """By fastmcp as well, with an authorization server elsewhere."""

    def __init__(self, issuer: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/mcp"
        auth = RemoteAuthProvider(
            token_verifier=StaticTokenVerifier(tokens={}), authorization_servers=[AnyHttpUrl(issuer)],
            base_url=f"http://127.0.0.1:{port}")
        super().__init__(FastMCP("Remote notes", auth=auth).http_app(), port)


def redirect_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, keep_blank_values=True).items()}


class Scripted:
    """A server and its authorization server as a test describes them. All members may be changed while it runs."""

    def __init__(self, path: str = "/mcp") -> None:
        self.path = path
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.registrations: list[dict] = []
        self.grants: dict[str, dict] = {}
        self.lock = threading.Lock()
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.httpd.daemon_threads = True
        self.port = self.httpd.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = self.origin + path
        self.reset()
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def reset(self) -> None:
        """As a good server would be that lets clients register."""
        self.requests.clear()
        self.registrations.clear()
        self.challenge = f'Bearer resource_metadata="{self.origin}/.well-known/oauth-protected-resource{self.path}"'
        self.resource: dict[str, Any] = {"resource": self.url, "authorization_servers": [self.issuer("as")]}
        self.servers: dict[str, dict[str, Any]] = {name: self.metadata(name) for name in ("as", "other")}
        self.registration: dict[str, Any] = {}
        self.token_error: str | None = None
        #: Answers by path that take the place of all that is said above.
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}

    def issuer(self, name: str) -> str:
        return f"{self.origin}/{name}"

    def metadata(self, name: str, **changes: Any) -> dict[str, Any]:
        issuer = self.issuer(name)
        members = {
            "issuer": issuer, "authorization_endpoint": f"{issuer}/authorize", "token_endpoint": f"{issuer}/token",
            "registration_endpoint": f"{issuer}/register", "revocation_endpoint": f"{issuer}/revoke",
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "authorization_response_iss_parameter_supported": True,
        } | changes
        return {key: value for key, value in members.items() if value is not None}

    def close(self) -> None:
        self.httpd.shutdown()
        self.httpd.server_close()

    def asked(self, path: str) -> list[tuple[str, str, dict[str, str], bytes]]:
        return [request for request in self.requests if request[1].partition("?")[0] == path]

    def consent(self, authorization_url: str) -> dict[str, str]:
        """A person's consent: the members of the callback."""
        asked = redirect_of(authorization_url)
        name = urlsplit(authorization_url).path.split("/")[1]
        code = "code-" + secrets.token_urlsafe(12)
        self.grants[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer(name)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None: ...

            def reply(self, status: int, body: Any = None, headers: dict[str, str] = {}) -> None:
                content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                for header, value in headers.items():
                    self.send_header(header, value)
                self.end_headers()
                self.wfile.write(content)

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length)
                path = self.path.partition("?")[0]
                with scripted.lock:
                    scripted.requests.append((self.command, self.path, dict(self.headers), self.body))
                if path in scripted.answers:
                    return scripted.answers[path](self)
                if path == scripted.path:
                    return self.reply(401, {}, {"WWW-Authenticate": scripted.challenge} if scripted.challenge else {})
                if path == "/.well-known/oauth-protected-resource" + scripted.path and scripted.resource:
                    return self.reply(200, scripted.resource)
                for name, metadata in scripted.servers.items():
                    if path == f"/.well-known/oauth-authorization-server/{name}":
                        return self.reply(200, metadata)
                    if path == f"/{name}/register":
                        return self.register()
                    if path == f"/{name}/token":
                        return self.token()
                    if path == f"/{name}/revoke":
                        return self.reply(200, {})
                self.reply(404, {})

            def register(self) -> None:
                sent = json.loads(self.body)
                with scripted.lock:
                    scripted.registrations.append(sent)
                    number = len(scripted.registrations)
                answer = sent | {"client_id": f"client-{number}"}
                if sent.get("token_endpoint_auth_method") != "none":
                    answer |= {"client_secret": f"dcr-secret-{number}-" + "x" * 20, "client_secret_expires_at": 0}
                answer |= scripted.registration
                self.reply(201, {key: value for key, value in answer.items() if value is not None})

            def token(self) -> None:
                if scripted.token_error:
                    status = 401 if scripted.token_error == "invalid_client" else 400
                    return self.reply(status, {"error": scripted.token_error})
                self.reply(200, {
                    "access_token": "scripted-access-" + secrets.token_urlsafe(12), "token_type": "Bearer",
                    "refresh_token": "scripted-refresh-" + secrets.token_urlsafe(12), "expires_in": 3600,
                })

            do_GET = do_POST = answer

        return Handler


def form(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
