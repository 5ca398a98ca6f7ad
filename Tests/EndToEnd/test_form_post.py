"""`response_mode=form_post` from another site's page: such a POST brings no `SameSite=Lax` cookie."""

import html
import re
from collections.abc import Iterator

import pytest

import tokens
from broker import APP, Broker, Installation, fragment, source_types
from browser import RECORD_VIOLATIONS, Browser, chromium
from frontend import ConnectPage, Site
from provider import Provider, callback_path

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# What a browser says of a form that another site's page sends.
FOREIGN_POST = FORM | {"Accept": "text/html,*/*;q=0.8", "Origin": "null", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture(scope="module")
def app() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="module")
def broker(folder, provider: Provider, app: Site) -> Iterator[Broker]:
    """The provider's pages are at localhost, the broker at 127.0.0.1: two sites to a browser."""
    installation = Installation(folder / "posting", provider, {"frontend": {"origins": [app.origin, APP]}})
    entries = source_types(provider)
    wiki = entries["wiki"]["oauth"]
    entries["wiki"]["oauth"] = wiki | {
        "authorizationURL": f"http://localhost:{provider.port}/authorize",
        "authorizationParameters": {"response_mode": "form_post"},
        "extras": {"callback": ["user"]},
    }
    installation.write_catalog(entries)
    with Broker(installation) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, broker: Broker, provider: Provider, app: Site) -> Iterator[ConnectPage]:
    chromium.reset()
    provider.decision = "allow"
    yield ConnectPage(chromium, app.origin, broker.url, "acme", broker.token())
    provider.decision, provider.posted = "", {}
    assert chromium.complaints() == []


def started(broker: Broker, **members):
    """A flow as `connect.js` starts it, and its verifier."""
    verifier = tokens.new_verifier()
    return broker.begin(exchangeChallenge=tokens.challenge_of(verifier), **members), verifier


def fields(page: str) -> dict[str, str]:
    """What the form of a page holds."""
    inputs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {html.unescape(name): html.unescape(value) for name, value in inputs}


# In a browser.


@pytest.mark.parametrize("posted", [{}, {"submit": "x", "user": '{"name": "José <b>"}', "action": "/"}], ids=["plain", "odd"])
def test_a_posted_answer_connects_though_the_opener_is_cut_off(page, broker, provider, posted):
    """The outcome comes by `assets:oauthFlow`: this browser began the flow, and the flow's cookie says so."""
    provider.posted = posted
    page.connect("wiki", closedGrace=3)
    connection = page.connection()
    response = broker.redeem(connection["credentialKey"], exchangeVerifier=connection["exchangeVerifier"])
    assert response.status_code == 200
    assert response.json()["extras"] == {name: value for name, value in posted.items() if name == "user"}
    assert [name for name in page.browser.cookies() if "cloakroom" in name] == []


def test_a_posted_denial_is_told_though_the_opener_is_cut_off(page, provider):
    provider.decision = "deny"
    page.connect("wiki", closedGrace=3)
    assert page.outcome()["code"] == "access_denied"


def test_state_and_code_of_a_posted_answer_stay_out_of_addresses(page, broker, provider):
    """Addresses are logged by proxies, and kept in the history and in `Referer`."""
    browser = page.browser
    script = browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=RECORD_VIOLATIONS)["identifier"]
    flow, _ = started(broker)
    browser.go(flow.authorization_url)
    # Nobody waits for it here.
    browser.wait_for("h1", "The app could not be reached")
    browser.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    assert browser.run("return [document.referrer, ...(window.violations ?? [])]") == [""]
    addresses = " ".join(browser.address_history())
    [grant] = [grant for grant in provider._grants.values() if grant.state == flow.state]
    for secret in (flow.state, grant.code):
        assert secret not in addresses.replace(flow.authorization_url, "") and secret not in broker.logs
    assert len(provider.exchanges(grant)) == 1


def test_without_scripts_a_person_goes_on_by_a_button(page, broker, provider):
    browser = page.browser
    flow, _ = started(broker)
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.go(flow.authorization_url)
        browser.find("#go").click()
        browser.until(lambda: "/oauth/callback" in browser.address, what="the broker's page")
        browser.find("form button").click()
        browser.until(lambda: "/oauth/success" in browser.address, what="the success page")
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


def test_a_posted_failure_that_is_reloaded_says_the_same(page, broker, provider):
    browser = page.browser
    provider.decision = "deny"
    flow, _ = started(broker)
    browser.go(flow.authorization_url)
    browser.wait_for("h1", "Access was not granted")
    browser.driver.refresh()
    browser.until(lambda: browser.run("return performance.getEntriesByType('navigation')[0].type") == "reload")
    browser.wait_for("h1", "Access was not granted")


# On the wire.


def test_what_another_site_posts_comes_again_from_a_page_of_ours_and_is_spent_once(broker, provider):
    flow, verifier = started(broker)
    cookie = broker.client.post(
        "/oauth/popup", json={"flow": flow.flow, "exchangeVerifier": verifier, "frontendOrigin": broker_origin(broker)},
    ).headers["set-cookie"].partition(";")[0]
    broker.client.cookies.clear()
    grant = provider.consent(flow.authorization_url)
    members = grant.callback | {"user": '{"a": "b&c"}'}
    answer = broker.callback(members, method="POST", headers=FOREIGN_POST)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "no-referrer"
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self'" in policy and "default-src 'none'" in policy and "unsafe" not in policy
    assert fields(answer.text) == members and 'method="post" action="?again"' in answer.text
    assert provider.exchanges(grant) == []
    path = callback_path(members)
    again = broker.client.post(f"{path}?again", data=fields(answer.text), headers=FOREIGN_POST | {"Cookie": cookie})
    assert again.status_code == 303
    assert len(provider.exchanges(grant)) == 1
    assert broker.outcome(flow.flow, verifier).json()["status"] == "succeeded"
    assert broker.callback(members, method="POST").status_code == 400


def broker_origin(broker: Broker) -> str:
    return broker.installation.settings["frontend"]["origins"][0]


@pytest.mark.parametrize("headers", [
    FORM, FORM | {"Accept": "application/json", "Origin": "https://provider.example"},
    FOREIGN_POST | {"Sec-Fetch-Site": "same-site"}, FOREIGN_POST | {"Sec-Fetch-Site": "same-origin"},
], ids=["no-browser", "no-page", "same-site", "same-origin"])
def test_what_brings_its_cookies_or_has_none_is_answered_at_once(broker, provider, headers):
    flow, _ = started(broker)
    response = broker.callback(provider.consent(flow.authorization_url).callback, method="POST", headers=headers)
    assert response.status_code == 303


def test_a_flow_that_nobody_asks_for_is_answered_at_once(broker, provider):
    """No challenge, or a page to return to: no cookie could be missing."""
    grant = provider.consent(broker.begin().authorization_url)
    assert broker.callback(grant.callback, method="POST", headers=FOREIGN_POST).status_code == 303
    flow, _ = started(broker, returnUrl=f"{APP}/connected")
    response = broker.callback(
        provider.consent(flow.authorization_url).callback, method="POST", headers=FOREIGN_POST)
    assert response.status_code == 303 and response.headers["location"].startswith(f"{APP}/connected#")


@pytest.mark.parametrize("change", [
    {"state": "A" * 43}, {"state": ""}, {"code": "é\n"},
], ids=["unknown-state", "no-state", "odd-code"])
def test_a_bad_post_of_another_site_is_answered_at_once(broker, provider, change):
    flow, _ = started(broker)
    members = provider.consent(flow.authorization_url).callback
    at = callback_path(members)
    response = broker.callback(members | change, method="POST", headers=FOREIGN_POST, at=at)
    assert response.status_code in (400, 502)


def test_a_page_that_forgot_its_cookie_ends_all_the_same(broker, provider):
    """Cookies may be off: then the key goes to the opener alone."""
    flow, verifier = started(broker)
    members = provider.consent(flow.authorization_url).callback
    path = callback_path(members)
    response = broker.client.post(f"{path}?again", data=members, headers=FOREIGN_POST)
    assert response.status_code == 303 and fragment(response)["credentialKey"]
    assert broker.outcome(flow.flow, verifier).json()["status"] == "pending"
