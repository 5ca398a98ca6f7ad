"""The demo page's card "Any MCP server", in a real Chromium: with the demo's own server, and with one from elsewhere."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import Browser, chromium
from frontend import Demo, Sandbox, demo
from mcp_servers import SDKServer

CARD = "//li[contains(@class, 'card')][.//h3[text()='Any MCP server']]"


@pytest.fixture(autouse=True)
def clean(chromium: Browser) -> Iterator[None]:
    chromium.reset()
    yield
    assert chromium.complaints() == []


def card(browser: Browser, demo: Demo):
    browser.go(demo.frontend)
    return browser.until(lambda: browser.driver.find_elements(By.XPATH, CARD), what="the card")[0]


@pytest.mark.parametrize("dark", [False, True])
def test_the_demos_own_server_by_keyboard(chromium: Browser, demo: Demo, dark: bool) -> None:
    chromium.look(dark=dark)
    field = card(chromium, demo).find_element(By.CSS_SELECTOR, "input[name=url]")
    assert field.get_property("value").endswith("/mcp") and field.accessible_name == "url"
    field.click()
    popup = chromium.opened_by(lambda: chromium.press(Keys.ENTER))
    Sandbox(chromium).decide(popup)
    chromium.wait_closed(popup)
    chromium.choose(chromium.main)
    chromium.wait_for("#journey", "Any MCP server")
    redeem = chromium.wait_for("#journey button", "Redeem")
    chromium.run("arguments[0].focus()", redeem)
    chromium.press(Keys.ENTER)
    chromium.wait_for("#journey", "Access token")
    use = chromium.wait_for("#journey button", "Use it")
    chromium.run("arguments[0].focus()", use)
    chromium.press(Keys.ENTER)
    chromium.wait_for("#journey", "list_notes")
    assert "Sandbox notebook" in chromium.text("#journey")
    assert chromium.accessibility_problems() == []
    assert chromium.sideways_overflow() <= 0
    chromium.screenshot(f"mcp-{'dark' if dark else 'light'}")


def test_a_server_of_another_make(chromium: Browser, demo: Demo) -> None:
    server = SDKServer()
    try:
        found = card(chromium, demo)
        field = found.find_element(By.CSS_SELECTOR, "input[name=url]")
        field.clear()
        field.send_keys(server.url)
        # It asks nobody, so the popup comes and goes.
        found.find_element(By.CSS_SELECTOR, "button.primary").click()
        chromium.wait_for("#journey button", "Redeem").click()
        chromium.wait_for("#journey", "Access token")
        assert server.url in chromium.text("#journey")
    finally:
        server.close()


def test_a_server_that_is_not_open_is_told(chromium: Browser, demo: Demo) -> None:
    found = card(chromium, demo)
    field = found.find_element(By.CSS_SELECTOR, "input[name=url]")
    field.clear()
    field.send_keys("https://mcp.example.com/mcp")
    found.find_element(By.CSS_SELECTOR, "button.primary").click()
    chromium.wait_for("#journey", "invalid_parameter")
