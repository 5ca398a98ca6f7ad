"""MCP servers (Docs/MCP.md): found by what they publish, with servers of other makes and with one that misbehaves."""

import json
import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from broker import Broker, Installation, assert_problem, eventually, fragment, run
from mcp_servers import FastServer, RemoteServer, Scripted, SDKServer, form, redirect_of
from provider import Provider
from trial import Trial, open_page

MCP = {"mcp": {"servers": ["127.0.0.1"]}}
PUBLIC = "https://cloakroom.example.com"


@pytest.fixture(scope="module")
def sdk() -> Iterator[SDKServer]:
    running = SDKServer()
    yield running
    running.close()


@pytest.fixture(scope="module")
def fast() -> Iterator[FastServer]:
    running = FastServer()
    yield running
    running.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Scripted]:
    running = Scripted()
    yield running
    running.close()


@pytest.fixture
def scripted(shared: Scripted) -> Scripted:
    shared.reset()
    return shared


@pytest.fixture
def fresh() -> Iterator[Scripted]:
    """One of the test's own: nobody is its client yet."""
    running = Scripted()
    yield running
    running.close()


@pytest.fixture(scope="module")
def mcp(folder: Path, provider: Provider) -> Iterator[Broker]:
    with Broker(Installation(folder / "mcp", provider, MCP)) as running:
        yield running


@pytest.fixture(scope="module")
def documents(folder: Path, provider: Provider) -> Iterator[Broker]:
    """One whose address is https, as client ID metadata documents need."""
    with Broker(Installation(folder / "documents", provider, MCP | {"http": {"publicURL": PUBLIC}})) as running:
        yield running


def start(broker: Broker, url: str, **members) -> httpx.Response:
    return broker.authorize("mcp_server", parameters={"url": url}, **members)


def begun(broker: Broker, url: str, **members) -> tuple[str, dict[str, str]]:
    response = start(broker, url, **members)
    assert response.status_code == 200, f"{response.text}\n{broker.logs[-3000:]}"
    address = response.json()["authorizationUrl"]
    return address, redirect_of(address)


def come_back(broker: Broker, asked: dict[str, str], members: dict[str, str]) -> httpx.Response:
    path = urlsplit(asked["redirect_uri"]).path
    return broker.callback(members, at=path)


def connect(broker: Broker, server: Scripted, tenant: str = "acme", **members) -> dict:
    address, asked = begun(broker, server.url, tenant=tenant, **members)
    response = come_back(broker, asked, server.consent(address))
    assert response.status_code == 302, f"{response.text}\n{broker.logs[-3000:]}"
    redeemed = broker.redeem(fragment(response)["credentialKey"], tenant=tenant)
    assert redeemed.status_code == 200, redeemed.text
    return redeemed.json()


def refresh(broker: Broker, token: str, tenant: str = "acme", **parameters: str) -> httpx.Response:
    return broker.client.post(
        f"/v1/tenants/{tenant}/assets:refreshCredentials",
        json={"sourceType": "mcp_server", "refreshToken": token, "parameters": parameters},
        headers=broker.bearer(tenant, "credentials:write"),
    )


def revoke(broker: Broker, token: str, tenant: str = "acme", **parameters: str) -> httpx.Response:
    return broker.client.post(
        f"/v1/tenants/{tenant}/assets:revokeCredentials",
        json={"sourceType": "mcp_server", "token": token, "parameters": parameters},
        headers=broker.bearer(tenant, "credentials:write"),
    )


def trail(broker: Broker, tenant: str) -> list[dict]:
    response = broker.client.get(
        "/v1/admin/auditEvents", params={"tenant": tenant}, headers=broker.bearer(scope="broker:admin"))
    return response.json()["items"]


def refused(broker: Broker, url: str, reason: str, code: str = "provider_rejected", **members) -> None:
    """A flow that cannot begin: 502, and the reason is in the trail and nowhere else."""
    tenant = "t" + secrets.token_hex(6)
    response = start(broker, url, tenant=tenant, **members)
    assert_problem(response, 502, code)
    events = trail(broker, tenant)
    assert [event["type"] for event in events] == ["flow.failed"]
    assert events[0]["code"] == code
    assert reason in events[0]["detail"], events[0]["detail"]
    assert reason not in response.text


def call_tool(url: str, token: str) -> httpx.Response:
    """The first request of the protocol, with a token."""
    return httpx.post(
        url, trust_env=False, timeout=20,
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"},
        json={
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
            },
        },
    )


class TestRealServers:
    @pytest.mark.parametrize("make", ["sdk", "fast"])
    def test_the_whole_way(self, mcp: Broker, make: str, request: pytest.FixtureRequest) -> None:
        server = request.getfixturevalue(make)
        address, asked = begun(mcp, server.url)
        assert asked["code_challenge_method"] == "S256" and asked["resource"] == server.url
        assert asked["scope"] == "notes"
        consent = httpx.get(address, trust_env=False)
        assert consent.status_code == 302, consent.text
        response = come_back(mcp, asked, redirect_of(consent.headers["location"]))
        assert response.status_code == 302, f"{response.text}\n{mcp.logs[-3000:]}"
        credentials = mcp.redeem(fragment(response)["credentialKey"]).json()
        issuer = credentials["extras"]["issuer"]
        assert issuer.rstrip("/") == server.origin
        assert credentials["extras"]["resource"] == server.url
        assert call_tool(server.url, credentials["accessToken"]).status_code == 200
        assert call_tool(server.url, "another").status_code == 401

        renewed = refresh(mcp, credentials["refreshToken"], url=server.url, issuer=issuer)
        assert renewed.status_code == 200, f"{renewed.text}\n{mcp.logs[-3000:]}"
        token = renewed.json()["accessToken"]
        assert call_tool(server.url, token).status_code == 200
        assert renewed.json()["extras"] == credentials["extras"]
        gone = revoke(mcp, token, url=server.url, issuer=issuer)
        assert gone.status_code == 204, f"{gone.text}\n{mcp.logs[-3000:]}"
        assert call_tool(server.url, token).status_code == 401

    def test_one_registration_serves_all_tenants(self, mcp: Broker) -> None:
        server = SDKServer()
        try:
            clients = {begun(mcp, server.url, tenant=tenant)[1]["client_id"] for tenant in ("one", "two", "one")}
            assert len(clients) == 1 and len(server.provider.clients) == 1
        finally:
            server.close()

    def test_a_server_that_lost_its_clients_gets_a_new_one(self, mcp: Broker) -> None:
        server = SDKServer()
        try:
            address, asked = begun(mcp, server.url)
            back = redirect_of(httpx.get(address, trust_env=False).headers["location"])
            key = fragment(come_back(mcp, asked, back))["credentialKey"]
            credentials = mcp.redeem(key).json()
            server.provider.clients.clear()

            def refreshed():
                return refresh(mcp, secrets.token_hex(8), url=server.url, issuer=credentials["extras"]["issuer"])

            # It may pass, so it counts only where it goes on.
            assert_problem(refreshed(), 502, "provider_rejected")
            eventually(lambda: refreshed().status_code == 400, 30, "the broker knows that it is no client any more")
            assert_problem(refreshed(), 400, "reauthorization_required")
            _, again = begun(mcp, server.url)
            assert again["client_id"] != asked["client_id"] and again["client_id"] in server.provider.clients
        finally:
            server.close()


    def test_more_scopes_can_be_asked_for_later(self, mcp: Broker) -> None:
        """The package holds a client to the scopes that it registered with."""
        server = SDKServer()
        try:
            issuer = server.origin
            kept = {}
            for tenant, scopes in (("one", None), ("two", ["notes"]), ("one", ["notes", "admin"]), ("two", None)):
                address, asked = begun(mcp, server.url, tenant=tenant, **({"scopes": scopes} if scopes else {}))
                back = redirect_of(httpx.get(address, trust_env=False).headers["location"])
                assert "code" in back, back
                key = fragment(come_back(mcp, asked, back))["credentialKey"]
                kept[tenant] = mcp.redeem(key, tenant=tenant).json()
                issuer = kept[tenant]["extras"]["issuer"]
            assert kept["one"]["scope"] == "notes admin" and kept["two"]["scope"] == "notes"
            assert len(server.provider.clients) == 2
            for tenant, credentials in kept.items():
                response = refresh(mcp, credentials["refreshToken"], tenant=tenant, url=server.url, issuer=issuer)
                assert response.status_code == 200, response.text
        finally:
            server.close()

    def test_a_server_with_an_authorization_server_elsewhere(self, mcp: Broker, fresh: Scripted) -> None:
        """fastmcp lists an authorization server at the root with a slash, which that one's own metadata may lack."""
        fresh.servers = {}
        root = fresh.metadata("as", issuer=fresh.origin)
        fresh.answers["/.well-known/oauth-authorization-server"] = lambda request: request.reply(200, root)
        fresh.answers["/as/register"] = lambda request: request.register()
        fresh.answers["/as/token"] = lambda request: request.token()
        server = RemoteServer(fresh.origin)
        try:
            address, asked = begun(mcp, server.url)
            assert asked["resource"] == server.url
            members = fresh.consent(address) | {"iss": fresh.origin}
            key = fragment(come_back(mcp, asked, members))["credentialKey"]
            credentials = mcp.redeem(key).json()
            assert credentials["extras"]["issuer"] == fresh.origin
            response = refresh(mcp, credentials["refreshToken"], url=server.url, issuer=fresh.origin)
            assert response.status_code == 200, response.text
        finally:
            server.close()


class TestWhichServers:
    def test_without_a_setting_none(self, broker: Broker, scripted: Scripted) -> None:
        assert_problem(start(broker, scripted.url), 400, "invalid_parameter")
        listed = {item["type"]: item for item in broker.source_types().json()["items"]}
        assert listed["mcp_server"]["configured"] is False
        assert scripted.requests == []

    def test_it_is_listed_with_its_parameter(self, mcp: Broker) -> None:
        item = {item["type"]: item for item in mcp.source_types().json()["items"]}["mcp_server"]
        assert item["configured"] is True and item["supportsOAuth"] is True
        assert [parameter["name"] for parameter in item["oauth"]["parameters"]] == ["url"]

    @pytest.mark.parametrize("url", [
        "https://mcp.example.com/mcp", "http://127.0.0.2/mcp", "http://127.0.0.1.example.com/mcp",
        "http://127.0.0.1@example.com/mcp", "http://example.com#127.0.0.1", "ftp://127.0.0.1/mcp", "127.0.0.1",
        "http://127.0.0.1/mcp#x", "http://127.0.0.1/good/../mcp", "http://127.0.0.1/good/%2E%2e/mcp",
        "http://127.0.0.1\\@example.com/", "", "https://127.0.0.1/" + "x" * 3000,
    ])
    def test_another_address_is_refused(self, mcp: Broker, url: str) -> None:
        assert_problem(start(mcp, url), 400, "invalid_parameter")

    def test_the_parameter_is_needed_and_no_other_is_taken(self, mcp: Broker, scripted: Scripted) -> None:
        assert_problem(mcp.authorize("mcp_server"), 400, "invalid_parameter")
        for name in ("issuer", "tokenEndpoint", "resource"):
            response = mcp.authorize("mcp_server", parameters={"url": scripted.url, name: scripted.issuer("other")})
            assert_problem(response, 400, "invalid_parameter")
        assert scripted.requests == []

    def test_plain_http_needs_allow_insecure(self, another_broker, scripted: Scripted) -> None:
        strict = another_broker("strict", MCP | {"provider": {"allowInsecure": False}, "catalogFiles": None,
                                                  "clients": None})
        assert_problem(start(strict, scripted.url), 400, "invalid_parameter")
        assert scripted.requests == []

    def test_private_addresses_are_refused(self, another_broker, scripted: Scripted) -> None:
        closed = another_broker("closed", MCP | {"provider": {"allowPrivateAddresses": False}})
        assert_problem(start(closed, scripted.url), 502, "provider_unreachable")
        assert scripted.requests == []


class TestDiscovery:
    def test_the_challenge_names_metadata_and_scopes(self, mcp: Broker, scripted: Scripted) -> None:
        scripted.challenge = (
            f'Basic realm="x", Bearer error="invalid_token", scope="a b", resource_metadata="{scripted.origin}/about"')
        resource = scripted.resource
        scripted.answers["/about"] = lambda request: request.reply(200, resource | {"scopes_supported": ["c"]})
        scripted.resource = {}
        _, asked = begun(mcp, scripted.url)
        assert asked["scope"] == "a b"
        assert [request[1] for request in scripted.requests][:2] == ["/mcp", "/about"]

    def test_without_a_challenge_the_well_known_address(self, mcp: Broker, scripted: Scripted) -> None:
        scripted.challenge = None
        scripted.resource |= {"scopes_supported": ["c", "d"]}
        _, asked = begun(mcp, scripted.url)
        assert asked["scope"] == "c d"

    def test_then_the_one_at_the_root(self, mcp: Broker, scripted: Scripted) -> None:
        scripted.challenge = None
        resource = scripted.resource | {"resource": scripted.origin}
        scripted.resource = {}
        scripted.answers["/.well-known/oauth-protected-resource"] = lambda request: request.reply(200, resource)
        _, asked = begun(mcp, scripted.url)
        assert asked["resource"] == scripted.origin and "scope" not in asked

    def test_a_server_that_is_open_to_all_may_still_say_whom_it_trusts(self, mcp: Broker, scripted: Scripted) -> None:
        scripted.answers["/mcp"] = lambda request: request.reply(200, {})
        begun(mcp, scripted.url)

    def test_a_server_that_answers_no_post_is_asked_by_get(self, mcp: Broker, scripted: Scripted) -> None:
        challenge = f'Bearer resource_metadata="{scripted.origin}/about"'
        resource = scripted.resource
        scripted.answers["/mcp"] = lambda request: (
            request.reply(401, {}, {"WWW-Authenticate": challenge}) if request.command == "GET"
            else request.reply(405, {}))
        scripted.answers["/about"] = lambda request: request.reply(200, resource)
        begun(mcp, scripted.url)
        assert scripted.asked("/about")

    @pytest.mark.parametrize("status", [200, 401])
    def test_an_answer_that_goes_on_is_not_waited_for(self, mcp: Broker, fresh: Scripted, status: int) -> None:
        ended = threading.Event()

        def stream(request) -> None:
            if status == 200 and request.command == "POST":
                return request.reply(405, {})
            request.send_response(status)
            request.send_header("Content-Type", "text/event-stream")
            if status == 401:
                request.send_header("WWW-Authenticate", fresh.challenge)
            request.end_headers()
            request.close_connection = True
            # Until the broker has gone on, which it does not while it waits for more.
            assert ended.wait(60)

        fresh.answers["/mcp"] = stream
        fresh.answers["/.well-known/oauth-protected-resource/mcp"] = lambda request: (
            ended.set(), request.reply(200, fresh.resource))
        begun(mcp, fresh.url)
        assert ended.is_set()

    def test_scopes_of_the_caller_take_their_place(self, mcp: Broker, scripted: Scripted) -> None:
        scripted.resource |= {"scopes_supported": ["c"]}
        _, asked = begun(mcp, scripted.url, scopes=["step", "up"])
        assert asked["scope"] == "step up"

    def test_the_first_server_that_can_be_worked_with(self, mcp: Broker, scripted: Scripted) -> None:
        scripted.resource["authorization_servers"] = [
            "http://127.0.0.1:1/nobody", scripted.issuer("as"), scripted.issuer("other")]
        scripted.servers["as"] = scripted.metadata("as", code_challenge_methods_supported=["plain"])
        address, asked = begun(mcp, scripted.url)
        assert address.startswith(scripted.issuer("other"))

    def test_each_authorization_server_has_its_own_redirect_address(self, mcp: Broker, scripted: Scripted) -> None:
        _, first = begun(mcp, scripted.url)
        scripted.resource["authorization_servers"] = [scripted.issuer("other")]
        _, second = begun(mcp, scripted.url)
        prefix = f"{mcp.url}/oauth/callback/mcp_server/"
        for asked in (first, second):
            assert asked["redirect_uri"].startswith(prefix) and len(asked["redirect_uri"]) == len(prefix) + 22
        assert first["redirect_uri"] != second["redirect_uri"]

    @pytest.mark.parametrize("changes,reason", [
        ({"code_challenge_methods_supported": None}, "PKCE"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"issuer": "http://127.0.0.1/evil"}, "another issuer"),
        ({"authorization_endpoint": None}, "authorization_endpoint"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"registration_endpoint": None}, "dynamic registration"),
        ({"registration_endpoint": None, "client_id_metadata_document_supported": False}, "dynamic registration"),
        ({"token_endpoint_auth_methods_supported": ["tls_client_auth"]}, "dynamic registration"),
    ])
    def test_what_is_missing_is_in_the_trail(
        self, mcp: Broker, scripted: Scripted, changes: dict, reason: str
    ) -> None:
        scripted.servers["as"] = scripted.metadata("as", **changes)
        refused(mcp, scripted.url, reason)
        assert scripted.registrations == []


class TestTheServersQuery:
    """At some servers it is the secret by which they know their customer."""

    def test_it_is_in_no_log_and_no_event(self, another_broker, fresh: Scripted) -> None:
        loud = another_broker("loud", MCP | {"log": {"level": "trace"}})
        url = fresh.url + "?key=qu3ry-s3cret"
        document = fresh.resource | {"resource": url}
        fresh.resource = {}
        fresh.challenge = None
        refused(loud, url, "answered 404")
        fresh.answers["/.well-known/oauth-protected-resource/mcp"] = lambda request: request.reply(200, document)
        address, asked = begun(loud, url)
        assert asked["resource"] == url
        assert come_back(loud, asked, fresh.consent(address)).status_code == 302
        assert fresh.asked("/mcp")[-1][1] == "/mcp?key=qu3ry-s3cret"
        assert refresh(loud, "token", url=url, issuer=fresh.issuer("as")).status_code == 200
        assert_problem(refresh(loud, "token", url=url, issuer=fresh.issuer("other")), 400, "reauthorization_required")
        events = trail(loud, "acme")
        assert "flow.succeeded" in [event["type"] for event in events]
        assert "qu3ry" not in json.dumps(events) + loud.logs


class TestBadMetadata:
    @pytest.mark.parametrize("resource", [
        "https://other.example.com/mcp", "http://127.0.0.1:1/mcp", "ORIGIN/mcpx", "ORIGIN/other", "ORIGIN/mcp/deeper",
        "ORIGIN/mcp?x=1", "", None, 7, ["ORIGIN/mcp"],
    ])
    def test_of_another_resource(self, mcp: Broker, scripted: Scripted, resource) -> None:
        if isinstance(resource, str):
            resource = resource.replace("ORIGIN", scripted.origin)
        scripted.resource["resource"] = resource
        refused(mcp, scripted.url, "RFC 9728")

    @pytest.mark.parametrize("servers", [None, [], "text", [7], {}])
    def test_without_authorization_servers(self, mcp: Broker, scripted: Scripted, servers) -> None:
        scripted.resource["authorization_servers"] = servers
        refused(mcp, scripted.url, "names no authorization server")

    def test_elsewhere(self, mcp: Broker, scripted: Scripted, fresh: Scripted) -> None:
        scripted.challenge = f'Bearer resource_metadata="{fresh.origin}/.well-known/oauth-protected-resource/mcp"'
        refused(mcp, scripted.url, "metadata elsewhere")
        assert fresh.requests == []

    def test_in_circles(self, mcp: Broker, scripted: Scripted) -> None:
        for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
            scripted.answers[path] = lambda request: request.reply(302, {}, {"Location": request.path})
        refused(mcp, scripted.url, "answered 302")
        assert len(scripted.requests) == 3

    def test_a_server_that_is_its_own_in_circles(self, mcp: Broker, scripted: Scripted) -> None:
        scripted.resource["authorization_servers"] = [scripted.url] * 1000 + [
            f"{scripted.origin}/as-{number}" for number in range(1000)]
        refused(mcp, scripted.url, "no authorization server of the resource")
        assert len(scripted.requests) <= 2 + 3 * 5

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"resource":1,"resource":2}', b"\xff\xfe", b"{" * 5000])
    def test_that_is_no_document(self, mcp: Broker, scripted: Scripted, body: bytes) -> None:
        for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
            scripted.answers[path] = lambda request: request.reply(200, body)
        refused(mcp, scripted.url, "no JSON object")

    @pytest.mark.parametrize("path", [
        "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server/as", "/as/register",
    ])
    def test_that_never_ends(self, mcp: Broker, fresh: Scripted, path: str) -> None:
        def endless(request) -> None:
            request.send_response(200)
            request.send_header("Content-Type", "application/json")
            request.end_headers()
            request.close_connection = True
            try:
                for _ in range(1 << 14):
                    request.wfile.write(b"[" * (1 << 16))
            except OSError:
                pass

        fresh.answers[path] = endless
        refused(mcp, fresh.url, "longer")

    def test_with_plain_http_issuers_where_that_is_not_allowed(self, mcp: Broker, scripted: Scripted) -> None:
        scripted.resource["authorization_servers"] = ["ftp://127.0.0.1/as"]
        refused(mcp, scripted.url, "not https")


class TestRegistration:
    def test_it_says_who_asks(self, mcp: Broker, fresh: Scripted) -> None:
        fresh.resource |= {"scopes_supported": ["read"]}
        _, asked = begun(mcp, fresh.url)
        sent = fresh.registrations[0]
        assert sent["redirect_uris"] == [asked["redirect_uri"]]
        assert sent["grant_types"] == ["authorization_code", "refresh_token"] and sent["response_types"] == ["code"]
        assert sent["token_endpoint_auth_method"] == "client_secret_post" and sent["scope"] == "read"
        assert str(mcp.port) in sent["client_name"]

    def test_it_is_kept_sealed(self, mcp: Broker, fresh: Scripted) -> None:
        connect(mcp, fresh)
        connect(mcp, fresh)
        assert len(fresh.registrations) == 1
        contents = b"".join(
            path.read_bytes() for path in mcp.installation.folder.iterdir() if path.name.startswith("cloakroom.db"))
        assert b"dcr-secret-1" not in contents and fresh.issuer("as").encode() in contents
        assert "dcr-secret-1" not in mcp.logs

    def test_it_outlives_the_process(self, installation: Installation, fresh: Scripted) -> None:
        installation.settings |= MCP
        installation.write_configuration()
        with Broker(installation) as broker:
            credentials = connect(broker, fresh)
        with Broker(installation) as broker:
            response = refresh(broker, credentials["refreshToken"], url=fresh.url, issuer=fresh.issuer("as"))
            assert response.status_code == 200, response.text
        assert len(fresh.registrations) == 1

    def test_it_is_renewed_when_the_server_refuses_it_in_a_flow(self, mcp: Broker, fresh: Scripted) -> None:
        address, asked = begun(mcp, fresh.url)
        assert asked["client_id"] == "client-1"
        fresh.token_error = "invalid_client"
        assert_problem(come_back(mcp, asked, fresh.consent(address)), 502, "provider_rejected")
        fresh.token_error = None
        connect(mcp, fresh)
        assert len(fresh.registrations) == 2

    @pytest.mark.parametrize("answer,reason", [
        ({"redirect_uris": ["https://evil.example.net/callback"]}, "another redirect address"),
        ({"redirect_uris": []}, "another redirect address"),
        ({"client_id": None}, "client_id"),
        ({"client_id": ""}, "client_id"),
        ({"client_id": "a\nb"}, "client_id"),
        ({"client_secret": None}, "client_secret"),
        ({"client_secret": 7}, "client_secret"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method"),
        ({"client_secret_expires_at": 7}, "expired already"),
    ])
    def test_an_answer_that_cannot_be_used(self, mcp: Broker, fresh: Scripted, answer: dict, reason: str) -> None:
        fresh.registration = answer
        refused(mcp, fresh.url, reason)
        # Nothing of it was kept.
        fresh.registration = {}
        begun(mcp, fresh.url)

    def test_one_more_redirect_address_is_one_too_many(self, mcp: Broker, fresh: Scripted) -> None:
        def register(request) -> None:
            sent = json.loads(request.body)
            request.reply(201, sent | {
                "client_id": "x", "client_secret": "y" * 20,
                "redirect_uris": sent["redirect_uris"] + ["https://evil.example.net/"]})

        fresh.answers["/as/register"] = register
        refused(mcp, fresh.url, "another redirect address")

    def test_a_refusal_is_told(self, mcp: Broker, fresh: Scripted) -> None:
        fresh.answers["/as/register"] = lambda request: request.reply(400, {"error": "invalid_redirect_uri"})
        refused(mcp, fresh.url, "invalid_redirect_uri")

    def test_a_server_that_knows_not_all_scopes_is_asked_without(self, mcp: Broker, fresh: Scripted) -> None:
        def register(request) -> None:
            sent = json.loads(request.body)
            if "scope" in sent:
                return request.reply(400, {"error": "invalid_client_metadata"})
            request.reply(201, sent | {"client_id": "x", "client_secret": "y" * 20})

        fresh.resource |= {"scopes_supported": ["read"]}
        fresh.answers["/as/register"] = register
        begun(mcp, fresh.url)

    def test_many_at_once_register_once(self, mcp: Broker, fresh: Scripted) -> None:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(12) as pool:
            clients = set(pool.map(lambda _: begun(mcp, fresh.url)[1]["client_id"], range(12)))
        assert len(clients) == 1 and len(fresh.registrations) == 1


class TestOtherWaysToBeAClient:
    def test_a_client_id_metadata_document(self, documents: Broker, fresh: Scripted) -> None:
        fresh.servers["as"] = fresh.metadata("as", client_id_metadata_document_supported=True)
        address, asked = begun(documents, fresh.url)
        assert asked["client_id"].startswith(f"{PUBLIC}/oauth/client/") and asked["client_id"].endswith(".json")
        document = documents.client.get(urlsplit(asked["client_id"]).path)
        assert document.headers["content-type"] == "application/json"
        assert "max-age" in document.headers["cache-control"]
        members = document.json()
        assert members["client_id"] == asked["client_id"]
        assert members["redirect_uris"] == [asked["redirect_uri"]]
        assert members["token_endpoint_auth_method"] == "none" and members["client_name"]
        assert fresh.registrations == []
        response = come_back(documents, asked, fresh.consent(address))
        assert response.status_code == 302, response.text
        sent = form(fresh.asked("/as/token")[-1][3])
        assert sent["client_id"] == asked["client_id"] and "client_secret" not in sent
        assert "Authorization" not in fresh.asked("/as/token")[-1][2]

    def test_in_a_trial_the_document_may_be_at_an_http_address(self, mcp: Broker, fresh: Scripted) -> None:
        fresh.servers["as"] = fresh.metadata("as", client_id_metadata_document_supported=True)
        client = begun(mcp, fresh.url)[1]["client_id"]
        assert httpx.get(client, trust_env=False).json()["client_id"] == client

    def test_an_operator_may_want_no_documents(self, another_broker, fresh: Scripted) -> None:
        fresh.servers["as"] = fresh.metadata("as", client_id_metadata_document_supported=True)
        settings = {"mcp": {"servers": ["127.0.0.1"], "clientDocuments": False}, "http": {"publicURL": PUBLIC}}
        broker = another_broker("registers", settings)
        assert begun(broker, fresh.url)[1]["client_id"] == "client-1"
        fresh.servers["as"] = fresh.metadata(
            "as", client_id_metadata_document_supported=True, registration_endpoint=None, issuer=fresh.issuer("other"))
        fresh.servers["other"] = fresh.servers["as"]
        fresh.resource["authorization_servers"] = [fresh.issuer("other")]
        refused(broker, fresh.url, "http.publicURL")

    def test_the_document_a_thousand_times(self, documents: Broker, fresh: Scripted) -> None:
        fresh.servers["as"] = fresh.metadata("as", client_id_metadata_document_supported=True)
        path = urlsplit(begun(documents, fresh.url)[1]["client_id"]).path
        bodies = {documents.client.get(path).content for _ in range(1000)}
        assert len(bodies) == 1

    def test_the_document_is_limited_by_address(self, another_broker) -> None:
        limited = another_broker("limited", MCP | {"limits": {"callbackPerAddress": 1}})
        path = "/oauth/client/" + "A" * 22 + ".json"
        statuses = [limited.client.get(path).status_code for _ in range(30)]
        assert statuses[0] == 200 and 429 in statuses

    @pytest.mark.parametrize("name", ["A" * 22, "A" * 21 + ".json", "A" * 23 + ".json", ".json", "%2e%2e.json",
                                      "A" * 21 + "!.json", "A" * 5000 + ".json"])
    def test_what_is_no_handle_has_no_document(self, mcp: Broker, name: str) -> None:
        assert_problem(mcp.client.get(f"/oauth/client/{name}"), 404, "not_found")

    def test_a_server_that_has_no_public_clients_is_registered_at(self, documents: Broker, fresh: Scripted) -> None:
        fresh.servers["as"] = fresh.metadata(
            "as", client_id_metadata_document_supported=True,
            token_endpoint_auth_methods_supported=["client_secret_basic"])
        _, asked = begun(documents, fresh.url)
        assert asked["client_id"] == "client-1"
        assert fresh.registrations[0]["token_endpoint_auth_method"] == "client_secret_basic"

    def test_the_operators_client(self, another_broker, fresh: Scripted) -> None:
        fresh.servers["as"] = fresh.metadata("as", registration_endpoint=None)
        own = {"clientId": "operators", "clientSecret": "operators-secret", "parameters": {"issuer": fresh.issuer("as")}}
        broker = another_broker("own", MCP | {"clients": {"mcp_server": own}})
        connect(broker, fresh)
        sent = form(fresh.asked("/as/token")[-1][3])
        assert (sent["client_id"], sent["client_secret"]) == ("operators", "operators-secret")
        # It is another server's, and goes nowhere else.
        fresh.resource["authorization_servers"] = [fresh.issuer("other")]
        fresh.servers["other"] = fresh.metadata("other", registration_endpoint=None)
        refused(broker, fresh.url, "no client is set for it")

    def test_a_secret_that_is_for_no_server_goes_nowhere(self, another_broker, fresh: Scripted) -> None:
        fresh.servers["as"] = fresh.metadata("as", registration_endpoint=None)
        own = {"clientId": "operators", "clientSecret": "operators-secret"}
        broker = another_broker("nowhere", MCP | {"clients": {"mcp_server": own}})
        assert "clients.mcp_server has a secret and no parameters.issuer" in broker.logs
        refused(broker, fresh.url, "parameters.issuer")

    def test_a_public_client_of_the_operators_serves_where_nothing_else_does(
        self, another_broker, fresh: Scripted
    ) -> None:
        fresh.servers["as"] = fresh.metadata("as", registration_endpoint=None)
        broker = another_broker("public", MCP | {"clients": {"mcp_server": {"clientId": "operators"}}})
        connect(broker, fresh)
        assert form(fresh.asked("/as/token")[-1][3])["client_id"] == "operators"

    def test_a_tenants_own_client(self, mcp: Broker, fresh: Scripted) -> None:
        fresh.servers["as"] = fresh.metadata("as", registration_endpoint=None)
        setting = {
            "clientId": "tenants", "clientSecret": "tenants-secret", "parameters": {"issuer": fresh.issuer("as")}}
        response = mcp.client.put(
            "/v1/admin/tenants/owner/clients/mcp_server", json=setting, headers=mcp.bearer(scope="broker:admin"))
        assert response.status_code == 201, response.text
        _, asked = begun(mcp, fresh.url, tenant="owner")
        assert asked["client_id"] == "tenants" and asked["redirect_uri"] == response.json()["redirectUri"]
        connect(mcp, fresh, tenant="owner")
        assert form(fresh.asked("/as/token")[-1][3])["client_secret"] == "tenants-secret"
        refused(mcp, fresh.url, "no client is set for it")


class TestTheFlow:
    def test_resource_goes_along_everywhere(self, mcp: Broker, scripted: Scripted) -> None:
        credentials = connect(mcp, scripted)
        assert credentials["extras"] == {"issuer": scripted.issuer("as"), "resource": scripted.url}
        response = refresh(
            mcp, credentials["refreshToken"], url=scripted.url, issuer=scripted.issuer("as"))
        assert response.status_code == 200, response.text
        assert response.json()["extras"] == credentials["extras"]
        sent = [form(request[3]) for request in scripted.asked("/as/token")]
        assert [members["resource"] for members in sent] == [scripted.url] * 2
        assert [members["grant_type"] for members in sent] == ["authorization_code", "refresh_token"]
        verifier = sent[0]["code_verifier"]
        assert 43 <= len(verifier) <= 128

    def test_the_callback_asks_nobody_for_metadata(self, mcp: Broker, scripted: Scripted) -> None:
        address, asked = begun(mcp, scripted.url)
        scripted.requests.clear()
        assert come_back(mcp, asked, scripted.consent(address)).status_code == 302
        assert [request[1] for request in scripted.requests] == ["/as/token"]

    def test_a_server_that_moves_between_cannot_lead_the_code_elsewhere(
        self, mcp: Broker, scripted: Scripted
    ) -> None:
        address, asked = begun(mcp, scripted.url)
        scripted.resource["authorization_servers"] = [scripted.issuer("other")]
        scripted.servers["as"] = scripted.metadata("as", token_endpoint=f"{scripted.origin}/other/token")
        scripted.requests.clear()
        assert come_back(mcp, asked, scripted.consent(address)).status_code == 302
        assert [request[1] for request in scripted.requests] == ["/as/token"]

    def test_a_code_of_the_new_server_is_refused(self, mcp: Broker, scripted: Scripted) -> None:
        _, asked = begun(mcp, scripted.url)
        members = {"code": "c", "state": asked["state"], "iss": scripted.issuer("other")}
        assert_problem(come_back(mcp, asked, members), 400, "issuer_mismatch")
        assert scripted.asked("/as/token") == [] and scripted.asked("/other/token") == []

    def test_at_another_servers_address_nothing_is_spent(self, mcp: Broker, scripted: Scripted) -> None:
        address, asked = begun(mcp, scripted.url)
        scripted.resource["authorization_servers"] = [scripted.issuer("other")]
        _, other = begun(mcp, scripted.url)
        members = scripted.consent(address)
        assert_problem(come_back(mcp, other, members), 400, "invalid_state")
        assert come_back(mcp, asked, members).status_code == 302

    def test_iss_is_needed_where_it_was_announced(self, mcp: Broker, scripted: Scripted) -> None:
        address, asked = begun(mcp, scripted.url)
        members = scripted.consent(address)
        del members["iss"]
        assert_problem(come_back(mcp, asked, members), 400, "issuer_mismatch")

    def test_two_tenants_at_one_server_keep_apart(self, mcp: Broker, scripted: Scripted) -> None:
        address, asked = begun(mcp, scripted.url, tenant="one")
        _, other = begun(mcp, scripted.url, tenant="two")
        assert asked["client_id"] == other["client_id"] and asked["state"] != other["state"]
        key = fragment(come_back(mcp, asked, scripted.consent(address)))["credentialKey"]
        assert_problem(mcp.redeem(key, tenant="two"), 400, "invalid_credential_key")
        assert mcp.redeem(key, tenant="one").status_code == 200

    def test_an_operator_can_revoke_what_waits(self, mcp: Broker, scripted: Scripted) -> None:
        address, asked = begun(mcp, scripted.url, tenant="revoked")
        assert come_back(mcp, asked, scripted.consent(address)).status_code == 302
        response = mcp.client.post(
            "/v1/admin/revocations", json={"tenant": "revoked", "reason": "test"},
            headers=mcp.bearer(scope="broker:admin"))
        assert response.json()["revokedAtProvider"] == 1, response.text
        assert len(scripted.asked("/as/revoke")) == 1


class TestAfterTheFlow:
    def test_a_token_goes_to_no_endpoint_that_took_the_place_of_anothers(
        self, mcp: Broker, fresh: Scripted, scripted: Scripted
    ) -> None:
        """A hostile issuer names an honest server's endpoints, where it has a client, and then its own."""
        honest = f"http://localhost:{scripted.port}/as"
        fresh.servers["as"] = fresh.metadata(
            "as", authorization_endpoint=f"{honest}/authorize", token_endpoint=f"{honest}/token",
            authorization_response_iss_parameter_supported=None)
        address, asked = begun(mcp, fresh.url)
        assert address.startswith(honest)
        key = fragment(come_back(mcp, asked, {"code": "honest", "state": asked["state"]}))["credentialKey"]
        token = mcp.redeem(key).json()["refreshToken"]
        parameters = {"url": fresh.url, "issuer": fresh.issuer("as")}
        assert_problem(revoke(mcp, token, **parameters), 409, "revocation_unsupported")
        fresh.servers["as"] = fresh.metadata("as")
        for response in (refresh(mcp, token, **parameters), revoke(mcp, token, **parameters)):
            assert_problem(response, 400, "reauthorization_required")
        refused(mcp, fresh.url, "may be another server's")
        assert all(token.encode() not in request[3] for request in fresh.requests)

    def test_a_token_goes_to_no_other_server(self, mcp: Broker, scripted: Scripted) -> None:
        token = connect(mcp, scripted)["refreshToken"]
        scripted.resource["authorization_servers"] = [scripted.issuer("other")]
        scripted.requests.clear()
        for response in (
            refresh(mcp, token, url=scripted.url, issuer=scripted.issuer("as")),
            revoke(mcp, token, url=scripted.url, issuer=scripted.issuer("as")),
        ):
            assert_problem(response, 400, "reauthorization_required")
        assert all(token.encode() not in request[3] for request in scripted.requests)
        assert not [request for request in scripted.requests if "/other" in request[1] or "/as" in request[1]]

    @pytest.mark.parametrize("leave_out", ["url", "issuer"])
    def test_both_parameters_are_needed(self, mcp: Broker, scripted: Scripted, leave_out: str) -> None:
        parameters = {"url": scripted.url, "issuer": scripted.issuer("as")}
        del parameters[leave_out]
        assert_problem(refresh(mcp, "token", **parameters), 400, "invalid_parameter")
        assert_problem(revoke(mcp, "token", **parameters), 400, "invalid_parameter")
        assert scripted.requests == []

    def test_the_server_must_still_be_open(self, mcp: Broker) -> None:
        parameters = {"url": "https://mcp.example.com/mcp", "issuer": "https://as.example.com"}
        assert_problem(refresh(mcp, "token", **parameters), 400, "invalid_parameter")

    def test_a_dead_grant(self, mcp: Broker, scripted: Scripted) -> None:
        token = connect(mcp, scripted)["refreshToken"]
        scripted.token_error = "invalid_grant"
        response = refresh(mcp, token, url=scripted.url, issuer=scripted.issuer("as"))
        assert_problem(response, 400, "reauthorization_required")

    def test_a_server_without_revocation(self, mcp: Broker, scripted: Scripted) -> None:
        token = connect(mcp, scripted)["accessToken"]
        scripted.servers["as"] = scripted.metadata("as", revocation_endpoint=None)
        assert_problem(
            revoke(mcp, token, url=scripted.url, issuer=scripted.issuer("as")), 409, "revocation_unsupported")


class TestTrial:
    def test_it_tells_what_was_found_at_each_step(self, installation: Installation, sdk: SDKServer) -> None:
        installation.settings |= MCP
        installation.write_configuration()
        with Trial(installation.config, "mcp_server", "--parameter", f"url={sdk.url}") as trial:
            address = trial.address()
            back = httpx.get(address, trust_env=False).headers["location"]
            assert open_page(back).status_code == 200
            assert trial.end() == 0, trial.text
        for words in (
            "1. the server wants a token; metadata: ", "2. metadata at ", f"its authorization servers \"{sdk.origin}\"",
            "its metadata was found", "it takes dynamic registration", 'scopes to ask for: "notes"',
            "extras: issuer, resource", f"waiting for {installation.url}/oauth/callback/mcp_server/",
        ):
            assert words in trial.text, trial.text

    def test_it_tells_what_is_missing(self, installation: Installation, fresh: Scripted) -> None:
        installation.settings |= MCP
        installation.write_configuration()
        fresh.challenge = None
        fresh.servers["as"] = fresh.metadata("as", code_challenge_methods_supported=None)
        with Trial(installation.config, "mcp_server", "--parameter", f"url={fresh.url}") as trial:
            assert trial.end() == 1
        assert "its answer names no metadata" in trial.text and "it offers no PKCE with S256" in trial.text

    def test_a_server_that_is_not_open_is_told(self, installation: Installation, fresh: Scripted) -> None:
        with Trial(installation.config, "mcp_server", "--parameter", f"url={fresh.url}") as trial:
            assert trial.end() == 1
        assert "mcp.servers does not list" in trial.text and "add its host to mcp.servers" in trial.text
        assert fresh.requests == []

    @pytest.mark.parametrize("allowed, url, words, hint", [
        ({}, "http://127.0.0.1:9/mcp", "the flow could not start: the server: the connection was refused", "letter by letter"),
        ({"allowPrivateAddresses": False}, "http://127.0.0.1:9/mcp", "not allowed", "provider.allowPrivateAddresses"),
        ({"allowInsecure": False}, "http://127.0.0.1:9/mcp", "needs provider.allowInsecure", "--parameter"),
    ])
    def test_what_keeps_it_from_being_asked_is_told_with_the_setting(
            self, installation: Installation, allowed: dict, url: str, words: str, hint: str) -> None:
        installation.settings |= MCP
        installation.settings["provider"] |= allowed
        if "allowInsecure" in allowed:
            installation.settings |= {"catalogFiles": [], "clients": {}}
        installation.write_configuration()
        with Trial(installation.config, "mcp_server", "--parameter", f"url={url}") as trial:
            assert trial.end() == 1
        assert words in trial.text and "no sound answer" not in trial.text, trial.text
        assert any(line.startswith("hint: ") and hint in line for line in trial.err), trial.text


class TestSettings:
    @pytest.mark.parametrize("host", ["https://mcp.example.com", "*", "*.com", "mcp.example.com/mcp", ""])
    def test_what_is_no_host_is_refused(self, installation: Installation, host: str) -> None:
        installation.settings |= {"mcp": {"servers": [host]}}
        installation.write_configuration()
        checked = installation.check()
        assert checked.returncode == 1 and "mcp.servers" in checked.stdout + checked.stderr

    def test_the_environment_sets_them(self, installation: Installation, fresh: Scripted) -> None:
        with Broker(installation, env={"CLOAKROOM_MCP_SERVERS": "mcp.example.com,127.0.0.1"}) as broker:
            begun(broker, fresh.url)

    def test_the_redirect_address_of_a_client_of_ones_own_is_told(self, installation: Installation) -> None:
        own = {"clientId": "x", "clientSecret": "y", "parameters": {"issuer": "https://as.example.com"}}
        installation.settings |= MCP
        installation.settings["clients"] |= {"mcp_server": own}
        installation.write_configuration()
        checked = installation.check()
        assert re.search(r"/oauth/callback/mcp_server/[A-Za-z0-9_-]{22} for mcp_server", checked.stdout), checked.stdout
        shown = run("sources", "show", "mcp_server", "--config", installation.config).stdout
        assert re.search(r"/oauth/callback/mcp_server/[A-Za-z0-9_-]{22}\n", shown), shown

    def test_it_counts_as_ready_with_nothing_to_register(self, installation: Installation) -> None:
        installation.settings |= {"mcp": {"servers": ["127.0.0.1", "*.mcp.example.com"]}, "clients": {}}
        installation.write_configuration()
        checked = installation.check()
        assert re.search(r"^ok: \d+ source types, 1 of \d+ with OAuth ready to connect\n", checked.stdout), checked.stdout
        assert "mcp_server may connect, with nothing to register: 127.0.0.1, *.mcp.example.com" in checked.stdout
        assert "redirect address to register" not in checked.stdout

    def test_it_is_explained(self) -> None:
        shown = run("sources", "show", "mcp_server").stdout
        assert "one for each authorization server" in shown and "mcp.servers" in shown


class TestMasterKeys:
    def test_a_registration_is_sealed_again(self, installation: Installation, fresh: Scripted) -> None:
        installation.settings |= MCP
        installation.write_configuration()
        config = ("--config", installation.config)
        first = (installation.folder / "master.key").read_text().partition(":")[0]
        with Broker(installation) as broker:
            credentials = connect(broker, fresh)
            assert run("master-key", "rotate", "--id", "second", *config).returncode == 0
            eventually(
                lambda: run("master-key", "retire", first, *config).returncode == 0, within=30,
                what="nothing needs the first key")
        with Broker(installation) as broker:
            response = refresh(broker, credentials["refreshToken"], url=fresh.url, issuer=fresh.issuer("as"))
            assert response.status_code == 200, response.text
        assert len(fresh.registrations) == 1
