"""The description of the API: sound OpenAPI 3.1, and true to the code in both directions."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from broker import assert_problem

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "Sources"
FILE = SOURCES / "BrokerServer" / "API" / "openapi.json"
DOCUMENT = json.loads(FILE.read_text())
# PROPFIND for all that nobody has thought of.
METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "PROPFIND")


def documented() -> dict[str, set[str]]:
    return {path: {name.upper() for name in item} & set(METHODS) for path, item in DOCUMENT["paths"].items()}


def operations() -> Iterator[tuple[str, str, dict]]:
    for path, methods in documented().items():
        for method in sorted(methods):
            yield method, path, DOCUMENT["paths"][path][method.lower()]


def resolved(item: dict) -> dict:
    while "$ref" in item:
        _, kind, name = item["$ref"].removeprefix("#/").split("/")
        item = DOCUMENT["components"][kind][name]
    return item


def address(path: str) -> str:
    return path.replace("{tenant}", "acme").replace("{sourceType}", "wiki").replace("{name}", "wiki").replace("{handle}", "A" * 22)


def swift(folder: str) -> str:
    return "".join(path.read_text() for path in sorted((SOURCES / folder).rglob("*.swift")))


def routes() -> dict[str, set[str]]:
    """Template and methods of every `Route(…)` in the code."""
    found, text = {}, swift("BrokerServer/Routes") + swift("HTTPService/Routes")
    for start in re.finditer(r"\bRoute\(\s*template: \"", text):
        depth = 0
        for end in range(start.end(), len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth < 0:
                break
        template, _, rest = text[start.end():end].partition('"')
        found[template] = {name.upper() for name in re.findall(r"\.(get|head|put|post|delete|patch): ", rest)}
    # The callback's addresses differ by their templates alone.
    return found | {template: {"GET", "HEAD", "POST"} for template in re.findall(r'\bcallback\("([^"]+)"\)', text)}


# The document.


def test_the_broker_serves_this_document(broker):
    response = broker.client.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.content == FILE.read_bytes()


def test_the_document_is_sound():
    assert DOCUMENT["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_the_document_is_tidy():
    assert FILE.read_text() == json.dumps(DOCUMENT, indent=2, ensure_ascii=False) + "\n"


def test_every_reference_is_used_and_leads_somewhere():
    used = set(re.findall(r'"#/components/(\w+/[\w-]+)"', json.dumps(DOCUMENT)))
    defined = {f"{kind}/{name}" for kind, members in DOCUMENT["components"].items() for name in members}
    assert used <= defined
    assert defined - used <= {"securitySchemes/bearer"}


def test_examples_are_as_their_schemas_say():
    def check(schema: dict, example: object) -> None:
        Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(example)

    for schema in DOCUMENT["components"]["schemas"].values():
        for example in schema.get("examples", []):
            check(schema, example)
    for path in DOCUMENT["paths"].values():
        for parameter in path.get("parameters", []) + [p for o in path.values() if "tags" in o for p in o.get("parameters", [])]:
            parameter = resolved(parameter)
            if "example" in parameter:
                check(parameter["schema"], parameter["example"])


def test_the_page_is_made_from_the_document():
    docs = ROOT / "Docs"
    made = subprocess.run([sys.executable, docs / "render-api.py"], capture_output=True, text=True, check=True).stdout
    assert (docs / "API.md").read_text() == made


# Against the code.


def test_every_route_and_method_of_the_code_is_described_and_no_other():
    assert {path: methods - {"HEAD"} for path, methods in routes().items()} == documented()


def test_every_code_is_described_and_no_other():
    used = set(re.findall(r'\bcode: "(\w+)"', swift("BrokerServer") + swift("HTTPService")))
    errors = next(text for text in map(Path.read_text, (SOURCES / "Broker").rglob("*.swift")) if "var code: String" in text)
    used |= set(re.findall(r'case \.\w+(?:\(.*\))?: "(\w+)"', errors.partition("var code: String")[2]))
    used |= set(re.findall(r'ownCodes\.contains\(.*\) else { return "(\w+)" }', errors))
    described = set(DOCUMENT["components"]["schemas"]["Code"]["enum"])
    assert used == described


def test_every_code_has_a_response():
    text = json.dumps(DOCUMENT["components"]["responses"])
    found = {code for codes in re.findall(r'"code": {"enum": (\[[^]]+\])}', text) for code in json.loads(codes)}
    found |= set(re.findall(r"`(\w+)`", DOCUMENT["components"]["responses"]["CallbackRefused"]["description"]))
    assert found == set(DOCUMENT["components"]["schemas"]["Code"]["enum"])


def test_events_and_warnings_are_those_of_the_code():
    schemas = DOCUMENT["components"]["schemas"]
    events = (SOURCES / "Broker" / "Audit" / "Event.swift").read_text()
    kinds = re.findall(r"case \w+(?: = \"([\w.]+)\")?\n", events)
    assert set(schemas["AuditEventType"]["enum"]) == {kind or "revocation" for kind in kinds}
    warnings = re.findall(r'case \w+ = "(\w+)"', (SOURCES / "Broker" / "Tokens" / "Credentials.swift").read_text())
    assert set(schemas["Credentials"]["properties"]["warnings"]["items"]["enum"]) == set(warnings)


# Against the running broker.


@pytest.mark.parametrize("path", list(documented()))
def test_methods_are_answered_as_described(path, broker):
    wanted = documented()[path] | {"OPTIONS"} | ({"HEAD"} if "GET" in documented()[path] else set())
    for method in METHODS:
        response = broker.client.request(method, address(path), headers={"Accept": "application/json"})
        if method in documented()[path]:
            assert str(response.status_code) in DOCUMENT["paths"][path][method.lower()]["responses"]
            assert response.status_code != 405
        else:
            assert_problem(response, 405, "method_not_allowed")
            assert {name.strip() for name in response.headers["allow"].split(",")} == wanted
    response = broker.client.options(address(path))
    assert response.status_code == 204
    assert {name.strip() for name in response.headers["allow"].split(",")} == wanted
    if "HEAD" in wanted:
        response = broker.client.head(address(path))
        assert response.status_code != 405 and not response.content


@pytest.mark.parametrize("method, path, operation", list(operations()))
def test_scopes_are_as_described(method, path, operation, broker):
    def status(headers: dict) -> int:
        return broker.client.request(method, address(path), headers=headers).status_code

    wanted = {scope for alternative in operation["security"] for scope in alternative["bearer"]}
    if not wanted:
        assert status({}) not in (401, 403)
        return
    assert status({}) == 401
    for scope in ("assets:read", "assets:write", "credentials:write", "broker:admin"):
        assert (status(broker.bearer(scope=scope)) not in (401, 403)) == (scope in wanted), scope
