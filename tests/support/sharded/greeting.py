"""What a router says of itself to a driver."""

from datetime import UTC, datetime
from typing import Any

from nx_27017.wire_protocol import MAX_BSON_DOCUMENT_SIZE, MAX_MESSAGE_SIZE_BYTES, MAX_WIRE_VERSION, MIN_WIRE_VERSION


def hello() -> dict[str, Any]:
    """Return what a router says of itself; `isdbgrid` tells it from a server."""
    return {
        "ok": 1,
        "isWritablePrimary": True,
        "msg": "isdbgrid",
        "maxBsonObjectSize": MAX_BSON_DOCUMENT_SIZE,
        "maxMessageSizeBytes": MAX_MESSAGE_SIZE_BYTES,
        "maxWriteBatchSize": 100_000,
        "localTime": datetime.now(UTC),
        "logicalSessionTimeoutMinutes": 30,
        "minWireVersion": MIN_WIRE_VERSION,
        "maxWireVersion": MAX_WIRE_VERSION,
    }
