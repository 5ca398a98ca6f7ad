"""Every page that a person sees: for all eyes and hands, in their language, and under its own policy."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import RECORD_VIOLATIONS, STAY_OPEN, Browser, chromium
from frontend import Demo, Sandbox, demo, foreign, scripted
from provider import callback_target

LONG_WORDS = "AADSTS65004: The person declined to consent. Trace ID: 6d3c1a9a-55aa-4b0e-8a31-0f1c2d3e4f50 " + "ä" * 90


class Visit:
    """How each page is reached, in the main window or in a popup."""

    def __init__(self, browser: Browser, demo: Demo) -> None:
        self.browser, self.demo, self.sandbox = browser, demo, Sandbox(browser)

    # The broker's pages.

    def success_done(self) -> None:
        response = self.demo.client.get(scripted(self.demo.begin()["authorizationUrl"]))
        address = self.demo.client.get(response.headers["location"]).headers["location"]
        assert self.demo.redeem(dict(parse_qsl(urlsplit(address).fragment))["credentialKey"]).status_code == 200
        self.browser.go(address)
        self.browser.wait_for("h1", "Connected")

    def success_spent(self) -> None:
        self.browser.go(f"{self.demo.broker}/oauth/success")
        self.browser.wait_for("h1", "Nothing left")

    def success_untold(self) -> None:
        self._popup("/oauth/success#credentialKey=unknown&sourceType=sandbox&flow=unknown")
        self.browser.wait_for("h1", "The app could not be reached")

    def popup_waiting(self) -> None:
        self._popup("/oauth/popup")
        self.browser.wait_for("h1", "Connecting")

    def popup_slow(self) -> None:
        self._popup("/oauth/popup")
        self.browser.wait_for("h1", "Still connecting")

    def popup_alone(self) -> None:
        self.browser.go(f"{self.demo.broker}/oauth/popup")
        self.browser.wait_for("h1", "This window belongs to an app")

    def popup_failed(self) -> None:
        opener = self.browser.main
        self._popup("/oauth/popup")
        popup = self.browser.driver.current_window_handle
        self.browser.wait_for("h1", "Connecting")
        self.browser.choose(opener)
        start = {"source": "cloakroom", "type": "start", "flow": "unknown", "exchangeVerifier": "unknown"}
        address = {"authorizationUrl": "https://unknown.example"}
        self.browser.run("popup.postMessage(arguments[0], '*')", start | address)
        self.browser.choose(popup)
        self.browser.wait_for("h1", "The connection could not be started")

    def failure_denied(self) -> None:
        self.browser.go(scripted(self.demo.begin()["authorizationUrl"], "deny"))
        self.browser.wait_for("h1", "Access was not granted")

    def failure_long(self) -> None:
        [state] = parse_qs(urlsplit(self.demo.begin()["authorizationUrl"]).query)["state"]
        members = {"error": "server_error", "error_description": LONG_WORDS, "state": state, "iss": self.demo.provider}
        self.browser.go(f"{self.demo.broker}{callback_target(members)}")
        self.browser.wait_for("h1", "The connection did not work")

    def failure_hostile(self) -> None:
        self.browser.go(scripted(self.demo.begin()["authorizationUrl"], sandbox_behaviour="hostile_error"))
        self.browser.wait_for("h1", "The connection did not work")

    def failure_invalid_state(self) -> None:
        self.browser.go(f"{self.demo.broker}/oauth/callback?code=c&state=unknown")
        self.browser.wait_for("h1", "no longer valid")

    def failure_provider_rejected(self) -> None:
        self.browser.go(scripted(self.demo.begin()["authorizationUrl"], sandbox_behaviour="unknown_code"))
        self.browser.wait_for("h1", "The service refused the connection")

    def _popup(self, path: str) -> None:
        self.browser.go(self.demo.frontend)
        popup = self.browser.opened_by(
            lambda: self.browser.press_button(
                "window.popup = open(arguments[0], '_blank', 'popup,width=520,height=720')", self.demo.broker + path
            )
        )
        self.browser.choose(popup)

    # The provider's pages and the demo frontend.

    def provider_start(self) -> None:
        self.browser.go(self.demo.provider)
        self.browser.wait_for("h1")

    def provider_login(self) -> None:
        self.browser.go(self.demo.begin()["authorizationUrl"])
        self.browser.wait_for("h1", "Sign in")

    def provider_consent(self) -> None:
        self.browser.go(self.demo.begin()["authorizationUrl"])
        self.sandbox.arrive(self.browser.main)

    def provider_consent_with_switches(self) -> None:
        self.provider_consent()
        self.browser.run("for (const group of document.querySelectorAll('details')) group.open = true")

    def provider_trouble(self) -> None:
        self.browser.go(f"{self.demo.provider}/authorize")
        self.browser.wait_for("h1", "cannot go on")

    def demo_before(self) -> None:
        self.browser.go(self.demo.frontend)
        self.browser.wait_for("#ready button", "Connect Sandbox Drive")

    def demo_received(self) -> None:
        self.demo_before()
        use_this_tab(self.browser)
        self.sandbox.decide(self.browser.main)
        self.browser.wait_for("#journey button", "Redeem")

    def demo_redeemed(self) -> None:
        self.demo_received()
        self.browser.wait_for("#journey button", "Redeem").click()
        self.browser.wait_for("#journey button", "Use it").click()
        self.browser.wait_for("#journey", "Ada Lovelace")
        self.browser.wait_for("#journey button", "Redeem again").click()
        self.browser.wait_for("#journey", "invalid_credential_key")

    def demo_denied(self) -> None:
        self.demo_before()
        use_this_tab(self.browser)
        self.sandbox.decide(self.browser.main, "deny")
        self.browser.wait_for("#journey", "access_denied")

    def demo_read(self) -> None:
        """The ticket in the asset service's hands, its documents, and the chunks of one."""
        self.demo_before()
        use_this_tab(self.browser, "Team Handbook")
        self.sandbox.decide(self.browser.main)
        self.browser.wait_for("#journey .documents summary", "welcome.md", within=60).click()
        self.browser.wait_for("#journey .chunks", "laptop")


def use_this_tab(browser: Browser, name: str = "Sandbox Drive") -> None:
    for button in browser.driver.find_elements(By.CSS_SELECTOR, "#ready button"):
        if f"to connect {name}" in button.get_property("textContent"):
            return button.click()
    raise AssertionError("no such button")


PAGES: dict[str, Callable[[Visit], None]] = {
    name.replace("_", "-"): method
    for name, method in vars(Visit).items()
    if name.partition("_")[0] in ("success", "popup", "failure", "provider", "demo") and callable(method)
}

LOOKS = {"light": (False, None), "dark": (True, None), "narrow": (False, 360)}


@pytest.fixture(scope="module")
def visit(chromium: Browser, demo: Demo) -> Visit:
    return Visit(chromium, demo)


@pytest.fixture(scope="module", params=PAGES)
def page(request, chromium: Browser, visit: Visit) -> Iterator[str]:
    """A page, reached once for all that is asked about it, its violations noted and its closing held up."""
    chromium.reset()
    scripts = [
        chromium.cdp("Page.addScriptToEvaluateOnNewDocument", source=source)["identifier"]
        for source in (RECORD_VIOLATIONS, STAY_OPEN)
    ]
    PAGES[request.param](visit)
    yield request.param
    chromium.choose(chromium.main)
    for script in scripts:
        chromium.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


@pytest.fixture
def fresh(chromium: Browser) -> Browser:
    """A browser that was nowhere."""
    chromium.reset()
    return chromium


# What holds for every page.


@pytest.mark.parametrize("look", LOOKS)
def test_a_page_has_no_accessibility_problem(chromium, page, look):
    """axe-core's rules: names, roles, labels, landmarks, contrast."""
    dark, width = LOOKS[look]
    chromium.look(dark, width)
    chromium.screenshot(f"{page}-{look}")
    assert chromium.accessibility_problems() == []


def test_a_page_fits_a_phone(chromium, page):
    """360 pixels wide, without scrolling sideways."""
    chromium.look(width=360)
    assert chromium.sideways_overflow() <= 0


def test_a_page_does_what_its_own_policy_allows(chromium, page):
    """No violation of the Content-Security-Policy, no error that nobody caught."""
    assert not chromium.run("return window.violations ?? []")
    assert chromium.complaints() == []


def test_a_page_refuses_an_injected_script(chromium, page):
    """The policy stops inline scripts, event handlers and scripts of other origins; all of it says so."""
    violated = chromium.wait(
        """
        const violated = [];
        addEventListener("securitypolicyviolation", (event) => violated.push(event.effectiveDirective));
        document.body.append(Object.assign(document.createElement("script"), { textContent: "window.injected = 1" }));
        const holder = document.createElement("div");
        holder.setAttribute("onclick", "window.injected = 2");
        document.body.append(holder);
        holder.click();
        document.body.append(Object.assign(document.createElement("script"), { src: "https://script.invalid/x.js" }));
        while (violated.length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
        return { violated, injected: window.injected ?? null };
        """
    )["value"]
    chromium.complaints()
    assert violated["injected"] is None
    assert sorted(violated["violated"]) == ["script-src-attr", "script-src-elem", "script-src-elem"]


@pytest.mark.parametrize("path", ["/oauth/success", "/oauth/popup", "/oauth/callback?code=c&state=unknown"])
def test_no_page_of_the_broker_can_be_framed(fresh, demo, foreign, path):
    """`frame-ancestors 'none'`: nobody is made to click on a page that they do not see."""
    fresh.go(foreign.origin)
    fresh.run(
        "document.body.append(Object.assign(document.createElement('iframe'), { src: arguments[0] }))",
        demo.broker + path,
    )
    fresh.until(lambda: any("frame-ancestors" in line for line in fresh.complaints()), what="the frame is refused")


# Languages.


@pytest.mark.parametrize(
    "accepted, language, words",
    [
        ("de", "de", "Dieses Fenster gehört zu einer App"),
        ("ja-JP,ja;q=0.9,en;q=0.5", "ja", None),
        ("fr-CA", "fr", None),
        ("es;q=0.8, de;q=0.3", "es", None),
        ("nl, en;q=0.5", "en", "This window belongs to an app"),
        ("tlh", "en", "This window belongs to an app"),
    ],
)
def test_a_page_speaks_the_browsers_language(fresh, demo, accepted, language, words):
    """`Accept-Language` by its weights; English where nothing fits. `lang` says which it is."""
    try:
        fresh.speak(accepted)
        fresh.go(f"{demo.broker}/oauth/popup")
        heading = fresh.wait_for("h1").text
        fresh.screenshot(f"popup-alone-{language}")
        assert fresh.run("return document.documentElement.lang") == language
        assert heading == (words or heading) and fresh.driver.title == heading
        assert (heading == "This window belongs to an app") == (language == "en")
    finally:
        fresh.speak("")


@pytest.mark.parametrize("language", ["de", "fr", "es", "ja"])
def test_a_translated_failure_page_fits_a_phone_and_is_accessible(fresh, demo, language):
    """Longer words and other scripts than English."""
    try:
        fresh.speak(language)
        fresh.look(width=360)
        fresh.go(scripted(demo.begin()["authorizationUrl"], sandbox_behaviour="unknown_code"))
        fresh.wait_for("#close")
        fresh.screenshot(f"failure-provider-rejected-{language}")
        assert fresh.run("return document.documentElement.lang") == language
        assert fresh.sideways_overflow() <= 0
        assert fresh.accessibility_problems() == []
    finally:
        fresh.speak("")


# Keyboard.


def test_the_failure_page_works_by_keyboard(fresh, demo, visit):
    """Tab reaches the button, visibly; Enter closes, or says that the person has to."""
    visit.failure_denied()
    fresh.press(Keys.TAB)
    focused = fresh.focused()
    assert (focused["id"], focused["visible"]) == ("close", True)
    fresh.screenshot("failure-denied-focused")
    fresh.press(Keys.ENTER)
    fresh.wait_for("#by-hand", "does not let this page close itself")


def test_the_demo_page_works_by_keyboard(fresh, demo, visit):
    """Tab goes through what can be done in the order of reading, visibly; Enter connects."""
    visit.demo_before()
    stops = []
    for _ in range(12):
        fresh.press(Keys.TAB)
        stops.append(fresh.focused())
        if stops[-1]["tag"] == "body":
            break
    assert stops[0]["name"] == "Skip to the sources"
    assert [stop["name"] for stop in stops if not stop["visible"]] == []
    names = [stop["name"] for stop in stops]
    connects = [name for name in names if name.startswith("Connect ")]
    assert connects[0].startswith("Connect Team Handbook") and len(connects) >= 2
    order = fresh.run(
        "return [...document.querySelectorAll('a, summary, button, input')].map("
        "(node) => (node.innerText || node.labels?.[0]?.innerText || node.id || '').trim().replace(/\\s+/g, ' '))"
    )
    remaining = iter(order)
    assert all(name in remaining for name in names), f"{names} is another order than {order}"


def test_the_demo_reads_a_drive_shows_what_failed_and_skips_what_has_not_changed(fresh, demo, visit):
    """The whole story: the ticket is handed over, progress moves, two of thirteen documents fail, a refresh skips."""
    visit.demo_read()
    said = fresh.text("#journey")
    assert "13, of which 0 unchanged and 2 failed" in said and "COMPLETED" in said
    failed = fresh.driver.find_elements(By.CSS_SELECTOR, "#journey .state[data-state=failed]")
    assert len(failed) == 2
    assert "$0.00" in said
    fresh.wait_for("#journey button", "Refresh").click()
    fresh.wait_for("#journey [data-step=again]", "11 unchanged and 2 failed", within=60)
    fresh.screenshot("demo-refreshed")
    assert fresh.complaints() == []


def test_the_demo_pages_skip_link_goes_to_the_sources(fresh, demo, visit):
    """The first stop of the keyboard passes by the head of the page."""
    visit.demo_before()
    fresh.press(Keys.TAB)
    fresh.screenshot("demo-skip-link")
    fresh.press(Keys.ENTER)
    fresh.until(lambda: fresh.run("return document.activeElement.id") == "sources")
    fresh.press(Keys.TAB)
    assert fresh.run("return document.getElementById('ready').contains(document.activeElement)")


def test_a_whole_flow_goes_by_keyboard(fresh, demo, visit):
    """Connect, sign in, allow, redeem: not one click."""
    visit.demo_before()
    tab_to(fresh, "Connect Sandbox Drive")
    popup = fresh.opened_by(lambda: fresh.press(Keys.ENTER))
    fresh.choose(popup)
    fresh.wait_for("h1", "Sign in")
    tab_to(fresh, "Sign in")
    fresh.press(Keys.ENTER)
    fresh.wait_for("h1", "asks for access")
    tab_to(fresh, "Allow")
    fresh.press(Keys.ENTER)
    fresh.wait_closed(popup)
    fresh.choose(fresh.main)
    fresh.wait_for("#journey button", "Redeem")
    tab_to(fresh, "Redeem")
    fresh.press(Keys.ENTER)
    fresh.wait_for("#journey", "Access token")
    assert "Redeem" in fresh.focused()["name"], "the keyboard's place is kept when the button goes"


def tab_to(browser: Browser, name: str) -> None:
    """Tab until something of that name has the keyboard."""
    passed = []
    for _ in range(60):
        browser.press(Keys.TAB)
        passed.append(browser.focused()["name"])
        if passed[-1] == name:
            return
    raise AssertionError(f"no “{name}” among {passed}")
