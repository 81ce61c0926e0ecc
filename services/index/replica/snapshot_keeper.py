"""Keeps the index snapshot: reads it at the start and writes it in the background. The index works without it."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import structlog

from services.contracts.wire.index import SnapshotStatus
from services.index.replica import snapshot
from services.index.replica.block_file import UnusableFile
from services.index.replica.replica import Replica
from services.index.replica.snapshot import FrozenReplica, Origin, SyncPosition

log = structlog.get_logger()
REST_FACTOR = 20  # the pause after a snapshot is at least this many times the time that it took
# Without changes a snapshot is written after this time all the same: it holds a newer resume token, and the database
# forgets old ones.
MAX_AGE_S = 3600.0
CLOSE_TIMEOUT_S = 3.0  # of the last snapshot: a process that is terminated has little time


class SnapshotCancelled(Exception):
    """The writing was cancelled: the process ends, or the writing took too long."""


class SnapshotKeeper:
    """The snapshot of one catalogue and model in a folder. Failures are logged and counted."""

    def __init__(self, folder: Path, origin: Origin, interval_s: float) -> None:
        """Set where the snapshot is.

        Args:
            folder: created if it does not exist.
            origin: of the replicas.
            interval_s: the shortest time between two snapshots, in seconds.
        """
        self.path = folder / f"{quote(origin.catalogue, safe='')}@{quote(origin.model, safe='')}.snapshot"
        self._origin = origin
        self._interval_s = interval_s
        self._size: int | None = None
        self._taken_at: float | None = None  # Unix time
        self._failures = 0
        self._last_error: str | None = None
        self._changes = -1  # of the replica that are in the snapshot
        self._due_at = self._expires_at = -float("inf")  # monotonic
        self._stopping = threading.Event()
        self._writing: asyncio.Task[None] | None = None

    def status(self) -> SnapshotStatus:
        """Return the state of the snapshot."""
        age = None if self._taken_at is None else round(max(0.0, time.time() - self._taken_at), 1)
        return SnapshotStatus(age_seconds=age, bytes=self._size, failures=self._failures, last_error=self._last_error)

    def load(self, replica: Replica) -> SyncPosition | None:
        """Fill an empty replica from the snapshot. Its changes are counted from 0.

        Returns:
            the replica's position; None without a usable snapshot, and then the replica must not be used.
        """
        started = time.perf_counter()
        try:
            snapshot.remove_unfinished(self.path)
            position, self._size = snapshot.read(self.path, self._origin, replica)
        except FileNotFoundError:
            log.info("no_snapshot", path=str(self.path))
            return None
        except UnusableFile as error:
            self._record_failure("snapshot_unusable", f"the snapshot {error}")
            return None
        except OSError as error:
            self._record_failure("snapshot_unusable", f"the snapshot cannot be read: {_reason(error)}")
            return None
        except Exception as error:
            log.exception("snapshot_unusable")
            reason = f"the snapshot cannot be read ({type(error).__name__}): see the log"
            self._record_failure("snapshot_unusable", reason)
            return None
        self._taken_at, self._changes, self._expires_at = position.level_at, 0, time.monotonic() + MAX_AGE_S
        seconds = round(time.perf_counter() - started, 2)
        log.info("snapshot_loaded", products=len(replica.gallery), seconds=seconds, bytes=self._size)
        return position

    def is_due(self, changes: int) -> bool:
        """Return whether a snapshot is to be written now.

        Args:
            changes: how many changes the replica has had.
        """
        now = time.monotonic()
        return self._writing is None and now >= self._due_at and (changes != self._changes or now >= self._expires_at)

    def save(self, replica: FrozenReplica, position: SyncPosition, changes: int) -> None:
        """Write the snapshot in the background.

        Args:
            replica: what `Replica.freeze` returned.
            position: of the replica.
            changes: how many changes the replica had had.
        """
        self._writing = asyncio.create_task(
            self._write_in_background(replica, position, changes), name="write the snapshot"
        )

    async def close(self, replica: Replica, position: SyncPosition | None, changes: int) -> None:
        """Cancel a writing in progress, then write the changes since the last snapshot if that is soon done."""
        self._stopping.set()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if position is not None and changes != self._changes:
            deadline = time.monotonic() + CLOSE_TIMEOUT_S
            frozen = replica.freeze()
            await asyncio.to_thread(self._write, frozen, position, changes, lambda: time.monotonic() > deadline)

    async def _write_in_background(self, replica: FrozenReplica, position: SyncPosition, changes: int) -> None:
        started = time.monotonic()
        try:
            await asyncio.to_thread(self._write, replica, position, changes, self._stopping.is_set)
        finally:
            now = time.monotonic()
            self._due_at = now + max(self._interval_s, REST_FACTOR * (now - started))
            self._expires_at = now + MAX_AGE_S
            self._writing = None

    def _write(
        self, replica: FrozenReplica, position: SyncPosition, changes: int, is_cancelled: Callable[[], bool]
    ) -> None:
        started = time.perf_counter()

        def check_cancelled() -> None:
            if is_cancelled():
                raise SnapshotCancelled

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._size = snapshot.write(self.path, self._origin, position, replica, check_cancelled)
        except SnapshotCancelled:
            log.info("snapshot_cancelled", path=str(self.path))
        except OSError as error:
            self._record_failure("snapshot_not_written", f"the snapshot cannot be written: {_reason(error)}")
        except Exception as error:
            log.exception("snapshot_not_written")
            reason = f"the snapshot cannot be written ({type(error).__name__}): see the log"
            self._record_failure("snapshot_not_written", reason)
        else:
            self._taken_at, self._changes, self._last_error = time.time(), changes, None
            log.debug("snapshot_written", bytes=self._size, seconds=round(time.perf_counter() - started, 2))

    def _record_failure(self, event: str, reason: str) -> None:
        self._failures += 1
        if reason != self._last_error:
            log.warning(event, reason=reason, path=str(self.path))
        self._last_error = reason


def _reason(error: OSError) -> str:
    """Return the system's error text; if permission is denied, with the folder's owner."""
    text = error.strerror or str(error)
    folder = Path(str(error.filename)).parent
    if not isinstance(error, PermissionError) or not folder.is_dir():
        return text
    return f"{text}: {folder} belongs to user {folder.stat().st_uid}, and this process is user {os.geteuid()}"
