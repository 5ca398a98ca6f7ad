"""The reverse proxies of `Deploy/`, run as they are but for names, ports and places."""

import base64
import datetime
import hashlib
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from broker import eventually, free_port

DEPLOY = Path(__file__).parents[2] / "Deploy"


def replaced(text: str, changes: dict[str, str]) -> str:
    """Each of the changes must have something to change, or the test no longer fits the file."""
    for old, new in changes.items():
        assert old in text, f"no “{old}” to replace"
        text = text.replace(old, new)
    return text


def under(path: str, changes: dict[str, str]) -> dict[str, str]:
    """The changes that a path of its own needs, if there is one."""
    return {old: new.format(path) for old, new in changes.items()} if path else {}


@dataclass(frozen=True)
class Certificate:
    """A server's, signed by an authority that nobody else knows."""

    authority: Path
    chain: Path
    key: Path
    fingerprint: str
    """Base64 of the SHA-256 of its public key."""

    @classmethod
    def new(cls, folder: Path) -> "Certificate":
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])

        def certificate(subject: x509.Name, public_key, *extensions: x509.ExtensionType) -> x509.Certificate:
            now = datetime.datetime.now(datetime.UTC)
            builder = x509.CertificateBuilder(
                authority_name, subject, public_key, x509.random_serial_number(),
                now - datetime.timedelta(hours=1), now + datetime.timedelta(days=1))
            for extension in extensions:
                builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            return builder.sign(authority_key, hashes.SHA256())

        authority = certificate(
            authority_name, authority_key.public_key(), x509.BasicConstraints(ca=True, path_length=0),
            x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()))
        server = certificate(
            name, key.public_key(), x509.BasicConstraints(ca=False, path_length=None),
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()))
        pem = serialization.Encoding.PEM
        files = [folder / file for file in ("authority.pem", "chain.pem", "key.pem")]
        files[0].write_bytes(authority.public_bytes(pem))
        files[1].write_bytes(server.public_bytes(pem) + authority.public_bytes(pem))
        files[2].write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return cls(*files, base64.b64encode(hashlib.sha256(public).digest()).decode())


class Proxy:
    """One of them in front of a broker's port, under a path of its own or none."""

    def __init__(self, kind: str, folder: Path, broker_port: int, path: str = "") -> None:
        self.kind, self.folder, self.path = kind, folder, path
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}{path}"
        folder.mkdir(parents=True)
        self.certificate = Certificate.new(folder)
        self.trust = ssl.create_default_context(cafile=self.certificate.authority)
        program = shutil.which(kind) or shutil.which(kind, path="/usr/sbin")
        if not program:
            pytest.fail(f"{kind} is missing: apt-get install {kind}")
        arguments = {"nginx": self._nginx, "caddy": self._caddy}[kind](broker_port)
        self._output = (folder / "output.log").open("wb")
        self._process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output, cwd=folder,
            env={"HOME": str(folder), "PATH": os.environ["PATH"]})
        try:
            eventually(self._listens, within=20, what=f"{kind} listens")
        except BaseException:
            self._process.kill()
            raise

    def _nginx(self, broker_port: int) -> list[str]:
        site = replaced(
            (DEPLOY / "nginx.conf").read_text(),
            {
                "listen [::]:443 ssl http2;": "", "listen [::]:80;": "",
                "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
                "listen 80": f"listen 127.0.0.1:{self.plain_port}",
                "broker.example.com;": "127.0.0.1;",
                "/etc/ssl/broker.example.com/fullchain.pem": str(self.certificate.chain),
                "/etc/ssl/broker.example.com/privkey.pem": str(self.certificate.key),
                "/var/log/nginx/": f"{self.folder}/",
                "http://127.0.0.1:8080": f"http://127.0.0.1:{broker_port}",
            }
            | under(self.path, {"~ ^/(": "~ ^{}/("}),
        )
        user = "user root;" if os.getuid() == 0 else ""
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in kinds)
        (self.folder / "site.conf").write_text(site)
        (self.folder / "nginx.conf").write_text(
            f"{user} daemon off; pid {self.folder}/pid; error_log stderr alert;\n"
            f"events {{}}\nhttp {{ {places} include {self.folder}/site.conf; }}\n")
        return ["-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]

    def _caddy(self, broker_port: int) -> list[str]:
        site = replaced(
            (DEPLOY / "Caddyfile").read_text(),
            {
                "{\n\tlog default": f"{{\n\tadmin off\n\tauto_https disable_redirects\n\tlog default",
                "\nbroker.example.com {": f"\nhttps://127.0.0.1:{self.port} {{\n\tbind 127.0.0.1\n"
                f"\ttls {self.certificate.chain} {self.certificate.key}",
                "/var/log/caddy/": f"{self.folder}/",
                "127.0.0.1:8080": f"127.0.0.1:{broker_port}",
            }
            | under(self.path, {
                f" /{name}": f" {{0}}/{name}"
                for name in ("v1/tenants/*", "oauth/*", "connect.js", "connect.d.ts", "openapi.json", "healthz", "readyz")}),
        )
        (self.folder / "Caddyfile").write_text(site)
        return ["run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]

    def _listens(self) -> bool:
        assert self._process.poll() is None, f"{self.kind} exited\n{self.logs}"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    @property
    def access_log(self) -> str:
        return (self.folder / "cloakroom.access.log").read_text()

    @property
    def logs(self) -> str:
        """All that it wrote anywhere."""
        return "".join(file.read_text(errors="replace") for file in self.folder.glob("*.log"))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._output.close()
