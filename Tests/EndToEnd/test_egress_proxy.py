"""`provider.proxy`, with a proxy that we did not write: Debian's tinyproxy."""

import json
import secrets
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import CLIENT_SECRET, Broker, Installation, assert_problem, closed_port, eventually, free_port
from certificates import Authority
from strict_provider import StrictProvider

# tinyproxy reads no other characters; the address has the user's hyphen encoded.
USER, PASSWORD = "egress-user", "pr0xy-s3cret_"


class TinyProxy:
    """Lets through whoever knows the password, and writes down what it was asked."""

    def __init__(self, folder: Path, *allowed_ports: int) -> None:
        assert shutil.which("tinyproxy"), "install what .ci/packages lists"
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._log = folder / "tinyproxy.log"
        configuration = folder / "tinyproxy.conf"
        configuration.write_text("\n".join([
            f"Port {self.port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "Timeout 30", "MaxClients 50",
            f'LogFile "{self._log}"', "LogLevel Info", f"BasicAuth {USER} {PASSWORD}",
            *(f"ConnectPort {port}" for port in allowed_ports),
        ]))
        self._process = subprocess.Popen(
            ["tinyproxy", "-d", "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: self._process.poll() is not None or "Accepting connections" in self.log, what=self._log)
        assert self._process.poll() is None, self.log

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def asked(self, words: str) -> bool:
        return words in self.log

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


@pytest.fixture(scope="module")
def authority(folder) -> Authority:
    return Authority(folder, "egress-authority")


@pytest.fixture(scope="module")
def secure(authority) -> Iterator[StrictProvider]:
    certificate = authority.issue("egress-server", server=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key_file)
    running = StrictProvider(tls=context)
    yield running
    running.close()


@pytest.fixture(scope="module")
def proxy(folder, secure) -> Iterator[TinyProxy]:
    running = TinyProxy(folder / "tinyproxy", secure.port)
    yield running
    running.close()


@pytest.fixture
def installed(tmp_path, authority, secure, strict, proxy):
    """An installation behind the proxy, its settings changed."""

    def entry(url: str) -> dict:
        oauth = {
            "authorizationURL": f"{secure.url}/authorize", "tokenURL": f"{url}/token",
            "revocationURL": f"{url}/revoke", "scopes": ["read"],
        }
        return {"displayName": "Behind", "category": "wiki", "provider": "wiki", "oauth": oauth}

    def make(**changes) -> Installation:
        settings = {
            "proxy": f"http://egress%2Duser@127.0.0.1:{proxy.port}", "proxyPasswordFile": "proxy.password",
            "caFile": str(authority.file),
        }
        installation = Installation(tmp_path / secrets.token_hex(4), secure, {
            "clients": {"wiki_public": None}, "provider": settings | changes})
        strict.clients |= secure.clients
        installation.write("proxy.password", PASSWORD + "\n", mode=0o600)
        by_name = secure.url.replace("127.0.0.1", "localhost")
        installation.write_catalog({
            "secure": entry(secure.url), "named": entry(by_name), "plain": entry(strict.url),
            "elsewhere": entry("https://127.0.0.1:" + str(closed_port())),
        })
        return installation

    return make


def reason(broker: Broker, source_type: str) -> str:
    """The trail's reason for the failure of an exchange, which was not sent."""
    grant = broker.consented(source_type)
    response = broker.callback(grant.callback)
    assert_problem(response, 502, "provider_unreachable")
    assert not grant.used
    events = broker.client.get(
        "/v1/admin/auditEvents?pageSize=5", headers=broker.bearer(tenant=None, scope="broker:admin")).json()["items"]
    [event] = [event for event in events if event["requestId"] == response.headers["x-request-id"]]
    return event["detail"]


def test_https_goes_through_a_tunnel_that_the_name_alone_is_told(installed, secure, proxy):
    """RFC 9110 § 9.3.6; who resolves the name is the proxy."""
    with Broker(installed()) as broker:
        grant = broker.consented("named")
        broker.finish(grant)
        old = secure.granted()
        refreshed = broker.client.post(
            "/v1/tenants/acme/assets:refreshCredentials", headers=broker.bearer(scope="credentials:write"),
            json={"sourceType": "secure", "refreshToken": old.code})
        assert refreshed.status_code == 200, refreshed.text
        for call in (*secure.exchanges(grant), *secure.refreshes(old)):
            assert not {"proxy-authorization", "proxy-connection"} & call.headers.keys()
            assert call.headers["authorization"].startswith("Basic ")
        assert PASSWORD not in broker.logs
    assert proxy.asked(f"CONNECT localhost:{secure.port}") and proxy.asked(f"CONNECT 127.0.0.1:{secure.port}")
    assert CLIENT_SECRET not in proxy.log and grant.code not in proxy.log


def test_http_of_trials_is_asked_for_through_the_proxy(installed, strict, proxy):
    with Broker(installed()) as broker:
        broker.provider = strict
        grant = broker.consented("plain")
        broker.finish(grant)
    call, = strict.exchanges(grant)
    assert "proxy-authorization" not in call.headers
    assert proxy.asked(f"POST {strict.url}/token HTTP") or proxy.asked(f"POST {strict.url}/token")


def test_keys_of_callers_are_fetched_through_it(installed, secure, proxy):
    installation = installed()
    secure.jwks = json.loads((installation.folder / "jwks.json").read_text())
    installation.settings["auth"] = {
        name: value for name, value in installation.settings["auth"].items() if name != "jwksFile"
    } | {"jwksURL": f"{secure.url}/callers/jwks.json"}
    installation.write_configuration()
    tunnels = proxy.log.count(f"CONNECT 127.0.0.1:{secure.port}")
    with Broker(installation) as broker:
        assert broker.source_types().status_code == 200
    assert proxy.log.count(f"CONNECT 127.0.0.1:{secure.port}") > tunnels


@pytest.mark.parametrize("no_proxy", ["localhost", "127.0.0.0/8"])
def test_an_exception_is_asked_directly(installed, secure, proxy, no_proxy):
    with Broker(installed(noProxy=[no_proxy], proxy=f"http://egress%2Duser@127.0.0.1:{closed_port()}")) as broker:
        assert broker.redeem(broker.key("named" if no_proxy == "localhost" else "secure")).status_code == 200
        assert "egress proxy" in reason(broker, "secure" if no_proxy == "localhost" else "named")


def test_a_proxy_that_refuses_is_told(installed, proxy):
    """A port that it does not connect to (403), a wrong password (407), and no proxy at all."""
    with Broker(installed()) as broker:
        assert reason(broker, "elsewhere").startswith("the token endpoint: the egress proxy (provider.proxy)")
    installation = installed()
    installation.write("proxy.password", "another", mode=0o600)
    with Broker(installation) as broker:
        assert "egress proxy" in reason(broker, "secure")
        assert "another" not in broker.logs.replace("another time", "")
    with Broker(installed(proxy=f"http://127.0.0.1:{closed_port()}", proxyPasswordFile=None)) as broker:
        assert "egress proxy" in reason(broker, "secure")


@pytest.mark.parametrize("host", [
    "127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[::1]", "[fd00::1]",
    "[::ffff:10.0.0.1]", "localhost", "api.localhost",
])
def test_a_private_target_is_refused_by_its_literal_address(installed, secure, proxy, host):
    """Where a name leads only the proxy knows."""
    installation = installed(allowPrivateAddresses=False)
    oauth = {"authorizationURL": f"{secure.url}/authorize", "tokenURL": f"https://{host}:{secure.port}/token", "scopes": []}
    installation.write_catalog({"private": {
        "displayName": "Private", "category": "wiki", "provider": "wiki", "oauth": oauth}})
    tunnels = proxy.log.count("CONNECT")
    with Broker(installation) as broker:
        assert "its address is not allowed" in reason(broker, "private")
    assert proxy.log.count("CONNECT") == tunnels


def test_the_environments_proxy_is_nobodys(installed, secure, proxy):
    wrong = f"http://127.0.0.1:{closed_port()}"
    names = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    with Broker(installed(proxy=None, proxyPasswordFile=None), {name: wrong for name in names}) as broker:
        assert broker.redeem(broker.key("secure")).status_code == 200
    with Broker(installed(), {"no_proxy": "*", "NO_PROXY": "*"}) as broker:
        tunnels = proxy.log.count("CONNECT")
        assert broker.redeem(broker.key("secure")).status_code == 200
        assert proxy.log.count("CONNECT") > tunnels


@pytest.mark.parametrize("changes, setting", [
    ({"proxy": "proxy.internal:3128"}, "provider.proxy"), ({"proxy": "socks5://proxy.internal"}, "provider.proxy"),
    ({"proxy": "http://proxy.internal/path"}, "provider.proxy"),
    ({"proxy": "http://user:hunter2@proxy.internal:3128"}, "provider.proxy"),
    ({"proxy": "http://proxy.internal"}, "provider.proxyPasswordFile"),
    ({"proxy": None}, "provider.proxyPasswordFile"), ({"proxyPasswordFile": "absent"}, "provider.proxyPasswordFile"),
    ({"noProxy": ["a b"]}, "provider.noProxy"), ({"noProxy": ["*"]}, "provider.noProxy"),
], ids=str)
def test_a_wrong_setting_is_one_line_without_the_password(installed, changes, setting):
    result = installed(**changes).check()
    assert result.returncode == 1
    naming = [line for line in result.stderr.splitlines() if f": {setting}: " in line]
    assert len(naming) == 1, result.stderr
    assert "hunter2" not in result.stderr + result.stdout


def test_a_password_file_that_others_can_read_is_warned_of(installed):
    installation = installed()
    (installation.folder / "proxy.password").chmod(0o644)
    assert "provider.proxyPasswordFile" in installation.check().stderr
