"""The part of a photo that a search looks at: the whole photo, the request's box, or the surest garment in it.

A search looks for a garment only if the whole photo does not show one garment clearly, because the detector costs more
than an embedding. The garment is used only if the network is surer of it than of the whole photo.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from services.contracts.domain.box import Box
from services.contracts.domain.errors import (
    DetectorUnavailable,
    EmbeddingUnavailable,
    InvalidImage,
    InvalidRequest,
    UpstreamTimeout,
)
from services.contracts.web.observability.telemetry import note
from services.contracts.wire.embedding import Category, DetectionResponse, EmbeddingResponse, GarmentBox
from services.gateway.search.options import PhotoOptions

# Chosen by measurement: training/EXPERIMENTS.md, "The garment in the photo".
CLEAR = 0.8  # probability of the whole photo's category from which on the search does not look for a garment
LEAST_SURE = 0.7  # probability of a garment from which on the search looks at it
GREATEST_AREA = 0.6  # of the photo: a garment that fills more of it is searched with the whole photo
PRIOR_WEIGHT = 0.5  # of the detector in the category, 0 to 1; the other half is the network's
PRIOR_SURENESS = 0.8  # that is taken of the detector's category where a request names it
PAUSE_S = 10.0  # after a failure of the detector: searches look at whole photos


class PhotoNetworks(Protocol):
    """Embeds photos and detects their garments, as `EmbeddingClient`."""

    async def embed(self, data: bytes, model: str | None = None, box: Box | None = None) -> EmbeddingResponse: ...

    async def detect(self, data: bytes) -> DetectionResponse: ...


@dataclass(frozen=True)
class PhotoView:
    """What a search looks at.

    Attributes:
        embedding: of the whole photo or of a part.
        crop: the garment found in the photo, if it is the part; None otherwise.
        timings_ms: of each stage.
    """

    embedding: EmbeddingResponse
    crop: GarmentBox | None
    timings_ms: dict[str, float]


class GarmentCrop:
    """Embeds the photo of a search, and finds the surest garment where that helps.

    A search works without a detector: after a failure it looks at the whole photo, and so do others for a while.
    """

    def __init__(self, embedding: PhotoNetworks) -> None:
        self._embedding = embedding
        self._paused_until = -float("inf")

    async def view(self, data: bytes, options: PhotoOptions, model: str, chosen: str | None) -> PhotoView:
        """Return what the search looks at.

        Args:
            data: the image file.
            options: the request's.
            model: the embedding model.
            chosen: name of the category that the request names; the search looks for its garments only.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage, InvalidRequest, UnknownModel, EmbeddingUnavailable,
            UpstreamTimeout: as `EmbeddingClient.embed`.
        """
        whole = await self._embedding.embed(data, model, box=options.box)
        if options.prior is not None:
            detected = Category(id=0, name=options.prior, probability=PRIOR_SURENESS)
            return PhotoView(with_prior(whole, detected), None, whole.timings_ms)
        view = PhotoView(whole, None, whole.timings_ms)
        if options.box is not None or options.crop == "none" or _sureness(whole, chosen) >= CLEAR:
            return view
        started = time.perf_counter()
        garment = await self._surest(data, chosen)
        timings = {**whole.timings_ms, "detect": round((time.perf_counter() - started) * 1000, 3)}
        if garment is None:
            return PhotoView(whole, None, timings)
        try:
            part = await self._embedding.embed(data, model, box=garment.box)
        except (InvalidRequest, InvalidImage):  # the part has too few pixels, or the network returns no direction
            return PhotoView(whole, None, timings)
        summed = {stage: timings.get(stage, 0.0) + ms for stage, ms in part.timings_ms.items()}
        pooled = with_prior(part, garment.category)
        if _sureness(pooled, chosen) <= _sureness(whole, chosen):
            return PhotoView(whole, None, {**timings, **summed})
        return PhotoView(pooled, garment, {**timings, **summed})

    async def _surest(self, data: bytes, chosen: str | None) -> GarmentBox | None:
        """Return the surest garment, of a chosen category if there is one; None if there is no garment to look at."""
        if time.monotonic() < self._paused_until:
            return None
        try:
            garments = (await self._embedding.detect(data)).garments
        except (DetectorUnavailable, EmbeddingUnavailable, UpstreamTimeout) as error:
            self._paused_until = time.monotonic() + PAUSE_S
            note(detector_missed=error.detail)
            return None
        wanted = [garment for garment in garments if chosen in (None, garment.category.name)]
        surest = max(wanted, key=lambda garment: garment.category.probability, default=None)
        if surest is None or surest.category.probability < LEAST_SURE:
            return None
        return surest if surest.box.width * surest.box.height <= GREATEST_AREA else None


def _sureness(embedding: EmbeddingResponse, chosen: str | None) -> float:
    """Return the probability of the category that is searched."""
    return embedding.category.probability if chosen is None else embedding.probabilities.get(chosen, 0.0)


def with_prior(embedding: EmbeddingResponse, detected: Category) -> EmbeddingResponse:
    """Return an embedding whose probabilities take the detector's category into account.

    The two opinions are pooled logarithmically (Genest & Zidek, Combining Probability Distributions, 1986), which
    favours the detector's category but does not overrule a network that is sure. Whether there is clothing at all is
    the network's judgement alone: it spreads the probability of none evenly over the categories, and that part stays.
    """
    names = list(embedding.probabilities)
    if detected.name not in names or len(names) < 2:
        return embedding
    pooled = _pooled(embedding.probabilities, detected)
    best = max(pooled, key=lambda name: pooled[name])
    category = Category(id=names.index(best), name=best, probability=pooled[best])
    return embedding.model_copy(update={"category": category, "probabilities": pooled})


def _pooled(probabilities: Mapping[str, float], detected: Category) -> dict[str, float]:
    none = min(probabilities.values())
    shares = {name: value - none for name, value in probabilities.items()}
    total = sum(shares.values())
    if total <= 0:
        return dict(probabilities)
    other = (1 - detected.probability) / (len(probabilities) - 1)
    prior = {name: detected.probability if name == detected.name else other for name in probabilities}
    weighted = {
        name: (share / total) ** (1 - PRIOR_WEIGHT) * prior[name] ** PRIOR_WEIGHT for name, share in shares.items()
    }
    scale = total / max(sum(weighted.values()), 1e-12)
    return {name: min(1.0, none + value * scale) for name, value in weighted.items()}
