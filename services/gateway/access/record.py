"""The facts of a request's access, for the audit line and the response's headers."""

from dataclasses import dataclass, field
from typing import Any

import structlog
from starlette.types import Scope

from services.contracts.web.observability.telemetry import request_id

_KEY = "lookalike.access"
ANONYMOUS = "anonymous"
ADMIN_KEY = "admin key"  # that of the settings
REFUSALS = frozenset({400, 401, 403, 421, 429})
log = structlog.get_logger()


@dataclass
class AccessRecord:
    """Who calls, what, and from where.

    Attributes:
        who: a key's id, ADMIN_KEY or ANONYMOUS.
        name: the key's name.
        operation: the route's name; None before it is known.
        is_write: whether the route writes.
        headers: the header fields of the rate limits.
    """

    address: str
    who: str = ANONYMOUS
    name: str | None = None
    operation: str | None = None
    is_write: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def write(self, scope: Scope, catalogue: str, status: int, problem: str | None) -> None:
        """Write the audit line of a request that has ended: of each write, use of a key and refusal."""
        if not self.is_write and self.who == ANONYMOUS and status not in REFUSALS:
            return
        known: dict[str, Any] = {"name": self.name, "id": scope.get("path_params", {}).get("id"), "problem": problem}
        log.info(
            "audit",
            who=self.who,
            what=self.operation or f"{scope['method']} {scope['path'][:200]}",
            catalogue=catalogue,
            address=self.address,
            status=status,
            outcome=_outcome(status),
            request_id=request_id(),
            **{name: value for name, value in known.items() if value is not None},
        )


def record_of(scope: Scope) -> AccessRecord:
    """Return the record of a request."""
    record = scope.get(_KEY)
    if record is None:
        client = scope.get("client")
        record = scope[_KEY] = AccessRecord(str(client[0]) if client else "unknown")
    assert isinstance(record, AccessRecord)
    return record


def _outcome(status: int) -> str:
    if status in REFUSALS:
        return "refused"
    return "done" if status < 400 else "failed"
