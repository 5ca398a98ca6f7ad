"""The whole flow with an authorization server that is not ours: django-oauth-toolkit, PKCE required."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from broker import Broker, Installation, assert_problem, eventually, fragment, free_port, source_types
from provider import Provider

CLIENT_ID, CLIENT_SECRET = "cloakroom", "django:" + secrets.token_urlsafe(24)
USER, PASSWORD = "ada", secrets.token_urlsafe(12)


@dataclass(frozen=True)
class Site:
    """The running Django site."""

    url: str

    def browser(self) -> httpx.Client:
        """A browser's cookies; redirects are followed by hand."""
        return httpx.Client(base_url=self.url, timeout=20, trust_env=False)


class Form(HTMLParser):
    """The fields of the first form of a page, as a browser would send them untouched."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        assert page.status_code == 200, page.text
        self.fields: dict[str, str] = {}
        self.url = str(page.url)
        self.feed(page.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "input" and given.get("name") and given.get("type") not in ("submit", "checkbox"):
            self.fields[given["name"]] = given.get("value") or ""

    def submit(self, browser: httpx.Client, **filled: str) -> httpx.Response:
        return browser.post(self.url, data=self.fields | filled, headers={"Referer": self.url})


def log_in(browser: httpx.Client, address: str) -> Form:
    """Through the login page to the consent page."""
    response = browser.get(address)
    assert response.status_code == 302 and "/login/" in response.headers["location"]
    response = Form(browser.get(response.headers["location"])).submit(browser, username=USER, password=PASSWORD)
    assert response.status_code == 302, response.text
    return Form(browser.get(urljoin(address, response.headers["location"])))


@pytest.fixture(scope="module")
def django_broker(folder: Path, provider: Provider) -> Iterator[tuple[Broker, Site]]:
    """The site, and a broker whose catalog has it."""
    site = Site(f"http://127.0.0.1:{free_port()}")
    catalog = {
        "displayName": "Django", "category": "wiki",
        "oauth": {
            "authorizationURL": f"{site.url}/o/authorize/", "tokenURL": f"{site.url}/o/token/", "scopes": ["read", "write"],
            "revocationURL": f"{site.url}/o/revoke_token/", "clientAuthentication": "basic", "pkce": "S256", "refreshToken": "expected",
        },
    }
    installation = Installation(folder / "django", provider, {
        "clients": {
            "django": {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET},
            "django_without_pkce": {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET},
        },
    })
    without_pkce = catalog | {"oauth": catalog["oauth"] | {"pkce": "none"}}
    installation.write_catalog(source_types(provider) | {"django": catalog, "django_without_pkce": without_pkce})
    with (folder / "django.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable, str(Path(__file__).with_name("django_server.py")), site.url.rpartition(":")[2], str(folder),
                " ".join(f"{installation.url}/oauth/callback/{name}" for name in ("django", "django_without_pkce")), CLIENT_ID, CLIENT_SECRET, USER, PASSWORD,
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
    try:
        eventually(lambda: _serves(site, process), within=30, what="the Django site answers")
        with Broker(installation) as broker:
            yield broker, site
    finally:
        process.kill()
        process.wait(10)


def _serves(site: Site, process: subprocess.Popen) -> bool:
    assert process.poll() is None, "the Django site ended"
    try:
        return httpx.get(f"{site.url}/login/", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_whole_flow_gives_an_access_token_that_the_site_accepts(django_broker):
    broker, site = django_broker
    with site.browser() as browser:
        flow = broker.begin("django")
        response = log_in(browser, flow.authorization_url).submit(browser, allow="Authorize")
        assert response.headers["location"].startswith(f"{broker.url}/oauth/callback/django?")
        response = browser.get(response.headers["location"])
        assert response.status_code == 302, response.text
        credentials = broker.redeem(fragment(response)["credentialKey"]).json()
        assert credentials["scope"].split() == ["read", "write"]
        assert credentials["refreshToken"] and credentials["expiresAt"] and credentials["warnings"] == []
        accepted = httpx.get(
            f"{site.url}/whoami/", headers={"Authorization": f"Bearer {credentials['accessToken']}"}, trust_env=False
        )
        assert accepted.json() == {"user": USER}
        refused = httpx.get(f"{site.url}/whoami/", headers={"Authorization": "Bearer x"}, trust_env=False)
        assert refused.status_code in (401, 403)


def test_a_refresh_rotates_and_a_revoked_token_is_gone(django_broker):
    """RFC 6749 § 6 and RFC 7009 with the site's own rules: it gives a new refresh token and drops the old one."""
    broker, site = django_broker
    headers = broker.bearer(scope="credentials:write")

    def post(call: str, **members) -> httpx.Response:
        url = f"{broker.url}/v1/tenants/acme/assets:{call}"
        return httpx.post(url, json={"sourceType": "django"} | members, headers=headers, trust_env=False, timeout=20)

    with site.browser() as browser:
        flow = broker.begin("django")
        response = log_in(browser, flow.authorization_url).submit(browser, allow="Authorize")
        response = browser.get(response.headers["location"])
        credentials = broker.redeem(fragment(response)["credentialKey"]).json()
    refreshed = post("refreshCredentials", refreshToken=credentials["refreshToken"])
    assert refreshed.status_code == 200, refreshed.text
    assert refreshed.json()["refreshToken"] != credentials["refreshToken"]
    again = post("refreshCredentials", refreshToken=credentials["refreshToken"])
    assert again.json() == refreshed.json(), "a lost answer is given again"
    assert_problem(post("refreshCredentials", refreshToken="no-such-token"), 400, "reauthorization_required")

    token = refreshed.json()["accessToken"]
    whoami = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{site.url}/whoami/", headers=whoami, trust_env=False).json() == {"user": USER}
    assert post("revokeCredentials", token=token, tokenTypeHint="access_token").status_code == 204
    assert httpx.get(f"{site.url}/whoami/", headers=whoami, trust_env=False).status_code in (401, 403)


def test_a_denial_is_access_denied(django_broker):
    broker, site = django_broker
    with site.browser() as browser:
        flow = broker.begin("django")
        response = log_in(browser, flow.authorization_url).submit(browser)  # the button without a name: Cancel
        assert "error=access_denied" in response.headers["location"]
        response = browser.get(response.headers["location"], headers={"Accept": "application/json"})
        assert_problem(response, 400, "access_denied")


def test_a_code_that_was_used_is_refused_by_the_site(django_broker):
    """The broker sends each code once; were one sent twice, the site would say no."""
    broker, site = django_broker
    with site.browser() as browser:
        consent = log_in(browser, broker.begin("django").authorization_url)
        first = httpx.URL(consent.submit(browser, allow="Authorize").headers["location"])
        assert broker.callback(dict(first.params)).status_code == 302
        again = broker.begin("django")
        response = broker.callback({"code": first.params["code"], "state": again.state})
        assert_problem(response, 502, "provider_rejected")


def test_the_site_does_require_pkce(django_broker):
    """Without a challenge it refuses before anyone logs in or after; so the flow above has proved one."""
    broker, site = django_broker
    with site.browser() as browser:
        log_in(browser, broker.begin("django").authorization_url)
        response = browser.get(broker.begin("django_without_pkce").authorization_url)
        assert response.status_code == 302
        assert "error=invalid_request" in response.headers["location"]
        response = browser.get(response.headers["location"], headers={"Accept": "application/json"})
        assert_problem(response, 400, "invalid_request")
