"""Builds the columns of attributes in the background, so that the first filter finds them."""

import asyncio
from collections.abc import Callable

import structlog

from services.contracts.domain.filtering.filters import EVERYTHING
from services.engine.product_gallery import ProductGallery

log = structlog.get_logger()
CHECK_INTERVAL_S = 1.0
MIN_PRODUCTS = 5000  # of a category: the columns of fewer are built within milliseconds when a filter needs them


class ColumnKeeper:
    """Keeps the columns for filters and facets of large categories.

    Args:
        gallery: returns the gallery that is searched, or None before the first load.
    """

    def __init__(self, gallery: Callable[[], ProductGallery | None]) -> None:
        self._gallery = gallery
        self._is_stopped = False

    async def run(self) -> None:
        """Build columns that are missing, repeatedly, until cancelled."""
        try:
            while True:
                try:
                    await asyncio.to_thread(self.build)
                except Exception:  # a filter builds the columns that it needs
                    log.exception("columns_not_built")
                await asyncio.sleep(CHECK_INTERVAL_S)
        finally:
            self._is_stopped = True  # a thread cannot be cancelled, and the process would wait for it

    def build(self) -> None:
        """Build the columns of every large category that has none."""
        gallery = self._gallery()
        for view in gallery.views if gallery is not None else ():
            if self._is_stopped:
                return
            if view.size >= MIN_PRODUCTS and not view.is_prepared(EVERYTHING, facets=True):
                view.prepare(EVERYTHING, facets=True)
