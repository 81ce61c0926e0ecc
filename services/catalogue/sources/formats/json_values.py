"""Values of JSON that other systems wrap: MongoDB's extended JSON, and names of schema.org."""

from datetime import UTC, datetime
from typing import Any

UNREADABLE: dict[str, Any] = {}  # a value that is no attribute: the summary names its field
NUMBER_TYPES = {"$numberInt": int, "$numberLong": int, "$numberDouble": float, "$numberDecimal": float}


def plain(value: Any) -> Any:
    """Return the value of an object of extended JSON, or the name of one of schema.org; others do not change."""
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        return _extended(*next(iter(value.items())), value)
    return value["name"] if "@type" in value and isinstance(value.get("name"), str) else value


def _extended(kind: str, value: Any, whole: Any) -> Any:
    """Return the value of an object of extended JSON: `{"$numberDecimal": "19.99"}` is 19.99, a date ISO 8601."""
    if kind == "$oid":
        return value
    try:
        if kind in NUMBER_TYPES:
            number = NUMBER_TYPES[kind](value)
            return number if abs(number) < float("inf") else UNREADABLE
        if kind == "$date":
            moment = plain(value)
            return moment if isinstance(moment, str) else datetime.fromtimestamp(moment / 1000, UTC).isoformat()
    except (ValueError, TypeError, OverflowError, OSError):
        return UNREADABLE
    return whole
