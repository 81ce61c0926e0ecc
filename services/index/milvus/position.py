"""Where the change stream is continued: a token in Milvus, next to the rows that it belongs to."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict

import structlog

from services.catalogue.store.change_feed import read_token, token_text
from services.contracts.domain.errors import LookalikeError
from services.contracts.wire.index import SnapshotStatus
from services.index.milvus.collection import MAX_POSITION_BYTES, MilvusCollection
from services.index.milvus.replica import MilvusReplica
from services.index.replica.replica import Replica
from services.index.replica.snapshot import FrozenReplica, Origin, SyncPosition

log = structlog.get_logger()
INTERVAL_S = 1.0  # between two writings while there are changes
MAX_AGE_S = 600.0  # without changes: the database forgets old tokens


class MilvusPosition:
    """The position of one catalogue and model. It takes the place of a snapshot: the rows are in Milvus already.

    The token is written after the rows. After a crash in between, changes are applied twice, which changes nothing.
    """

    def __init__(
        self, collection: MilvusCollection, origin: Origin, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Set what the position is of.

        Args:
            collection: of the model.
            origin: of the rows; rows of another origin are read from the database again.
            clock: returns seconds.
        """
        self._collection = collection
        self._origin = origin
        self._clock = clock
        self._changes = -1
        self._written_at = -float("inf")  # by the clock
        self._taken_at: float | None = None  # Unix time
        self._failures = 0
        self._last_error: str | None = None
        self._writing: asyncio.Task[None] | None = None

    def status(self) -> SnapshotStatus:
        """Return the age of the position, as that of a snapshot without a file."""
        age = None if self._taken_at is None else round(max(0.0, time.time() - self._taken_at), 1)
        return SnapshotStatus(age_seconds=age, bytes=None, failures=self._failures, last_error=self._last_error)

    def load(self, replica: Replica) -> SyncPosition | None:
        """Let a replica continue with what Milvus holds; None if there is no usable position.

        Raises:
            IndexNotReady, UpstreamTimeout: Milvus is unavailable.
        """
        assert isinstance(replica, MilvusReplica)
        text = self._collection.read_position(self._origin.catalogue)
        if text is None:
            log.info("no_milvus_position", collection=self._collection.name)
            return None
        try:
            facts = json.loads(text)
            if facts["origin"] != asdict(self._origin):
                log.warning("milvus_position_unusable", reason="it is of other settings", made_with=facts["origin"])
                return None
            token = None if facts["token"] is None else read_token(facts["token"])
            position = SyncPosition(facts["database"], token, facts["level_at"])
        except (ValueError, KeyError, TypeError) as error:
            self._record_failure("milvus_position_unusable", f"{type(error).__name__}: {error}")
            return None
        replica.resume()
        self._taken_at, self._changes, self._written_at = position.level_at, 0, self._clock()
        return position

    def is_due(self, changes: int) -> bool:
        """Return whether the position is to be written now."""
        age = self._clock() - self._written_at
        return self._writing is None and age >= (INTERVAL_S if changes != self._changes else MAX_AGE_S)

    def save(self, replica: FrozenReplica, position: SyncPosition, changes: int) -> None:
        """Write the position in the background; see `SnapshotKeeper.save`."""
        self._writing = asyncio.create_task(self._write_in_background(position, changes), name="write the position")

    async def close(self, replica: Replica, position: SyncPosition | None, changes: int) -> None:
        """Write the last position."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if position is not None and changes != self._changes:
            await asyncio.to_thread(self._write, position, changes)

    async def _write_in_background(self, position: SyncPosition, changes: int) -> None:
        try:
            await asyncio.to_thread(self._write, position, changes)
        finally:
            self._written_at, self._writing = self._clock(), None

    def _write(self, position: SyncPosition, changes: int) -> None:
        token = None if position.token is None else token_text(position.token)
        facts = {"origin": asdict(self._origin), "database": position.database, "token": token}
        text = json.dumps({**facts, "level_at": position.level_at})
        try:
            if len(text) > MAX_POSITION_BYTES:
                raise ValueError(f"the token takes more than {MAX_POSITION_BYTES:,} bytes")
            self._collection.write_position(self._origin.catalogue, text)
        except (LookalikeError, ValueError) as error:
            self._record_failure("milvus_position_not_written", str(error))
        else:
            self._taken_at, self._changes, self._last_error = position.level_at, changes, None

    def _record_failure(self, event: str, reason: str) -> None:
        self._failures += 1
        if reason != self._last_error:
            log.warning(event, reason=reason, collection=self._collection.name)
        self._last_error = reason
