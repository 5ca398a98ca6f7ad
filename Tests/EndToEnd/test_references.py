"""What pages and code say of each other is true: links, citations, pictures, lists of settings, commands and codes."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from broker import Installation, run
from machine import REPOSITORY

PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "Docs").glob("*.md"))]
PICTURES = sorted((REPOSITORY / "Docs").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def page(name: str) -> str:
    return (REPOSITORY / "Docs" / name).read_text()


def anchors(path: Path) -> set[str]:
    """As forges make them from headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(link: str, origin: Path) -> bool:
    """To a file that is there, and to a heading that it has."""
    name, _, anchor = link.partition("#")
    target = (origin.parent / name).resolve() if name else origin
    return target.exists() and (not anchor or anchor in anchors(target))


# Links and citations.


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = path.read_text()
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img src="([^"]+)"', text)
    assert [link for link in links if not urlsplit(link).scheme and not leads_somewhere(link, path)] == []


def test_what_code_cites_of_the_pages_is_there():
    folders = ["Sources", "Templates", "Tests", "Benchmarks", "Fuzz", "Deploy"]
    files = [path for folder in folders for path in (REPOSITORY / folder).rglob("*") if path.suffix in
             {".swift", ".py", ".js", ".c", ".h", ".yaml", ".conf", ".md", ".service"}]
    cited = [
        (path, found) for path in [*files, REPOSITORY / "Makefile"] for found in
        re.findall(r"\bDocs/[A-Za-z]+\.md(?:#[\w-]+)?", path.read_text())]
    assert len(cited) > 5
    readme = REPOSITORY / "README.md"
    assert [f"{path.name}: {found}" for path, found in cited if not leads_somewhere(found, readme)] == []


# Pictures.


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_read_in_words_and_in_both_colour_schemes(path):
    picture = ElementTree.parse(path).getroot()
    names = {element.get("id"): element.text for element in picture if element.tag in (SVG + "title", SVG + "desc")}
    assert picture.get("role") == "img"
    assert all(names[identifier].strip() for identifier in picture.get("aria-labelledby").split())
    assert len(list(picture.iter(SVG + "text"))) > 10, "text is text"
    assert "prefers-color-scheme: dark" in path.read_text()
    assert "http" not in path.read_text().replace('"http://www.w3.org/2000/svg"', ""), "it loads nothing"


def test_every_picture_is_shown_with_words_in_its_place():
    shown = [found for path in PAGES for found in re.findall(r"<img [^>]*>", path.read_text())]
    assert all(re.search(r' alt="[^"]{20,}"', image) for image in shown), shown
    assert [path.name for path in PICTURES if not any(path.name in image for image in shown)] == []


# Lists.


def test_the_contract_lists_every_code():
    document = json.loads((REPOSITORY / "Sources/BrokerServer/API/openapi.json").read_text())
    table = page("Contract.md").partition("\n## Codes\n")[2]
    listed = {code for row in table.splitlines() if row.startswith("| ")
              for code in re.findall(r"`([a-z_]+)`", row.split(" | ")[0])}
    assert listed - {"error", "code"} == set(document["components"]["schemas"]["Code"]["enum"])


def test_the_reference_lists_every_setting(installation):
    """The names that `check` knows, section by section."""
    sections = ["http", "admin", "frontend", "auth", "storage", "lifetimes", "provider", "mcp", "limits", "log", "tracing"]
    names = unknown(installation, [[]] + [[section] for section in sections] + [["clients", "wiki"]])
    listed = page("Reference.md").partition("\n## Settings\n")[2].partition("\n## ")[0]
    assert len(names) > 40
    assert [name for name in names if not is_listed(name, listed)] == []


def unknown(installation: Installation, sections: list[list[str]]) -> list[str]:
    """All that `check` would rather have than an unknown name."""
    for path in sections:
        section = installation.settings
        for name in path:
            section = section.setdefault(name, {})
        section["nonsense"] = 1
    installation.write_configuration()
    told = installation.check()
    told = re.findall(r"([\w.]*)nonsense: found an unknown name, wanted one of ([\w, ]+)", told.stdout + told.stderr)
    assert len(told) == len(sections), told
    return [section.replace("wiki", "NAME") + name for section, names in told for name in names.split(", ")]


def is_listed(name: str, table: str) -> bool:
    """By its whole name, or in a row that begins with its section; a section by what is in it."""
    section, _, last = name.rpartition(".")
    rows = [row.split(" | ")[0] for row in table.splitlines()]
    return any(f"`{name}`" in row or (f"`{section}." in row and f"`.{last}`" in row) or f"`{name}." in row for row in rows)


def test_the_reference_lists_every_command():
    names = re.findall(r"^  ([a-z][a-z-]*)  ", run("--help").stdout.partition("SUBCOMMANDS:")[2], re.MULTILINE)
    listed = page("Reference.md").partition("\n## Commands\n")[2].partition("\n## ")[0]
    assert len(names) > 10
    assert [name for name in names if not re.search(rf"`(cloakroom )?{name}\b", listed)] == []


def test_the_architecture_lists_every_target():
    """Of the product: what is no test, and no measurement."""
    package = (REPOSITORY / "Package.swift").read_text()
    targets = set(re.findall(r"\.(?:executableT|t)arget\(\s*name: \"(\w+)\"", package)) - {"bench", "TestSupport"}
    assert len(targets) > 10
    listed = page("Architecture.md").partition("\n## Targets\n")[2].partition("\n## ")[0]
    assert [name for name in sorted(targets) if f"`{name}`" not in listed] == []
