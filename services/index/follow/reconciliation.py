"""Compares the index with the database now and then, finds what has drifted apart, repairs it and counts it."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import structlog

from services.catalogue.store.products import ProductCollection
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.wire.index import ReconcileStatus
from services.index.follow.comparison import Comparison
from services.index.replica.writer import ChangedDocuments, Difference, ReplicaWriter

log = structlog.get_logger()
SHARE = 0.2  # of the time at most
CONFIRM = 1000  # differences that are looked into together
MARKER_S = 60.0
AGAIN_S = 10.0  # after a comparison that came to no end
SHOWN = 5


class Reconciler:
    """Looks for drift: documents that the index knows otherwise than they are though no change of them is on its way.

    A document that differs has drifted if no change of it has come by from before it was read until a marker came by
    that was written afterwards: by then, every earlier change has been applied.
    """

    def __init__(self, store: ProductCollection, every_s: float) -> None:
        """Remember where the documents are, and how many seconds to let pass between two comparisons."""
        self._store = store
        self._every_s = every_s
        self._found = self._repaired = 0
        self._ended_at: float | None = None  # Unix time
        self._took_s: float | None = None
        self._last_error: str | None = None
        self._wanted = asyncio.Event()
        self._markers: set[str] = set()  # that have come by since one is waited for
        self._marker_came = asyncio.Event()

    def status(self) -> ReconcileStatus:
        """Return what the comparisons have found."""
        return ReconcileStatus(
            found=self._found,
            repaired=self._repaired,
            last_at=self._ended_at,
            last_seconds=self._took_s,
            last_error=self._last_error,
        )

    def soon(self) -> None:
        """Compare as soon as the index is level: nobody knows what it has missed."""
        self._wanted.set()

    def seen(self, markers: AbstractSet[str]) -> None:
        """Take note of markers that have come by, every change before them being applied."""
        if markers:
            self._markers |= markers
            self._marker_came.set()

    async def run(self, writer: ReplicaWriter) -> None:
        """Compare whenever it is time to, until cancelled. The stream has to be followed meanwhile."""
        pause_s = self._every_s
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wanted.wait()
            self._wanted.clear()
            pause_s = min(AGAIN_S, self._every_s)
            try:
                await self._compare(writer)
                self._last_error, pause_s = None, self._every_s
            except CatalogueUnavailable as error:
                self._last_error = error.detail
            except Exception as error:
                log.exception("comparison_failed")
                self._last_error = f"the comparison failed ({type(error).__name__}): see the log"

    async def _compare(self, writer: ReplicaWriter) -> None:
        started = time.monotonic()
        comparison = Comparison(self._store, writer, SHARE)
        differing: list[Difference] = []
        drifted: list[str] = []
        with writer.track_changes() as touched:
            async with contextlib.aclosing(comparison.differences()) as pages:
                async for page in pages:
                    differing += page
                    if len(differing) >= CONFIRM:
                        drifted += await self._repair(writer, differing, touched)
                        differing = []
            drifted += await self._repair(writer, differing, touched)
        self._ended_at, self._took_s = time.time(), round(time.monotonic() - started, 3)
        facts = {"documents": comparison.documents, "seconds": self._took_s}
        if drifted:
            log.warning("drift_repaired", drifted=len(drifted), examples=drifted[:SHOWN], **facts)
        else:
            log.debug("no_drift", **facts)

    async def _repair(
        self, writer: ReplicaWriter, differing: Sequence[Difference], touched: ChangedDocuments
    ) -> list[str]:
        """Take those of the documents as they are that have drifted, and return their ids."""
        if not differing:
            return []
        await self._pass_marker()
        drifted, repaired = await writer.repair(differing, touched)
        self._found += len(drifted)
        self._repaired += repaired
        return drifted

    async def _pass_marker(self) -> None:
        """Write a marker and wait until it comes by.

        Raises:
            CatalogueUnavailable: it does not.
        """
        self._markers.clear()  # before it is written: it may come by before the database says that it is
        marker = await self._store.put_marker()
        try:
            async with asyncio.timeout(MARKER_S):
                while marker not in self._markers:
                    self._marker_came.clear()
                    await self._marker_came.wait()
        except TimeoutError:
            raise CatalogueUnavailable("the database's change stream has fallen silent") from None
        await self._store.remove_markers([marker])
