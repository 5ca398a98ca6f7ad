"""Browsers of some years ago: what the pages and `connect.js` use is old enough, or is done without."""

import re
from collections.abc import Iterator

import pytest

from browser import Browser
from frontend import ConnectPage, Demo, Sandbox, demo
from machine import REPOSITORY

SCRIPTS = sorted((REPOSITORY / "Templates").rglob("*.js"))

# All that the scripts ask of a browser, and the year in which the last of Chromium, Firefox and Safari had it.
# https://developer.mozilla.org/docs/Web/API and /docs/Web/JavaScript/Reference have the tables. Without
# `AbortSignal.reason` (2022) an error has no cause, and no more is missing.
USED = {
    # Globals.
    "AbortController": 2018, "Array": 2015, "HTMLFormElement.prototype": 2015, "Date": 2015, "Error": 2015,
    "JSON": 2015, "Math": 2015, "Object": 2015, "Promise": 2015, "Set": 2015, "String": 2015, "TextEncoder": 2017,
    "URL": 2016, "URLSearchParams": 2017, "Uint8Array": 2015, "addEventListener": 2015, "btoa": 2015,
    "clearInterval": 2015, "clearTimeout": 2015, "crypto": 2015, "document": 2015, "encodeURIComponent": 2015,
    "fetch": 2017, "globalThis": 2019, "history": 2015, "location": 2015, "open": 2015, "removeEventListener": 2015,
    "screenX": 2015, "screenY": 2015, "outerHeight": 2015, "outerWidth": 2015, "sessionStorage": 2015,
    "setInterval": 2015, "setTimeout": 2015, "window": 2015,
    # Functions of theirs.
    "Date.now": 2015, "JSON.parse": 2015, "JSON.stringify": 2015, "Math.max": 2015, "Math.min": 2015,
    "Math.round": 2015, "Object.keys": 2015, "Promise.race": 2015, "String.fromCharCode": 2015,
    "crypto.getRandomValues": 2015, "crypto.subtle": 2015, "document.addEventListener": 2015,
    "document.getElementById": 2015, "document.querySelectorAll": 2015, "document.removeEventListener": 2015,
    "document.visibilityState": 2015, "document.body": 2015, "document.documentElement": 2015,
    "document.querySelector": 2015, "document.title": 2015, "globalThis.crypto": 2015, "history.replaceState": 2015,
    "history.state": 2015, "location.assign": 2015, "location.hash": 2015, "location.origin": 2015,
    "location.pathname": 2015, "location.replace": 2015, "location.search": 2015, "sessionStorage.getItem": 2015,
    "sessionStorage.removeItem": 2015, "sessionStorage.setItem": 2015, "window.close": 2015, "window.opener": 2015,
    # Methods and members of what these make.
    "abort": 2018, "aborted": 2018, "add": 2015, "closed": 2015, "dataset": 2015, "delete": 2015, "digest": 2015,
    "encode": 2017, "filter": 2015, "finally": 2018, "get": 2017, "has": 2015, "hidden": 2015, "json": 2017,
    "map": 2015, "origin": 2016, "postMessage": 2015, "push": 2015, "querySelector": 2015, "reason": 2022,
    "replace": 2015, "replaceAll": 2020, "signal": 2018, "slice": 2015, "startsWith": 2015, "test": 2015,
    "catch": 2015, "then": 2015, "includes": 2016, "forEach": 2015, "call": 2015,
    # Of the language.
    "import.meta.url": 2018,
}

# Younger than 2021, each deleted before any page's script runs. None may be missed. (`Object.hasOwn` is as young, and
# needed by chromedriver.)
YOUNGER = [
    "AbortSignal.any", "AbortSignal.timeout", "AbortSignal.prototype.reason", "AbortSignal.prototype.throwIfAborted",
    "Array.fromAsync", "Array.prototype.at", "Array.prototype.findLast", "Array.prototype.findLastIndex",
    "Array.prototype.toReversed", "Array.prototype.toSorted", "Array.prototype.toSpliced", "Array.prototype.with",
    "Crypto.prototype.randomUUID", "Map.groupBy", "Object.groupBy", "Promise.any", "Promise.try",
    "Promise.withResolvers", "Response.json", "Set.prototype.difference", "Set.prototype.intersection",
    "Set.prototype.union", "String.prototype.at", "String.prototype.isWellFormed", "String.prototype.toWellFormed",
    "URL.canParse", "URL.parse", "URLSearchParams.prototype.size", "Uint8Array.fromBase64",
    "Uint8Array.prototype.toBase64", "globalThis.Iterator", "globalThis.cookieStore", "globalThis.navigation",
    "globalThis.scheduler", "globalThis.structuredClone", "globalThis.URLPattern",
]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_all_that_a_script_asks_of_a_browser_is_known_to_be_old_enough(path):
    """Whoever uses something else looks up its age first, and writes it down above."""
    code = re.sub(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', '""', path.read_text(), flags=re.DOTALL)
    made = set(re.findall(r"\bnew ([A-Z]\w+)", code))
    owned = set(re.findall(
        r"(?<![.\w])(?:[A-Z]\w+|crypto|document|globalThis|history|location|sessionStorage|window)\.\w+", code))
    called = set(re.findall(r"(?<![.\w])([a-z]\w+)\(", code))
    methods = set(re.findall(r"(?<=[\w)\]?])\.(\w+)\(", code))
    known = set(USED) | {name.rpartition(".")[2] for name in USED} | own_names(code)
    assert (made | owned | called | methods) - known == set()


KEYWORDS = {"async", "catch", "constructor", "for", "function", "if", "return", "super", "while"}


def own_names(code: str) -> set[str]:
    """What the script itself calls so: functions, classes, constants, members, parameters."""
    declared = re.findall(r"\b(?:function|class|const|let) (\w+)", code) + re.findall(r"^ +(\w+)\(.*\) {$", code, re.M)
    parameters = re.findall(r"\((\w[\w, ]*)\) (?:{|=>)|\((\w+)\) =>|{ (\w[\w, ]*) } = ", code)
    return KEYWORDS | set(declared) | {name for group in parameters for part in group for name in part.split(", ")}


@pytest.fixture(scope="module")
def old() -> Iterator[Browser]:
    """A Chromium without all that is younger."""
    running = Browser(bidi=True)
    gone = " ".join(f"try {{ delete {name}; }} catch {{}}" for name in YOUNGER)
    with running.before_every_page(gone):
        yield running
    running.quit()


@pytest.fixture
def page(old: Browser, demo: Demo) -> Iterator[ConnectPage]:
    old.reset()
    page = ConnectPage(old, demo.frontend, demo.broker, demo.tenant, demo.token())
    assert old.run(f"return [{', '.join(f'typeof {name}' for name in reached())}]") == ["undefined"] * len(reached())
    yield page
    assert old.complaints() == []


def reached() -> list[str]:
    """Those that can be asked for without a value to ask."""
    return [name for name in YOUNGER if name not in ("AbortSignal.prototype.reason", "URLSearchParams.prototype.size")]


@pytest.fixture
def sandbox(old: Browser) -> Sandbox:
    return Sandbox(old)


@pytest.mark.parametrize("source_type", ["sandbox", "sandbox_coop"])
def test_a_flow_goes_through_in_an_old_browser(old, demo, page, sandbox, source_type):
    """By the opener, and by asking."""
    popup = page.connect(source_type)
    sandbox.decide(popup)
    connection = page.connection()
    assert demo.redeem(connection["credentialKey"], connection["exchangeVerifier"]).status_code == 200
    old.wait_closed(popup)


def test_a_denial_is_told_in_an_old_browser(page, sandbox):
    sandbox.decide(page.connect(), "deny")
    assert page.outcome()["code"] == "access_denied"


def test_closing_and_aborting_settle_in_an_old_browser(old, page, sandbox):
    popup = page.connect(closedGrace=1)
    sandbox.arrive(popup)
    old.close(popup)
    assert page.outcome()["code"] == "popup_closed"
    sandbox.arrive(page.connect())
    page.abort()
    assert page.outcome()["code"] == "aborted"


def test_a_reloaded_page_finds_its_flow_in_an_old_browser(old, demo, page, sandbox):
    """The demo page calls `resume` itself."""
    popup = page.connect()
    sandbox.arrive(popup)
    page.reload()
    sandbox.decide(popup)
    old.wait_closed(popup)
    old.choose(page.window)
    old.wait_for("#journey button", "Redeem").click()
    old.wait_for("#journey", "Access token")
