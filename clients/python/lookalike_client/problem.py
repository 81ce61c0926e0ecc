"""The errors of calls."""

from collections.abc import Mapping
from typing import Any, TypedDict


class FieldError(TypedDict):
    """The error at one place of the request; `pointer` is a JSON Pointer such as `#/filter/price`."""

    pointer: str
    detail: str


class Unreachable(Exception):
    """The gateway does not answer, or the server at its address is not a gateway."""


class Problem(Exception):
    """The gateway's response is an error (RFC 9457).

    Attributes:
        slug: names the kind of error, such as `invalid-image`.
        status: the HTTP status.
        title, detail: what is wrong, in general and in this request.
        errors: the places of the request that are not valid.
        request_id: finds the request in the gateway's log.
        retry_after_s: the seconds to wait before another try; None if another try does not help.
    """

    def __init__(self, status: int, document: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        """Take the fields of a problem document."""
        self.status = status
        self.slug = str(document.get("type", "")).rpartition("/")[2] or f"http-{status}"
        self.title = str(document.get("title", ""))
        self.detail = str(document.get("detail", "")) or f"the gateway answered {status}"
        self.errors: list[FieldError] = document.get("errors") or []
        self.request_id: str | None = document.get("request_id")
        self.retry_after_s = retry_after_s
        super().__init__(self.detail)
