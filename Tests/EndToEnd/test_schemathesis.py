"""Generated requests against the running broker: every answer is one that the API's description knows."""

from pathlib import Path

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

DOCUMENT = Path(__file__).parents[2] / "Sources" / "BrokerServer" / "API" / "openapi.json"
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_path(DOCUMENT).get_all_operations()]
CHECKS = (
    content_type_conformance, response_headers_conformance, response_schema_conformance, status_code_conformance,
    unsupported_method,
)
# What is fetched ahead or asked of a provider may be answered so without any fault of the broker.
UNAVAILABLE = {502, 503, 504}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_answers_are_as_described(operation, broker):
    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=40, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(hypothesis.HealthCheck))
    def each(case) -> None:
        admin = case.path.startswith("/v1/admin/")
        # The tenant of the path, where it is one: else nothing behind the first check is met.
        tenant = None if admin else (case.path_parameters or {}).get("tenant", "acme")
        scope = "broker:admin assets:read assets:write credentials:write"
        headers = broker.bearer(tenant=tenant, scope=scope) if case.path.startswith("/v1/") else {}
        response = case.call(base_url=broker.url, headers=headers, allow_redirects=False)
        checks = CHECKS if response.status_code in UNAVAILABLE else (*CHECKS, not_a_server_error)
        case.validate_response(response, checks=checks)

    each()
