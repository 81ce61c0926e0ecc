"""Keeps the index level with the database: a load without a gap, then the change stream, whatever happens to it.

A change is a document as it is now, or its absence. Seeing one twice does no harm, and where an event does not tell the
document (it may be missing, or not whole), the collection is asked.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Literal

import structlog

from services.catalogue.changes import ChangeBatch, ChangeFeed, Token, read_token, token_text
from services.catalogue.documents import BrokenDocument, Record
from services.catalogue.faults import HistoryLost
from services.catalogue.reader import ProductReader
from services.catalogue.threads import to_the_end
from services.contracts.errors import CatalogueUnavailable
from services.contracts.wire import SyncState, SyncStatus
from services.index.keeper import Keeper
from services.index.mirror import Mirror
from services.index.snapshot import Moment

log = structlog.get_logger()
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
        keeper: Keeper | None = None,
        *,
        gather_s: float = 0.1,
        poll_s: float = 0.1,
        longest_pause_s: float = 2.0,
    ) -> None:
        """Remember what to follow.

        Args:
            store: where the products are.
            make_mirror: makes an empty mirror, for each load.
            keeper: of the snapshot; None to do without.
            gather_s: how long changes are gathered before they are applied together, in seconds.
            poll_s: time between two looks at a server that does not wait for changes, in seconds.
            longest_pause_s: between two attempts to reach the database, in seconds.
        """
        self.mirror: Mirror | None = None
        self.state: SyncState = "starting"
        self.loaded_from: Literal["snapshot", "database"] | None = None
        self.applied = 0
        self.last_error: str | None = None
        self._store = store
        self._make_mirror = make_mirror
        self._keeper = keeper
        self._gather_s = gather_s
        self._poll_s = poll_s
        self._longest_pause_s = longest_pause_s
        self._loading: Mirror | None = None
        self._token: Token | None = None
        self._database: str | None = None
        self._level_at: float | None = None
        self._changes = 0  # of the mirror since it was read from the snapshot

    @property
    def lag_s(self) -> float | None:
        """Seconds since the index last knew itself level with the database; None before the first load."""
        return None if self._level_at is None else max(0.0, time.time() - self._level_at)

    def status(self) -> SyncStatus:
        """Return how the index follows the database."""
        mirror = self.mirror or self._loading
        return SyncStatus(
            state=self.state,
            stale=self.mirror is not None and self.state != "following",
            loaded_from=self.loaded_from,
            lag_seconds=self.lag_s,
            applied=self.applied,
            skipped=len(mirror.skipped) if mirror else 0,
            skipped_images=sum(map(len, mirror.faults.values())) if mirror else 0,
            other_models=len(mirror.other_models) if mirror else 0,
            last_error=self.last_error,
            snapshot=None if self._keeper is None else self._keeper.status(),
        )

    async def run(self) -> None:
        """Serve the snapshot, if there is one, and follow the database until cancelled."""
        if self._keeper is not None:
            await self._restore(self._keeper)
        try:
            await self._follow_on()
        finally:
            if self._keeper is not None:
                await self._keeper.close(self.mirror, self._moment(), self._changes)

    async def _restore(self, keeper: Keeper) -> None:
        self.state = "loading"
        mirror = self._make_mirror()
        moment = await asyncio.to_thread(keeper.load, mirror)
        if moment is None:
            self.state = "starting"
            return
        self.mirror, self.state, self.loaded_from = mirror, "reconnecting", "snapshot"
        self._token, self._database, self._level_at = read_token(moment.token), moment.database, moment.level_at

    def _moment(self) -> Moment | None:
        """Return up to where the mirror knows the database; None where that is not known."""
        if self._token is None or self._database is None or self._level_at is None:
            return None
        return Moment(self._database, token_text(self._token), self._level_at)

    async def _follow_on(self) -> None:
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
        self._recognise(await self._store.identity())
        feed = await self._store.watch(self._token, poll_s=self._poll_s)
        try:
            if self.mirror is None or self._token is None:
                await self._load(feed)
            elif not await self._pass_marker(feed, self.mirror):
                raise HistoryLost("the change stream did not go on from where it was")
            while True:
                self._level(await self._step(feed, self.mirror))
                await self._keep()
        finally:
            await feed.close()

    def _recognise(self, database: str) -> None:
        """Remember which database it is.

        Raises:
            HistoryLost: the mirror was made of another one.
        """
        before, self._database = self._database, database
        if before not in (None, database):
            raise HistoryLost("the database is not the one that the index was made of")

    def _level(self, batch: ChangeBatch) -> None:
        """Note that the mirror holds everything up to this batch."""
        if self.state != "following":
            log.info("sync_following", products=0 if self.mirror is None else len(self.mirror.gallery))
        self.state, self.last_error = "following", None
        self._token, self._level_at = batch.token, batch.level_at

    async def _keep(self) -> None:
        """Write the snapshot when it is time to."""
        if self._keeper is not None and self._keeper.is_due(self._changes):
            moment = self._moment()
            if self.mirror is not None and moment is not None:
                await self._keeper.keep(self.mirror, moment, self._changes)

    async def _load(self, feed: ChangeFeed) -> None:
        """Read all documents into a new mirror, and search that as soon as it is level with the database.

        A change from before the first marker is in the scan; one from after it comes by in the stream. The second
        marker comes by after everything that happened during the scan.
        """
        started = time.perf_counter()
        self.state = "loading" if self.mirror is None else "rebuilding"
        self._loading = mirror = self._make_mirror()
        if not await self._pass_marker(feed, None):
            raise CatalogueUnavailable("the database's change stream tells nothing: it has to be a replica set")
        async for found in self._store.scan(SCAN_BATCH):
            await to_the_end(mirror.apply, (), found)
        if not await self._pass_marker(feed, mirror):
            raise CatalogueUnavailable("the database's change stream has fallen silent")
        seconds = round(time.perf_counter() - started, 2)
        log.info("index_loaded", products=len(mirror.gallery), seconds=seconds, skipped=len(mirror.skipped))
        self.mirror, self._loading, self.loaded_from = mirror, None, "database"
        self._changes += 1

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
        await self._apply(mirror, batch.gone, batch.found)
        for begin in range(0, len(batch.unclear), READ_BATCH):
            unclear = batch.unclear[begin : begin + READ_BATCH]
            await self._apply(mirror, [str(one) for one in unclear], await self._store.read(unclear))
        return batch

    async def _apply(
        self, mirror: Mirror, document_ids: Sequence[str], found: Sequence[Record | BrokenDocument]
    ) -> None:
        self._changes += 1
        self.applied += await to_the_end(mirror.apply, document_ids, found)
