"""What a browser meets besides the broker: `cloakroom demo`, other origins, and a page that calls `connect`."""

import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from broker import binary, environment, eventually, free_port
from browser import Browser
from provider import remember_redirect


class Demo:
    """`cloakroom demo`: broker, sandbox provider, demo frontend and asset service on four ports in a row."""

    tenant = "demo"

    def __init__(self) -> None:
        port = _four_free_ports()
        self.broker, self.provider, self.frontend, self.reader = (f"http://127.0.0.1:{port + i}" for i in range(4))
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [binary(), "demo", "--port", str(port)],
            env=environment(), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )
        self.client = httpx.Client(timeout=30, trust_env=False)
        try:
            for address in (f"{self.broker}/readyz", self.provider, self.frontend):
                eventually(lambda: self._answers(address), within=60, what=f"{address} answers")
        except BaseException:
            self._process.kill()
            raise

    def _answers(self, address: str) -> bool:
        assert self._process.poll() is None, f"exited with {self._process.returncode}\n{self.logs}"
        try:
            return self.client.get(address).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def logs(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-4000:]

    def stop(self) -> None:
        self.client.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            assert self._process.wait(20) == 0, self.logs
        finally:
            self._process.kill()

    # The API, as a tenant's server would call it.

    def assets(self, action: str) -> str:
        return f"{self.broker}/v1/tenants/{self.tenant}/assets:{action}"

    def token(self) -> str:
        return self.client.get(f"{self.frontend}/session").json()["token"]

    def begin(self, source_type: str = "sandbox", **members: Any) -> dict:
        """A flow that must start; what `assets:authorize` answered."""
        response = self.client.post(
            self.assets("authorize"),
            json={"sourceType": source_type} | members,
            headers={"Authorization": f"Bearer {self.token()}"},
        )
        assert response.status_code == 200, response.text
        remember_redirect(dict(parse_qsl(urlsplit(response.json()["authorizationUrl"]).query)))
        return response.json()

    def outcome(self, flow: str, verifier: str) -> dict:
        members = {"flow": flow, "exchangeVerifier": verifier}
        return self.client.post(self.assets("oauthFlow"), json=members).json()

    def redeem(self, key: str, verifier: str | None = None) -> httpx.Response:
        members = {"credentialKey": key} | ({"exchangeVerifier": verifier} if verifier else {})
        return self.client.post(self.assets("oauthCredentials"), json=members)


def scripted(authorization_url: str, decision: str = "allow", **members: str) -> str:
    """An authorization address that the sandbox answers without asking anybody."""
    return f"{authorization_url}&{urlencode({'sandbox_auto': decision} | members)}"


def _four_free_ports() -> int:
    """The first of four in a row, all free a moment ago."""
    for _ in range(100):
        first = free_port()
        if all(_is_free(first + i) for i in (1, 2, 3)):
            return first
    raise RuntimeError("no four free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


class Site:
    """A web site of one empty page on an origin of its own, another site than 127.0.0.1 to a browser."""

    class _Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><html lang=en><title>Another site</title><link rel=icon href='data:,'><h1>Empty"
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._Page)
        self._server.daemon_threads = True
        self.origin = f"http://localhost:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


# Keeps what other windows say, and calls `connect` with options that JSON can hold.
INSTALL = """
    const [broker, options] = given;
    window.heard ??= [];
    addEventListener("message", ({ origin, data }) => heard.push({ origin, data }));
    const { connect, resume } = await import(broker + "/connect.js");
    window.attempts = [];
    window.tryToResume = (more) => resume(more).then(
      (connection) => ({ connection }),
      (error) => ({ name: error.name, code: error.code, description: error.description, flow: error.flow }));
    // A token that is to be waited for, until `giveToken()`.
    const later = (token) => () => new Promise((resolve) => { window.giveToken = () => resolve(token); });
    window.tryToConnect = ({ slowToken, ...more }, token) => {
      const abort = new AbortController();
      const attempt = { abort, outcome: null };
      attempts.push(attempt);
      const settle = (outcome) => { attempt.outcome = outcome; };
      connect({ ...options, ...more, token: slowToken ? later(token) : token, signal: abort.signal }).then(
        (connection) => settle({ connection }),
        (error) => settle({ name: error.name, code: error.code, description: error.description, flow: error.flow }));
    };
"""


class ConnectPage:
    """A tenant's page in one window: a button that calls `connect`, and a note of all that comes of it."""

    def __init__(self, browser: Browser, address: str, broker: str, tenant: str, token: str) -> None:
        self.browser, self.broker, self.tenant, self.token = browser, broker, tenant, token
        self.address = address.partition("#")[0].rstrip("/")
        browser.go(address)
        self.window = browser.driver.current_window_handle
        self.install()

    def install(self) -> None:
        """Again on every page that the window comes to."""
        answer = self.browser.wait(INSTALL, self.broker, {"tenant": self.tenant})
        assert "error" not in answer, answer

    def reload(self) -> None:
        """The page is begun anew, in the same tab."""
        self.browser.choose(self.window)
        self.browser.driver.refresh()
        self.install()

    def begin_to_resume(self) -> None:
        """Calls `resume` and does not wait; `resumed` does."""
        self.browser.choose(self.window)
        self.browser.run("window.resumed = null; tryToResume().then((outcome) => { window.resumed = outcome; })")

    def resumed(self, within: float = 30) -> dict:
        self.browser.choose(self.window)
        return self.browser.until(lambda: self.browser.run("return resumed"), within, "resume settles")

    def resume(self) -> dict:
        """What `resume` comes to: `connection`, which may be `None`, or an error's `code`."""
        if not self.browser.run("return typeof tryToResume === 'function'"):
            self.install()
        return self.browser.wait("return await tryToResume()")["value"]

    def connect(self, source_type: str = "sandbox", **options: Any) -> str:
        """Clicks, and gives the popup's window."""
        self.browser.choose(self.window)
        return self.browser.opened_by(lambda: self.click(source_type, **options))

    def click(self, source_type: str = "sandbox", **options: Any) -> None:
        self.browser.press_button("tryToConnect(...arguments)", {"sourceType": source_type} | options, self.token)

    def abort(self, attempt: int = -1) -> None:
        self.browser.choose(self.window)
        self.browser.run("attempts.slice(arguments[0])[0].abort.abort()", attempt)

    def outcome(self, attempt: int = -1, within: float = 30) -> dict:
        """What `connect` came to: `connection`, or an error's `code`."""
        self.browser.choose(self.window)
        return self.browser.until(
            lambda: self.browser.run("return attempts.slice(arguments[0])[0].outcome", attempt), within, "connect settles"
        )

    def connection(self, attempt: int = -1) -> dict:
        outcome = self.outcome(attempt)
        assert "connection" in outcome, outcome
        return outcome["connection"]

    def heard(self) -> list[dict]:
        self.browser.choose(self.window)
        return self.browser.run("return heard")


class Sandbox:
    """The provider's pages, in the window that is chosen."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def arrive(self, window: str) -> None:
        """At the consent page, signing in where that is asked for."""
        self.browser.choose(window)
        page = self.browser.until(
            lambda: self.browser.driver.title in ("Sign in · Sandbox", "Allow access? · Sandbox")
            and self.browser.driver.title,
            what="the provider's page",
        )
        if page.startswith("Sign in"):
            self.browser.find("main button[type=submit]").click()
            self.browser.until(lambda: self.browser.driver.title.startswith("Allow"), what="the consent page")

    def decide(self, window: str, decision: str = "allow", behaviour: str = "") -> None:
        self.arrive(window)
        if behaviour:
            self.browser.run(
                "for (const box of document.querySelectorAll('input[name=behaviour]'))"
                " if (arguments[0].includes(box.value)) { box.closest('details').open = true; box.click(); }",
                behaviour.split(","),
            )
        self.browser.find(f"button[value={decision}]").click()


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    running = Demo()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def foreign() -> Iterator[Site]:
    """An origin that no broker allows."""
    site = Site()
    yield site
    site.close()
