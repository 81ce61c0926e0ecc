"""Keeps the index up to date with the database: a snapshot or a complete load, then all changes."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from services.catalogue.store.change_feed import Token
from services.catalogue.store.mongo.errors import HistoryLost, NoChangeStreams
from services.catalogue.store.products import ProductCollection
from services.catalogue.threads import to_the_end
from services.contracts.domain.errors import CatalogueUnavailable, LookalikeError
from services.contracts.wire.index import SyncState, SyncStatus
from services.engine.revision import Revision
from services.index.follow.change_stream import ChangeStream
from services.index.follow.polling import Poller
from services.index.follow.reconciliation import Reconciler
from services.index.replica.keeper import Keeper
from services.index.replica.replica import Replica
from services.index.replica.snapshot import SyncPosition
from services.index.replica.writer import ReplicaWriter

log = structlog.get_logger()
FIRST_PAUSE_S = 0.1
STREAM_RETRY_S = 600.0  # how long a database is polled before its change stream is tried again
MAX_LAG_S = 2.0  # an index with a greater lag behind its change stream is stale
MAX_SHARDED_LAG_S = 15.0  # the same for the stream of a sharded cluster, whose idle shards write every ten seconds
UP_TO_DATE_STATES: tuple[SyncState, ...] = ("following", "polling")


@dataclass(frozen=True)
class FollowOptions:
    """How a database is followed; times are in seconds.

    Attributes:
        mode: by its change stream, by polling, or ("auto") by polling if it has no change stream.
        gather_s: how long changes are gathered before they are applied together.
        poll_s: the time between two reads of a change stream without changes; the database waits so long for one.
        polling_s: the shortest time between two reads of the whole catalogue, by polling.
        reconcile_s: the time between two comparisons of the whole catalogue, with a change stream.
        longest_pause_s: between two attempts to reach the database.
    """

    mode: Literal["auto", "stream", "polling"] = "auto"
    gather_s: float = 0.1
    poll_s: float = 0.5
    polling_s: float = 5.0
    reconcile_s: float = 300.0
    longest_pause_s: float = 2.0


class Follower:
    """Follows the products of a database, and holds the replica that is searched.

    `replica` is None until the first load. If anything fails later, the replica stays and is still searched. A new
    replica takes its place once it is complete.
    """

    def __init__(
        self,
        products: ProductCollection,
        make_replica: Callable[[], Replica],
        keeper: Keeper | None = None,
        options: FollowOptions | None = None,
        revision: Revision | None = None,
    ) -> None:
        """Set what to follow.

        Args:
            products: reads the products.
            make_replica: makes an empty replica for each load.
            keeper: of the snapshot; None if there are no snapshots.
            options: how to follow.
            revision: of what searches see; its own if None.
        """
        self.state: SyncState = "starting"
        self.loaded_from: Literal["snapshot", "database"] | None = None
        self.last_error: str | None = None
        self._products = products
        self._make_replica = make_replica
        self._keeper = keeper
        self._options = options or FollowOptions()
        self._revision = revision or Revision()
        self._reconciler = Reconciler(products, self._options.reconcile_s)
        self._poller = Poller(products)
        self._writer: ReplicaWriter | None = None
        self._loading: Replica | None = None
        self._token: Token | None = None
        self._must_reload = False
        self._max_lag_s = MAX_LAG_S
        self._database: str | None = None
        self._level_at: float | None = None

    @property
    def replica(self) -> Replica | None:
        """The replica that is searched; None before the first load."""
        return None if self._writer is None else self._writer.replica

    @property
    def lag_s(self) -> float | None:
        """Seconds since the index was last known to be up to date; None before the first load."""
        return None if self._level_at is None else max(0.0, time.time() - self._level_at)

    def status(self) -> SyncStatus:
        """Return how the index follows the database."""
        replica = self.replica or self._loading
        return SyncStatus(
            state=self.state,
            stale=self.replica is not None and (self.state not in UP_TO_DATE_STATES or self._is_late()),
            loaded_from=self.loaded_from,
            lag_seconds=self.lag_s,
            applied=0 if self._writer is None else self._writer.applied,
            skipped=len(replica.skipped) if replica else 0,
            skipped_images=sum(map(len, replica.image_errors.values())) if replica else 0,
            other_models=len(replica.other_models) if replica else 0,
            last_error=self.last_error,
            snapshot=None if self._keeper is None else self._keeper.status(),
            reconcile=self._reconciler.status(),
        )

    def _is_late(self) -> bool:
        """Return whether changes come faster than they are applied. A poller is always as late as its last read."""
        return self.state == "following" and (self.lag_s or 0.0) > self._max_lag_s

    async def run(self) -> None:
        """Serve the snapshot, if there is one, and follow the database until cancelled."""
        if self._keeper is not None:
            await self._restore(self._keeper)
        try:
            await self._follow_forever()
        finally:
            if self._keeper is not None and self._writer is not None:
                await self._keeper.close(self._writer.replica, self._position(), self._writer.changes)

    async def _restore(self, keeper: Keeper) -> None:
        self.state = "loading"
        writer = ReplicaWriter(self._make_replica())
        position = await self._read_position(keeper, writer.replica)
        if position is None:
            self.state = "starting"
            return
        with self._revision.changing():
            self._writer, self.state, self.loaded_from = writer, "reconnecting", "snapshot"
        self._token, self._database, self._level_at = position.token, position.database, position.level_at

    async def _read_position(self, keeper: Keeper, replica: Replica) -> SyncPosition | None:
        """Fill the replica, and return its position, as soon as what holds them is available."""
        while True:
            try:
                return await asyncio.to_thread(keeper.load, replica)
            except LookalikeError as error:
                self._record_error(error.detail)
                await asyncio.sleep(self._options.longest_pause_s * random.uniform(0.5, 1.0))

    def _position(self) -> SyncPosition | None:
        """Return the replica's position; None if it cannot be resumed from."""
        if self._must_reload or self._database is None or self._level_at is None:
            return None
        return SyncPosition(self._database, self._token, self._level_at)

    async def _follow_forever(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            previous = self._level_at
            try:
                await self._follow()
            except HistoryLost as error:
                self._must_reload = True
                self._record_error(str(error))
            except LookalikeError as error:  # the database, or the engine that holds the vectors
                self._record_error(error.detail)
            except Exception as error:
                log.exception("sync_failed")
                self._record_error(f"the index could not apply a change ({type(error).__name__}): see its log")
            made_progress = self._level_at != previous
            pause_s = FIRST_PAUSE_S if made_progress else min(2 * pause_s, self._options.longest_pause_s)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))

    def _record_error(self, reason: str) -> None:
        self.state = "starting" if self.replica is None else "reconnecting"
        if reason != self.last_error:
            log.warning("sync_interrupted", reason=reason, state=self.state)
        self.last_error = reason

    async def _follow(self) -> None:
        """Follow the database until an error."""
        self._check_identity(await self._products.identity())
        if self._options.mode != "polling":
            try:
                await self._follow_stream()
            except NoChangeStreams as error:
                if self._options.mode == "stream":
                    raise CatalogueUnavailable(f"{error}; or set INDEX_FOLLOW=auto") from None
                if self.state != "polling":
                    log.warning("no_change_streams", reason=str(error))
        await self._poll()

    def _check_identity(self, database: str) -> None:
        """Record the database's identity.

        Raises:
            HistoryLost: the replica was made from another database.
        """
        previous, self._database = self._database, database
        if previous not in (None, database):
            raise HistoryLost("the database is not the one that the index was made of")

    async def _follow_stream(self) -> None:
        """Open the change stream, load the replica if necessary, and apply changes until an error."""
        token = None if self._must_reload else self._token
        feed = await self._products.watch(token, poll_s=self._options.poll_s)
        self._max_lag_s = MAX_SHARDED_LAG_S if feed.is_sharded else MAX_LAG_S
        stream = ChangeStream(self._products, feed, self._options.gather_s)
        try:
            if self._writer is None or token is None:
                await self._load(stream.load)
            elif await stream.pass_marker(self._writer):
                self._reconciler.request()  # the stream may have missed changes during the break
            else:
                raise HistoryLost("the change stream did not go on from where it was")
            await self._apply_changes(stream)
        finally:
            await stream.close()

    async def _apply_changes(self, stream: ChangeStream) -> None:
        """Apply changes until an error, and compare the replica with the database at the same time."""
        assert self._writer is not None
        comparing = asyncio.create_task(self._reconciler.run(self._writer), name="compare with the database")
        try:
            while True:
                batch = await stream.step(self._writer)
                self._record_level("following", batch.token, batch.level_at)
                self._reconciler.add_markers(batch.markers)
                if batch.resumed:
                    self._reconciler.request()
                await self._save_snapshot()
                if comparing.done():
                    comparing.result()  # raises: the stream has fallen silent
        finally:
            comparing.cancel()
            await asyncio.gather(comparing, return_exceptions=True)

    async def _poll(self) -> None:
        """Read all documents repeatedly; return after a while, so that the change stream is tried again."""
        if self._writer is None or self._must_reload:
            await self._load(self._poller.load)
        until = time.monotonic() + STREAM_RETRY_S
        while time.monotonic() < until:
            started_at, started = time.time(), time.monotonic()
            assert self._writer is not None
            await self._poller.catch_up(self._writer)
            self._record_level("polling", None, started_at)
            await self._save_snapshot()
            await asyncio.sleep(max(self._options.polling_s, time.monotonic() - started))

    def _record_level(self, state: SyncState, token: Token | None, level_at: float) -> None:
        """Record that the replica holds all changes up to a token, or up to a Unix time in seconds."""
        if self.state != state:
            log.info(f"sync_{state}", products=0 if self.replica is None else len(self.replica.gallery))
        self.state, self.last_error = state, None
        self._token, self._level_at = token, level_at

    async def _save_snapshot(self) -> None:
        """Write the snapshot if it is due."""
        position = self._position()
        if self._keeper is None or self._writer is None or position is None:
            return
        if self._keeper.is_due(self._writer.changes):
            changes = self._writer.changes
            self._keeper.save(await self._writer.read(Replica.freeze), position, changes)

    async def _load(self, read: Callable[[ReplicaWriter], Awaitable[None]]) -> None:
        """Read all documents into a new replica, and search it once it is complete."""
        started = time.perf_counter()
        self.state = "loading" if self.replica is None else "rebuilding"
        writer = ReplicaWriter(self._make_replica())
        self._loading = replica = writer.replica
        await to_the_end(replica.begin_load)
        await read(writer)
        await to_the_end(replica.finish_load)
        seconds = round(time.perf_counter() - started, 2)
        log.info("index_loaded", products=len(replica.gallery), seconds=seconds, skipped=len(replica.skipped))
        if self._writer is not None:
            writer.continue_counts(self._writer)
        with self._revision.changing():
            self._writer, self._loading, self._must_reload, self.loaded_from = writer, None, False, "database"
