"""The program of Docs/Backend.md, as it stands there, against real brokers and providers."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import yaml

from broker import Broker, Installation, fragment, source_types
from documents import blocks
from frontend import Demo, demo, scripted
from machine import REPOSITORY
from mcp_servers import Scripted, redirect_of
from provider import refusal, tokens
from strict_provider import StrictProvider
from tokens import challenge_of, new_verifier

PROGRAM, CALLS = blocks("python", (REPOSITORY / "Docs/Backend.md").read_text())


@pytest.fixture(scope="module")
def broker(folder, strict) -> Iterator[Broker]:
    installation = Installation(folder / "backend", strict)
    entries = source_types(strict)
    wiki = entries["wiki"]
    revocable = wiki["oauth"] | {"revocationURL": f"{strict.url}/revoke"}
    installation.write_catalog(entries | {"wiki": wiki | {"oauth": revocable}, "wiki_kept": wiki})
    with Broker(installation) as running:
        yield running


@pytest.fixture
def program(tmp_path, monkeypatch) -> Callable[[str], SimpleNamespace]:
    """Its names, for the broker at this address, in a folder of its own."""
    (tmp_path / "sources").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def load(address: str) -> SimpleNamespace:
        monkeypatch.setenv("CLOAKROOM_BROKER", address)
        names: dict[str, Any] = {}
        exec(PROGRAM, names)
        return SimpleNamespace(**names)

    return load


def begun(broker: Broker, source_type: str = "wiki", **changes) -> tuple[str, str]:
    """A credential key and its verifier, as the frontend has them."""
    verifier = new_verifier()
    key = broker.key(source_type, tokens(**changes), exchangeChallenge=challenge_of(verifier))
    return key, verifier


def test_a_source_is_connected_used_refreshed_and_disconnected(broker, strict: StrictProvider, program):
    backend = program(broker.url)
    last = strict.granted(refusal("invalid_grant"))
    rotated = strict.granted(tokens(refresh_token=last.code, expires_in=3600))
    key, verifier = begun(broker, refresh_token=rotated.code, expires_in=30)
    names = vars(backend) | {
        "credential_key": key, "exchange_verifier": verifier,
        "your_token": lambda: broker.token(scope="credentials:write"),
    }
    exec(CALLS, names)
    sources = names["sources"]
    assert names["warnings"] == []
    assert names["headers"] == {"Authorization": f"Bearer {rotated.access_token}"}, "refreshed before it expires"
    assert sources.access_token("drive-1") == rotated.access_token
    assert sources.replace_token("drive-1", refused="an older token") == rotated.access_token
    assert len(strict.refreshes(rotated)) == 1

    with pytest.raises(backend.ConnectAgain, match="reauthorization_required"):
        sources.replace_token("drive-1", refused=rotated.access_token)
    with pytest.raises(backend.ConnectAgain, match="invalid_credential_key"):
        sources.connect("drive-2", key, verifier, {})

    assert sources.disconnect("drive-1")
    assert strict.calls_to("/revoke")[-1].members["token"] == last.code
    assert list(backend.Path("sources").iterdir()) == []


def test_what_cannot_be_refreshed_or_revoked_is_said(broker, program):
    backend = program(broker.url)
    sources = backend.Sources("acme", lambda: broker.token(scope="credentials:write"), backend.Path("sources"))
    key, verifier = begun(broker, "wiki_kept", refresh_token=None, expires_in=30)
    sources.connect("drive-1", key, verifier, {})
    with pytest.raises(backend.ConnectAgain, match="no refresh token"):
        sources.access_token("drive-1")
    assert not sources.disconnect("drive-1")
    assert list(backend.Path("sources").iterdir()) == []


def test_what_a_provider_wants_to_be_told_again_is_sent_with_each_call(folder, strict: StrictProvider, program):
    """As Deputy's host, which the answer names, and the issuer of an MCP server."""
    server = Scripted()
    installation = Installation(folder / "retold", strict, {"mcp": {"servers": ["127.0.0.1"]}})
    entries = source_types(strict)
    learning = entries["wiki"]["oauth"] | {
        "learned": {"endpoint": {"answer": "/endpoint", "pattern": "^[a-z]+$"}},
        "refreshParameters": {"endpoint": "{endpoint}"},
        "revocationURL": f"{strict.url}/revoke", "revocation": {"parameters": {"endpoint": "{endpoint}"}}}
    installation.write_catalog(entries | {"wiki": entries["wiki"] | {"oauth": learning}})
    with Broker(installation) as broker:
        backend = program(broker.url)
        sources = backend.Sources("acme", lambda: broker.token(scope="credentials:write"), backend.Path("sources"))
        renewed = strict.granted(tokens(expires_in=3600, endpoint="north"))
        sources.connect("wiki-1", *begun(broker, refresh_token=renewed.code, expires_in=30, endpoint="north"), {})
        assert sources.access_token("wiki-1") == renewed.access_token
        assert strict.refreshes(renewed)[0].members["endpoint"] == "north"
        assert sources.disconnect("wiki-1")
        assert strict.calls_to("/revoke")[-1].members["endpoint"] == "north"

        verifier = new_verifier()
        started = broker.authorize(
            "mcp_server", parameters={"url": server.url}, exchangeChallenge=challenge_of(verifier)).json()
        address = started["authorizationUrl"]
        back = broker.callback(server.consent(address), at=urlsplit(redirect_of(address)["redirect_uri"]).path)
        sources.connect("notes-1", fragment(back)["credentialKey"], verifier, {"url": server.url})
        first = sources.access_token("notes-1")
        assert sources.replace_token("notes-1", refused=first) != first
        assert sources.disconnect("notes-1")
        assert server.asked("/as/revoke")
    server.close()


def test_the_programs_names_are_those_of_the_catalog(program):
    text = "".join(file.read_text() for file in (REPOSITORY / "Sources/Catalog/Data").glob("*.yaml"))
    told = {"issuer"}  # Of what is found; no entry writes it.
    for entry in yaml.safe_load("sourceTypes:\n" + text.replace("sourceTypes:\n", ""))["sourceTypes"].values():
        oauth = entry.get("oauth", {})
        told |= set(oauth.get("learned", {}))
        told |= {oauth["tokenOrigin"]["callbackParameter"]} if "tokenOrigin" in oauth else set()
    assert program("http://127.0.0.1").RETOLD == told


def test_an_error_names_the_request(broker, program):
    backend = program(broker.url)
    sources = backend.Sources("acme", lambda: "no token", backend.Path("sources"))
    key, verifier = begun(broker, expires_in=30)
    sources.connect("drive-1", key, verifier, {})
    with pytest.raises(httpx.HTTPStatusError, match="refreshCredentials: 401 invalid_token [\\w-]{8}"):
        sources.access_token("drive-1")


def test_it_redeems_from_the_demos_broker_and_sandbox(demo: Demo, program):
    backend = program(demo.broker)
    verifier = new_verifier()
    started = demo.begin(exchangeChallenge=challenge_of(verifier))
    back = demo.client.get(scripted(started["authorizationUrl"]))
    while not (end := back.headers["Location"]).startswith(f"{demo.broker}/oauth/success"):
        back = demo.client.get(end)
    key = dict(parse_qsl(urlsplit(end).fragment))["credentialKey"]
    sources = backend.Sources(demo.tenant, demo.token, backend.Path("sources"))
    assert sources.connect("drive-1", key, verifier, {}) == []
    headers = {"Authorization": f"Bearer {sources.access_token('drive-1')}"}
    assert demo.client.get(f"{demo.provider}/api/me", headers=headers).json()["name"]
