"""Keeps the index snapshot: reads it at the start, writes it anew now and then, and gets along without it."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

import structlog

from services.contracts.wire.index import SnapshotStatus
from services.engine.category_view import CategoryView
from services.index.replica import snapshot
from services.index.replica.block_file import UnusableFile
from services.index.replica.replica import Replica, ReplicaState
from services.index.replica.snapshot import Origin, SyncPosition

log = structlog.get_logger()
SHARE = 20  # writing may take one part in so many of the time
IDLE_S = 3600.0  # without changes it is written all the same: the token moves on, and the database forgets old ones
LAST_WITHIN_S = 3.0  # what a process may take that was told to end


class SnapshotCancelled(Exception):
    """The writing was given up: the process ends, or it took too long."""


class SnapshotKeeper:
    """The snapshot of one catalogue and model in a folder. What goes wrong with it is said in a line, and counted."""

    def __init__(self, folder: Path, origin: Origin, every_s: float) -> None:
        """Remember where it is.

        Args:
            folder: made when it is not there.
            origin: what the replicas are made of.
            every_s: what has changed is written when the last time is so many seconds ago.
        """
        self.path = folder / f"{quote(origin.catalogue, safe='')}@{quote(origin.model, safe='')}.snapshot"
        self._origin = origin
        self._every_s = every_s
        self._size: int | None = None
        self._taken_at: float | None = None  # Unix time
        self._failures = 0
        self._last_error: str | None = None
        self._changes = -1  # of the replica, that are in the snapshot
        self._due_at = self._stale_at = -float("inf")  # monotonic
        self._stopping = threading.Event()
        self._writing: asyncio.Task[None] | None = None

    def status(self) -> SnapshotStatus:
        """Return how it stands with the snapshot."""
        age = None if self._taken_at is None else round(max(0.0, time.time() - self._taken_at), 1)
        return SnapshotStatus(age_seconds=age, bytes=self._size, failures=self._failures, last_error=self._last_error)

    def load(self, replica: Replica) -> SyncPosition | None:
        """Fill an empty replica from the snapshot, of which it then has 0 changes more.

        Returns:
            up to where it knows the database; None without a usable snapshot, and then the replica is of no use.
        """
        started = time.perf_counter()
        try:
            snapshot.remove_unfinished(self.path)
            position, self._size = snapshot.read(self.path, self._origin, replica)
        except FileNotFoundError:
            log.info("no_snapshot", path=str(self.path))
            return None
        except UnusableFile as error:
            self._failed("snapshot_unusable", f"the snapshot {error}")
            return None
        except OSError as error:
            self._failed("snapshot_unusable", f"the snapshot cannot be read: {_reason(error)}")
            return None
        except Exception as error:
            log.exception("snapshot_unusable")
            self._failed("snapshot_unusable", f"the snapshot cannot be read ({type(error).__name__}): see the log")
            return None
        self._taken_at, self._changes, self._stale_at = position.level_at, 0, time.monotonic() + IDLE_S
        seconds = round(time.perf_counter() - started, 2)
        log.info("snapshot_loaded", products=len(replica.gallery), seconds=seconds, bytes=self._size)
        return position

    def is_due(self, changes: int) -> bool:
        """Whether it is time to write, for a replica that has seen so many changes."""
        now = time.monotonic()
        return self._writing is None and now >= self._due_at and (changes != self._changes or now >= self._stale_at)

    def save(self, state: tuple[Sequence[CategoryView], ReplicaState], position: SyncPosition, changes: int) -> None:
        """Write the snapshot in the background.

        Args:
            state: what `Replica.freeze` gave.
            position: up to where it knows the database.
            changes: how many the replica had seen.
        """
        self._writing = asyncio.create_task(self._write_aside(position, state, changes), name="write the snapshot")

    async def close(self, replica: Replica, position: SyncPosition | None, changes: int) -> None:
        """End what is being written, and write what has changed since the last time, if that can be done soon."""
        self._stopping.set()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if position is not None and changes != self._changes:
            deadline = time.monotonic() + LAST_WITHIN_S
            await asyncio.to_thread(
                self._write, position, replica.freeze(), changes, lambda: time.monotonic() > deadline
            )

    async def _write_aside(
        self, position: SyncPosition, state: tuple[Sequence[CategoryView], ReplicaState], changes: int
    ) -> None:
        started = time.monotonic()
        try:
            await asyncio.to_thread(self._write, position, state, changes, self._stopping.is_set)
        finally:
            now = time.monotonic()
            self._due_at, self._stale_at = now + max(self._every_s, SHARE * (now - started)), now + IDLE_S
            self._writing = None

    def _write(
        self,
        position: SyncPosition,
        state: tuple[Sequence[CategoryView], ReplicaState],
        changes: int,
        give_up: Callable[[], bool],
    ) -> None:
        started = time.perf_counter()

        def check_cancelled() -> None:
            if give_up():
                raise SnapshotCancelled

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._size = snapshot.write(self.path, self._origin, position, state, check_cancelled)
        except SnapshotCancelled:
            log.info("snapshot_given_up", path=str(self.path))
        except OSError as error:
            self._failed("snapshot_not_written", f"the snapshot cannot be written: {_reason(error)}")
        except Exception as error:
            log.exception("snapshot_not_written")
            self._failed(
                "snapshot_not_written", f"the snapshot cannot be written ({type(error).__name__}): see the log"
            )
        else:
            self._taken_at, self._changes, self._last_error = time.time(), changes, None
            log.debug("snapshot_written", bytes=self._size, seconds=round(time.perf_counter() - started, 2))

    def _failed(self, event: str, reason: str) -> None:
        self._failures += 1
        if reason != self._last_error:
            log.warning(event, reason=reason, path=str(self.path))
        self._last_error = reason


def _reason(error: OSError) -> str:
    """Return what the system says, and of a folder of somebody else's whose it is."""
    text = error.strerror or str(error)
    folder = Path(str(error.filename)).parent
    if not isinstance(error, PermissionError) or not folder.is_dir():
        return text
    return f"{text}: {folder} belongs to user {folder.stat().st_uid}, and this process is user {os.geteuid()}"
