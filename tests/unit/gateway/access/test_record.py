"""The audit line: which requests have one, and what it says."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from services.gateway.access.record import ADMIN_KEY, AccessRecord, record_of

SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "path": "/v1/" + "x" * 300, "path_params": {"id": "a"}}


def line(status: int, scope: dict[str, Any] | None = None, problem: str | None = None, **facts: Any) -> dict[str, Any]:
    """Return the line of a request; nothing without one."""
    with capture_logs() as logs:
        AccessRecord("198.51.100.7", **facts).write(scope or SCOPE, "default", status, problem)
    return dict(logs[0]) if logs else {}


@pytest.mark.parametrize("status", [400, 401, 403, 421, 429])
def test_a_refusal_has_a_line(status: int) -> None:
    assert (line(status)["outcome"], line(status)["status"]) == ("refused", status)


@pytest.mark.parametrize("status", [200, 304, 399, 402, 404, 413, 420, 422, 428, 430, 500, 503])
def test_another_anonymous_request_has_none(status: int) -> None:
    assert line(status) == {}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "done"), (399, "done"), (400, "refused"), (402, "failed"), (404, "failed"), (500, "failed")],
)
@pytest.mark.parametrize("facts", [{"is_write": True}, {"who": "key-1"}, {"who": ADMIN_KEY, "is_write": True}])
def test_a_write_and_the_use_of_a_key_have_a_line(facts: dict[str, Any], status: int, outcome: str) -> None:
    assert line(status, **facts)["outcome"] == outcome


def test_a_line_has_what_is_known() -> None:
    full = line(404, problem="unknown-product", who="key-1", name="shop", operation="get_product")
    for name, value in {
        **{"event": "audit", "who": "key-1", "what": "get_product", "catalogue": "default", "address": "198.51.100.7"},
        **{"name": "shop", "id": "a", "problem": "unknown-product"},
    }.items():
        assert full[name] == value
    bare = line(401, {name: value for name, value in SCOPE.items() if name != "path_params"})
    assert bare["what"] == "GET " + ("/v1/" + "x" * 300)[:200]
    assert not {"name", "id", "problem"} & bare.keys()


def test_a_request_has_one_record() -> None:
    scope: dict[str, Any] = {"client": ("198.51.100.7", 1)}
    record = record_of(scope)
    assert (record.address, record.who, record.is_write, record.headers) == ("198.51.100.7", "anonymous", False, {})
    assert record_of(scope) is record
    assert record_of({}).address == record_of({"client": None}).address == "unknown"
