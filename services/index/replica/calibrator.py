"""Fits each category's scale of similarity in the background, and again after enough of the category has changed."""

import asyncio
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.contracts.domain.manifest import Manifest
from services.engine.product_gallery import ProductGallery
from services.engine.revision import Revision
from services.engine.similarity import SimilarityScale, calibrate, scale_from_threshold

log = structlog.get_logger()
CHECK_INTERVAL_S = 1.0
# The pause is at least this many times the time that the last fits took: at most a twentieth of a processor's time.
REST_FACTOR = 20
CHANGED_SHARE = 0.1  # a scale is fitted again when more than this share of the products has changed


@dataclass(frozen=True)
class _Calibration:
    """A category's scale, or that it has none, with the state of the category that it was fitted on."""

    scale: SimilarityScale | None
    gallery: "weakref.ref[ProductGallery]"
    changes: int


class Calibrator:
    """Holds the scale of similarity of each category.

    Args:
        manifest: of the model; its threshold `no_close_match` makes the scale of categories with too few products,
            and `close_photo` is the highest score from which a match is close.
        gallery: returns the gallery that is searched, or None before the first load.
        revision: of what searches see; its own if None.
    """

    def __init__(
        self, manifest: Manifest, gallery: Callable[[], ProductGallery | None], revision: Revision | None = None
    ) -> None:
        self._names = manifest.categories
        self._gallery = gallery
        self._revision = revision or Revision()
        self._default_scale = scale_from_threshold(manifest.thresholds)
        self._close_photo = manifest.thresholds.get("close_photo")
        self._calibrations: dict[int, _Calibration] = {}
        self._is_stopped = False

    def scale(self, category: int) -> SimilarityScale | None:
        """Return a category's scale; None if neither its products nor the model determine one."""
        calibration = self._calibrations.get(category)
        return calibration.scale if calibration and calibration.scale else self._default_scale

    async def run(self) -> None:
        """Keep the scales up to date until cancelled."""
        try:
            while True:
                started = time.perf_counter()
                await self._try_calibrate()
                await asyncio.sleep(max(CHECK_INTERVAL_S, REST_FACTOR * (time.perf_counter() - started)))
        finally:
            self._is_stopped = True  # a thread cannot be cancelled, and the process would wait for it

    async def _try_calibrate(self) -> None:
        try:
            await asyncio.to_thread(self.calibrate)
        except Exception:  # the previous scales are still in use, and the next attempt may succeed
            log.exception("calibration_failed")

    def calibrate(self) -> None:
        """Fit the scale of every category that has changed enough."""
        gallery = self._gallery()
        if gallery is None:
            return
        for category, view in enumerate(gallery.views):
            previous = self._calibrations.get(category)
            is_same_gallery = previous is not None and previous.gallery() is gallery
            if previous and is_same_gallery and view.changes - previous.changes <= CHANGED_SHARE * view.size:
                continue
            started = time.perf_counter()
            scale = calibrate(view, lambda: self._is_stopped, self._close_photo)
            if self._is_stopped:
                return
            with self._revision.changing():
                self._calibrations[category] = _Calibration(scale, weakref.ref(gallery), view.changes)
            if scale:
                log.info(
                    "category_calibrated",
                    category=self._names[category],
                    products=view.size,
                    close_score=round(scale.close_score, 4),
                    seconds=round(time.perf_counter() - started, 3),
                )
