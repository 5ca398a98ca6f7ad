"""Flows in a real Chromium, as people meet them: clicks, popups, windows that get lost, pages that pry."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from selenium.webdriver.common.by import By

import tokens
from broker import Broker, Installation
from browser import Browser, chromium
from frontend import ConnectPage, Demo, Sandbox, Site, demo, foreign, scripted
from provider import callback_target


@pytest.fixture(autouse=True)
def clean(chromium: Browser) -> Iterator[None]:
    """Each test starts in a browser that was nowhere, and none may make a page complain."""
    chromium.reset()
    yield
    assert chromium.complaints() == []


@pytest.fixture
def sandbox(chromium: Browser) -> Sandbox:
    return Sandbox(chromium)


@pytest.fixture
def page(chromium: Browser, demo: Demo) -> ConnectPage:
    """A page of the tenant's own frontend."""
    return connect_page(chromium, demo)


def connect_page(browser: Browser, demo: Demo) -> ConnectPage:
    return ConnectPage(browser, demo.frontend, demo.broker, demo.tenant, demo.token())


def connect_in_demo(browser: Browser, demo: Demo, name: str = "Sandbox Drive", this_tab: bool = False) -> str | None:
    """Opens the demo page and clicks; gives the popup's window."""
    browser.go(demo.frontend)
    browser.wait_for("#ready button", f"Connect {name}")
    prefix = "Use this tab to connect" if this_tab else "Connect"
    button = next(
        button
        for button in browser.driver.find_elements(By.CSS_SELECTOR, "#ready button")
        if button.get_property("textContent").strip().startswith(f"{prefix} {name}")
    )
    return button.click() if this_tab else browser.opened_by(button.click)


# A person and the demo page.


def test_a_person_connects_redeems_once_and_is_refused_the_second_time(chromium, demo, sandbox):
    """README: connect, sign in, allow; the credentials are redeemed once."""
    popup = connect_in_demo(chromium, demo)
    sandbox.decide(popup)
    chromium.wait_closed(popup)
    chromium.choose(chromium.main)
    chromium.wait_for("#journey", "Credential key")
    chromium.wait_for("#journey button", "Redeem").click()
    chromium.wait_for("#journey", "Access token")
    assert "Refresh token" in chromium.text("#journey")
    chromium.wait_for("#journey button", "Use it").click()
    chromium.wait_for("#journey", "Ada Lovelace")
    chromium.wait_for("#journey button", "Redeem again").click()
    chromium.wait_for("#journey", "invalid_credential_key")


def test_a_person_who_denies_is_told_so_in_both_windows(chromium, demo, sandbox):
    """`access_denied` reaches the frontend; the failure page says it in plain words and stays."""
    popup = connect_in_demo(chromium, demo)
    sandbox.decide(popup, "deny")
    chromium.wait_for("h1", "Access was not granted")
    assert "Ada Lovelace said no" in chromium.text("blockquote")
    chromium.choose(chromium.main)
    chromium.wait_for("#journey", "access_denied")
    assert popup in chromium.windows
    chromium.choose(popup)
    chromium.find("#close").click()
    chromium.wait_closed(popup)


def test_a_failure_page_that_is_reloaded_says_the_same_and_keeps_no_secret(chromium, demo, sandbox):
    """Its address has neither code nor state any more, so the broker cannot know."""
    popup = connect_in_demo(chromium, demo)
    sandbox.decide(popup, "deny")
    chromium.wait_for("h1", "Access was not granted")
    said = chromium.text("main")
    assert "Ada Lovelace said no" in said
    [flow] = {chromium.run("return document.body.dataset.flow")}
    for _ in range(2):
        chromium.driver.refresh()
        chromium.until(lambda: chromium.run("return performance.getEntriesByType('navigation')[0].type") == "reload")
        chromium.wait_for("h1", "Access was not granted")
        assert chromium.text("main") == said and chromium.driver.title == "Access was not granted"
    kept = chromium.run("return JSON.stringify(history.state) + location.href")
    assert "state=" not in kept and "code=" not in kept and flow not in kept
    [heard] = [address for address in chromium.address_history() if "/oauth/callback" in address]
    assert "?" not in heard


def test_a_person_who_cancels_in_the_app_sees_the_popup_go(chromium, demo, sandbox):
    """An `AbortSignal` ends a flow at once, popup and all."""
    popup = connect_in_demo(chromium, demo)
    sandbox.arrive(popup)
    chromium.choose(chromium.main)
    chromium.wait_for("#journey button", "Cancel").click()
    chromium.wait_for("#journey", "You cancelled it")
    chromium.wait_closed(popup)


def test_a_provider_that_cuts_the_opener_still_connects(chromium, demo, sandbox):
    """`Cross-Origin-Opener-Policy: same-origin`: the outcome comes by `assets:oauthFlow`."""
    popup = connect_in_demo(chromium, demo, "Sandbox Vault")
    sandbox.decide(popup)
    chromium.choose(chromium.main)
    chromium.wait_for("#journey button", "Redeem").click()
    chromium.wait_for("#journey", "Access token")


def test_a_full_page_redirect_brings_the_key_back_and_drops_it_from_the_address(chromium, demo, sandbox):
    """`returnUrl`: no popup, the same ticket."""
    connect_in_demo(chromium, demo, this_tab=True)
    sandbox.decide(chromium.main)
    chromium.wait_for("#journey button", "Redeem").click()
    chromium.wait_for("#journey", "Access token")
    assert chromium.address == f"{demo.frontend}/"
    assert not [address for address in chromium.address_history() if "credentialKey" in address]


def test_a_full_page_redirect_brings_a_denial_back(chromium, demo, sandbox):
    """With a `returnUrl`, failures go to `{returnUrl}#error=…`."""
    connect_in_demo(chromium, demo, this_tab=True)
    sandbox.decide(chromium.main, "deny")
    chromium.wait_for("#journey", "access_denied")
    assert "Sandbox Drive" in chromium.text("#journey")
    assert chromium.address == f"{demo.frontend}/"


# connect.js: what it gives and why it rejects.


def test_connect_gives_a_key_that_its_verifier_redeems(demo, page, sandbox):
    """`{credentialKey, exchangeVerifier}`: the ticket is bound to the page that asked."""
    sandbox.decide(page.connect())
    connection = page.connection()
    assert demo.redeem(connection["credentialKey"]).status_code == 400
    response = demo.redeem(connection["credentialKey"], connection["exchangeVerifier"])
    assert response.status_code == 200, response.text
    assert response.json()["sourceType"] == "sandbox"


def test_the_success_message_is_what_the_contract_says(demo, page, sandbox):
    """From the broker's origin, with source, type, key, source type and flow."""
    def told() -> list[dict]:
        return [
            message for message in page.heard()
            if message["data"].get("type") == "success" and message["data"].get("flow") == connection["flow"]]

    # Where `connect` asks for the outcome before the page speaks, it closes the popup: then once more.
    for _ in range(5):
        sandbox.decide(page.connect())
        connection = page.connection()
        with suppress(AssertionError):
            sandbox.browser.until(told, within=2)
            break
    else:
        pytest.fail("connect() was first five times")
    [message] = told()
    assert message["origin"] == demo.broker
    assert message["data"] == {
        "source": "cloakroom", "type": "success", "credentialKey": connection["credentialKey"],
        "sourceType": "sandbox", "flow": connection["flow"],
    }


def test_a_denial_rejects_with_access_denied(page, sandbox):
    """The provider's error is the error's code, its words the description."""
    popup = page.connect()
    sandbox.decide(popup, "deny")
    outcome = page.outcome()
    assert (outcome["name"], outcome["code"]) == ("ConnectError", "access_denied")
    assert outcome["description"] == "Ada Lovelace said no"


def test_a_cut_opener_is_told_of_a_denial_too(page, sandbox):
    """`assets:oauthFlow` tells failures as well."""
    sandbox.decide(page.connect("sandbox_coop"), "deny")
    assert page.outcome()["code"] == "access_denied"


def test_a_cut_opener_delivers_even_where_the_catalog_does_not_know_of_it(page, sandbox):
    """COOP that comes unannounced, on the way back alone."""
    sandbox.decide(page.connect(), behaviour="coop")
    assert page.connection()["credentialKey"]


def test_a_popup_that_the_person_closes_rejects_with_popup_closed(chromium, page, sandbox):
    """After `closedGrace`, here one second."""
    popup = page.connect(closedGrace=1)
    sandbox.arrive(popup)
    chromium.close(popup)
    assert page.outcome(within=15)["code"] == "popup_closed"


def test_a_popup_without_a_click_is_blocked_and_said_to_be(chromium, page):
    """With the browser's own blocker, which lets nothing open unasked."""
    chromium.cdp(
        "Runtime.evaluate", expression="tryToConnect({ sourceType: 'sandbox' }, 'unused')", userGesture=False
    )
    assert page.outcome()["code"] == "popup_blocked"
    assert chromium.windows == {chromium.main}


def test_a_window_open_that_gives_nothing_is_popup_blocked(chromium, page):
    """As blockers of extensions do it."""
    chromium.run("window.open = () => null")
    page.click()
    assert page.outcome()["code"] == "popup_blocked"


def test_an_abort_signal_ends_at_once_and_closes_the_popup(chromium, page, sandbox):
    """`aborted`, not at the next question."""
    popup = page.connect()
    sandbox.arrive(popup)
    page.abort()
    assert page.outcome(within=2)["code"] == "aborted"
    chromium.wait_closed(popup)


def test_a_refusal_of_the_api_rejects_with_its_code(chromium, page):
    """And the popup, which has nothing to show, closes."""
    page.click("no_such_source")
    assert page.outcome()["code"] == "unknown_source_type"
    chromium.until(lambda: chromium.windows == {page.window}, what="the popup closes")


def test_two_flows_of_one_page_get_a_key_each(chromium, demo, page, sandbox):
    """Finished in the other order than begun, so that a mix-up shows."""
    first = page.connect("sandbox")
    sandbox.arrive(first)
    second = page.connect("sandbox_form")
    sandbox.decide(second)
    sandbox.decide(first)
    one, two = page.connection(0), page.connection(1)
    assert demo.redeem(one["credentialKey"], two["exchangeVerifier"]).status_code == 400
    assert demo.redeem(one["credentialKey"], one["exchangeVerifier"]).json()["sourceType"] == "sandbox"
    assert demo.redeem(two["credentialKey"], two["exchangeVerifier"]).json()["sourceType"] == "sandbox_form"


def test_two_flows_in_two_tabs_get_a_key_each(chromium, demo, page, sandbox):
    """One cookie a flow: tabs do not disturb each other."""
    chromium.new_tab()
    other = connect_page(chromium, demo)
    first = page.connect("sandbox_coop")
    sandbox.arrive(first)
    second = other.connect("sandbox_coop")
    sandbox.decide(second)
    sandbox.decide(first)
    one, two = page.connection(), other.connection()
    assert one["flow"] != two["flow"]
    for connection in (one, two):
        response = demo.redeem(connection["credentialKey"], connection["exchangeVerifier"])
        assert response.status_code == 200, response.text


def test_the_binding_cookie_is_gone_when_the_flow_is_over(chromium, page, sandbox):
    """HttpOnly, SameSite=Lax, one a flow, removed by the callback."""
    popup = page.connect()
    sandbox.arrive(popup)
    [cookie] = binding_cookies(chromium)
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    sandbox.decide(popup)
    page.connection()
    assert binding_cookies(chromium) == []


def binding_cookies(browser: Browser) -> list[dict]:
    return [cookie for name, cookie in browser.cookies().items() if "cloakroom" in name]


# connect.js without a popup: the page is left, and `resume` goes on where the person comes back.


@pytest.fixture
def bare(chromium: Browser, returning: Broker, app: Site, provider) -> Iterator[ConnectPage]:
    """A page that does with its address what the test says, and nothing by itself. The provider consents at once."""
    provider.decision = "allow"
    page = ConnectPage(chromium, app.origin, returning.url, "acme", returning.token())
    chromium.run("sessionStorage.clear()")
    yield page
    provider.decision = ""


@pytest.fixture(scope="module")
def returning(folder, provider, app: Site) -> Iterator[Broker]:
    """A broker with one frontend."""
    changes = {"frontend": {"origins": [app.origin]}}
    with Broker(Installation(folder / "returning", provider, changes)) as running:
        yield running


def leave(page: ConnectPage, **options) -> str:
    """Leaves the page, and gives the address that the person comes back to."""
    chromium = page.browser
    chromium.choose(page.window)
    page.click("wiki", returnUrl=f"{page.address}/connected?tab=2", **options)
    chromium.until(lambda: "/connected?tab=2#" in chromium.address, what="the person comes back")
    return chromium.address


def kept(browser: Browser) -> list[dict]:
    """What the tab's storage holds."""
    return browser.run("return Object.values(sessionStorage).map((text) => JSON.parse(text))")


def test_resume_gives_a_key_that_its_verifier_redeems_once(chromium, returning, bare):
    """The same result as a popup's, from the page that was left."""
    leave(bare)
    [entry] = kept(chromium)
    outcome = bare.resume()["connection"]
    assert sorted(outcome) == ["credentialKey", "exchangeVerifier", "flow", "sourceType"]
    assert outcome["sourceType"] == "wiki" and outcome["exchangeVerifier"] == entry["exchangeVerifier"]
    assert returning.redeem(outcome["credentialKey"]).status_code == 400
    redeemed = returning.redeem_by_post(outcome["credentialKey"], exchangeVerifier=outcome["exchangeVerifier"])
    assert redeemed.status_code == 200, redeemed.text


def test_resume_drops_the_key_and_gives_it_once(chromium, bare):
    """No address bar, history or storage keeps it; what else is in the address stays."""
    leave(bare)
    assert bare.resume()["connection"]["credentialKey"]
    assert chromium.address == f"{bare.address}/connected?tab=2"
    assert not [address for address in chromium.address_history() if "credentialKey" in address]
    assert kept(chromium) == []
    assert bare.resume() == {"connection": None}
    chromium.driver.refresh()
    bare.install()
    assert bare.resume() == {"connection": None}


def test_resume_tells_a_denial_by_its_code_once(chromium, returning, bare, provider):
    """The same errors as a popup's."""
    provider.decision = "deny"
    leave(bare)
    outcome = bare.resume()
    assert (outcome["name"], outcome["code"]) == ("ConnectError", "access_denied")
    assert "error" not in chromium.address and kept(chromium) == []
    assert bare.resume() == {"connection": None}


@pytest.mark.parametrize("fragment", ["", "#", "#section", "#/route?flow=x", "#flow=x", "#credentialKey=x", "#error=x"])
def test_resume_leaves_an_address_alone_that_brings_nothing(chromium, bare, fragment):
    """`null`, and the fragment is the app's own."""
    chromium.go(f"{bare.address}/connected{fragment}")
    bare.install()
    assert bare.resume() == {"connection": None}
    assert chromium.address == f"{bare.address}/connected{fragment}"


@pytest.mark.parametrize("brought", ["credentialKey=ckr_planted&sourceType=wiki", "error=access_denied"])
def test_a_forged_fragment_gives_nothing_and_spoils_nothing(chromium, returning, bare, brought):
    """Login CSRF: an account of the attacker's, sent to be connected. The flow that is under way is not disturbed."""
    arrival = leave(bare)
    chromium.go("about:blank")
    chromium.go(f"{bare.address}/connected#{brought}&flow=AAAAAAAAAAAAAAAAAAAAAA")
    bare.install()
    outcome = bare.resume()
    assert (outcome["name"], outcome["code"]) == ("ConnectError", "foreign_flow")
    assert chromium.address == f"{bare.address}/connected"
    chromium.go("about:blank")
    chromium.go(arrival)
    bare.install()
    assert bare.resume()["connection"]["credentialKey"]


def test_a_key_of_another_source_type_does_not_take_the_place_of_the_flows(chromium, returning, bare):
    """RFC 9700 § 4.5: a provider's page knows the flow, and may bring a key that somebody else obtained."""
    flow = dict(parse_qsl(urlsplit(leave(bare)).fragment))["flow"]
    chromium.go("about:blank")
    chromium.go(f"{bare.address}/connected#credentialKey=ckr_planted&sourceType=wiki_post&flow={flow}")
    bare.install()
    assert bare.resume()["code"] == "foreign_flow"
    assert chromium.address == f"{bare.address}/connected" and kept(chromium) == []


def test_a_key_that_is_led_to_another_browser_cannot_be_redeemed_there(chromium, returning, bare):
    """RFC 9700 § 4.7: the verifier stays in the tab that began."""
    arrival = leave(bare)
    key = dict(parse_qsl(urlsplit(arrival).fragment))["credentialKey"]
    chromium.new_tab()
    led = ConnectPage(chromium, arrival, returning.url, "acme", returning.token())
    assert led.resume()["code"] == "foreign_flow"
    assert kept(chromium) == []
    for verifier in ({}, {"exchangeVerifier": tokens.new_verifier()}):
        assert returning.redeem_by_post(key, **verifier).json()["code"] == "invalid_credential_key"
    chromium.choose(bare.window)
    bare.install()
    outcome = bare.resume()["connection"]
    redeemed = returning.redeem_by_post(key, exchangeVerifier=outcome["exchangeVerifier"])
    assert redeemed.status_code == 200


def test_a_flow_that_was_begun_for_somebody_else_ends_in_nothing(chromium, returning, bare):
    """Its address was mailed: the key comes to a tab that began nothing, and nobody has key and verifier together."""
    verifier = tokens.new_verifier()
    flow = returning.begin(
        "wiki", exchangeChallenge=tokens.challenge_of(verifier), returnUrl=f"{bare.address}/connected")
    chromium.go(flow.authorization_url)
    chromium.until(lambda: "/connected#" in chromium.address, what="the victim comes back")
    bare.install()
    assert bare.resume()["code"] == "foreign_flow"
    assert returning.outcome_by_post(flow.flow, verifier).json() == {"status": "pending"}


def test_two_redirects_of_two_tabs_and_two_of_one_go_on_each_for_itself(chromium, returning, bare):
    """One entry a flow, and each tab has a storage of its own."""
    first = leave(bare)
    chromium.go(bare.address)
    bare.install()
    second = leave(bare)
    chromium.new_tab()
    other = ConnectPage(chromium, bare.address, returning.url, "acme", returning.token())
    leave(other)
    other.install()
    results = [other.resume()["connection"]]
    for arrival in (first, second):
        chromium.choose(bare.window)
        chromium.go("about:blank")
        chromium.go(arrival)
        bare.install()
        results.append(bare.resume()["connection"])
    assert len({result["flow"] for result in results}) == 3
    for result in results:
        answer = returning.redeem_by_post(result["credentialKey"], exchangeVerifier=result["exchangeVerifier"])
        assert answer.status_code == 200, answer.text


def test_what_was_left_behind_long_ago_is_forgotten(chromium, bare):
    """A verifier of no use does not stay in the tab; other entries are nobody's business."""
    leave(bare)
    chromium.run(
        "for (const [name, text] of Object.entries(sessionStorage))"
        " sessionStorage.setItem(name, JSON.stringify({ ...JSON.parse(text), until: Date.now() - 1 }));"
        " sessionStorage.setItem('cloakroom.flow.broken', '{'); sessionStorage.setItem('app', '1')")
    chromium.go(bare.address)
    bare.install()
    leave(bare)
    assert len(kept(chromium)) == 2


def test_a_redirect_that_the_broker_refuses_leaves_the_page_where_it_is(chromium, bare):
    """With the API's code; nothing is kept."""
    for options, code in (
        ({"source_type": "no_such_source"}, "unknown_source_type"), ({"returnUrl": "https://evil.example/"}, "invalid_request")
    ):
        bare.click(**{"source_type": "wiki", "returnUrl": f"{bare.address}/connected"} | options)
        assert bare.outcome()["code"] == code
        assert chromium.address == f"{bare.address}/" and kept(chromium) == []
    assert chromium.windows == {chromium.main}


def test_a_redirect_without_storage_is_refused_by_name(chromium, bare):
    """Without the verifier the key could never be redeemed."""
    chromium.run("Storage.prototype.setItem = () => { throw new Error('full'); }")
    bare.click("wiki", returnUrl=f"{bare.address}/connected")
    assert bare.outcome()["code"] == "storage_unavailable"
    assert chromium.address == f"{bare.address}/"


def test_connect_and_resume_put_no_verifier_into_an_address(chromium, demo, page, sandbox):
    """The outcome is asked for in a body: addresses end up in logs."""
    chromium.run(
        "window.asked = []; const own = fetch; window.fetch = (address, init) => "
        "{ asked.push([init.method, String(address)]); return own(address, init); }")
    sandbox.arrive(page.connect("sandbox_coop"))
    chromium.choose(page.window)
    asked = chromium.until(
        lambda: [call for call in chromium.run("return asked") if "oauthFlow" in call[1]], what="the asking")
    assert {tuple(call) for call in asked} == {("POST", demo.assets("oauthFlow"))}
    page.abort()
    assert page.outcome()["code"] == "aborted"


# Where a flow ends too late, or its settings differ: brokers of the test's own.


@pytest.fixture(scope="module")
def app() -> Iterator[Site]:
    """The allowed frontend of `short_lived`."""
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="module")
def other_app() -> Iterator[Site]:
    """The other allowed frontend of `short_lived`."""
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="module")
def short_lived(folder, provider, app: Site, other_app: Site) -> Iterator[Broker]:
    """A broker whose flows live two seconds, with two frontends. Its provider shows people nothing."""
    changes = {"frontend": {"origins": [app.origin, other_app.origin]}, "lifetimes": {"state": 2}}
    with Broker(Installation(folder / "browser", provider, changes)) as running:
        yield running


def test_a_flow_that_outlives_its_time_rejects_with_timeout(chromium, short_lived, app):
    """The popup stays open and nothing happens in it."""
    page = ConnectPage(chromium, app.origin, short_lived.url, "acme", short_lived.token())
    popup = page.connect("wiki")
    assert page.outcome()["code"] == "timeout"
    chromium.wait_closed(popup)


def test_another_allowed_frontend_cannot_bind_or_begin_a_flow_that_is_not_its_own(
    chromium, short_lived, app, other_app
):
    """The flow's own frontend origin alone, though both are configured."""
    verifier = tokens.new_verifier()
    flow = short_lived.begin(
        "wiki", exchangeChallenge=tokens.challenge_of(verifier), headers={"Origin": app.origin})
    chromium.go(other_app.origin)
    popup = open_and_start(chromium, short_lived.url, flow.flow, flow.authorization_url, verifier)
    chromium.choose(popup)
    chromium.wait_for("h1", "The connection could not be started")
    assert binding_cookies(chromium) == []


def listen(browser: Browser) -> None:
    """The page keeps what other windows tell it."""
    browser.run("window.heard = []; addEventListener('message', ({ origin, data }) => heard.push({ origin, data }))")


def open_and_start(browser: Browser, broker: str, flow: str, address: str, verifier: str, fragment: str = "") -> str:
    """Any page may open the popup's first page, and post it what connect.js would post."""
    listen(browser)
    opener = browser.driver.current_window_handle
    popup = browser.opened_by(
        lambda: browser.press_button(
            "window.popup = open(arguments[0] + '/oauth/popup' + arguments[1], '_blank')", broker, fragment)
    )
    browser.choose(popup)
    browser.until(lambda: browser.run("return document.readyState") == "complete")
    browser.run("addEventListener('message', () => (window.reached = true))")
    browser.choose(opener)
    start = {"source": "cloakroom", "type": "start", "flow": flow, "authorizationUrl": address}
    browser.run("popup.postMessage(arguments[0], '*')", start | {"exchangeVerifier": verifier})
    return popup


# Pages that pry.


def test_a_foreign_page_can_load_connect_js_and_no_more(chromium, demo, foreign):
    """The script is the same for everybody; what it calls is for `frontend.origins` alone (CORS)."""
    chromium.go(foreign.origin)
    assert "error" not in chromium.wait("return Object.keys(await import(given[0] + '/connect.js'))", demo.broker)
    assert "error" in chromium.wait("return (await fetch(given[0])).status", demo.assets("sourceTypes"))


def test_an_allowed_page_can_load_connect_js(chromium, demo):
    """From the frontend's own origin, which is not the broker's."""
    chromium.go(demo.frontend)
    answer = chromium.wait("return Object.keys(await import(given[0] + '/connect.js'))", demo.broker)
    assert sorted(answer["value"]) == ["ConnectError", "connect", "resume"]


def test_a_foreign_page_that_opens_an_authorization_address_hears_nothing(chromium, demo, foreign):
    """Consent phishing: the flow began elsewhere, so its key goes nowhere else, and this browser is not bound."""
    verifier = tokens.new_verifier()
    flow = demo.begin(exchangeChallenge=tokens.challenge_of(verifier))
    chromium.go(foreign.origin)
    listen(chromium)
    popup = chromium.opened_by(
        lambda: chromium.press_button("open(arguments[0], '_blank')", scripted(flow["authorizationUrl"]))
    )
    chromium.choose(popup)
    chromium.wait_for("h1", "The app could not be reached")
    chromium.choose(chromium.main)
    assert chromium.run("return heard") == []
    assert demo.outcome(flow["flow"], verifier) == {"status": "pending"}


def test_the_flows_own_frontend_hears_the_key_where_it_opens_the_address_itself(chromium, demo):
    """The same as a foreign page does, but from the origin that the key is for."""
    flow = demo.begin()
    chromium.go(demo.frontend)
    listen(chromium)
    chromium.press_button("open(arguments[0], '_blank')", scripted(flow["authorizationUrl"]))
    [message] = chromium.until(lambda: chromium.run("return heard"), what="the message")
    assert message["origin"] == demo.broker
    assert demo.redeem(message["data"]["credentialKey"]).status_code == 200


def test_a_foreign_page_hears_nothing_of_a_failure_either(chromium, demo, foreign):
    """The failure page keeps to the flow's own frontend origin too."""
    flow = demo.begin()
    chromium.go(foreign.origin)
    listen(chromium)
    popup = chromium.opened_by(
        lambda: chromium.press_button("open(arguments[0], '_blank')", scripted(flow["authorizationUrl"], "deny"))
    )
    chromium.choose(popup)
    chromium.wait_for("#close")
    chromium.choose(chromium.main)
    assert chromium.run("return heard") == []


def test_a_foreign_page_that_posts_start_gets_no_answer_and_no_binding(chromium, demo, foreign):
    """The broker says whose flow it is; the popup's first page tells nobody anything before."""
    verifier = tokens.new_verifier()
    flow = demo.begin(exchangeChallenge=tokens.challenge_of(verifier))
    chromium.go(foreign.origin)
    popup = open_and_start(chromium, demo.broker, flow["flow"], flow["authorizationUrl"], verifier)
    chromium.choose(popup)
    chromium.wait_for("h1", "The connection could not be started")
    assert chromium.address == f"{demo.broker}/oauth/popup"
    assert binding_cookies(chromium) == []
    chromium.choose(chromium.main)
    assert chromium.run("return heard") == []


def test_a_foreign_page_that_says_it_were_the_flows_frontend_is_not_heard(chromium, demo, foreign):
    """Browsers say where a message comes from, and deliver none to an origin that is not there."""
    verifier = tokens.new_verifier()
    flow = demo.begin(exchangeChallenge=tokens.challenge_of(verifier))
    chromium.go(foreign.origin)
    popup = open_and_start(
        chromium, demo.broker, flow["flow"], flow["authorizationUrl"], verifier, f"#{urlencode({'origin': demo.frontend})}")
    chromium.choose(popup)
    # Our listener was added after the page's own, so the page has heard it before us.
    chromium.until(lambda: chromium.run("return window.reached"), what="the message arrives")
    chromium.wait_for("h1", "Connecting")
    assert binding_cookies(chromium) == []
    chromium.choose(chromium.main)
    assert chromium.run("return heard") == []


@pytest.mark.parametrize("origin", ["*", "/", "null", "", "https://app.example.com/"])
def test_the_popups_first_page_tells_nothing_to_what_is_no_origin(chromium, demo, foreign, origin):
    """Never `*`."""
    chromium.go(foreign.origin)
    popup = open_and_start(
        chromium, demo.broker, "x", "https://evil.example/", "x", f"#{urlencode({'origin': origin})}")
    chromium.choose(popup)
    chromium.wait_for("h1", "The connection could not be started")
    chromium.choose(chromium.main)
    assert chromium.run("return heard") == []


def test_the_popups_first_page_goes_nowhere_until_the_broker_says_whose_flow_it_is(chromium, demo, foreign):
    """Else whoever opens it could have the broker's page lead people anywhere while the broker stumbles."""
    chromium.go(foreign.origin)
    popup = chromium.opened_by(
        lambda: chromium.press_button("window.popup = open(arguments[0] + '/oauth/popup', '_blank')", demo.broker))
    chromium.choose(popup)
    chromium.until(lambda: chromium.run("return document.readyState") == "complete")
    chromium.run("window.fetch = async () => new Response('', { status: 503 })")
    chromium.choose(chromium.main)
    chromium.run(
        "popup.postMessage({ source: 'cloakroom', type: 'start', flow: 'x', exchangeVerifier: 'x',"
        " authorizationUrl: arguments[0] }, '*')", foreign.origin)
    chromium.choose(popup)
    chromium.wait_for("h1", "The connection could not be started")
    assert chromium.address == f"{demo.broker}/oauth/popup"


def test_the_flows_own_frontend_that_posts_start_binds_the_flow_and_goes_on(chromium, demo):
    """The same as a foreign page does, but from the origin where the flow began."""
    verifier = tokens.new_verifier()
    flow = demo.begin(exchangeChallenge=tokens.challenge_of(verifier))
    chromium.go(demo.frontend)
    popup = open_and_start(chromium, demo.broker, flow["flow"], flow["authorizationUrl"], verifier)
    chromium.choose(popup)
    chromium.wait_for("h1", "Sign in")
    [cookie] = binding_cookies(chromium)
    assert flow["flow"] in cookie["name"]


def test_a_foreign_page_cannot_bind_by_calling_the_broker_itself(chromium, demo, foreign):
    """Not even with a request that needs no preflight."""
    verifier = tokens.new_verifier()
    flow = demo.begin(exchangeChallenge=tokens.challenge_of(verifier))
    chromium.go(foreign.origin)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        chromium.wait(
            """
            const [broker, flow, exchangeVerifier, frontendOrigin, type] = given;
            await fetch(broker + "/oauth/popup", {
              method: "POST", mode: "no-cors", credentials: "include", headers: { "Content-Type": type },
              body: JSON.stringify({ flow, exchangeVerifier, frontendOrigin }) });
            """,
            demo.broker, flow["flow"], verifier, demo.frontend, kind,
        )
    assert binding_cookies(chromium) == []


def test_an_authorization_address_that_was_mailed_gives_its_sender_nothing(chromium, demo):
    """The sender bound the flow in a browser of their own; the victim consents in this one: `pending` for good."""
    verifier = tokens.new_verifier()
    flow = demo.begin(exchangeChallenge=tokens.challenge_of(verifier))
    binding = {"flow": flow["flow"], "exchangeVerifier": verifier, "frontendOrigin": demo.frontend}
    assert demo.client.post(f"{demo.broker}/oauth/popup", json=binding).status_code == 204
    chromium.go(scripted(flow["authorizationUrl"]))
    chromium.wait_for("h1", "The app could not be reached")
    assert demo.outcome(flow["flow"], verifier) == {"status": "pending"}


def test_a_page_of_the_provider_cannot_forge_a_success(chromium, page, sandbox):
    """The right window, but not the broker's origin and not its flow."""
    popup = page.connect()
    sandbox.arrive(popup)
    chromium.run(
        "opener.postMessage({ source: 'cloakroom', type: 'success', credentialKey: 'forged', sourceType: 'sandbox',"
        " flow: 'forged' }, '*')"
    )
    chromium.choose(page.window)
    chromium.until(lambda: page.heard() and "forged" in str(page.heard()), what="the forgery arrives")
    assert chromium.run("return attempts.at(-1).outcome") is None
    sandbox.decide(popup)
    assert page.connection()["credentialKey"] != "forged"


def test_a_success_page_with_a_key_of_another_source_type_is_not_believed(chromium, page, sandbox, demo):
    """The broker's own page, in the right window, with a fragment that a page of the provider wrote."""
    popup = page.connect()
    sandbox.arrive(popup)
    chromium.choose(page.window)
    flow = chromium.run("return Object.keys(sessionStorage)[0].split('.').at(-1)")
    chromium.choose(popup)
    chromium.go(f"{demo.broker}/oauth/success#credentialKey=ckr_planted&sourceType=sandbox_form&flow={flow}")
    chromium.choose(page.window)
    assert page.outcome()["code"] == "foreign_flow"


def test_an_answer_to_a_flow_of_another_browser_is_not_taken_by_the_demo_page(chromium, demo):
    """Login CSRF by a full-page redirect: what the tab did not begin it does not use."""
    chromium.go(f"{demo.frontend}/connected#credentialKey=planted&sourceType=sandbox&flow=planted")
    chromium.wait_for("#journey", "foreign_flow")


# What providers say.


def test_a_hostile_error_text_is_text_in_both_windows(chromium, page, sandbox):
    """`error_description` with a script tag, an event handler and a template's braces."""
    popup = page.connect()
    sandbox.decide(popup, behaviour="hostile_error")
    said = chromium.wait_for("blockquote").text
    assert '<script>alert("sandbox")</script><img src=x onerror=' in said and "{{hostile}}" in said
    assert chromium.run("return document.querySelectorAll('blockquote *').length") == 0
    outcome = page.outcome()
    assert outcome["code"] == "server_error"
    assert "<script>" in outcome["description"]


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror=\"document.title='owned'\">",
        "\"><script>document.title='owned'</script>",
        "' autofocus onfocus=document.title='owned' '",
        "</title></style></script><svg onload=document.title='owned'>",
        "{{{script}}} &lt;b&gt; &quot;",
    ],
)
def test_markup_in_error_and_description_is_shown_as_text(chromium, demo, hostile):
    """The provider's words are hostile: escaped in text and in attributes."""
    [state] = parse_qs(urlsplit(demo.begin()["authorizationUrl"]).query)["state"]
    members = {"error": hostile, "error_description": hostile, "state": state, "iss": demo.provider}
    chromium.go(f"{demo.broker}{callback_target(members)}")
    assert " ".join(chromium.wait_for("blockquote").text.split()) == " ".join(hostile.split())
    assert "owned" not in chromium.driver.title
    assert chromium.run("return document.querySelectorAll('main img, main script, blockquote *').length") == 0


# The key in the address.


def test_the_key_leaves_the_success_pages_address_and_history_at_once(chromium, demo):
    """No address bar, history entry or bookmark keeps it."""
    chromium.go(scripted(demo.begin()["authorizationUrl"]))
    chromium.wait_for("h1", "One moment")
    assert chromium.address == f"{demo.broker}/oauth/success"
    assert chromium.run("return location.hash") == ""
    assert not [address for address in chromium.address_history() if "credentialKey" in address]
    assert "credentialKey" not in chromium.run("return document.body.outerText")
    assert chromium.run("return localStorage.length + sessionStorage.length") == 0


def test_a_reload_of_the_success_page_is_harmless(chromium, demo):
    """It says that there is nothing left to do."""
    chromium.go(scripted(demo.begin()["authorizationUrl"]))
    chromium.wait_for("h1", "One moment")
    chromium.driver.refresh()
    chromium.wait_for("h1", "Nothing left to do here")


def test_going_back_after_a_flow_spends_and_shows_nothing(chromium, demo):
    """The back button leads to where the flow began, not to a key."""
    chromium.go(demo.frontend)
    chromium.wait_for("#ready button")
    chromium.go(scripted(demo.begin()["authorizationUrl"]))
    chromium.wait_for("h1", "One moment")
    chromium.driver.back()
    chromium.wait_for("h1", "Connected sources")
    chromium.driver.forward()
    chromium.wait_for("h1", "Nothing left to do here")


def test_a_replayed_callback_says_that_it_is_no_longer_valid(chromium, demo):
    """A state works once; its address is cleaned as well."""
    flow = demo.begin()
    response = demo.client.get(scripted(flow["authorizationUrl"]))
    callback = response.headers["location"]
    chromium.go(callback)
    chromium.wait_for("h1", "One moment")
    chromium.go(callback)
    chromium.wait_for("h1", "This connection attempt is no longer valid")
    assert chromium.address == f"{demo.broker}/oauth/callback/sandbox"
