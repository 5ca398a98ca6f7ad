"""From the success page to the app, in a real Chromium: who took the key, who did not, and what people are told."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode

import httpx
import pytest
from selenium.common.exceptions import NoSuchWindowException

import tokens
from broker import Broker, Installation
from browser import STAY_OPEN, Browser, chromium
from frontend import ConnectPage, Demo, Sandbox, Site, demo, foreign, scripted
from provider import callback_target

UNTOLD = "The app could not be reached"


@pytest.fixture(autouse=True)
def clean(chromium: Browser) -> Iterator[None]:
    chromium.reset()
    yield
    assert chromium.complaints() == []


@pytest.fixture
def sandbox(chromium: Browser) -> Sandbox:
    return Sandbox(chromium)


@pytest.fixture(scope="module")
def app() -> Iterator[Site]:
    """A frontend that does nothing by itself."""
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="module")
def house(folder, provider, app: Site) -> Iterator[Broker]:
    """A broker with that one frontend. Its provider shows people nothing, and the test carries the code."""
    with Broker(Installation(folder / "handover", provider, {"frontend": {"origins": [app.origin]}})) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, house: Broker, app: Site) -> ConnectPage:
    page = ConnectPage(chromium, app.origin, house.url, "acme", house.token())
    chromium.run("sessionStorage.clear()")
    return page


@pytest.fixture
def demo_page(chromium: Browser, demo: Demo) -> ConnectPage:
    page = ConnectPage(chromium, demo.frontend, demo.broker, demo.tenant, demo.token())
    chromium.run("sessionStorage.clear()")
    return page


def arrived(page: ConnectPage, popup: str) -> str:
    """The provider's address that the popup is at."""
    chromium = page.browser
    chromium.choose(popup)
    chromium.until(lambda: "/authorize?" in chromium.address, what="the provider's page")
    return chromium.address


def consent(page: ConnectPage, house: Broker, popup: str) -> None:
    """The popup goes on to the callback. It stays chosen."""
    grant = house.provider.consent(arrived(page, popup))
    page.browser.go(f"{house.url}{callback_target(grant.callback)}")


def redeem(house: Broker, connection: dict) -> httpx.Response:
    return house.redeem_by_post(connection["credentialKey"], exchangeVerifier=connection["exchangeVerifier"])


# `connect` settles when the popup is closed, whatever it waits for.


def hold_the_address(browser: Browser) -> None:
    """The broker's answer never comes, and no signal ends the waiting for it."""
    browser.run(
        "window.asked = []; const own = fetch; window.fetch = (address, init) => { asked.push(String(address));"
        " return String(address).includes('assets:authorize') ? new Promise(() => {}) : own(address, init); }")


@pytest.mark.parametrize("waiting_for", ["token", "address"])
def test_connect_settles_when_the_popup_closes_while_it_waits(chromium, page, waiting_for):
    """Within two seconds; what comes later begins no flow."""
    hold_the_address(chromium)
    popup = page.connect("wiki", slowToken=waiting_for == "token")
    chromium.choose(popup)
    chromium.wait_for("h1", "Connecting")
    chromium.close(popup)
    assert page.outcome(within=4)["code"] == "popup_closed"
    if waiting_for == "token":
        chromium.run("giveToken()")
        chromium.wait("await new Promise((done) => setTimeout(done, 300))")
        assert chromium.run("return asked") == []


@pytest.mark.parametrize("waiting_for", ["token", "address"])
def test_an_abort_settles_while_it_waits_and_closes_the_popup(chromium, page, waiting_for):
    hold_the_address(chromium)
    popup = page.connect("wiki", slowToken=waiting_for == "token")
    chromium.choose(popup)
    chromium.wait_for("h1", "Connecting")
    page.abort()
    assert page.outcome(within=4)["code"] == "aborted"
    chromium.wait_closed(popup)


def test_a_slow_token_is_waited_for_without_telling_people_to_close_the_window(chromium, house, page):
    """After fifteen seconds it says that this takes longer, and goes on as soon as it can."""
    popup = page.connect("wiki", slowToken=True)
    chromium.choose(popup)
    chromium.wait_for("h1", "Still connecting")
    assert "close" not in chromium.text("body").lower() and "belongs to" not in chromium.text("body")
    chromium.choose(page.window)
    chromium.run("giveToken()")
    consent(page, house, popup)
    assert redeem(house, page.connection()).status_code == 200


def test_a_popup_whose_app_is_gone_says_so(chromium, page):
    """Nobody will ever say where to go."""
    popup = page.connect("wiki", slowToken=True)
    spare = chromium.new_tab()
    chromium.close(page.window)
    chromium.main = spare
    chromium.choose(popup)
    chromium.wait_for("h1", "This window belongs to an app")


# The success page says "connected" only where the app took the key.


def open_from(browser: Browser, origin: str, address: str, answer: str = "") -> str:
    """A page without `connect.js` opens an address, and may answer the success page. The popup stays open."""
    browser.go(origin)
    browser.run(
        "window.heard = []; addEventListener('message', ({ origin, data, source }) => { heard.push(data);"
        f"const answer = {answer or 'null'};"
        " if (answer) source.postMessage({ source: 'cloakroom', ...answer }, '*'); })")
    popup = browser.opened_by(lambda: browser.press_button("window.popup = open('about:blank')"))
    browser.choose(popup)
    browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=STAY_OPEN)
    browser.choose(browser.main)
    browser.run("popup.location = arguments[0]", address)
    browser.choose(popup)
    return popup


ACKNOWLEDGED = "{ type: 'acknowledged', flow: data.flow }"


def test_an_app_that_acknowledges_is_connected(chromium, demo):
    """Docs/Contract.md#pages-and-messages"""
    open_from(chromium, demo.frontend, scripted(demo.begin()["authorizationUrl"]), ACKNOWLEDGED)
    chromium.wait_for("h1", "Connected")


@pytest.mark.parametrize(
    "answer", ["", "{ type: 'received', flow: data.flow }", "{ type: 'acknowledged', flow: 'another' }"])
def test_an_app_that_does_not_acknowledge_is_connected_once_it_redeems(chromium, demo, answer):
    """Before that the page says plainly what is missing, and what to do."""
    verifier = tokens.new_verifier()
    flow = demo.begin(exchangeChallenge=tokens.challenge_of(verifier))
    popup = open_from(chromium, demo.frontend, scripted(flow["authorizationUrl"]), answer)
    chromium.wait_for("h1", UNTOLD)
    assert "start again" in chromium.text("main")
    chromium.choose(chromium.main)
    [message] = chromium.run("return heard")
    assert demo.redeem(message["credentialKey"], verifier).status_code == 200
    chromium.choose(popup)
    chromium.wait_for("h1", "Connected")


def test_another_page_cannot_acknowledge(chromium, demo, foreign):
    """It hears nothing, and what it says is not believed."""
    flow = demo.begin()
    open_from(chromium, foreign.origin, scripted(flow["authorizationUrl"]))
    chromium.wait_for("h1", "One moment")
    opener, popup = chromium.main, chromium.driver.current_window_handle
    chromium.choose(opener)
    acknowledgement = {"source": "cloakroom", "type": "acknowledged", "flow": flow["flow"]}
    chromium.run("popup.postMessage(arguments[0], '*')", acknowledgement)
    chromium.choose(popup)
    chromium.wait_for("h1", UNTOLD)


def test_without_an_opener_the_page_is_connected_once_the_outcome_was_asked_for(chromium, demo, demo_page, sandbox):
    """A provider's COOP header cut it."""
    sandbox.arrive(demo_page.connect("sandbox_coop"))
    chromium.cdp("Page.addScriptToEvaluateOnNewDocument", source=STAY_OPEN)
    chromium.find("button[value=allow]").click()
    chromium.wait_for("h1", "Connected")
    assert demo_page.connection()["credentialKey"]


@pytest.mark.parametrize("gone", ["closed", "elsewhere", "reloaded"])
def test_an_app_that_is_gone_took_nothing(chromium, house, page, foreign, gone):
    """Its window is closed, shows another site, or begins anew without asking."""
    popup = page.connect("wiki")
    arrived(page, popup)
    chromium.choose(page.window)
    if gone == "closed":
        spare = chromium.new_tab()
        chromium.close(page.window)
        chromium.main = spare
    elif gone == "elsewhere":
        chromium.go(foreign.origin)
    else:
        chromium.driver.refresh()
    consent(page, house, popup)
    chromium.wait_for("h1", UNTOLD)
    assert "start again" in chromium.text("main")


# A reloaded page finds its flows again.


def test_a_reloaded_page_finds_its_running_flow_again(chromium, house, page):
    """With its verifier; the popup says "connected" and closes."""
    popup = page.connect("wiki")
    arrived(page, popup)
    page.reload()
    page.begin_to_resume()
    consent(page, house, popup)
    connection = page.resumed()["connection"]
    assert sorted(connection) == ["credentialKey", "exchangeVerifier", "flow", "sourceType"]
    assert connection["sourceType"] == "wiki"
    assert redeem(house, connection).status_code == 200
    chromium.wait_closed(popup)
    assert page.resume() == {"connection": None}


def test_a_page_that_reloads_after_the_consent_finds_the_flow_too(chromium, house, page):
    """The message was said to nobody, so the broker is asked."""
    popup = page.connect("wiki")
    address = arrived(page, popup)
    chromium.choose(page.window)
    chromium.driver.refresh()
    chromium.choose(popup)
    grant = house.provider.consent(address)
    chromium.go(f"{house.url}{callback_target(grant.callback)}")
    chromium.wait_for("h1", UNTOLD)
    chromium.choose(page.window)
    page.install()
    assert redeem(house, page.resume()["connection"]).status_code == 200
    chromium.wait_closed(popup)


def test_a_reloaded_page_is_told_of_a_denial(chromium, page, house):
    """The same errors as `connect` gives, once."""
    popup = page.connect("wiki")
    asked = httpx.URL(arrived(page, popup)).params
    page.reload()
    page.begin_to_resume()
    chromium.choose(popup)
    chromium.go(f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}")
    outcome = page.resumed()
    assert (outcome["name"], outcome["code"]) == ("ConnectError", "access_denied")
    assert page.resume() == {"connection": None}


def test_a_reloaded_page_finds_each_of_several_flows(chromium, house, page):
    """One a call, in the order in which they end."""
    popups = [page.connect("wiki"), page.connect("wiki_offline")]
    for popup in popups:
        arrived(page, popup)
    page.reload()
    types = []
    for popup in reversed(popups):
        page.begin_to_resume()
        consent(page, house, popup)
        connection = page.resumed()["connection"]
        assert redeem(house, connection).json()["sourceType"] == connection["sourceType"]
        types.append(connection["sourceType"])
    assert types == ["wiki_offline", "wiki"]
    assert page.resume() == {"connection": None}


def test_flows_that_ended_while_nobody_looked_are_found_one_by_one(chromium, house, page):
    """Both outcomes wait: neither call loses the other's."""
    popups = [page.connect("wiki"), page.connect("wiki_offline")]
    for popup in popups:
        arrived(page, popup)
    chromium.choose(page.window)
    chromium.driver.refresh()
    for popup in popups:
        consent(page, house, popup)
        chromium.wait_for("h1", UNTOLD)
    chromium.choose(page.window)
    page.install()
    found = [page.resume()["connection"] for _ in popups]
    assert {connection["sourceType"] for connection in found} == {"wiki", "wiki_offline"}
    for connection in found:
        assert redeem(house, connection).status_code == 200
    assert page.resume() == {"connection": None}


def test_flows_whose_time_is_over_are_dropped(chromium, page):
    """And nobody waits for them."""
    arrived(page, page.connect("wiki"))
    page.reload()
    chromium.run(
        "for (const [name, text] of Object.entries(sessionStorage))"
        " sessionStorage.setItem(name, JSON.stringify({ ...JSON.parse(text), until: Date.now() - 1 }))")
    assert page.resume() == {"connection": None}
    assert chromium.run("return sessionStorage.length") == 0


def test_who_stops_waiting_loses_nothing(chromium, house, page):
    """As a component does that is mounted twice."""
    popup = page.connect("wiki")
    arrived(page, popup)
    page.reload()
    stopped = chromium.wait(
        "const stop = new AbortController(); const waiting = tryToResume({ signal: stop.signal }); stop.abort();"
        " return await waiting;")
    assert stopped["value"]["code"] == "aborted"
    page.begin_to_resume()
    consent(page, house, popup)
    assert redeem(house, page.resumed()["connection"]).status_code == 200


def test_resume_leaves_alone_what_connect_waits_for(chromium, house, page):
    """On one page each flow is waited for once."""
    popup = page.connect("wiki")
    arrived(page, popup)
    chromium.choose(page.window)
    assert page.resume() == {"connection": None}
    consent(page, house, popup)
    assert redeem(house, page.connection()).status_code == 200


@pytest.mark.parametrize("end", ["success", "denial", "abort"])
def test_nothing_is_kept_once_connect_has_settled(chromium, demo_page, sandbox, end):
    popup = demo_page.connect()
    sandbox.arrive(popup)
    chromium.choose(demo_page.window)
    assert chromium.run("return sessionStorage.length") == 1
    if end == "abort":
        demo_page.abort()
    else:
        sandbox.decide(popup, "allow" if end == "success" else "deny")
    demo_page.outcome()
    assert chromium.run("return sessionStorage.length") == 0


def test_a_page_without_storage_still_connects(chromium, house, page):
    """What cannot be kept cannot be found again, and no more."""
    chromium.run("Storage.prototype.setItem = () => { throw new Error('full'); }")
    popup = page.connect("wiki")
    consent(page, house, popup)
    assert redeem(house, page.connection()).status_code == 200


# A callback that somebody else opens first, such as a link scanner.


def test_who_comes_second_is_told_at_once(chromium, house, page):
    """`invalid_state`, while the popup is still open; not half a minute after it was closed."""
    popup = page.connect("wiki")
    grant = house.provider.consent(arrived(page, popup))
    scanned = house.callback(grant.callback)
    assert scanned.status_code == 302
    chromium.go(f"{house.url}{callback_target(grant.callback)}")
    chromium.wait_for("h1", "no longer valid")
    assert page.outcome(within=5)["code"] == "invalid_state"
    assert popup in chromium.windows
    assert "came back too late" in house.logs


def test_who_comes_second_is_told_without_an_opener_too(chromium, demo, demo_page, sandbox):
    """The broker is asked then."""
    popup = demo_page.connect("sandbox_coop")
    sandbox.arrive(popup)
    scanned = demo.client.get(scripted(chromium.address)).headers["location"]
    assert demo.client.get(scanned).status_code == 302
    sandbox.decide(popup)
    chromium.wait_for("h1", "no longer valid")
    assert demo_page.outcome(within=15)["code"] == "invalid_state"


def test_a_browser_that_brings_its_callback_twice_still_connects(chromium, house, page):
    """Only another browser's callback ends it: the first one of its own is under way."""
    popup = page.connect("wiki")
    grant = house.provider.consent(arrived(page, popup))
    target = f"{house.url}{callback_target(grant.callback)}"
    cookies = {name: cookie["value"] for name, cookie in chromium.cookies().items()}
    assert house.client.get(target, cookies=cookies).status_code == 302
    with suppress(NoSuchWindowException):  # `connect` asks every second, and closes the popup once it has the key
        chromium.go(target)
        chromium.wait_for("h1", "no longer valid")
    assert redeem(house, page.connection()).status_code == 200


@pytest.mark.parametrize("lost", ["cookie", "state"])
def test_a_popup_that_came_back_unknown_does_not_keep_connect_waiting(chromium, house, page, lost):
    """A proxy dropped the cookie and a scanner was faster, or the provider left the state out: the window knows."""
    popup = page.connect("wiki")
    grant = house.provider.consent(arrived(page, popup))
    chromium.cdp("Network.clearBrowserCookies")
    if lost == "cookie":
        assert house.callback(grant.callback).status_code == 302
    answer = grant.callback if lost == "cookie" else {"error": "server_error"}
    path = httpx.URL(f"{house.url}{callback_target(grant.callback)}").path
    chromium.go(f"{house.url}{path}?{urlencode(answer)}")
    chromium.wait_for("h1", "no longer valid")
    assert page.outcome()["code"] == "invalid_state"
    assert popup in chromium.windows


def test_a_stranger_who_comes_second_learns_nothing(house):
    """No flow, no frontend: the page is that of any state that was never there."""
    flow = house.begin("wiki")
    grant = house.provider.consent(flow.authorization_url)
    assert house.callback(grant.callback).status_code == 302
    path = httpx.URL(f"{house.url}{callback_target(grant.callback)}").path
    pages = []
    for state in (flow.state, "A" * 43):
        page = house.client.get(path, params={"code": grant.code, "state": state}, headers={"Accept": "text/html"})
        assert page.status_code == 400
        pages.append(page.text.replace(page.headers["x-request-id"], ""))
    assert pages[0] == pages[1] and flow.flow not in pages[0]
