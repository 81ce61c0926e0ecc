"""The import lease: one import into a catalogue at a time, or one into each part of it.

Two would overwrite each other's pictures, and `--sync` would remove what the other has just written. The lease is a
note in the database; its holder increments a counter every few seconds. Another import takes the lease over when the
holder's process has ended, or when the counter has not changed for a while by the other's own clock: clocks are never
compared.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Protocol

from services.catalogue.process_mark import is_alive, this_process
from services.catalogue.retry import pause
from services.catalogue.store.notes import Lease
from services.contracts.domain.parts import WHOLE, Part

BEAT_S = 2.0
STALE_S = 15.0  # a counter that has not changed for this long has no holder
CHECK_S = 0.5


class ImportUnderWay(Exception):
    """Another import into the catalogue is under way. The text says which; `lease` is its lease."""

    def __init__(self, lease: Lease) -> None:
        part = "" if lease.part.is_whole else f", part {lease.part}"
        super().__init__(
            f"another import is under way: {lease.source}{part}, since {lease.since}, by process {lease.mark.pid} on "
            f"{lease.mark.host}; try again when it has ended"
        )
        self.lease = lease


class LeaseNotes(Protocol):
    """The part of `NoteCollection` that a lease needs."""

    async def leases(self) -> list[Lease]: ...
    async def take_lease(self, lease: Lease) -> bool: ...
    async def renew_lease(self, import_id: str, beat: int) -> bool: ...
    async def drop_lease(self, lease: Lease, *, at_beat: bool = False) -> None: ...


class ImportLease:
    """The right to import into a catalogue, or into a part of it."""

    _held_here: ClassVar[set[str]] = set()

    def __init__(self, notes: LeaseNotes, import_id: str, source: str, since: str, part: Part = WHOLE) -> None:
        """Describe the import; `take` takes the lease."""
        self._notes = notes
        self._lease = Lease(import_id, source, since, this_process(), part=part)

    async def take(self, stopping: asyncio.Event) -> None:
        """Take the lease, if need be from an import whose process has ended: that may take STALE_S.

        Raises:
            ImportUnderWay: another import holds it.
            Stopped: `stopping` is set.
            CatalogueUnavailable: the database is unavailable.
        """
        previous: Lease | None = None
        since = 0.0
        while (lease := await self._blocking()) is not None:
            alive = self._is_alive(lease)
            is_same = previous is not None and previous.import_id == lease.import_id
            if alive or (is_same and previous is not None and previous.beat != lease.beat):
                raise ImportUnderWay(lease)
            if not is_same:
                previous, since = lease, time.monotonic()
            if alive is False or time.monotonic() - since >= STALE_S:
                await self._notes.drop_lease(lease, at_beat=True)
            else:
                await pause(CHECK_S, stopping)
        self._held_here.add(self._lease.import_id)

    async def _blocking(self) -> Lease | None:
        """Take the lease and return None; or take nothing, and return the lease that does not allow it.

        It is taken before the others are looked at: of two imports that do so at the same moment, one sees the other.
        """
        while True:
            is_taken = await self._notes.take_lease(self._lease)
            others = (lease for lease in await self._notes.leases() if lease.import_id != self._lease.import_id)
            blocking = next((lease for lease in others if lease.excludes(self._lease)), None)
            if is_taken and blocking is None:
                return None
            if is_taken:
                await self._notes.drop_lease(self._lease)
            if blocking is not None:
                return blocking

    async def renew(self) -> bool:
        """Increment the counter. Returns whether this import still holds the lease."""
        self._lease = replace(self._lease, beat=self._lease.beat + 1)
        return await self._notes.renew_lease(self._lease.import_id, self._lease.beat)

    async def drop(self) -> None:
        """Give the lease back.

        Raises:
            CatalogueUnavailable: the database is unavailable. Other imports will find that this process has ended.
        """
        self._held_here.discard(self._lease.import_id)
        await self._notes.drop_lease(self._lease)

    def _is_alive(self, lease: Lease) -> bool | None:
        if lease.mark == self._lease.mark:
            return lease.import_id in self._held_here
        return is_alive(lease.mark)


class LeaseWatch:
    """Finds out by this process's own clock whether an import on another machine still renews its lease."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to watch; a lease that is seen for the first time counts as renewed."""
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}  # by import: its counter, and when it had that value first

    def is_renewed(self, leases: Sequence[Lease], import_id: str) -> bool:
        """Return whether the import holds one of the leases, and its counter has changed within STALE_S."""
        self._seen = {lease.import_id: self._seen.get(lease.import_id, (-1, 0.0)) for lease in leases}
        lease = next((lease for lease in leases if lease.import_id == import_id), None)
        if lease is None:
            return False
        if self._seen[import_id][0] != lease.beat:
            self._seen[import_id] = lease.beat, self._clock()
        return self._clock() - self._seen[import_id][1] < STALE_S
