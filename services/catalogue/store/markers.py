"""Markers: documents that a reader writes into the change stream to learn how far it has come.

They are among the products because the stand-in for MongoDB streams the changes of one collection only.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from services.catalogue.documents.product_document import MARKER_PREFIX, Document
from services.catalogue.store.mongo.driver import Collection

ABANDONED_AFTER = timedelta(days=1)  # no scan takes longer


async def write_marker(products: Collection) -> str:
    """Write a marker and return its name."""
    marker = MARKER_PREFIX + secrets.token_hex(12)
    await products.insert_one({"_id": marker, "category_source": "unknown", "written_at": datetime.now(UTC)})
    return marker


async def delete_markers(products: Collection, markers: Iterable[str]) -> None:
    """Remove markers from the collection."""
    await products.delete_many({"_id": {"$in": list(markers)}})


def is_marker(document: Document) -> bool:
    """Whether a document is a marker rather than a product."""
    return str(document["_id"]).startswith(MARKER_PREFIX)


def is_abandoned(marker: Document) -> bool:
    """Whether the process that wrote a marker must have ended before it removed it."""
    written_at = marker.get("written_at")
    return not isinstance(written_at, datetime) or written_at < datetime.now(UTC) - ABANDONED_AFTER
