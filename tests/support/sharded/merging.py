"""The documents of several shards as one server returns them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bson.objectid import ObjectId

Document = dict[str, Any]
# MongoDB's order of types, for those that the project sorts by; a boolean is an int in Python.
_TYPES: tuple[type | tuple[type, ...], ...] = (type(None), (int, float), str, bytes, ObjectId, datetime)


def in_order(documents: Sequence[Document], order: Sequence[tuple[str, int]]) -> list[Document]:
    """Return documents sorted by fields, each ascending (1) or descending (-1)."""
    result = list(documents)
    for name, direction in reversed(order):
        result.sort(key=lambda document, name=name: _rank(document.get(name)), reverse=direction < 0)  # type: ignore[misc]
    return result


def _rank(value: Any) -> tuple[int, Any]:
    return next(number for number, kind in enumerate(_TYPES) if isinstance(value, kind)), value or 0


def merged_groups(stages: Sequence[Document], parts: Sequence[Sequence[Document]]) -> list[Document]:
    """Return the groups of all shards, of a pipeline that filters, groups and counts."""
    assert [next(iter(stage)) for stage in stages] == ["$match", "$group"], "the router merges counts only"
    counted = [name for name in stages[1]["$group"] if name != "_id"]
    groups: dict[Any, Document] = {}
    for group in (group for part in parts for group in part):
        known = groups.setdefault(group["_id"], {"_id": group["_id"], **dict.fromkeys(counted, 0)})
        for name in counted:
            known[name] += group[name]
    return list(groups.values())
