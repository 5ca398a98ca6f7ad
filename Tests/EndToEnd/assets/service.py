"""A real `cloakroom-assets serve`: its folder as an operator would lay it out, its process, and calls to it."""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import tokens
from broker import APP, environment, eventually, free_port, merged, run
from embedder import DIMENSIONS, KEY, PRICE
from operations import assert_cost, assert_later, assert_sound
from world import World

MODEL = {"provider": "openai", "model": "text-embedding-3-small"}
SMALL = MODEL | {"chunkSize": 16, "chunkOverlap": 0}


def assets_binary() -> str:
    """`CLOAKROOM_ASSETS_BINARY`, else beside the broker's."""
    beside = Path(os.environ["CLOAKROOM_BINARY"]).with_name("cloakroom-assets")
    found = os.environ.get("CLOAKROOM_ASSETS_BINARY", str(beside))
    if not os.access(found, os.X_OK):
        pytest.exit(f"set CLOAKROOM_ASSETS_BINARY to a built cloakroom-assets: {found!r} is none", 4)
    return found


def run_assets(*arguments: str | Path, env: dict[str, str] | None = None, within: float = 30) -> subprocess.CompletedProcess:
    """The command line, to its end."""
    return subprocess.run(
        [assets_binary(), *map(str, arguments)], env=environment(env), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=within)


class AssetInstallation:
    """A folder with configuration and keys. All paths in it are relative to it."""

    def __init__(self, folder: Path, world: World, changes: dict | None = None) -> None:
        self.folder, self.world = folder, world
        self.port = free_port()
        self.signer = world.installation.signer
        folder.mkdir(parents=True, exist_ok=True)
        self.write("jwks.json", json.dumps(tokens.jwks(self.signer)))
        self.write("assets.key", run("master-key", "new").stdout, mode=0o600)
        self.write("service.pem", world.installation.service.private_pem, mode=0o600)
        self.write("openai.key", f"{KEY}\n", mode=0o600)
        self.settings = merged(self._usual(), changes or {})
        self.write_configuration()

    def _usual(self) -> dict:
        world = self.world
        return {
            "http": {"host": "127.0.0.1", "port": self.port},
            "frontend": {"origins": [APP]},
            "auth": {"issuer": tokens.ISSUER, "audience": tokens.AUDIENCE, "jwksFile": "jwks.json", "tenantClaim": "tenant"},
            "storage": {"url": "sqlite:assets.db"},
            "masterKeyFile": "assets.key",
            "broker": {
                "url": world.broker.url, "signingKeyFile": "service.pem", "keyId": world.installation.service.kid,
                "issuer": tokens.ISSUER, "audience": tokens.AUDIENCE, "timeout": 5,
            },
            "sources": {
                "connectTimeout": 5, "timeout": 10, "allowInsecure": True, "allowPrivateAddresses": True,
                "retry": {"attempts": 3, "base": 1, "max": 2},
                "addresses": {"google_drive": world.drive.url, "github": world.github.url, "notion": world.notion.url},
            },
            "embedding": {"models": [MODEL | {
                "url": f"{world.embedder.url}/v1/embeddings", "apiKeyFile": "openai.key", "dimensions": DIMENSIONS,
                "pricePerMillionTokens": PRICE, "description": "Small and cheap",
            }]},
            "chunking": {"size": 512, "overlap": 64},
            "log": {"level": "debug", "format": "json"},
        }

    @property
    def config(self) -> Path:
        return self.folder / "assets.yaml"

    @property
    def database(self) -> Path:
        return self.folder / "assets.db"

    @property
    def uploads(self) -> Path:
        return self.folder / "assets.db-uploads"

    @property
    def price(self) -> float | None:
        models = self.settings.get("embedding", {}).get("models", [])
        return models[0]["pricePerMillionTokens"] if models else None

    def write(self, name: str, text: str | bytes, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def write_configuration(self) -> None:
        self.write("assets.yaml", yaml.safe_dump(self.settings, sort_keys=False))

    def change(self, **changes: Any) -> None:
        self.settings = merged(self.settings, changes)
        self.write_configuration()

    def check(self, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        return run_assets("check", "--config", self.config, env=env)


class AssetService:
    """The process, and a client that follows no redirect. Stopping it asserts a clean exit."""

    def __init__(self, installation: AssetInstallation, env: dict[str, str] | None = None) -> None:
        self.installation, self.world, self.env = installation, installation.world, env or {}
        self.url = f"http://127.0.0.1:{installation.port}"
        self.log_path = installation.folder / "assets.log"
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        self.process: subprocess.Popen | None = None

    # The process.

    def launch(self) -> "AssetService":
        """Without waiting."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [assets_binary(), "serve", "--config", str(self.installation.config)],
                env=environment(self.env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        return self

    def start(self) -> "AssetService":
        self.launch()
        try:
            eventually(self._ready, within=30, what="/readyz says 200")
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self, within: float = 15) -> None:
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

    def restart(self) -> "AssetService":
        """Killed without warning, and started again on the same folder."""
        self.kill()
        return self.start()

    @property
    def logs(self) -> str:
        return self.log_path.read_text(errors="replace")

    def __enter__(self) -> "AssetService":
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

    def bearer(self, tenant: Any = "acme", scope: Any = "assets:read assets:write", **claims) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.installation.signer.sign(tokens.claims(tenant, scope, **claims))}"}

    def call(self, method: str, rest: str = "", tenant: str = "acme", headers: dict = {}, **options) -> httpx.Response:
        """`rest` follows `/v1/tenants/{tenant}/assets`."""
        return self.client.request(
            method, f"/v1/tenants/{tenant}/assets{rest}", headers=self.bearer(tenant) | headers, **options)

    def get(self, rest: str = "", tenant: str = "acme", **query) -> httpx.Response:
        return self.call("GET", rest, tenant, params=query)

    def create(
        self, source_type: Any, parameters: Any = None, tenant: str = "acme", headers: dict = {}, **members
    ) -> httpx.Response:
        config = {"sourceType": source_type} | ({} if parameters is None else {"parameters": parameters})
        return self.call("POST", "", tenant, headers, json={"config": config} | members)

    def upload(
        self, name: str, content: str | bytes, payload: dict | None = None, tenant: str = "acme", headers: dict = {},
        content_type: str | None = None,
    ) -> httpx.Response:
        octets = content.encode() if isinstance(content, str) else content
        file = (name, octets, content_type) if content_type else (name, octets)
        parts: dict = {"File": file}
        if payload is not None:
            parts["Payload"] = (None, json.dumps(payload), "application/json")
        return self.call("POST", ":file", tenant, headers, files=parts)

    def begin(self, source_type: str, parameters: dict | None = None, tenant: str = "acme", **members) -> "Run":
        """A creation that must be taken."""
        return Run.of(self, self.create(source_type, parameters, tenant, **members), tenant)

    def begin_upload(self, name: str, content: str | bytes, payload: dict | None = None, tenant: str = "acme", **options) -> "Run":
        return Run.of(self, self.upload(name, content, payload, tenant, **options), tenant)

    def begin_drive(self, folder: str, tenant: str = "acme", **members) -> "Run":
        """A folder of Google Drive, with a user's own token unless `auth` is given."""
        members.setdefault("auth", self.world.own_token())
        return self.begin("google_drive", {"folderId": folder}, tenant, **members)


@dataclass
class Run:
    """One operation of an asset. Each time that it is asked for, all is checked that holds of every operation."""

    service: AssetService
    tenant: str
    asset: str
    operation: str
    seen: list[dict] = field(default_factory=list)

    @classmethod
    def of(cls, service: AssetService, response: httpx.Response, tenant: str = "acme", status: int = 201) -> "Run":
        assert response.status_code == status, f"{response.status_code} {response.text}"
        body = response.json()
        assert body.keys() == {"asset", "operation"}, body.keys()
        made = cls(service, tenant, body["asset"]["id"], body["operation"]["id"])
        made.note(body["operation"])
        return made

    @property
    def path(self) -> str:
        return f"/{self.asset}/operations/{self.operation}"

    def note(self, operation: dict) -> dict:
        assert_sound(operation)
        if self.seen:
            assert_later(self.seen[-1], operation)
        self.seen.append(operation)
        return operation

    def poll(self) -> dict:
        response = self.service.get(self.path, self.tenant)
        assert response.status_code == 200, response.text
        return self.note(response.json())

    def until(self, condition, within: float = 30, pause: float = 0.02) -> dict:
        """The first state of which the condition is true."""
        deadline = time.monotonic() + within
        while not condition(operation := self.poll()):
            assert time.monotonic() < deadline, f"not within {within} s: {operation}\n{self.service.logs[-3000:]}"
            time.sleep(pause)
        return operation

    def finish(self, status: str = "COMPLETED", within: float = 30, pause: float = 0.02) -> dict:
        operation = self.until(lambda operation: operation["done"], within, pause)
        assert operation["status"] == status, f"{operation}\n{self.service.logs[-3000:]}"
        view = self.view()
        if view["embedding"]["model"] is None:
            assert operation["cost"] == 0, operation
        else:
            assert_cost(operation, self.service.installation.price)
        return operation

    def cancel(self) -> httpx.Response:
        return self.service.call("POST", f"{self.path}:cancel", self.tenant)

    # The asset.

    def view(self) -> dict:
        response = self.service.get(f"/{self.asset}", self.tenant)
        assert response.status_code == 200, response.text
        return response.json()

    def documents(self, **query) -> list[dict]:
        """All of them, page by page."""
        return pages(self.service, f"/{self.asset}/documents", self.tenant, "items", **query)

    def names(self) -> list[str]:
        return sorted(document["fileName"] for document in self.documents())

    def document(self, name: str) -> dict:
        found = [document for document in self.documents() if document["fileName"] == name]
        assert len(found) == 1, f"{name}: {self.names()}"
        return found[0]

    def chunks(self, document: dict | str) -> list[dict]:
        wanted = self.document(document) if isinstance(document, str) else document
        return pages(self.service, f"/{self.asset}/documents/{wanted['id']}/chunks", self.tenant, "chunks")

    def text(self, document: dict | str) -> str:
        """Of the chunks, one after the other, without what they share. White space that no chunk has is told as spaces."""
        made, end = "", 0
        for chunk in self.chunks(document):
            made += " " * (chunk["startCharIdx"] - end) + chunk["content"][max(0, end - chunk["startCharIdx"]):]
            end = chunk["endCharIdx"]
        return made

    def refresh(self, **members) -> "Run":
        options = {"json": members} if members else {}
        response = self.service.call("POST", f"/{self.asset}:refresh", self.tenant, **options)
        return Run.of(self.service, response, self.tenant, 202)

    def delete(self) -> httpx.Response:
        return self.service.call("DELETE", f"/{self.asset}", self.tenant)


def pages(service: AssetService, rest: str, tenant: str, name: str, **query) -> list[dict]:
    """All items of a list; the tokens lead to an end."""
    found, token = [], None
    for _ in range(1000):
        response = service.get(rest, tenant, **{"pageSize": 1000} | query | ({"pageToken": token} if token else {}))
        assert response.status_code == 200, response.text
        found += response.json()[name]
        token = response.json()["nextPageToken"]
        if token is None:
            return found
    raise AssertionError("the pages never end")
