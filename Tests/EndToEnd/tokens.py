"""Callers' tokens: keys, JWKS documents and JWTs, good ones and forged ones."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.example.com"
AUDIENCE = "cloakroom"

# Longer than chance makes it in random identifiers.
JWS = re.compile(r"eyJ[\w-]+\.eyJ")


def base64url(octets: bytes) -> str:
    """RFC 7515 § 2: the URL-safe alphabet, no padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def challenge_of(verifier: str) -> str:
    """RFC 7636 § 4.2: BASE64URL(SHA256(ASCII(verifier)))."""
    return base64url(hashlib.sha256(verifier.encode()).digest())


def new_verifier() -> str:
    """RFC 7636 § 4.1: 43 characters are the fewest."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Signer:
    """One private key, its algorithm and its `kid`."""

    algorithm: str
    kid: str
    key: Any = field(repr=False)

    @classmethod
    def new(cls, algorithm: str = "ES256", kid: str | None = None) -> "Signer":
        match algorithm:
            case "ES256":
                key = ec.generate_private_key(ec.SECP256R1())
            case "ES384":
                key = ec.generate_private_key(ec.SECP384R1())
            case "ES512":
                key = ec.generate_private_key(ec.SECP521R1())
            case "EdDSA" | "Ed25519":
                key = ed25519.Ed25519PrivateKey.generate()
            case "Ed448":
                key = ed448.Ed448PrivateKey.generate()
            case _:
                key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(algorithm, kid or f"{algorithm.lower()}-{secrets.token_hex(4)}", key)

    @property
    def public_jwk(self) -> dict:
        return self._jwk(self.key.public_key())

    @property
    def private_jwk(self) -> dict:
        return self._jwk(self.key)

    @property
    def private_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @property
    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, claims: dict, **headers) -> str:
        """RFC 7515 § 5.1, with whatever claims and headers, sensible or not."""
        header = {"typ": "JWT", "alg": self.algorithm, "kid": self.kid} | headers
        return self.sign_text(json.dumps({name: value for name, value in header.items() if value is not None}), json.dumps(claims))

    def sign_text(self, header: str, payload: str) -> str:
        """The same of texts that no encoder would write."""
        signed = f"{base64url(header.encode())}.{base64url(payload.encode())}"
        signature = jwt.get_algorithm_by_name(self._former_name).sign(signed.encode(), self.key)
        return f"{signed}.{base64url(signature)}"

    @property
    def _former_name(self) -> str:
        """RFC 9864 § 2.2: what was one algorithm by name is two."""
        return "EdDSA" if self.algorithm in ("Ed25519", "Ed448") else self.algorithm

    def _jwk(self, key) -> dict:
        family = {"ES": ECAlgorithm, "Ed": OKPAlgorithm}.get(self.algorithm[:2], RSAAlgorithm)
        return family.to_jwk(key, as_dict=True) | {
            "kid": self.kid,
            "alg": self.algorithm,
            "use": "sig",
        }


def jwks(*signers: Signer) -> dict:
    """RFC 7517 § 5: a set of public keys."""
    return {"keys": [signer.public_jwk for signer in signers]}


def claims(tenant: Any = "acme", scope: Any = "assets:read assets:write", **others) -> dict:
    """The claims of a good token; a claim given as `None` is left out."""
    now = int(time.time())
    everything = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "tests",
        "iat": now,
        "exp": now + 600,
        "tenant": tenant,
        "scope": scope,
    } | others
    return {name: value for name, value in everything.items() if value is not None}


def unsigned(claims: dict, algorithm: str = "none") -> str:
    """RFC 7519 § 6: an unsecured JWT, which nobody may accept here."""
    return f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(claims)}."


def hmac_signed(claims: dict, secret: bytes, kid: str | None = None) -> str:
    """HS256 with any secret at all, a public key among them (RFC 8725 § 2.1)."""
    header = {"alg": "HS256", "typ": "JWT"} | ({"kid": kid} if kid else {})
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{base64url(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _part(value: dict) -> str:
    return base64url(json.dumps(value).encode())
