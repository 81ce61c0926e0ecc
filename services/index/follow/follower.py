"""Keeps the index level with the database: a snapshot or a load without a gap, then all changes, whatever happens."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from services.catalogue.store.change_feed import Token
from services.catalogue.store.errors import HistoryLost, NoChangeStreams
from services.catalogue.store.products import ProductCollection
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.wire.index import SyncState, SyncStatus
from services.index.follow.change_stream import ChangeStream
from services.index.follow.polling import Poller
from services.index.follow.reconciliation import Reconciler
from services.index.replica.replica import Replica
from services.index.replica.snapshot import SyncPosition
from services.index.replica.snapshot_keeper import SnapshotKeeper
from services.index.replica.writer import ReplicaWriter

log = structlog.get_logger()
FIRST_PAUSE_S = 0.1
STREAM_AGAIN_S = 600.0
FRESH_S = 2.0  # how far behind its change stream an index may be and call itself level
LEVEL: tuple[SyncState, ...] = ("following", "polling")


@dataclass(frozen=True)
class FollowOptions:
    """How a database is followed; times are in seconds.

    Attributes:
        mode: its change stream, polling, or polling where it has no change stream.
        gather_s: how long changes are gathered before they are applied together.
        poll_s: time between two looks at a change stream that does not wait for changes.
        polling_s: least time between two readings of the whole catalogue, where there is no change stream.
        reconcile_s: time between two comparisons of the whole catalogue, where there is one.
        longest_pause_s: between two attempts to reach the database.
    """

    mode: Literal["auto", "stream", "polling"] = "auto"
    gather_s: float = 0.1
    poll_s: float = 0.1
    polling_s: float = 5.0
    reconcile_s: float = 300.0
    longest_pause_s: float = 2.0


class Follower:
    """Follows the products of a database, and holds the replica that searches look into.

    `replica` is None until it has been read for the first time. Whatever fails afterwards, it stays, and goes on being
    searched; a new one takes its place when it is complete.
    """

    def __init__(
        self,
        store: ProductCollection,
        make_replica: Callable[[], Replica],
        keeper: SnapshotKeeper | None = None,
        options: FollowOptions | None = None,
    ) -> None:
        """Remember what to follow.

        Args:
            store: where the products are.
            make_replica: makes an empty replica, for each load.
            keeper: of the snapshot; None to do without.
            options: how to follow.
        """
        self.state: SyncState = "starting"
        self.loaded_from: Literal["snapshot", "database"] | None = None
        self.last_error: str | None = None
        self._store = store
        self._make_replica = make_replica
        self._keeper = keeper
        self._options = options or FollowOptions()
        self._reconciler = Reconciler(store, self._options.reconcile_s)
        self._poller = Poller(store)
        self._writer: ReplicaWriter | None = None
        self._loading: Replica | None = None
        self._token: Token | None = None
        self._lost = False
        self._database: str | None = None
        self._level_at: float | None = None

    @property
    def replica(self) -> Replica | None:
        """What is searched; None before the first load."""
        return None if self._writer is None else self._writer.replica

    @property
    def lag_s(self) -> float | None:
        """Seconds since the index last knew itself level with the database; None before the first load."""
        return None if self._level_at is None else max(0.0, time.time() - self._level_at)

    def status(self) -> SyncStatus:
        """Return how the index follows the database."""
        replica = self.replica or self._loading
        return SyncStatus(
            state=self.state,
            stale=self.replica is not None and (self.state not in LEVEL or self._is_late()),
            loaded_from=self.loaded_from,
            lag_seconds=self.lag_s,
            applied=0 if self._writer is None else self._writer.applied,
            skipped=len(replica.skipped) if replica else 0,
            skipped_images=sum(map(len, replica.faults.values())) if replica else 0,
            other_models=len(replica.other_models) if replica else 0,
            last_error=self.last_error,
            snapshot=None if self._keeper is None else self._keeper.status(),
            reconcile=self._reconciler.status(),
        )

    def _is_late(self) -> bool:
        """Whether changes come faster than they are applied, or the stream says nothing: a poller is as late as it reads."""
        return self.state == "following" and (self.lag_s or 0.0) > FRESH_S

    async def run(self) -> None:
        """Serve the snapshot, if there is one, and follow the database until cancelled."""
        if self._keeper is not None:
            await self._restore(self._keeper)
        try:
            await self._follow_on()
        finally:
            if self._keeper is not None and self._writer is not None:
                await self._keeper.close(self._writer.replica, self._position(), self._writer.changes)

    async def _restore(self, keeper: SnapshotKeeper) -> None:
        self.state = "loading"
        writer = ReplicaWriter(self._make_replica())
        position = await asyncio.to_thread(keeper.load, writer.replica)
        if position is None:
            self.state = "starting"
            return
        self._writer, self.state, self.loaded_from = writer, "reconnecting", "snapshot"
        self._token, self._database, self._level_at = position.token, position.database, position.level_at

    def _position(self) -> SyncPosition | None:
        """Return up to where the replica knows the database; None where that leads nowhere."""
        if self._lost or self._database is None or self._level_at is None:
            return None
        return SyncPosition(self._database, self._token, self._level_at)

    async def _follow_on(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            before = self._level_at
            try:
                await self._follow()
            except HistoryLost as error:
                self._lost = True
                self._trouble(str(error))
            except CatalogueUnavailable as error:
                self._trouble(error.detail)
            except Exception as error:
                log.exception("sync_failed")
                self._trouble(f"the index could not apply a change ({type(error).__name__}): see its log")
            pause_s = FIRST_PAUSE_S if self._level_at != before else min(2 * pause_s, self._options.longest_pause_s)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))

    def _trouble(self, reason: str) -> None:
        self.state = "starting" if self.replica is None else "reconnecting"
        if reason != self.last_error:
            log.warning("sync_interrupted", reason=reason, state=self.state)
        self.last_error = reason

    async def _follow(self) -> None:
        """Follow for as long as it goes well."""
        self._recognise(await self._store.identity())
        if self._options.mode != "polling":
            try:
                await self._follow_stream()
            except NoChangeStreams as error:
                if self._options.mode == "stream":
                    raise CatalogueUnavailable(f"{error}; or set INDEX_FOLLOW=auto") from None
                if self.state != "polling":
                    log.warning("no_change_streams", reason=str(error))
        await self._poll()

    def _recognise(self, database: str) -> None:
        """Remember which database it is.

        Raises:
            HistoryLost: the replica was made of another one.
        """
        before, self._database = self._database, database
        if before not in (None, database):
            raise HistoryLost("the database is not the one that the index was made of")

    async def _follow_stream(self) -> None:
        """Open the stream, load if need be, and apply changes for as long as the stream lasts."""
        token = None if self._lost else self._token
        feed = await self._store.watch(token, poll_s=self._options.poll_s)
        stream = ChangeStream(self._store, feed, self._options.gather_s)
        try:
            if self._writer is None or token is None:
                await self._load(stream.load)
            elif await stream.pass_marker(self._writer):
                self._reconciler.soon()  # nobody can tell whether the stream has told everything
            else:
                raise HistoryLost("the change stream did not go on from where it was")
            await self._stay_level(stream)
        finally:
            await stream.close()

    async def _stay_level(self, stream: ChangeStream) -> None:
        """Apply changes, and have the replica compared with the database beside it."""
        assert self._writer is not None
        comparing = asyncio.create_task(self._reconciler.run(self._writer), name="compare with the database")
        try:
            while True:
                batch = await stream.step(self._writer)
                self._level("following", batch.token, batch.level_at)
                self._reconciler.seen(batch.markers)
                if batch.resumed:
                    self._reconciler.soon()
                await self._keep()
        finally:
            comparing.cancel()
            await asyncio.wait([comparing])

    async def _poll(self) -> None:
        """Read everything, again and again; now and then return, so that a change stream is tried again."""
        if self._writer is None or self._lost:
            await self._load(self._poller.load)
        until = time.monotonic() + STREAM_AGAIN_S
        while time.monotonic() < until:
            began_at, began = time.time(), time.monotonic()
            assert self._writer is not None
            await self._poller.catch_up(self._writer)
            self._level("polling", None, began_at)
            await self._keep()
            await asyncio.sleep(max(self._options.polling_s, time.monotonic() - began))

    def _level(self, state: SyncState, token: Token | None, level_at: float) -> None:
        """Note that the replica holds everything up to a token, or up to a Unix time, in seconds."""
        if self.state != state:
            log.info(f"sync_{state}", products=0 if self.replica is None else len(self.replica.gallery))
        self.state, self.last_error = state, None
        self._token, self._level_at = token, level_at

    async def _keep(self) -> None:
        """Write the snapshot when it is time to."""
        position = self._position()
        if self._keeper is None or self._writer is None or position is None:
            return
        if self._keeper.is_due(self._writer.changes):
            changes = self._writer.changes
            self._keeper.save(await self._writer.read(Replica.freeze), position, changes)

    async def _load(self, read: Callable[[ReplicaWriter], Awaitable[None]]) -> None:
        """Read all documents into a new replica, and search that one as soon as it is complete."""
        started = time.perf_counter()
        self.state = "loading" if self.replica is None else "rebuilding"
        writer = ReplicaWriter(self._make_replica())
        self._loading = writer.replica
        await read(writer)
        seconds = round(time.perf_counter() - started, 2)
        log.info(
            "index_loaded", products=len(writer.replica.gallery), seconds=seconds, skipped=len(writer.replica.skipped)
        )
        if self._writer is not None:
            writer.carry_over_counts(self._writer)
        self._writer, self._loading, self._lost, self.loaded_from = writer, None, False, "database"
