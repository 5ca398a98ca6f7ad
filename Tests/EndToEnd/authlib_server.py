"""An authorization server of Authlib and Flask: PKCE with S256 required, OpenID Connect, rotation, revocation.

Usage: authlib_server.py PORT REDIRECT_URI CLIENTS, where CLIENTS is JSON: by client id the `method` by which it proves
itself at the token endpoint, and its `secret` or `jwks`.
"""

import json
import os
import secrets
import sys
import time
from dataclasses import dataclass, field

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, InvalidRequestError, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode, OpenIDToken
from flask import Flask, request
from joserfc.jwk import KeySet, OctKey, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

METHODS = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]
SCOPES = "openid profile wiki offline_access"
LIFETIME = 1800


@dataclass
class Client(ClientMixin):
    client_id: str
    redirect_uris: list[str]
    method: str
    secret: str | None = None
    jwks: dict | None = None

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return " ".join(name for name in (scope or "").split() if name in SCOPES.split())

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret):
        return self.secret is not None and secrets.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.method

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token")


@dataclass
class Code(AuthorizationCodeMixin):
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    user: str
    auth_time: int

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time

    def get_acr(self):
        return None

    def get_amr(self):
        return None


@dataclass
class Token(TokenMixin):
    client_id: str
    user: str
    members: dict
    issued: float = field(default_factory=time.time)
    revoked: bool = False

    def check_client(self, client):
        return self.client_id == client.client_id

    def get_scope(self):
        return self.members["scope"]

    def get_expires_in(self):
        return self.members["expires_in"]

    def is_expired(self):
        return time.time() > self.issued + self.get_expires_in()

    def is_revoked(self):
        return self.revoked


class Memory:
    """All that the server knows. It answers one request at a time."""

    clients: dict[str, Client] = {}
    codes: dict[str, Code] = {}
    tokens: list[Token] = []
    assertions: set[str] = set()
    issuer = ""
    key = RSAKey.generate_key(2048, {"kid": "authlib-key", "use": "sig", "alg": "RS256"})

    @classmethod
    def token(cls, value: str, *kinds: str) -> Token | None:
        return next((one for one in cls.tokens if value in [one.members.get(kind) for kind in kinds]), None)


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def save_authorization_code(self, code, request):
        data = request.payload.data
        Memory.codes[code] = Code(
            request.client.client_id, request.payload.redirect_uri, request.payload.scope, data.get("nonce"),
            data.get("code_challenge"), data.get("code_challenge_method"), request.user, int(time.time()))

    def query_authorization_code(self, code, client):
        found = Memory.codes.get(code)
        return found if found and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code):
        Memory.codes = {code: one for code, one in Memory.codes.items() if one is not authorization_code}

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        found = Memory.token(refresh_token, "refresh_token")
        return found if found and not found.revoked else None

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        refresh_token.revoked = True


class StrictChallenge(CodeChallenge):
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant, redirect_uri):
        super().validate_code_challenge(grant, redirect_uri)
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with S256 is required", redirect_uri=redirect_uri)


class Identity(OpenIDCode):
    def exists_nonce(self, nonce, request):
        return any(code.nonce == nonce for code in Memory.codes.values())

    def resolve_client_private_key(self, client):
        return Memory.key

    def get_client_claims(self, client):
        return {"iss": Memory.issuer, "aud": [client.client_id]}

    def get_encode_header(self, client):
        return {"alg": "RS256", "kid": Memory.key.kid}

    def generate_user_info(self, user, scope):
        return UserInfo(sub=user)


class RefreshedIdentity(Identity):
    __call__ = OpenIDToken.__call__


class Assertion(JWTBearerClientAssertion):
    """RFC 7523, for this issuer and nobody else; each assertion once."""

    def __init__(self, method: str) -> None:
        super().__init__(leeway=0)
        self.CLIENT_AUTH_METHOD = method

    def get_audiences(self):
        return [Memory.issuer]

    def resolve_client_public_key(self, client):
        if self.CLIENT_AUTH_METHOD != client.method:
            return OctKey.generate_key(256)  # nothing is signed with it
        return KeySet.import_key_set(client.jwks) if client.jwks else OctKey.import_key(client.secret)

    def validate_jti(self, claims, jti):
        fresh = jti not in Memory.assertions
        Memory.assertions.add(jti)
        return fresh

    def __call__(self, query_client, request):
        """Another method's assertion is left to that method."""
        client = query_client(request.form.get("client_id"))
        return super().__call__(query_client, request) if client and client.method == self.CLIENT_AUTH_METHOD else None


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, token_string, token_type_hint):
        return Memory.token(token_string, *([token_type_hint] if token_type_hint else ["access_token", "refresh_token"]))

    def revoke_token(self, token, request):
        token.revoked = True


class Issuer(IssuerParameter):
    def get_issuer(self):
        return Memory.issuer


class AccessTokens(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return Memory.token(token_string, "access_token")


def application() -> Flask:
    app = Flask(__name__)
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": LIFETIME, "refresh_token": LIFETIME}
    server = AuthorizationServer(
        app, query_client=lambda client_id: Memory.clients.get(client_id),
        save_token=lambda token, request: Memory.tokens.append(Token(request.client.client_id, request.user, dict(token))))
    for method in ("client_secret_jwt", "private_key_jwt"):
        server.register_client_auth_method(method, Assertion(method))
    server.register_grant(CodeGrant, [StrictChallenge(required=True), Identity(require_nonce=True)])
    server.register_grant(RefreshGrant, [RefreshedIdentity()])
    server.register_endpoint(Revocation)
    server.register_extension(Issuer())
    protected = ResourceProtector()
    protected.register_token_validator(AccessTokens())

    @app.get("/.well-known/openid-configuration")
    def metadata():
        return {
            "issuer": Memory.issuer, "authorization_endpoint": f"{Memory.issuer}/authorize",
            "token_endpoint": f"{Memory.issuer}/token", "revocation_endpoint": f"{Memory.issuer}/revoke",
            "jwks_uri": f"{Memory.issuer}/jwks", "scopes_supported": SCOPES.split(), "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": METHODS,
            "authorization_response_iss_parameter_supported": True,
        }

    @app.get("/jwks")
    def keys():
        return {"keys": [Memory.key.as_dict(private=False)]}

    @app.post("/authorize")
    def authorize():
        """The consent, by the form that a page would have: `user` agrees, nobody denies."""
        user = request.form.get("user")
        try:
            grant = server.get_consent_grant(end_user=user)
        except OAuth2Error as error:
            return server.handle_error_response(None, error)
        return server.create_authorization_response(grant=grant, grant_user=user)

    @app.post("/token")
    def token():
        return server.create_token_response()

    @app.post("/revoke")
    def revoke():
        return server.create_endpoint_response("revocation")

    @app.get("/whoami")
    @protected()
    def whoami():
        return {"user": current_token.user}

    return app


class Quiet(WSGIRequestHandler):
    def log_request(self, *_) -> None:
        """Addresses hold codes."""


def main() -> None:
    _, port, redirect_uris, clients = sys.argv
    Memory.issuer = f"http://127.0.0.1:{port}"
    Memory.clients = {
        client_id: Client(client_id, json.loads(redirect_uris), **members)
        for client_id, members in json.loads(clients).items()
    }
    make_server("127.0.0.1", int(port), application(), request_handler=Quiet).serve_forever()


if __name__ == "__main__":
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on loopback
    main()
