"""What holds of every operation, each time that it is told."""

from typing import Any

MEMBERS = {
    "id", "assetId", "tenantId", "type", "status", "done", "createdAt", "updatedAt", "startedAt", "completedAt",
    "itemsProcessed", "itemsTotal", "itemsFailed", "itemsSkipped", "itemsRemoved", "tokenCount", "chunkCount", "cost",
    "errorMessage", "errorCode", "createdBy",
}
COUNTERS = ("itemsProcessed", "itemsTotal", "itemsFailed", "itemsSkipped", "itemsRemoved", "tokenCount", "chunkCount")
NEXT = {
    "PENDING": {"PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"},
    "RUNNING": {"RUNNING", "COMPLETED", "FAILED", "CANCELLED"},
    "COMPLETED": {"COMPLETED"}, "FAILED": {"FAILED"}, "CANCELLED": {"CANCELLED"},
}
DONE = {"COMPLETED", "FAILED", "CANCELLED"}
FAILURES = {
    "reauthorization_required", "source_unreachable", "source_timeout", "source_rejected", "source_address_refused",
    "broker_unreachable", "embedder_failed", "documents_failed", "internal_error",
}


def is_time(value: Any) -> bool:
    """Unix milliseconds, of this century."""
    return type(value) is int and 1_000_000_000_000 < value < 5_000_000_000_000


def assert_sound(operation: dict) -> None:
    """By itself."""
    assert operation.keys() == MEMBERS, operation.keys() ^ MEMBERS
    assert operation["type"] in ("CREATE", "REFRESH") and operation["status"] in NEXT, operation
    done = operation["status"] in DONE
    assert operation["done"] is done, operation
    assert is_time(operation["createdAt"]) and is_time(operation["updatedAt"]), operation
    assert operation["createdAt"] <= operation["updatedAt"], operation
    assert (operation["completedAt"] is not None) == done, operation
    assert operation["completedAt"] is None or is_time(operation["completedAt"]), operation
    if operation["status"] == "PENDING":
        assert operation["startedAt"] is None and operation["itemsTotal"] == 0, operation
    if operation["status"] in ("RUNNING", "COMPLETED"):
        assert is_time(operation["startedAt"]), operation
    for name in COUNTERS:
        assert type(operation[name]) is int and operation[name] >= 0, (name, operation)
    assert operation["itemsProcessed"] <= operation["itemsTotal"], operation
    assert operation["itemsFailed"] + operation["itemsSkipped"] <= operation["itemsProcessed"], operation
    assert_ending(operation)


def assert_ending(operation: dict) -> None:
    code, message = operation["errorCode"], operation["errorMessage"]
    assert (code is None) == (message is None), operation
    match operation["status"]:
        case "COMPLETED":
            assert operation["itemsProcessed"] == operation["itemsTotal"], operation
            assert code in (None, "documents_failed", "too_many_documents"), operation
            assert operation["itemsFailed"] == 0 or code is not None, operation
        case "FAILED":
            assert code in FAILURES and message, operation
        case _:
            assert code is None, operation


def assert_later(before: dict, after: dict) -> None:
    """The second was told after the first: nothing goes back, and what is done stays as it is, but for the cost."""
    for name in ("id", "assetId", "tenantId", "type", "createdAt", "createdBy"):
        assert before[name] == after[name], (name, before, after)
    assert after["status"] in NEXT[before["status"]], (before, after)
    for name in (*COUNTERS, "updatedAt"):
        assert before[name] <= after[name], (name, before, after)
    if before["startedAt"] is not None:
        assert after["startedAt"] == before["startedAt"], (before, after)
    if before["done"]:
        assert without(before, "cost") == without(after, "cost"), (before, after)


def without(members: dict, *names: str) -> dict:
    return {name: value for name, value in members.items() if name not in names}


def assert_cost(operation: dict, price: float | None) -> None:
    """`price`: of a million tokens now; `None` where the model is configured no more."""
    if price is None:
        assert operation["cost"] is None, operation
    else:
        assert abs(operation["cost"] - operation["tokenCount"] * price / 1_000_000) < 1e-10, operation
