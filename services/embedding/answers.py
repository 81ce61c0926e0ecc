"""Outcomes → JSON. The vectors go from NumPy to text directly: validating the 9,344 numbers of a full batch again, as the
response models would, takes longer than writing them."""

from typing import Any

import orjson
from starlette.responses import Response

from services.contracts.errors import LookalikeError
from services.contracts.manifest import Manifest
from services.contracts.problems import PREFIX
from services.embedding.embed import Outcome, Seen


def embedding(seen: Seen, manifest: Manifest) -> dict[str, Any]:
    """Return the document of `wire.Embedding`."""
    return {
        "category": {
            "id": seen.category,
            "name": manifest.categories[seen.category],
            "probability": seen.probabilities[seen.category],
        },
        "probabilities": dict(zip(manifest.categories, seen.probabilities, strict=True)),
        "vector": seen.vector,
        "model": manifest.model_id,
    }


def batch_item(outcome: Outcome, manifest: Manifest) -> dict[str, Any]:
    """Return the document of `wire.BatchItem`."""
    if isinstance(outcome, LookalikeError):
        return {"error": {"type": PREFIX + outcome.slug, "status": outcome.status, "detail": outcome.detail}}
    return {"embedding": embedding(outcome, manifest)}


def json_response(document: dict[str, Any]) -> Response:
    """Return a document as JSON; NumPy arrays in it become lists of the shortest decimals that give the same float32."""
    return Response(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
