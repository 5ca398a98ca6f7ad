"""The description of the API: sound, complete, and true to generated requests and to whole runs."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from broker import APP
from multipart import file, form, payload
from server import Answer
from service import MODEL, SMALL, AssetService, Run

FILE = Path(__file__).parents[3] / "Sources" / "AssetServer" / "API" / "openapi.json"
CHECKS = [content_type_conformance, response_headers_conformance, response_schema_conformance, status_code_conformance]
PREFIX = "/v1/tenants/{tenant}/assets"
CALLS = {
    ":sourceTypes": "get", "/supportedTypes": "get", ":supportedTypes": "get", "/embeddingModels": "get",
    ":embeddingModels": "get", "": "get post", ":file": "post", "/{}": "get patch delete", "/{}:refresh": "post",
    "/{}/operations": "get", "/{}/operations/{}": "get", "/{}/operations/{}:cancel": "post", "/{}/documents": "get",
    "/{}/documents/{}": "get delete", "/{}/documents/{}/chunks": "get",
}


schema = schemathesis.openapi.from_path(FILE)
document = json.loads(FILE.read_text())


@pytest.fixture(scope="module")
def ids(shared_service: AssetService) -> dict[str, str]:
    run = shared_service.begin_upload("a.txt", "text")
    run.finish()
    return {"asset": run.asset, "operation": run.operation, "document": run.documents()[0]["id"]}


def test_the_service_serves_this_document(service):
    response = service.client.get("/openapi.json")
    assert response.headers["content-type"].startswith("application/json") and response.json() == document


def test_it_is_sound():
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_it_has_every_call_and_no_other():
    found = {}
    for path, item in document["paths"].items():
        if path.startswith("/v1/"):
            rest = re.sub(r"{\w+}", "{}", path.replace("{tenant}", "", 1).removeprefix("/v1/tenants//assets"))
            found[rest] = " ".join(name for name in ("get", "post", "patch", "delete") if name in item)
    assert found == CALLS
    assert {"/healthz", "/readyz", "/metrics", "/openapi.json"} <= document["paths"].keys()


# Generated requests.


@schema.parametrize()
@hypothesis.settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_generated_requests_are_answered_as_described(case, shared_service, ids):
    if (case.method.lower(), case.path) == ("delete", f"{PREFIX}/{{asset}}"):
        known = {}  # that asset is needed still
    else:
        known = {name: ids[name] for name in (case.path_parameters or {}) if name in ids}
    if case.path_parameters:
        case.path_parameters |= known | ({"tenant": "acme"} if known else {})
    at_home(case.body)
    tenant = (case.path_parameters or {}).get("tenant", "acme")
    headers = shared_service.bearer(tenant) if case.path.startswith("/v1/") else {}
    response = case.call(base_url=shared_service.url, headers=headers, allow_redirects=False)
    sound = [] if response.status_code in (502, 503, 504) else [not_a_server_error]
    case.validate_response(response, checks=CHECKS + sound)


def at_home(body: object) -> None:
    """No address but ours is ever asked."""
    config = body.get("config") if isinstance(body, dict) else None
    parameters = config.get("parameters") if isinstance(config, dict) else None
    if isinstance(parameters, dict) and "url" in parameters:
        parameters["url"] = "http://127.0.0.1:9/"


# Whole runs.


class Described:
    """Holds every answer that a client gets against the document, and remembers which kinds came."""

    def __init__(self) -> None:
        self.paths = {re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/:]+)", path)): path for path in schema}
        self.met: set[tuple[str, str, int]] = set()

    def __call__(self, response: httpx.Response) -> None:
        method, target = response.request.method, response.request.url.path
        fitting = [(path, found) for pattern, path in self.paths.items() if (found := pattern.fullmatch(target))]
        if not fitting:
            return
        # `supportedTypes` is no asset.
        path, found = min(fitting, key=lambda fit: len(fit[1].groupdict()))
        response.request.read()
        response.read()
        if method in ("OPTIONS", "PUT"):
            return
        schema[path][method].Case(path_parameters=found.groupdict()).validate_response(response, checks=CHECKS)
        self.met.add((method, path, response.status_code))


@pytest.fixture
def watched(another_service) -> Iterator[tuple[AssetService, Described]]:
    service = another_service({"limits": {"uploadBytes": 100_000}})
    seen = Described()
    service.client.event_hooks["response"].append(seen)
    yield service, seen


def test_whole_runs_are_answered_as_described(watched, world):
    service, seen = watched
    folder = world.drive.folder()
    for number in range(3):
        world.drive.add(f"{number}.md", f"# Title\n\nText {number}.", folder)
    for rest in (":sourceTypes", "/supportedTypes", ":supportedTypes", "/embeddingModels", ":embeddingModels", ""):
        assert service.get(rest).status_code == 200
    # Runs that end well, and badly.
    run = service.begin_drive(folder, auth=world.auth(), embedding=SMALL, name="Drive")
    run.finish()
    document_id = run.documents()[0]["id"]
    path = f"/{run.asset}"
    assert service.get(f"{path}/documents/{document_id}").status_code == 200
    run.chunks(run.documents()[0])
    assert service.get(f"{path}/operations", pageSize=1).status_code == 200
    assert service.call("PATCH", path, json={"displayName": "New", "auth": world.own_token()}).status_code == 200
    gate = world.drive.hold("/drive/v3/files")
    refresh = run.refresh(force=True)
    assert service.call("POST", f"{path}:refresh").status_code == 409
    assert refresh.cancel().status_code == 200
    gate.open()
    refresh.until(lambda operation: operation["done"])
    world.drive.always("/drive/v3/files", Answer(400, b"{}", "application/json"))
    run.refresh().finish("FAILED")
    world.drive.usual()
    upload = service.begin_upload("a.txt", "text", {"Vectorize": True, "EmbeddingConfig": {"Provider": "openai", "Model": MODEL["model"]}})
    upload.finish()
    Run.of(service, service.create("website", {"url": world.site.page("/described/", "text")})).finish()
    # What is refused.
    key = {"Idempotency-Key": "k"}
    for name in ("a", "b"):
        service.create("website", {"url": f"{world.site.url}/{name}"}, headers=key)
    for body in (
        {}, {"config": {"sourceType": "nonsense"}}, {"config": {"sourceType": "wiki"}}, {"config": {"sourceType": "notion"}},
        {"config": {"sourceType": "website", "parameters": {}}}, {"config": {"sourceType": "notion"}, "auth": {"credentialKey": "ckr_x"}},
        {"config": {"sourceType": "notion"}, "auth": {"credentialKey": world.key()}}, {"config": {"sourceType": "notion"}, "budget": 5},
        {"config": {"sourceType": "notion"}, "auth": {"accessToken": "x"}, "embedding": {"provider": "x", "model": "y"}},
    ):
        assert service.call("POST", "", json=body).status_code == 400
    for parts in ([], [file("a", "a.png")], [file("a" * 150_000)], [file("a"), payload({"Vectorize": True})]):
        assert service.call("POST", ":file", **form(*parts)).status_code in (400, 413, 415)
    assert service.call("POST", ":file", content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    for rest in (path, f"{path}/documents", f"{path}/operations", ""):
        service.call("GET", rest, headers={"Authorization": "Bearer x"})
        service.call("GET", rest, headers=service.bearer(scope="other"))
        service.call("GET", rest, "other", headers=service.bearer())
        service.get(rest, pageSize=0)
    nothing = str(uuid.uuid4())
    for method, rest in [
        ("GET", f"/{nothing}"), ("DELETE", f"/{nothing}"), ("GET", f"{path}/documents/{nothing}"), ("DELETE", f"{path}/documents/{nothing}"),
        ("GET", f"{path}/documents/{nothing}/chunks"), ("GET", f"{path}/operations/{nothing}"), ("POST", f"{path}/operations/{nothing}:cancel"),
        ("POST", f"/{nothing}:refresh"), ("GET", f"/{nothing}/documents"), ("GET", f"/{nothing}/operations"),
    ]:
        assert service.call(method, rest, headers={"Origin": APP}).status_code == 404
    assert service.call("PATCH", path, json={"budget": 5}).status_code == 400
    assert service.call("POST", f"{path}:refresh", json={"documentIds": [nothing]}).status_code == 400
    # And the end.
    assert service.call("DELETE", f"{path}/documents/{document_id}").status_code == 204
    assert run.delete().status_code == 204
    for address in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert service.client.get(address).status_code == 200
    good = {
        (method.upper(), path, int(status)) for path, item in document["paths"].items() for method, operation in item.items()
        if method in ("get", "post", "patch", "delete") for status in operation["responses"] if status < "400"}
    assert good <= seen.met, good - seen.met
