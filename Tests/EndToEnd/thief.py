"""Somebody who has every file of an installation, its master keys too, and knows how everything is derived."""

import base64
import hashlib
import hmac
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from broker import Installation, shared_server

# The names of all uses that a master key is put to (HKDF's `info`), as the source has them.
SOURCES = Path(__file__).parents[2] / "Sources"
LABELS = sorted({
    label
    for path in SOURCES.rglob("*.swift")
    for label in re.findall(r'(?:Label|derive)\("([a-z-]+)"', path.read_text())
})

TABLES = ("flows", "credential_keys", "refreshes", "refresh_tokens")

# How content begins that leads to a token.
WORTH_HAVING = (b'{"accessToken":', b'{"token":', b"ckr_")


class Thief:
    def __init__(self, files: dict[str, bytes], master_keys: str, database: str | None = None) -> None:
        self.files = files
        self.database = database
        lines = (line.split(":", 1) for line in master_keys.splitlines() if ":" in line)
        self.masters = {name.encode(): base64.b64decode(encoded) for name, encoded in lines}

    @classmethod
    def of(cls, installation: Installation) -> "Thief":
        """With copies of all files of the folder, whatever their names, and of PostgreSQL's."""
        files = {path.name: path.read_bytes() for path in installation.folder.iterdir() if path.is_file()}
        files |= installation.stored()
        return cls(files, files["master.key"].decode(), installation.database_on_server)

    def opened(self, folder: Path, *others: bytes) -> list[str]:
        """What opens, and in which file, with nothing but the files and perhaps other secrets."""
        secrets = set(self._known(folder)) | set(others)
        # Secrets that belong to a flow are derived from its id and another one.
        flows = {value for value in secrets if len(value) == 16}
        secrets |= {flow + value for flow in flows for value in secrets if 32 <= len(value) <= 128}
        found: set[tuple[str, bytes]] = set()
        while True:
            keys = list(self._keys(secrets))
            new = {
                (name, text)
                for name, content in self.files.items()
                for nonce, sealed, master in self._sealed(content)
                for owner, key in keys if owner == master
                if (text := _keystream(key, nonce, sealed)).startswith(WORTH_HAVING)
            } - found
            if not new:
                return [f"{name}: {text[:4].decode()}…" for name, text in sorted(found)]
            found |= new
            # A credential key opens what was sealed under it.
            secrets = {text[:47] for _, text in new if text.startswith(b"ckr_")}

    def _keys(self, secrets: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Every key that can be derived, also by way of a secret that is itself derived."""
        for name, master in self.masters.items():
            derived = {_hkdf(master, label, secret) for secret in secrets for label in LABELS}
            for secret in derived:
                yield name, secret
                for label in LABELS:
                    yield name, _hkdf(master, label, secret)

    def _sealed(self, content: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        """All that looks sealed, in rows, freed pages and old frames alike: nonce, cipher text, master key's name."""
        for name in self.masters:
            head = bytes([1, len(name)]) + name
            for match in re.finditer(re.escape(head), content):
                start = match.end()
                yield content[start:start + 12], content[start + 12:start + 60], name

    def _known(self, folder: Path) -> Iterator[bytes]:
        """Every value in the database, as it is and decoded."""
        yield b""
        for value in self._on_server() if self.database else self._in_file(folder):
            octets = value.encode() if isinstance(value, str) else value
            if not isinstance(octets, bytes) or len(octets) > 128:
                continue
            yield octets
            if re.fullmatch(rb"[A-Za-z0-9_-]{43}", octets):
                yield base64.urlsafe_b64decode(octets + b"=")

    def _on_server(self) -> Iterator[object]:
        for table in TABLES:
            rows = shared_server().query(f"SELECT to_jsonb({table}) FROM {table}", self.database)
            for row in rows.splitlines():
                for value in json.loads(row).values():
                    is_hex = isinstance(value, str) and value.startswith("\\x")
                    yield bytes.fromhex(value[2:]) if is_hex else value

    def _in_file(self, folder: Path) -> Iterator[object]:
        copy = folder / "stolen.db"
        for suffix in ("", "-wal"):
            if (content := self.files.get(f"cloakroom.db{suffix}")) is not None:
                Path(f"{copy}{suffix}").write_bytes(content)
        with sqlite3.connect(copy) as database:
            for table in TABLES:
                for row in database.execute(f"SELECT * FROM {table}"):
                    yield from row
        for suffix in ("", "-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)


def _hkdf(master: bytes, label: str, secret: bytes) -> bytes:
    """RFC 5869 with SHA-256, 32 octets: the master key is the key, the other secret the salt."""
    extracted = hmac.digest(secret, master, hashlib.sha256)
    return hmac.digest(extracted, f"cloakroom/v1/{label}".encode() + b"\x01", hashlib.sha256)


def _keystream(key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    """AES-256-GCM without its tag: whoever only wants to read needs no proof that nothing was altered."""
    cipher = Cipher(algorithms.AES(key), modes.CTR(nonce.ljust(15, b"\0") + b"\2"))
    return cipher.decryptor().update(sealed)
