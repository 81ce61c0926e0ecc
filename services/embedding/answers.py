"""Outcomes → JSON. The vectors go from NumPy to text directly: validating the 9,344 numbers of a full batch again, as the
response models would, takes longer than writing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from services.contracts.errors import LookalikeError
from services.contracts.manifest import Manifest
from services.contracts.problems import PREFIX
from services.embedding.embed import Outcome, Seen


@dataclass(frozen=True)
class Beside:
    """What another model makes of the same images."""

    outcomes: Sequence[Outcome]
    manifest: Manifest


def embedding(seen: Seen, manifest: Manifest, beside: Beside | None = None, number: int = 0) -> dict[str, Any]:
    """Return the document of `wire.Embedding`; with what another model makes of the image, the `number`-th, where it does."""
    other = None if beside is None else beside.outcomes[number]
    return {
        "category": {
            "id": seen.category,
            "name": manifest.categories[seen.category],
            "probability": seen.probabilities[seen.category],
        },
        "probabilities": dict(zip(manifest.categories, seen.probabilities, strict=True)),
        "vector": seen.vector,
        "model": manifest.model_id,
        **({"beside": embedding(other, beside.manifest)} if beside is not None and isinstance(other, Seen) else {}),
    }


def batch_item(outcome: Outcome, manifest: Manifest, beside: Beside | None, number: int) -> dict[str, Any]:
    """Return the document of `wire.BatchItem`."""
    if isinstance(outcome, LookalikeError):
        return {"error": {"type": PREFIX + outcome.slug, "status": outcome.status, "detail": outcome.detail}}
    return {"embedding": embedding(outcome, manifest, beside, number)}


def json_response(document: dict[str, Any]) -> Response:
    """Return a document as JSON; NumPy arrays in it become lists of the shortest decimals that give the same float32."""
    return Response(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
