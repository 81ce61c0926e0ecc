"""Keeps the index level with the database: a load without a gap, then the change stream, whatever happens to it.

A change is a document as it is now, or its absence. Seeing one twice does no harm, and where an event does not tell the
document (it may be missing, or not whole), the collection is asked.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Literal

import structlog

from services.catalogue.changes import ChangeBatch, ChangeFeed, Token
from services.catalogue.faults import HistoryLost
from services.catalogue.reader import ProductReader
from services.contracts.errors import CatalogueUnavailable
from services.contracts.wire import SyncStatus
from services.index.mirror import Mirror

log = structlog.get_logger()
State = Literal["starting", "loading", "following", "reconnecting"]
READ_BATCH = 500
SCAN_BATCH = 1000
EVENTS_BATCH = 1000
FIRST_PAUSE_S = 0.1
MARKER_WAIT_S = 10.0


class Follower:
    """Follows the products of a database, and holds the mirror that searches look into.

    `mirror` is None until the first load is complete. Whatever fails afterwards, it stays, and goes on being searched.
    """

    def __init__(
        self,
        store: ProductReader,
        make_mirror: Callable[[], Mirror],
        *,
        gather_s: float = 0.1,
        poll_s: float = 0.1,
        longest_pause_s: float = 2.0,
    ) -> None:
        """Remember what to follow.

        Args:
            store: where the products are.
            make_mirror: makes an empty mirror, for each load.
            gather_s: how long changes are gathered before they are applied together, in seconds.
            poll_s: time between two looks at a server that does not wait for changes, in seconds.
            longest_pause_s: between two attempts to reach the database, in seconds.
        """
        self.mirror: Mirror | None = None
        self.state: State = "starting"
        self.applied = 0
        self.last_error: str | None = None
        self._store = store
        self._make_mirror = make_mirror
        self._gather_s = gather_s
        self._poll_s = poll_s
        self._longest_pause_s = longest_pause_s
        self._loading: Mirror | None = None
        self._token: Token | None = None
        self._level_at: float | None = None

    @property
    def lag_s(self) -> float | None:
        """Seconds since the index last knew itself level with the database; None before the first load."""
        return None if self._level_at is None else max(0.0, time.time() - self._level_at)

    def status(self) -> SyncStatus:
        """Return how the index follows the database."""
        mirror = self.mirror or self._loading
        return SyncStatus(
            state=self.state,
            lag_seconds=self.lag_s,
            applied=self.applied,
            skipped=len(mirror.skipped) if mirror else 0,
            skipped_images=sum(map(len, mirror.faults.values())) if mirror else 0,
            other_models=len(mirror.other_models) if mirror else 0,
            last_error=self.last_error,
        )

    async def run(self) -> None:
        """Follow the database until cancelled."""
        pause_s = FIRST_PAUSE_S
        while True:
            before = self._level_at
            try:
                await self._follow()
            except HistoryLost as error:
                self._token = None  # read everything anew, beside the mirror that is searched
                self._trouble(str(error))
            except CatalogueUnavailable as error:
                self._trouble(error.detail)
            except Exception as error:
                log.exception("sync_failed")
                self._trouble(f"the index could not apply a change ({type(error).__name__}): see its log")
            pause_s = FIRST_PAUSE_S if self._level_at != before else min(2 * pause_s, self._longest_pause_s)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))

    def _trouble(self, reason: str) -> None:
        self.state = "starting" if self.mirror is None else "reconnecting"
        if reason != self.last_error:
            log.warning("sync_interrupted", reason=reason, state=self.state)
        self.last_error = reason

    async def _follow(self) -> None:
        """Open the stream, load if need be, and apply changes for as long as the stream lasts."""
        feed = await self._store.watch(self._token, poll_s=self._poll_s)
        try:
            if self.mirror is None or self._token is None:
                self.mirror = await self._load(feed)
            elif not await self._pass_marker(feed, self.mirror):
                raise HistoryLost("the change stream did not go on from where it was")
            while True:
                self._level(await self._step(feed, self.mirror))
        finally:
            await feed.close()

    def _level(self, batch: ChangeBatch) -> None:
        """Note that the mirror holds everything up to this batch."""
        if self.state != "following":
            log.info("sync_following", products=0 if self.mirror is None else len(self.mirror.gallery))
        self.state, self.last_error = "following", None
        self._token, self._level_at = batch.token, batch.level_at

    async def _load(self, feed: ChangeFeed) -> Mirror:
        """Read all documents into a new mirror, and return it once it is level with the database.

        A change from before the first marker is in the scan; one from after it comes by in the stream. The second
        marker comes by after everything that happened during the scan.
        """
        started = time.perf_counter()
        if self.mirror is None:
            self.state = "loading"
        self._loading = mirror = self._make_mirror()
        if not await self._pass_marker(feed, None):
            raise CatalogueUnavailable("the database's change stream tells nothing: it has to be a replica set")
        async for found in self._store.scan(SCAN_BATCH):
            await asyncio.to_thread(mirror.apply, (), found)
        if not await self._pass_marker(feed, mirror):
            raise CatalogueUnavailable("the database's change stream has fallen silent")
        seconds = round(time.perf_counter() - started, 2)
        log.info("index_loaded", products=len(mirror.gallery), seconds=seconds, skipped=len(mirror.skipped))
        return mirror

    async def _pass_marker(self, feed: ChangeFeed, mirror: Mirror | None) -> bool:
        """Write a marker and follow the stream until it comes by, applying what comes before it.

        Returns:
            whether it came by, rather than nothing at all for ten seconds.
        """
        marker = await self._store.put_marker()
        last_sign = time.monotonic()
        seen = False
        while not seen and time.monotonic() - last_sign < MARKER_WAIT_S:
            batch = await self._step(feed, mirror)
            seen = marker in batch.markers
            if not batch.is_empty:
                last_sign = time.monotonic()
        await self._store.remove_markers([marker])
        return seen

    async def _step(self, feed: ChangeFeed, mirror: Mirror | None) -> ChangeBatch:
        """Take the next batch of changes and apply it to the mirror, if there is one."""
        batch = await feed.next_batch(EVENTS_BATCH, self._gather_s)
        if mirror is None or batch.is_empty:
            return batch
        self.applied += await asyncio.to_thread(mirror.apply, batch.gone, batch.found)
        for begin in range(0, len(batch.unclear), READ_BATCH):
            unclear = batch.unclear[begin : begin + READ_BATCH]
            found = await self._store.read(unclear)
            self.applied += await asyncio.to_thread(mirror.apply, [str(one) for one in unclear], found)
        return batch
