"""Fits each category's scale of similarity in the background, and again when the category has changed enough."""

import asyncio
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.contracts.domain.manifest import Manifest
from services.engine.gallery import Gallery
from services.engine.similarity import SimilarityScale, calibrate, scale_from_threshold

log = structlog.get_logger()
CHECK_S = 1.0
# Rest so many times as long as the last fits took: a catalogue that is being imported costs a twentieth of a processor.
REST = 20
CHANGED = 0.1  # of a category's products


@dataclass(frozen=True)
class _Fit:
    """A scale, or that there is none, and what it was measured on."""

    scale: SimilarityScale | None
    gallery: "weakref.ref[Gallery]"
    changes: int


class Calibrator:
    """Knows how alike a score is in each category.

    Args:
        manifest: of the model; its threshold stands in for categories with too few products.
        gallery: returns the gallery that is searched, or None while there is none.
    """

    def __init__(self, manifest: Manifest, gallery: Callable[[], Gallery | None]) -> None:
        self._names = manifest.categories
        self._gallery = gallery
        self._given = scale_from_threshold(manifest.thresholds)
        self._fits: dict[int, _Fit] = {}
        self._ended = False

    def scale(self, category: int) -> SimilarityScale | None:
        """Return a category's scale; None where neither its products nor the model give one."""
        fit = self._fits.get(category)
        return fit.scale if fit and fit.scale else self._given

    async def run(self) -> None:
        """Keep the scales fitting until cancelled."""
        try:
            while True:
                started = time.perf_counter()
                await self._looked()
                await asyncio.sleep(max(CHECK_S, REST * (time.perf_counter() - started)))
        finally:
            self._ended = True  # a thread cannot be cancelled, and the process would wait for it

    async def _looked(self) -> None:
        try:
            await asyncio.to_thread(self.calibrate)
        except Exception:  # the scales there are still serve, and the next look may go well
            log.exception("similarity_not_fitted")

    def calibrate(self) -> None:
        """Fit the scale of every category that has changed enough."""
        gallery = self._gallery()
        if gallery is None:
            return
        for category, view in enumerate(gallery.views):
            fit = self._fits.get(category)
            if fit and fit.gallery() is gallery and view.changes - fit.changes <= CHANGED * view.size:
                continue
            started = time.perf_counter()
            scale = calibrate(view, lambda: self._ended)
            if self._ended:
                return
            self._fits[category] = _Fit(scale, weakref.ref(gallery), view.changes)
            if scale:
                facts = {"category": self._names[category], "products": view.size, "close": round(scale.close_score, 4)}
                log.info("similarity_fitted", **facts, seconds=round(time.perf_counter() - started, 3))
