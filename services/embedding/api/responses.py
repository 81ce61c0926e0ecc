"""Outcomes → JSON responses.

Numbers are written from NumPy arrays directly: validating them with the response models takes longer than writing them.
The vectors of a batch are base64, which takes a tenth of the time of decimals on both sides.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from starlette.responses import Response

from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.garments import DetectedGarments
from services.contracts.domain.manifest import DetectorManifest, Manifest
from services.contracts.web.problems import PREFIX
from services.embedding.vision.embedder import ImageEmbedding, Outcome
from services.embedding.vision.explanation import PairExplanation
from services.embedding.vision.network_outputs import Float32Array


@dataclass(frozen=True)
class SecondaryOutcomes:
    """The outcomes of the same images with the secondary model."""

    outcomes: Sequence[Outcome]
    manifest: Manifest


def embedding(
    outcome: ImageEmbedding,
    manifest: Manifest,
    secondary: SecondaryOutcomes | None = None,
    number: int = 0,
    encode: Callable[[Float32Array], Any] = lambda vector: vector,
) -> dict[str, Any]:
    """Return the document of `Embedding`.

    Args:
        outcome: the embedding of the image.
        manifest: its model.
        secondary: the outcomes with the secondary model; an error there leaves `secondary` out of the document.
        number: the position of the image in the request.
        encode: encodes a vector for the document.
    """
    document = {
        "category": {
            "id": outcome.category,
            "name": manifest.categories[outcome.category],
            "probability": outcome.probabilities[outcome.category],
        },
        "probabilities": dict(zip(manifest.categories, outcome.probabilities, strict=True)),
        "vector": encode(outcome.vector),
        "model": manifest.model_id,
    }
    if outcome.other_clothing is not None:
        document["other_clothing"] = round(outcome.other_clothing, 6)
    if secondary is not None and isinstance(other := secondary.outcomes[number], ImageEmbedding):
        document["secondary"] = embedding(other, secondary.manifest, encode=encode)
    return document


def batch_item(
    outcome: Outcome, manifest: Manifest, secondary: SecondaryOutcomes | None, number: int
) -> dict[str, Any]:
    """Return the document of `BatchItem`."""
    if isinstance(outcome, LookalikeError):
        return {"error": {"type": PREFIX + outcome.slug, "status": outcome.status, "detail": outcome.detail}}
    return {"embedding": embedding(outcome, manifest, secondary, number, _in_base64)}


def pair(explanation: PairExplanation, manifest: Manifest) -> dict[str, Any]:
    """Return the document of `MatchExplanation`."""
    rows, columns = explanation.query.shape
    return {
        "similarity": round(explanation.similarity, 6),
        "grid": {"rows": rows, "columns": columns},
        "query": explanation.query.round(6).tolist(),
        "product": explanation.product.round(6).tolist(),
        "model": manifest.model_id,
    }


def garment_boxes(garments: DetectedGarments, manifest: DetectorManifest) -> list[dict[str, Any]]:
    """Return the documents of `GarmentBox`."""
    return [
        {
            "box": {"x": left, "y": top, "width": right - left, "height": bottom - top},
            "category": {
                "id": category,
                "name": manifest.categories[category],
                "probability": round(float(score), 4),
            },
        }
        for (left, top, right, bottom), category, score in zip(
            np.round(garments.boxes.astype(np.float64), 4).tolist(),
            garments.categories.tolist(),
            garments.scores,
            strict=True,
        )
    ]


def _in_base64(vector: Float32Array) -> str:
    return b64encode(vector.astype("<f4", copy=False).tobytes()).decode("ascii")


def json_response(document: dict[str, Any]) -> Response:
    """Return a document as JSON. NumPy arrays become lists of the shortest decimals that give the same float32."""
    return Response(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
