"""The provider on loopback with the stricter rules: signed clients and requests, bound tokens, refresh, revocation.

RFC 7523 (assertions), RFC 8705 (certificates), RFC 9101 (request objects), RFC 9449 (DPoP), RFC 7009.
"""

import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import jwt

from provider import PATIENCE, Answer, Call, Grant, Handler, Provider, tokens
from tokens import Signer, base64url

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
WITHIN = 60  # seconds that a proof may be old


class StrictProvider(Provider):
    """`clients` may also map to a `Signer`, which the client proves itself by; `certificates` to a fingerprint.

    Under `/dpop/` a proof of possession is demanded, under `/dpop-nonce/` one with the provider's nonce.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.certificates: dict[str, str] = {}
        self.signers: dict[str, Signer] = {}
        self.nonce = secrets.token_urlsafe(12)
        self.closing = threading.Event()
        self.revocation: Callable[["StrictHandler", Call], None] = lambda handler, call: handler.send(200, b"")
        self.pages: dict[str, Callable[["StrictHandler", Call], None]] = {}
        self._used_ids: set[str] = set()
        self._refreshable: dict[str, Grant] = {}
        self._scheme = "https" if tls else "http"
        super().__init__(StrictHandler)
        if tls:
            # The handshake waits for the connection's own thread.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.closing.set()
        super().close()

    def granted(self, answer: Answer | None = None, scope: str = "read write", client: str = "wiki-client") -> Grant:
        """A grant whose refresh token, its `code`, is answered so."""
        request = {"scope": scope, "client_id": client}
        grant = Grant(f"old-{secrets.token_urlsafe(16)}", "", request, answer or tokens())
        self._refreshable[grant.code] = grant
        return grant

    def refreshes(self, grant: Grant) -> list[Call]:
        return [call for call in self.calls_to("/token") if call.members.get("refresh_token") == grant.code]

    # Requests.

    def requested(self, members: dict[str, str]) -> dict[str, str]:
        request = super().requested(members)
        if "request" not in request:
            return request
        assert request.keys() <= {"client_id", "request", "client_assertion", "client_assertion_type"}, request.keys()
        return self.request_object(request["request"], request["client_id"])

    def request_object(self, text: str, client: str) -> dict[str, str]:
        """RFC 9101 § 4, § 6 and § 10.8; the claims are the request."""
        signer = self.signers[client]
        header = jwt.get_unverified_header(text)
        assert header["typ"] == "oauth-authz-req+jwt" and header["kid"] == signer.kid, header
        claims = jwt.decode(
            text, signer.key.public_key(), algorithms=[signer.algorithm], audience=self.url, issuer=client,
            options={"require": ["iss", "aud", "exp", "iat", "jti"]})
        assert claims["client_id"] == client and not {"request", "request_uri", "sub"} & claims.keys()
        assert claims["exp"] - claims["iat"] <= 600
        self._spend(claims["jti"])
        return claims

    # Clients.

    def refuses_client(self, call: Call, expected: str | None) -> str:
        members = call.members
        client = members.get("client_id", "")
        if client in self.certificates:
            if call.headers.get("x-peer-certificate") != self.certificates[client]:
                return "invalid_client: another certificate"
            return "invalid_client: a secret beside it" if {"client_secret", "client_assertion"} & members.keys() else ""
        if "client_assertion" not in members:
            return super().refuses_client(call, expected)
        if "authorization" in call.headers or "client_secret" in members:
            return "invalid_request: two client authentications"
        return self._refuses_assertion(members, client)

    def _refuses_assertion(self, members: dict[str, str], client: str) -> str:
        """RFC 7523 § 3; the audience is this server, not one of its addresses."""
        signer = self.signers.get(client)
        if signer is None or members.get("client_assertion_type") != ASSERTION_TYPE:
            return "invalid_client: no assertion of theirs"
        try:
            claims = jwt.decode(
                members["client_assertion"], signer.key.public_key(), algorithms=[signer.algorithm], issuer=client,
                audience=self.url, options={"require": ["iss", "sub", "aud", "exp", "jti"]})
            assert claims["sub"] == client
            self._spend(claims["jti"])
        except (jwt.PyJWTError, AssertionError) as fault:
            return f"invalid_client: {fault}"
        return ""

    def _spend(self, identifier: str) -> None:
        assert len(identifier) >= 16 and identifier not in self._used_ids, "an id that was used"
        self._used_ids.add(identifier)

    # Proofs of possession.

    def proof_fault(self, call: Call) -> str:
        """RFC 9449 § 4.3 for a token endpoint: why this request is refused, or nothing."""
        try:
            claims = self._proof(call)
        except (jwt.PyJWTError, AssertionError, KeyError) as fault:
            return f"invalid_dpop_proof: {fault!r}"
        if call.path.startswith("/dpop-nonce/") and claims.get("nonce") != self.nonce:
            return "use_dpop_nonce"
        return ""

    def _proof(self, call: Call) -> dict:
        proof = call.headers["dpop"]
        header = jwt.get_unverified_header(proof)
        assert header["typ"] == "dpop+jwt", "typ"
        assert header["alg"] in ("ES256", "RS256", "PS256", "EdDSA"), "alg"
        assert not {"d", "p", "q", "k"} & header["jwk"].keys(), "a private key"
        key = jwt.PyJWK.from_dict(header["jwk"], algorithm=header["alg"]).key
        claims = jwt.decode(
            proof, key, algorithms=[header["alg"]], options={"require": ["jti", "htm", "htu", "iat"]})
        assert claims["htm"] == call.method, "htm"
        assert claims["htu"] == self.url + call.path, "htu"
        assert abs(time.time() - claims["iat"]) < WITHIN, "iat"
        assert "ath" not in claims, "ath without a token"
        self._spend(claims["jti"])
        call.headers["x-thumbprint"] = thumbprint(header["jwk"])
        return claims


def thumbprint(jwk: dict) -> str:
    """RFC 7638 § 3, for the keys that sign here."""
    names = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in names}, separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(text.encode()).digest())


class StrictHandler(Handler):
    def do_GET(self) -> None:
        if not self._special():
            super().do_GET()

    def do_DELETE(self) -> None:
        self._special()

    def do_POST(self) -> None:
        if not self._special():
            super().do_POST()

    def _read(self) -> Call:
        call = super()._read()
        if isinstance(self.connection, ssl.SSLSocket) and (certificate := self.connection.getpeercert(True)):
            call.headers["x-peer-certificate"] = hashlib.sha256(certificate).hexdigest()
        return call

    def _special(self) -> bool:
        """Answers what the usual provider does not have."""
        provider, path = self.server.provider, urlsplit(self.path).path
        if path in provider.pages:
            provider.pages[path](self, self._read())
        elif "/revoke" in path:
            provider.revocation(self, self._read())
        elif "/silent/" in path:
            self._read()
            provider.closing.wait(PATIENCE)
            self.close_connection = True
        else:
            return False
        return True

    def _token(self, call: Call) -> None:
        provider = self.server.provider
        if call.path.startswith("/dpop"):
            if fault := provider.proof_fault(call):
                provider.complaints.append(fault)
                body = json.dumps({"error": fault.partition(":")[0]}).encode()
                return self.send(400, body, headers={"DPoP-Nonce": provider.nonce})
        if call.members.get("grant_type") == "refresh_token":
            self._refresh(call)
        else:
            super()._token(call)

    def _refresh(self, call: Call) -> None:
        """RFC 6749 § 6."""
        provider = self.server.provider
        grant = provider._refreshable.get(call.members.get("refresh_token", ""))
        if reason := provider.refuses_client(call, grant.request["client_id"] if grant else None):
            provider.complaints.append(reason)
            self.send_json(401, {"error": reason.partition(":")[0]})
        elif grant is None:
            self.send_json(400, {"error": "invalid_grant"})
        else:
            grant.arrived.set()
            grant.answer(self, grant)


def repeated(call: Call, name: str) -> list[str]:
    """All values of a parameter of a form."""
    return parse_qs(call.body.decode()).get(name, [])
