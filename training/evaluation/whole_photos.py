"""Whole street photos as a search sees them: the garment that it chooses by itself, the outcome, and the category.

The gateway's own choice of a garment runs on models in this process.
"""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from services.contracts.domain.box import Box
from services.contracts.domain.garments import DetectedGarments, distinct, within_picture
from services.contracts.domain.manifest import DetectorManifest
from services.contracts.images.preparation import prepare_image
from services.contracts.wire.embedding import Category, DetectionResponse, EmbeddingResponse, GarmentBox
from services.gateway.search.garment_crop import GarmentCrop, PhotoView
from services.gateway.search.options import PhotoOptions
from training.data.archives.street_photos import StreetPhoto
from training.data.composing.scenes import Scene
from training.evaluation.detector.evaluated_detector import EvaluatedDetector
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.outcomes import Scales, close_matches
from training.evaluation.search.retrieval import EmbeddedProducts, unit
from training.progress import Terminal

NO_BOXES, NO_CATEGORIES = np.zeros((0, 4), np.float32), np.zeros(0, np.int32)


class LoadedModels:
    """Embeds photos and finds their garments in this process, as `EmbeddingClient` does through the service."""

    def __init__(self, model: EvaluatedModel, detector: EvaluatedDetector, manifest: DetectorManifest) -> None:
        self.model, self.detector, self.manifest = model, detector, manifest

    @classmethod
    def with_detector(cls, model: EvaluatedModel, directory: Path) -> "LoadedModels":
        """Load the detector of a version directory; errors as `EvaluatedDetector.load`."""
        return cls(model, *EvaluatedDetector.load(directory))

    async def embed(self, data: bytes, model: str | None = None, box: Box | None = None) -> EmbeddingResponse:
        """Return the embedding of an image file, or of a part of it; errors as `prepare_image`."""
        manifest = self.model.manifest
        picture, _ = prepare_image(data, manifest.input, box=box)
        probabilities, vectors = self.model.predict(picture[None], Terminal())
        named = dict(zip(manifest.categories, probabilities[0].tolist(), strict=True))
        category = _category(int(probabilities[0].argmax()), manifest.categories, float(probabilities[0].max()))
        vector = unit(vectors)[0].tolist()
        return EmbeddingResponse(
            category=category, probabilities=named, vector=vector, model=manifest.model_id, timings_ms={}
        )

    async def detect(self, data: bytes) -> DetectionResponse:
        """Return the garments of an image file; errors as `prepare_image`."""
        picture, facts = prepare_image(data, self.manifest.input)
        (detection,) = self.detector([Scene(picture, NO_BOXES, NO_CATEGORIES)])
        parts = DetectedGarments(detection.boxes / np.float32(len(picture)), detection.probabilities)
        placed = distinct(within_picture(parts, facts.placement, self.manifest.input), self.manifest.threshold)
        rows = zip(placed.boxes.tolist(), placed.categories.tolist(), placed.scores.tolist(), strict=True)
        garments = [
            GarmentBox(box=Box.model_validate(edges), category=_category(place, self.manifest.categories, score))
            for edges, place, score in rows
        ]
        return DetectionResponse(garments=garments, model=self.manifest.model_id, timings_ms={})


@dataclass(frozen=True)
class SearchedGallery:
    """The products that photos are searched in, with the scales of similarity by category."""

    products: EmbeddedProducts
    scales: Scales


def whole_photo_figures(
    models: LoadedModels, photos: Sequence[StreetPhoto], gallery: SearchedGallery
) -> dict[str, Any]:
    """Return the shares of photos by what a search without options answers, ready for JSON.

    Only photos with garments of the nine categories count.

    Returns:
        `ok`: the shares of this outcome; `garment_chosen`: searched with a garment that the search chose, in which
        there is clothing; `answered`: one of both; `worn_category`: of the answered, those with a category that is
        worn in the photo; `right_category`: of all, those that are not `no_clothing` and have such a category.
    """
    dressed = [photo for photo in photos if len(photo.boxes)]
    if not dressed:
        return {"photos": 0}
    views = asyncio.run(_views(models, dressed))
    probabilities = np.array([list(view.embedding.probabilities.values()) for view in views], np.float32)
    vectors = np.stack([view.embedding.array for view in views])
    predicted = probabilities.argmax(axis=1)
    clothing = probabilities.max(axis=1) >= models.model.manifest.thresholds.get("no_clothing", 0.0)
    close = clothing & close_matches(predicted, vectors, gallery.products, gallery.scales)
    chosen = clothing & np.array([view.crop is not None for view in views])
    worn = np.array([place in photo.categories for place, photo in zip(predicted, dressed, strict=True)])
    answered = close | chosen
    return {
        "photos": len(dressed),
        "detector": models.manifest.model_id,
        "ok": float(close.mean()),
        "garment_chosen": float(chosen.mean()),
        "answered": float(answered.mean()),
        "worn_category": float(worn[answered].mean()) if answered.any() else 0.0,
        "right_category": float((clothing & worn).mean()),
        "no_clothing": float((~clothing).mean()),
    }


async def _views(models: LoadedModels, photos: Sequence[StreetPhoto]) -> list[PhotoView]:
    crop, model = GarmentCrop(models), models.model.manifest.model_id
    return [await crop.view(_png(photo), PhotoOptions(), model, None) for photo in photos]


def _category(place: int, names: Sequence[str], probability: float) -> Category:
    return Category(id=place, name=names[place], probability=probability)


def _png(photo: StreetPhoto) -> bytes:
    file = io.BytesIO()
    Image.fromarray(photo.picture).save(file, "PNG", compress_level=1)
    return file.getvalue()
