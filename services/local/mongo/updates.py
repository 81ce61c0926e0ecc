"""neosqlite's updates with booleans that stay booleans.

neosqlite sets single fields with SQLite's `json_set`, which stores a boolean as 1 or 0. It has a second way, which
reads the document, changes it and writes it again. That way is used for updates with a boolean, unless
they have a binary value as well.
"""

from collections.abc import Mapping
from typing import Any

from neosqlite.collection.query_helper import QueryHelper

_in_sql = QueryHelper._can_use_sql_updates


def _can_use_sql_updates(
    helper: Any, update: Mapping[str, Any], document_id: int, original: Mapping[str, Any] | None = None
) -> bool:
    values = [value for fields in update.values() if isinstance(fields, Mapping) for value in fields.values()]
    # Inside lists and documents booleans stay as they are. The second way cannot store the driver's binary values.
    has_boolean = any(isinstance(value, bool) for value in values)
    has_bytes = any(isinstance(value, bytes) for value in values)
    return (has_bytes or not has_boolean) and bool(_in_sql(helper, update, document_id, original))


def keep_booleans() -> None:
    """Let updates with a boolean take the second way, in this process."""
    QueryHelper._can_use_sql_updates = _can_use_sql_updates
