"""The description of the API: sound OpenAPI 3.1, and true to the code in both directions."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

SOURCES = Path(__file__).parents[2] / "Sources"
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def document(broker) -> dict:
    response = broker.client.get("/openapi.json")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    return response.json()


def operations(document: dict) -> dict[str, set[str]]:
    return {path: {name.upper() for name in item if name in METHODS} for path, item in document["paths"].items()}


def test_the_document_is_sound(document):
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()
    names = [item[name]["operationId"] for item in document["paths"].values() for name in item if name in METHODS]
    assert len(names) == len(set(names))


def test_every_reference_is_used_and_leads_somewhere(document):
    text = json.dumps(document)
    used = set(re.findall(r'"#/components/(\w+/[\w-]+)"', text))
    defined = {f"{kind}/{name}" for kind, members in document["components"].items() for name in members}
    assert used <= defined
    assert defined - used <= {"securitySchemes/bearer"}


def test_every_route_of_the_code_is_described_and_no_other(document):
    text = "".join(path.read_text() for path in (SOURCES / "BrokerServer" / "Routes").glob("*Routes.swift"))
    assert set(re.findall(r'template:\s*"([^"]+)"', text)) == set(document["paths"])


def test_every_method_is_described_and_no_other(document, broker):
    for path, methods in operations(document).items():
        address = path.replace("{tenant}", "acme").replace("{sourceType}", "wiki")
        response = broker.client.request("PATCH", address)
        assert response.status_code == 405, path
        allowed = {name.strip() for name in response.headers["allow"].split(",")}
        assert allowed - {"HEAD", "OPTIONS"} == methods, path


def test_every_code_is_described_and_no_other(document):
    text = "".join(path.read_text() for path in (SOURCES / "BrokerServer").rglob("*.swift"))
    text += (SOURCES / "Broker" / "Flow" / "CallbackRequest.swift").read_text()
    used = set(re.findall(r'code: "(\w+)"', text)) | set(re.findall(r'case \.\w+(?:\(.*\))?: "(\w+)"', text))
    described = set(document["components"]["schemas"]["Problem"]["properties"]["code"]["examples"])
    # The provider's own error, where it is one of RFC 6749's.
    assert described - used == {"access_denied"}
    assert {code for code in used if code in described} >= described - {"access_denied"}
    assert set(re.findall(r'code: "(\w+)"', text)) <= described


def test_events_and_warnings_are_those_of_the_code(document):
    schemas = document["components"]["schemas"]
    events = (SOURCES / "Broker" / "Audit" / "Event.swift").read_text()
    kinds = re.findall(r"case \w+(?: = \"([\w.]+)\")?\n", events)
    assert set(schemas["AuditEventType"]["enum"]) == {kind or "revocation" for kind in kinds}
    warnings = re.findall(r'case \w+ = "(\w+)"', (SOURCES / "Broker" / "Credentials" / "Credentials.swift").read_text())
    assert set(schemas["Credentials"]["properties"]["warnings"]["items"]["enum"]) == set(warnings)


def test_the_page_is_made_from_the_document():
    docs = Path(__file__).parents[2] / "Docs"
    made = subprocess.run([sys.executable, docs / "render-api.py"], capture_output=True, text=True, check=True).stdout
    assert (docs / "API.md").read_text() == made
