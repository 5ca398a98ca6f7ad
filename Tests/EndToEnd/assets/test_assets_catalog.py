"""What can be ingested: source types, types of files, embedding models."""

import pytest

from broker import assert_problem
from embedder import DIMENSIONS, PRICE
from files import DOCX, docx, paragraph, pdf
from service import MODEL, Run

PROPERTIES = {
    "file": set(), "website": {"url", "maxPages", "maxDepth"}, "sitemap": {"url", "maxPages"}, "rss": {"url"},
    "google_drive": {"folderId", "recursive"}, "github": {"repository", "ref", "path"}, "notion": set(),
}
REQUIRED = {"website": {"url"}, "sitemap": {"url"}, "rss": {"url"}, "github": {"repository"}}
CONNECTED = {"google_drive", "github", "notion"}
TYPES = {
    "text/plain": {".txt"}, "text/markdown": {".md"}, "text/html": {".html", ".htm"}, "text/csv": {".csv"},
    "application/pdf": {".pdf"},
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": {".docx"},
}


def items(response) -> list[dict]:
    assert response.status_code == 200, response.text
    return response.json()["items"]


def test_source_types_are_those_that_can_be_ingested(service):
    found = items(service.get(":sourceTypes"))
    assert [item["type"] for item in found] == sorted(PROPERTIES)


def test_a_source_type_is_told_as_the_broker_tells_it_and_with_its_properties(service, world):
    brokers = {item["type"]: item for item in world.broker.source_types().json()["items"]}
    for item in items(service.get(":sourceTypes")):
        properties = item.pop("properties")
        assert item == brokers[item["type"]], item["type"]
        assert {each["name"] for each in properties} == PROPERTIES[item["type"]], item["type"]
        assert {each["name"] for each in properties if each["required"]} == REQUIRED.get(item["type"], set()), item["type"]


def test_whether_a_source_type_is_configured_is_the_brokers_word(service):
    for item in items(service.get(":sourceTypes")):
        assert item["supportsOAuth"] == (item["type"] in CONNECTED)
        assert item["configured"] is True


@pytest.mark.parametrize("rest", ["/supportedTypes", ":supportedTypes"])
def test_supported_types_have_their_extensions(service, rest):
    found = items(service.get(rest))
    assert {item["contentType"]: set(item["extensions"]) for item in found} == TYPES
    assert all(item.keys() == {"contentType", "extensions", "description"} for item in found)
    assert all(isinstance(item["description"], str) and item["description"] for item in found)


def test_a_type_without_its_tool_is_not_supported(another_service):
    """Where the tool is not found, that is: it may be known by its whole path."""
    service = another_service(env={"PATH": "/nonexistent"})
    supported = {item["contentType"] for item in items(service.get("/supportedTypes"))}
    assert {"text/plain", "text/markdown", "text/csv"} <= supported
    for name, octets, kind in [("a.pdf", pdf("x"), "application/pdf"), ("a.docx", docx(paragraph("x")), DOCX)]:
        response = service.upload(name, octets)
        if kind in supported:
            Run.of(service, response).finish()
        else:
            assert_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("rest", ["/embeddingModels", ":embeddingModels"])
def test_embedding_models_are_the_configured_ones(service, rest):
    assert items(service.get(rest)) == [MODEL | {
        "dimensions": DIMENSIONS, "description": "Small and cheap", "pricePerMillionTokens": PRICE}]


def test_without_embedder_there_are_no_embedding_models(another_service):
    service = another_service({"embedding": None})
    for rest in ("/embeddingModels", ":embeddingModels"):
        assert items(service.get(rest)) == []
    assert_problem(service.create("notion", auth={"accessToken": "x"}, embedding=MODEL), 400, "unknown_embedding_model")


def test_a_broker_that_is_away_is_said_to_be(another_service):
    """No source types of before, no 500."""
    service = another_service({"broker": {"url": "http://127.0.0.1:9"}})
    response = service.get(":sourceTypes")
    if response.status_code != 200:
        assert_problem(response, 502, "broker_unreachable")
