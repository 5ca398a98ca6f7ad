"""All that the asset service talks to: a broker, the provider of accounts, the sources, other people's servers, an embedder."""

import json
import secrets
from pathlib import Path

import tokens
from accounts import Accounts
from broker import Broker, Installation, source_types
from drive import Drive
from embedder import Embedder
from github import GitHub
from notion import Notion
from server import Server
from tokens import Signer
from website import Website

CONNECTED = ("google_drive", "github", "notion")


class BrokerOfAssets(Installation):
    """A broker that knows the sources, with the test's provider in the place of theirs, and the asset service's key."""

    def __init__(self, folder: Path, accounts: Accounts, changes: dict | None = None) -> None:
        super().__init__(folder, accounts, changes)
        self.service = Signer.new("ES256", "asset-service")
        self.write("jwks.json", json.dumps(tokens.jwks(self.signer, self.service)))
        known = source_types(accounts)
        self.write_catalog(known | {name: known["wiki"] | {"displayName": name, "category": "drive"} for name in CONNECTED})


class World:
    def __init__(self, folder: Path) -> None:
        self.accounts = Accounts()
        self.drive = Drive(self.accounts.takes)
        self.github = GitHub(self.accounts.takes)
        self.notion = Notion(self.accounts.takes)
        self.site, self.other = Website(), Website()  # two origins
        self.embedder = Embedder()
        self.installation = BrokerOfAssets(folder, self.accounts)
        self.broker = Broker(self.installation)

    @property
    def servers(self) -> list[Server]:
        return [self.drive, self.github, self.notion, self.site, self.other, self.embedder]

    def start(self) -> "World":
        self.broker.start()
        return self

    def restore(self) -> None:
        """What the last test changed for all is as it was; what it put there stays."""
        for server in self.servers:
            server.usual()
            server.forget()
            complaints, server.complaints = server.complaints, []
            assert not complaints, complaints
        self.accounts.restore()
        self.embedder.restore()
        self.drive.incomplete, self.drive.page_size, self.notion.page_size = False, 1000, 100
        self.site.pages.pop("/robots.txt", None)

    def close(self) -> None:
        for server in self.servers:
            server.close()
        if self.broker.process and self.broker.process.poll() is None:
            self.broker.kill()
        self.accounts.close()

    # Credentials.

    def key(self, source_type: str = "google_drive", **members) -> str:
        """A credential key, by a whole flow."""
        return self.broker.key(source_type, **members)

    def auth(self, source_type: str = "google_drive", **members) -> dict:
        return {"credentialKey": self.key(source_type, **members)}

    def own_token(self) -> dict:
        """A token of a user's own."""
        return {"accessToken": self.accounts.allow(f"own-{secrets.token_urlsafe(24)}")}
