"""Compares the index with the database from time to time; finds drift, repairs it and counts it."""

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
TIME_SHARE = 0.2  # of a comparison, at most
CONFIRM = 1000  # differences that are confirmed with one marker
MARKER_TIMEOUT_S = 60.0
RETRY_S = 10.0  # after a comparison that failed
MAX_EXAMPLES = 5


class SilentStream(CatalogueUnavailable):
    """Nothing comes through the change stream, although the database has changed: it has to be opened again."""


class Reconciler:
    """Finds drift: documents whose state differs from the replica's although no change of them is on its way.

    A document that differs has drifted if no change of it is applied between the moment before it was read and the
    arrival of a marker that was written afterwards: by then all earlier changes are applied.
    """

    def __init__(self, products: ProductCollection, interval_s: float) -> None:
        """Set what to compare.

        Args:
            products: reads the documents.
            interval_s: the pause between two comparisons, in seconds.
        """
        self._products = products
        self._interval_s = interval_s
        self._found = self._repaired = 0
        self._ended_at: float | None = None  # Unix time
        self._duration_s: float | None = None
        self._last_error: str | None = None
        self._requested = asyncio.Event()
        self._markers: set[str] = set()  # that have come since a marker was written
        self._marker_came = asyncio.Event()

    def status(self) -> ReconcileStatus:
        """Return what the comparisons have found."""
        return ReconcileStatus(
            found=self._found,
            repaired=self._repaired,
            last_at=self._ended_at,
            last_seconds=self._duration_s,
            last_error=self._last_error,
        )

    def request(self) -> None:
        """Compare as soon as possible: the stream may have missed changes."""
        self._requested.set()

    def add_markers(self, markers: AbstractSet[str]) -> None:
        """Record markers that have come through the stream; all changes before them are applied."""
        if markers:
            self._markers |= markers
            self._marker_came.set()

    async def run(self, writer: ReplicaWriter) -> None:
        """Compare at each interval and on request, until cancelled. The stream must be followed at the same time.

        Raises:
            SilentStream: the stream is to be opened again.
        """
        pause_s = self._interval_s
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._requested.wait()
            self._requested.clear()
            pause_s = min(RETRY_S, self._interval_s)
            try:
                await self._compare(writer)
                self._last_error, pause_s = None, self._interval_s
            except SilentStream as error:
                self._last_error = error.detail
                raise
            except CatalogueUnavailable as error:
                self._last_error = error.detail
            except Exception as error:
                log.exception("comparison_failed")
                self._last_error = f"the comparison failed ({type(error).__name__}): see the log"

    async def _compare(self, writer: ReplicaWriter) -> None:
        started = time.monotonic()
        comparison = Comparison(self._products, writer, TIME_SHARE)
        differences: list[Difference] = []
        drifted: list[str] = []
        with writer.track_changes() as changed:
            async with contextlib.aclosing(comparison.differences()) as pages:
                async for page in pages:
                    differences += page
                    if len(differences) >= CONFIRM:
                        drifted += await self._repair(writer, differences, changed)
                        differences = []
            drifted += await self._repair(writer, differences, changed)
        self._ended_at, self._duration_s = time.time(), round(time.monotonic() - started, 3)
        facts = {"documents": comparison.documents, "seconds": self._duration_s}
        if drifted:
            log.warning("drift_repaired", drifted=len(drifted), examples=drifted[:MAX_EXAMPLES], **facts)
        else:
            log.debug("no_drift", **facts)

    async def _repair(
        self, writer: ReplicaWriter, differences: Sequence[Difference], changed: ChangedDocuments
    ) -> list[str]:
        """Apply the documents that have drifted; return their ids."""
        if not differences:
            return []
        await self._pass_marker(writer)
        drifted, repaired = await writer.repair(differences, changed)
        self._found += len(drifted)
        self._repaired += repaired
        return drifted

    async def _pass_marker(self, writer: ReplicaWriter) -> None:
        """Write a marker and wait until it comes.

        Raises:
            SilentStream: neither it nor a change comes.
            CatalogueUnavailable: only changes come, or the database is unavailable.
        """
        applied = writer.applied
        self._markers.clear()  # before the marker is written: it may come before the database confirms the write
        marker = await self._products.put_marker()
        try:
            async with asyncio.timeout(MARKER_TIMEOUT_S):
                while marker not in self._markers:
                    self._marker_came.clear()
                    await self._marker_came.wait()
        except TimeoutError:
            if writer.applied == applied:
                raise SilentStream("the database's change stream has fallen silent") from None
            raise CatalogueUnavailable("the database's change stream is behind: the comparison is repeated") from None
        await self._products.remove_markers([marker])
