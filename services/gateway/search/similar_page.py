"""A page of products that are similar to one, as JSON."""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from services.contracts.web.observability.telemetry import request_id
from services.gateway.search.responses import Outcome

OWN_FIELDS = {"request_id", "timings_ms"}  # of the single request, the last ones of a response


class SimilarPage(NamedTuple):
    """A page, and the measurements of it.

    Attributes:
        text: the response as JSON.
        outcome: the response's.
        category: name of the category that was searched.
        timings_ms: the response's.
    """

    text: bytes
    outcome: Outcome
    category: str
    timings_ms: Mapping[str, float]

    @classmethod
    def of(cls, text: bytes, outcome: Outcome, category: str, timings_ms: Mapping[str, float]) -> "SimilarPage":
        """Return a page for the current request; `text` is the response without OWN_FIELDS."""
        own = orjson.dumps({"request_id": request_id(), "timings_ms": timings_ms})
        return cls(text[:-1] + b"," + own[1:], outcome, category, timings_ms)
