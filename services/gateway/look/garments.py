"""The garments of a photo, each category once, with their vectors."""

import asyncio
from dataclasses import dataclass

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.errors import DetectorUnavailable, InvalidImage, InvalidRequest
from services.contracts.wire.embedding import EmbeddingResponse, GarmentBox, ModelFacts
from services.gateway.search.garment_crop import with_prior
from services.gateway.search.responses import Outcome
from services.gateway.search.service import GARMENTS_AT_ONCE, LIKELY, MAX_GARMENTS


@dataclass(frozen=True)
class PhotoGarment:
    """A garment in a photo: its embedding, and its part of the photo; None for the whole."""

    embedding: EmbeddingResponse
    box: GarmentBox | None


async def garments_of(
    embedding: EmbeddingClient, photo: bytes, facts: ModelFacts
) -> tuple[list[PhotoGarment], Outcome]:
    """Return the garments of a photo, the surest of each category; the whole photo if none is found in it.

    The outcome is `ok`, or says that the photo shows no garment of the categories.

    Raises:
        InvalidImage, ImageTooLarge, UnsupportedImage, EmbeddingUnavailable, UpstreamTimeout: as `EmbeddingClient`.
    """
    try:
        boxes = (await embedding.detect(photo)).garments
    except DetectorUnavailable:
        boxes = []
    surest = {box.category.name: box for box in reversed(boxes)}  # the surest come first
    chosen = [box for box in boxes if surest[box.category.name] is box][:MAX_GARMENTS]
    slots = asyncio.Semaphore(GARMENTS_AT_ONCE)

    async def embedded(box: GarmentBox) -> PhotoGarment | None:
        async with slots:
            try:
                part = await embedding.embed(photo, facts.model, box=box.box)
            except (InvalidRequest, InvalidImage):  # the garment has too few pixels
                return None
        return PhotoGarment(with_prior(part, box.category), box)

    embedded_garments = [garment for garment in await asyncio.gather(*map(embedded, chosen)) if garment is not None]
    by_category = {garment.embedding.category.id: garment for garment in reversed(embedded_garments)}
    garments = [garment for garment in embedded_garments if by_category[garment.embedding.category.id] is garment]
    if garments:
        return garments, "ok"
    whole = await embedding.embed(photo, facts.model)
    if whole.category.probability >= facts.thresholds.get("no_clothing", 0.0):
        return [PhotoGarment(whole, None)], "ok"
    is_other = (whole.other_clothing or 0.0) >= facts.thresholds.get("other_clothing", LIKELY)
    return [], "other_clothing" if is_other else "no_clothing"
