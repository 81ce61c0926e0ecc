"""What the OpenAPI document has of the requests that the routes read themselves, so that FastAPI cannot derive it."""

from typing import Any

from services.contracts.domain.box import DESCRIPTION, EXAMPLE
from services.contracts.images.preparation import ACCEPTED
from services.contracts.wire.embedding import MAX_BATCH
from services.contracts.wire.framing import FRAMED
from services.embedding.api.bodies import MULTIPART, SINGLE_FIELD

_FILE = {"type": "string", "format": "binary", "description": ACCEPTED}

SINGLE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"One image, as the body or as the file `{SINGLE_FIELD}` of a form: {ACCEPTED}.",
        "content": {
            "image/*": {"schema": _FILE},
            "application/octet-stream": {"schema": _FILE},
            MULTIPART: {
                "schema": {"type": "object", "required": [SINGLE_FIELD], "properties": {SINGLE_FIELD: _FILE}},
                "encoding": {SINGLE_FIELD: {"contentType": "image/*"}},
            },
        },
    }
}

BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": (
            f"1 to {MAX_BATCH} images ({ACCEPTED}). For each image its length in bytes, as an unsigned four-byte "
            "number in network order, then the image. An image that cannot be used does not affect the others."
        ),
        "content": {FRAMED: {"schema": {"type": "string", "format": "binary"}}},
    }
}

PAIR_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Two images, the query's and the product's, each as in a batch.",
        "content": {FRAMED: {"schema": {"type": "string", "format": "binary"}}},
    }
}

BATCH_EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "embedding": {
                "category": {"id": 0, "name": "Topwear", "probability": 0.98},
                "probabilities": {"Topwear": 0.98, "Shoes": 0.001},
                "vector": "AAAAPgAAgL4AAIA9",
                "model": "fashion/2",
            }
        },
        {
            "error": {
                "type": "/problems/invalid-image",
                "status": 422,
                "detail": "the JPEG file is damaged or cut short: image file is truncated (12 bytes not processed)",
            }
        },
    ],
    "timings_ms": {"decode": 21.0, "network": 48.3, "total": 52.9},
}

EMBED_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": name,
        "in": "query",
        "required": False,
        "description": text,
        "schema": {"type": "string"},
        "example": value,
    }
    for name, text, value in (
        ("model", "Model id. Default: the model of the settings", "fashion/2"),
        (
            "secondary_model",
            "another model for the same images; its embedding is missing if it does not respond",
            "fashion/2",
        ),
        ("box", DESCRIPTION, EXAMPLE),
    )
]
