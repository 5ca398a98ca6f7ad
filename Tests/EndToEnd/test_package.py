"""The frontend package: the very file that the broker serves, as npm, a type checker and a bundler take it."""

import json
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from broker import Broker, Installation, run
from browser import Browser, chromium
from documents import blocks
from frontend import Site
from machine import REPOSITORY
from provider import callback_target

PACKAGE = REPOSITORY / "Templates/Connect"
MANIFEST = json.loads((PACKAGE / "package.json").read_text())
# Where Debian's node-react and node-react-dom are.
MODULES = "/usr/share/nodejs"


def test_the_broker_serves_the_packages_own_file_and_types(broker):
    """One source: what is installed and what is loaded never differ."""
    entry = MANIFEST["exports"]["."]
    assert broker.client.get("/connect.js").content == (PACKAGE / entry["default"]).read_bytes()
    assert broker.client.get("/connect.d.ts").content == (PACKAGE / entry["types"]).read_bytes()


def test_the_package_holds_what_it_says_in_the_programs_version():
    for name in MANIFEST["files"]:
        assert (PACKAGE / name).is_file()
    assert MANIFEST["version"] == run("--version").stdout.strip()
    assert MANIFEST["type"] == "module" and "dependencies" not in MANIFEST and "scripts" not in MANIFEST


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in which the package is installed."""
    folder = tmp_path / "project"
    modules = folder / "node_modules"
    modules.mkdir(parents=True)
    (modules / MANIFEST["name"]).symlink_to(PACKAGE)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


def example() -> str:
    [example] = blocks("jsx", (REPOSITORY / "Docs/Frontend.md").read_text())
    return example


def bundle(project: Path, *sources: tuple[str, str]) -> str:
    """What esbuild makes of the sources, the last of which begins. In one script that has no address of its own."""
    for name, text in sources:
        (project / name).write_text(text)
    made = subprocess.run(
        ["esbuild", sources[-1][0], "--bundle", "--format=iife", "--jsx=automatic", "--loader:.js=jsx",
         '--define:process.env.NODE_ENV="production"', "--log-level=error", "--log-override:empty-import-meta=silent"],
        cwd=project, env={"NODE_PATH": MODULES, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_the_types_fit_what_the_documentation_shows(project):
    """By TypeScript itself, with all its strictness."""
    (project / "use.ts").write_text(
        """
        import { connect, resume, ConnectError, type Connection } from "cloakroom-connect";
        export async function use(show: (words: string) => void): Promise<Connection | null> {
          try {
            const options = { broker: "https://broker.example.com", tenant: "acme", sourceType: "wiki" };
            const hints = { loginHint: "ada@example.com", prompt: "login" };
            const found = await connect({ ...options, ...hints, token: async () => "" });
            show(found.credentialKey + found.exchangeVerifier + found.flow);
            await connect({ ...options, token: "", returnUrl: new URL("https://app.example.com/") });
          } catch (error) {
            if (error instanceof ConnectError) show(error.code + error.description + (error.flow ?? ""));
          }
          return resume({ broker: new URL("https://broker.example.com"), signal: new AbortController().signal });
        }
        """)
    options = {
        "noEmit": True, "strict": True, "module": "node16", "target": "es2020", "lib": ["es2020", "dom"], "types": []}
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["use.ts"]}))
    checked = subprocess.run(["tsc", "-p", "."], cwd=project, capture_output=True, text=True, timeout=120)
    assert checked.returncode == 0, checked.stdout


def test_the_package_may_be_loaded_where_there_is_no_page(project):
    """As a server does that renders pages: nothing is touched before it is called."""
    script = "import { connect } from 'cloakroom-connect'; await connect({}).catch(({ code }) => console.log(code))"
    loaded = subprocess.run(
        ["node", "--input-type=module", "--eval", script], cwd=project, capture_output=True, text=True, timeout=60)
    assert loaded.stdout.strip() == "broker_unknown", loaded.stderr


YOURS = "export const save = async (connection) => saved.push(connection); export const yourToken = async () => token;"

APP = """
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ConnectButton } from "./example.js";
const root = document.body.appendChild(document.createElement("div"));
createRoot(root).render(<StrictMode>
  <ConnectButton tenant="acme" sourceType="wiki">Connect the wiki</ConnectButton></StrictMode>);
"""


@pytest.fixture
def app() -> Site:
    site = Site()
    yield site
    site.close()


def test_the_example_for_react_connects_tells_errors_and_survives_a_reload(tmp_path, project, provider, app, chromium):
    """As it stands in Docs/Frontend.md, bundled, in React's strict mode."""
    assert len(example().splitlines()) <= 30
    installation = Installation(tmp_path / "react", provider, {"frontend": {"origins": [app.origin]}})
    shown = example().replace("https://broker.example.com", installation.url)
    script = bundle(project, ("yours.js", YOURS), ("example.js", shown), ("app.jsx", APP))

    def render(token: str) -> None:
        chromium.run("window.saved = []; window.token = arguments[0]", token)
        add_script(chromium, script)
        chromium.wait_for("button", "Connect the wiki")

    def popup() -> str:
        popup = chromium.opened_by(chromium.find("button").click)
        chromium.choose(popup)
        chromium.until(lambda: "/authorize?" in chromium.address, what="the provider's page")
        return popup

    def consent() -> None:
        grant = provider.consent(chromium.address)
        chromium.go(f"{installation.url}{callback_target(grant.callback)}")
        chromium.choose(chromium.main)
        [saved] = chromium.until(lambda: chromium.run("return saved.splice(0)"), what="the connection is saved")
        redeemed = broker.redeem_by_post(saved["credentialKey"], exchangeVerifier=saved["exchangeVerifier"])
        assert redeemed.json()["accessToken"] == grant.access_token

    with Broker(installation) as broker:
        chromium.reset()
        chromium.go(app.origin)
        render(broker.token())
        popup()
        consent()
        chromium.wait_for("[role=status]", "connected")

        popup()
        asked = httpx.URL(chromium.address).params
        denial = urlencode({"error": "access_denied", "state": asked["state"]})
        chromium.go(f"{asked['redirect_uri']}?{denial}")
        chromium.choose(chromium.main)
        chromium.wait_for("[role=status]", "access_denied")

        window = popup()
        chromium.choose(chromium.main)
        chromium.driver.refresh()
        render(broker.token())
        chromium.choose(window)
        consent()
        chromium.wait_closed(window)
        assert chromium.complaints() == []


def add_script(browser: Browser, script: str) -> None:
    browser.run(
        "document.body.append(Object.assign(document.createElement('script'), { textContent: arguments[0] }))", script)


def test_a_copy_wants_to_know_the_broker(chromium, app, broker, project):
    """It opens nothing and asks nobody: its own address says nothing of the broker's."""
    source = """
        import { connect, resume } from "cloakroom-connect";
        const wrong = [undefined, null, "", "broker.example.com", "javascript:alert(1)", "file:///x"];
        window.outcomes = Promise.all(wrong.map(
          (broker) => Promise.all([connect({ broker, tenant: "a", sourceType: "wiki", token: "t" }), resume({ broker })]
            .map((attempt) => attempt.catch(({ code }) => code)))));
    """
    script = bundle(project, ("app.jsx", source))
    chromium.reset()
    chromium.go(app.origin)
    add_script(chromium, script)
    codes = chromium.wait("return await outcomes")["value"]
    assert codes == [["broker_unknown", "broker_unknown"]] * 6
    assert chromium.windows == {chromium.main}


def test_what_is_hinted_is_asked_for(chromium, app, broker, project):
    """`loginHint` and `prompt` go to `assets:authorize`, at the broker's address with or without a slash."""
    source = """
        import { connect } from "cloakroom-connect";
        window.asked = [];
        window.fetch = async (address, { body }) => {
          asked.push([String(address), JSON.parse(body)]);
          throw new Error();
        };
        window.begin = (broker) => connect({
          broker, tenant: "acme", sourceType: "wiki", token: "t",
          loginHint: "ada@example.com", prompt: "select_account" });
    """
    script = bundle(project, ("app.jsx", source))
    chromium.reset()
    chromium.go(app.origin)
    add_script(chromium, script)
    for written, meant in (("", ""), ("/", ""), ("/base", "/base"), ("/base/?x#y", "/base")):
        chromium.press_button("begin(arguments[0]).catch(() => {})", broker.url + written)
        [[address, members]] = chromium.until(lambda: chromium.run("return asked.splice(0)"), what="the asking")
        assert address == f"{broker.url}{meant}/v1/tenants/acme/assets:authorize"
        assert (members["loginHint"], members["prompt"]) == ("ada@example.com", "select_account")
