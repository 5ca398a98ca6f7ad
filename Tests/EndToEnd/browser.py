"""A real Chromium: its windows, what it shows, and what it complains about."""

import contextlib
import functools
import importlib.resources
import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchWindowException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 30  # seconds; generous, since nothing is waited for longer than it takes

# What a person would notice: a policy that stopped something, an exception that nobody caught.
COMPLAINTS = ("Content Security Policy", "Uncaught", "Unhandled")

RECORD_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) =>
      violations.push(`${effectiveDirective} ${blockedURI} ${sample}`));
"""

# A window that stays open although its page closes it, so that it can be looked at.
STAY_OPEN = "window.close = () => {};"


class Browser:
    """One Chromium with its popup blocker on, as people have it. Commands go to the window chosen last."""

    def __init__(self, *arguments: str, bidi: bool = False) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = _program("chromium")
        usual = ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "window-size=1200,900")
        for argument in (*usual, *arguments):
            options.add_argument(f"--{argument}")
        # chromedriver turns the popup blocker off unless told not to.
        options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.enable_bidi = bidi
        self.driver = webdriver.Chrome(options=options, service=Service(_program("chromedriver")))
        self.driver.set_script_timeout(PATIENCE)
        self.main = self.driver.current_window_handle

    def quit(self) -> None:
        self.driver.quit()

    def reset(self) -> None:
        """One empty window, no cookies, no complaints, the usual look."""
        for window in self.driver.window_handles:
            if window != self.main:
                self.close(window)
        self.choose(self.main)
        self.driver.get("about:blank")
        self.cdp("Page.resetNavigationHistory")
        self.cdp("Network.clearBrowserCookies")
        self.look()
        self.driver.get_log("browser")

    def cdp(self, command: str, **members: Any) -> dict:
        return self.driver.execute_cdp_cmd(command, members)

    # Windows.

    @property
    def windows(self) -> set[str]:
        return set(self.driver.window_handles)

    def choose(self, window: str) -> None:
        self.driver.switch_to.window(window)

    def close(self, window: str) -> None:
        try:
            self.choose(window)
            self.driver.close()
        except (NoSuchWindowException, WebDriverException):
            pass  # it was closing itself

    def new_tab(self) -> str:
        self.driver.switch_to.new_window("tab")
        return self.driver.current_window_handle

    def opened_by(self, action: Callable[[], Any]) -> str:
        """The window that an action opens. The current one stays chosen."""
        before = self.windows
        action()
        return self.until(lambda: self.windows - before, what="a new window").pop()

    def wait_closed(self, window: str, within: float = PATIENCE) -> None:
        self.until(lambda: window not in self.windows, within, "the window closes")

    # What it shows.

    def until(self, condition: Callable[[], Any], within: float = PATIENCE, what: str = "") -> Any:
        """The condition's first true value. A page that is just changing counts as not yet."""
        deadline = time.monotonic() + within
        trouble: Exception | None = None
        while True:
            try:
                if value := condition():
                    return value
                trouble = None
            except NoSuchWindowException:
                raise
            except WebDriverException as passing:
                trouble = passing
            assert time.monotonic() < deadline, f"not within {within} s: {what} {self._where()} {trouble or ''}"
            time.sleep(0.05)

    def _where(self) -> str:
        try:
            return f"at {self.address} “{self.driver.title}”"
        except WebDriverException:
            return "in a closed window"

    @property
    def address(self) -> str:
        return self.driver.current_url

    def go(self, address: str) -> None:
        self.driver.get(address)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> Any:
        """What the promise gives that the script, the body of an async function, makes."""
        return self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"(async (...given) => {{ {script} }})(...arguments).then("
            "value => done({ value }), error => done({ error: String(error) }))",
            *arguments,
        )

    def press_button(self, script: str, *arguments: Any) -> None:
        """A person clicks a button of the page that does what the script says: a real gesture."""
        self.run(
            """
            const given = [...arguments];
            const button = Object.assign(document.createElement("button"), { id: "test-button", textContent: "Test" });
            button.style = "position: fixed; inset: 0 auto auto 0; z-index: 9; width: 6rem; height: 3rem";
            button.onclick = () => { button.remove(); act(...given); };
            document.body.append(button);
            """
            f"function act() {{ {script} }}",
            *arguments,
        )
        self.find("#test-button").click()

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return " ".join(self.find(selector).text.split())

    def wait_for(self, selector: str, text: str = "", within: float = PATIENCE) -> WebElement:
        """The first visible element with that selector and text in it."""
        return self.until(
            lambda: next(
                (
                    found
                    for found in self.driver.find_elements(By.CSS_SELECTOR, selector)
                    if found.is_displayed() and text in " ".join(found.text.split())
                ),
                None,
            ),
            within,
            f"{selector} with “{text}”",
        )

    # Hands and eyes.

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def focused(self) -> dict:
        """What has the keyboard: how it is called, and whether one can see that it has it."""
        return self.run(
            """
            const node = document.activeElement, style = getComputedStyle(node), box = node.getBoundingClientRect();
            const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
            return {
              name: (node.innerText || node.ariaLabel || node.labels?.[0]?.innerText || node.id || "").trim()
                .replace(/\\s+/g, " "),
              tag: node.localName, id: node.id,
              visible: node.matches(":focus-visible") && (outlined || style.boxShadow !== "none")
                && box.width > 0 && box.bottom > 0 && box.right > 0,
            };
            """
        )

    def look(self, dark: bool = False, width: int | None = None) -> None:
        """Light or dark, and how wide; nothing moves."""
        self.cdp(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )
        if width:
            self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=780, deviceScaleFactor=1, mobile=False)
        else:
            self.cdp("Emulation.clearDeviceMetricsOverride")

    @contextlib.contextmanager
    def before_every_page(self, script: str) -> Iterator[None]:
        """What the script does is done in each page of each window, popups too, before the page's own scripts. It needs
        WebDriver BiDi (`bidi=True`)."""
        added = self.driver.script.add_preload_script(function_declaration=f"() => {{ {script} }}")
        try:
            yield
        finally:
            self.driver.script.remove_preload_script(script=added["script"])

    def speak(self, languages: str) -> None:
        """What the current window sends as Accept-Language."""
        self.cdp("Network.enable")
        self.cdp("Network.setExtraHTTPHeaders", headers={"Accept-Language": languages} if languages else {})

    # Judgements.

    def complaints(self) -> list[str]:
        """What the console said since last asked, of all windows."""
        lines = (entry["message"] for entry in self.driver.get_log("browser"))
        return [line for line in lines if any(word in line for word in COMPLAINTS)]

    def accessibility_problems(self) -> list[str]:
        """What axe-core finds."""
        self.run(_axe())
        found = self.wait("return await axe.run(document, { resultTypes: ['violations'] })")["value"]["violations"]
        return [f"{rule['id']}: {rule['help']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]

    def sideways_overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.run("return document.documentElement.scrollWidth - innerWidth")

    def address_history(self) -> list[str]:
        return [entry["url"] for entry in self.cdp("Page.getNavigationHistory")["entries"]]

    def cookies(self) -> dict[str, dict]:
        """Every cookie that it keeps, `HttpOnly` ones too."""
        return {cookie["name"]: cookie for cookie in self.cdp("Network.getAllCookies")["cookies"]}

    def screenshot(self, name: str) -> None:
        """The whole page, where CLOAKROOM_SCREENSHOTS says; without it nothing."""
        if folder := os.environ.get("CLOAKROOM_SCREENSHOTS"):
            os.makedirs(folder, exist_ok=True)
            height = self.run("return Math.max(innerHeight, document.documentElement.scrollHeight)")
            width = self.run("return innerWidth")
            self.cdp(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            )
            self.driver.save_screenshot(os.path.join(folder, f"{name}.png"))


@functools.cache
def _axe() -> str:
    """axe-core 4: older ones know neither `color-mix` nor `<div>` in `<dl>` nor `role=switch` on a check box."""
    package = pytest.importorskip("axe_core_python", reason="axe-core-python==0.1.0 is not installed")
    return importlib.resources.files(package).joinpath("axe.min.js").read_text()


def _program(name: str) -> str:
    if path := shutil.which(name):
        return path
    pytest.fail(f"{name} is missing: apt-get install chromium chromium-driver")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module: to start it takes longer than most tests."""
    running = Browser()
    yield running
    running.quit()
