"""Whole flows through the reverse proxies of `Deploy/`: TLS, a path of its own, who is the client, what is logged."""

import signal
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from broker import Broker, Installation, assert_problem, eventually, fragment, free_port
from browser import Browser
from frontend import ConnectPage, Site
from provider import callback_target
from proxies import Proxy


@pytest.fixture(scope="module")
def app() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="module", params=["nginx", "nginx /broker", "caddy /broker"])
def proxied(request, folder, provider, app) -> Iterator["Proxied"]:
    kind, _, path = request.param.partition(" ")
    port = free_port()
    proxy = Proxy(kind, folder / request.param.replace(" /", "-"), port, path)
    changes = {
        "http": {"publicURL": proxy.url, "trustedProxies": ["127.0.0.1", "::1"]},
        "frontend": {"origins": [app.origin]},
    }
    try:
        yield Proxied(proxy, Installation(folder / f"behind-{proxy.port}", provider, changes, port))
    finally:
        proxy.stop()


class Proxied:
    """A proxy, and the installation that it stands in front of."""

    def __init__(self, proxy: Proxy, installation: Installation) -> None:
        self.proxy, self.installation = proxy, installation

    def broker(self) -> Broker:
        """Its client speaks to the proxy."""
        broker = Broker(self.installation)
        broker.client.close()
        broker.client = self.client()
        return broker

    def client(self, address: str | None = None) -> httpx.Client:
        transport = httpx.HTTPTransport(verify=self.proxy.trust, local_address=address)
        return httpx.Client(base_url=self.proxy.url, timeout=30, transport=transport)


@pytest.fixture
def broker(proxied: Proxied) -> Iterator[Broker]:
    with proxied.broker() as running:
        yield running


def addresses(broker: Broker, flow: str) -> set[str]:
    """Who did what in a flow, as the audit trail has it."""
    headers = broker.bearer(tenant=None, scope="broker:admin")
    # Operators call the broker itself: the proxy has no way there.
    response = httpx.get(f"{broker.url}/v1/admin/auditEvents?pageSize=1000", headers=headers, trust_env=False)
    assert response.status_code == 200, response.text
    return {event["remoteAddress"] for event in response.json()["items"] if event["flow"] == flow}


# A flow.


def test_a_whole_flow_goes_through(proxied, broker, provider):
    flow = broker.begin()
    assert flow.query["redirect_uri"] == f"{proxied.proxy.url}/oauth/callback/wiki"
    response = broker.callback(provider.consent(flow.authorization_url).callback)
    assert response.headers["location"].startswith(f"{proxied.proxy.url}/oauth/success#credentialKey=")
    key = fragment(response)["credentialKey"]
    assert broker.redeem(key).status_code == 200
    assert_problem(broker.redeem_by_post(key), 400, "invalid_credential_key")
    assert response.headers["strict-transport-security"] == "max-age=31536000"


def test_what_the_broker_refuses_is_told_in_its_own_words(broker):
    """Even a body that proxies would refuse before it."""
    assert_problem(broker.redeem_by_post("k" * 80_000), 413, "body_too_large")


def test_a_path_of_its_own_is_all_that_goes_through(proxied, broker):
    with httpx.Client(verify=proxied.proxy.trust) as client:
        elsewhere = client.get(f"https://127.0.0.1:{proxied.proxy.port}/healthz")
    assert (elsewhere.text == '{"status":"ok"}') == (proxied.proxy.path == "")
    assert broker.client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("path", [
    "/metrics", "//metrics", "/oauth/../metrics", "/oauth/%2e%2e/metrics", "/v1/admin/auditEvents", "/v1/tenants/../admin/auditEvents",
    "/V1/ADMIN/auditEvents", "/anything",
])
def test_what_is_for_operators_stays_inside(broker, path):
    """The broker itself has it."""
    assert httpx.get(f"{broker.url}/metrics", trust_env=False).status_code == 200
    headers = broker.bearer(tenant=None, scope="broker:admin")
    assert httpx.get(f"{broker.url}/v1/admin/auditEvents", headers=headers, trust_env=False).status_code == 200
    response = broker.client.get(httpx.URL(f"{broker.client.base_url}".rstrip("/") + path), headers=headers)
    assert response.status_code == 404 and "items" not in response.text and "cloakroom_" not in response.text


def test_a_person_connects_in_a_browser(proxied, broker, provider, app):
    """`connect.js`, popup, callback and success page, all from the proxy's address."""
    trusted = f"ignore-certificate-errors-spki-list={proxied.proxy.certificate.fingerprint}"
    chromium = Browser(trusted)
    try:
        chromium.reset()
        page = ConnectPage(chromium, app.origin, proxied.proxy.url, "acme", broker.token())
        popup = page.connect("wiki")
        chromium.choose(popup)
        chromium.until(lambda: chromium.address.startswith(f"{provider.url}/authorize"), what="the provider's page")
        [cookie] = [cookie for name, cookie in chromium.cookies().items() if "cloakroom" in name]
        assert cookie["name"].startswith("__Host-") and cookie["secure"] and cookie["httpOnly"]
        grant = provider.consent(chromium.address)
        chromium.go(f"{proxied.proxy.url}{callback_target(grant.callback)}")
        connection = page.connection()
        assert addresses(broker, connection["flow"]) == {"127.0.0.1"}
        redeemed = broker.redeem(connection["credentialKey"], exchangeVerifier=connection["exchangeVerifier"])
        assert redeemed.json()["accessToken"] == grant.access_token
        chromium.wait_closed(popup)
        assert chromium.complaints() == []
    finally:
        chromium.quit()


# Whose address counts.


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"X-Forwarded-For": "192.0.2.66"},
        {"Forwarded": "for=192.0.2.66"},
        {"X-Forwarded-For": "192.0.2.66, 127.0.0.1", "Forwarded": "for=192.0.2.66", "X-Real-IP": "192.0.2.66"},
    ],
    ids=["nothing", "x-forwarded-for", "forwarded", "everything"],
)
def test_the_client_is_who_speaks_to_the_proxy_whatever_it_says_of_itself(proxied, broker, forged):
    broker.client.close()
    broker.client = proxied.client(address="127.0.0.2")
    flow = broker.begin(headers=forged)
    assert addresses(broker, flow.flow) == {"127.0.0.2"}


# What is written down.


def test_no_code_no_state_and_no_key_is_in_the_proxys_logs(proxied, provider):
    """Not of a flow that succeeds, nor of a callback while the broker is down."""
    with proxied.broker() as broker:
        grant = broker.consented()
        key = broker.finish(grant)
        assert broker.redeem(key).status_code == 200
        later = broker.consented()
    with proxied.client() as client:
        response = client.get(callback_target(later.callback), headers={"Referer": f"https://x/?{key}"})
        assert response.status_code == 502
        bearer = broker.token()
        client.get("/v1/tenants/acme/assets:sourceTypes", headers={"Authorization": f"Bearer {bearer}"})
    eventually(lambda: "assets:sourceTypes" in proxied.proxy.access_log, what="the last line")
    assert "/oauth/callback" in proxied.proxy.access_log
    for secret in (grant.code, grant.state, key, later.code, later.state, bearer):
        assert secret not in proxied.proxy.logs


# Restarts.


def test_a_restart_under_load_loses_nothing_that_reached_the_broker(proxied, provider):
    """Callbacks go on while the broker is told to stop. Each is answered well, or, where it came too late, 502 by the
    proxy; such a one has spent nothing: the same address again, once the broker is back, gives its key.
    """
    broker = proxied.broker().start()
    waiting = [broker.consented().callback for _ in range(400)]
    lock, results = threading.Lock(), []

    def work() -> None:
        with proxied.client() as client:
            while True:
                with lock:
                    if not waiting:
                        return
                    callback = waiting.pop()
                response = client.get(callback_target(callback))
                with lock:
                    results.append((callback, response))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(results) > 100, within=30)
    broker.process.send_signal(signal.SIGTERM)
    assert broker.wait() == 0
    for thread in threads:
        thread.join(60)
    broker.client.close()

    assert len(results) == 400
    assert {response.status_code for _, response in results} == {302, 502}
    with proxied.broker() as again:
        for callback, response in results:
            if response.status_code == 502:
                response = again.callback(callback)
            assert again.redeem(fragment(response)["credentialKey"]).status_code == 200


@pytest.mark.parametrize("kind", ["nginx", "caddy"])
def test_no_request_is_sent_a_second_time(kind, tmp_path):
    """Not even where the broker dies over it: a key that comes twice would raise the alarm."""
    heard = []

    def die() -> None:
        while True:
            connection, _ = listener.accept()
            heard.append(connection.recv(65536))
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=die, daemon=True).start()
        proxy = Proxy(kind, tmp_path / kind, listener.getsockname()[1])
        try:
            with httpx.Client(base_url=proxy.url, verify=proxy.trust) as client:
                assert client.get("/v1/tenants/acme/assets:oauthCredentials?credentialKey=x").status_code == 502
                assert client.post("/oauth/callback", content="state=x").status_code == 502
        finally:
            proxy.stop()
    assert [request.split()[0] for request in heard] == [b"GET", b"POST"]
