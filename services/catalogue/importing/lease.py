"""One import into a catalogue at a time: two would overwrite each other's pictures, and `--sync` would remove what the other
has just written.

The lease is a note in the database. Its holder moves a counter on every few seconds. Another import takes the lease over
when the holder's process is known to be gone, or when the counter has stood still for so long by the other's own clock:
no two clocks are ever compared.
"""

import asyncio
import time
from dataclasses import replace
from typing import ClassVar, Protocol

from services.catalogue.process_mark import is_alive, this_process
from services.catalogue.retry import pause
from services.catalogue.store.notes import Lease

BEAT_S = 2.0
STANDS_S = 15.0  # a counter that stands still for so long has nobody who moves it
LOOK_S = 0.5


class ImportUnderWay(Exception):
    """Somebody else imports into the catalogue. The text says who; `lease` is theirs."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(
            f"another import is under way: {lease.source}, since {lease.since}, by process {lease.mark.pid} on "
            f"{lease.mark.host}; try again when it has ended"
        )
        self.lease = lease


class LeaseStore(Protocol):
    """The part of `NoteCollection` that a lease needs."""

    async def lease(self) -> Lease | None: ...
    async def take_lease(self, lease: Lease) -> bool: ...
    async def renew_lease(self, import_id: str, beat: int) -> bool: ...
    async def drop_lease(self, lease: Lease, *, at_beat: bool = False) -> None: ...


class ImportLease:
    """The right to import into a catalogue."""

    _held_here: ClassVar[set[str]] = set()

    def __init__(self, store: LeaseStore, import_id: str, source: str, since: str) -> None:
        """Describe the import; nothing is taken yet."""
        self._store = store
        self._lease = Lease(import_id, source, since, this_process())

    async def take(self, stopping: asyncio.Event) -> None:
        """Take the lease, over from one whose holder is gone if need be: that may take STANDS_S.

        Raises:
            ImportUnderWay: somebody holds it.
            Stopped: we were told to stop while looking.
            CatalogueUnavailable: the database is away.
        """
        seen: Lease | None = None
        since = 0.0
        while not await self._store.take_lease(self._lease):
            held = await self._store.lease()
            if held is None:
                continue
            alive = self._is_alive(held)
            moved = seen is not None and seen.import_id == held.import_id and seen.beat != held.beat
            if alive or moved:
                raise ImportUnderWay(held)
            if seen is None or seen.import_id != held.import_id:
                seen, since = held, time.monotonic()
            if alive is False or time.monotonic() - since >= STANDS_S:
                await self._store.drop_lease(held, at_beat=True)
            else:
                await pause(LOOK_S, stopping)
        self._held_here.add(self._lease.import_id)

    async def renew(self) -> bool:
        """Say that we are still there. Returns whether the lease is still ours."""
        self._lease = replace(self._lease, beat=self._lease.beat + 1)
        return await self._store.renew_lease(self._lease.import_id, self._lease.beat)

    async def drop(self) -> None:
        """Give the lease back.

        Raises:
            CatalogueUnavailable: the database is away. Others will find that we are gone.
        """
        self._held_here.discard(self._lease.import_id)
        await self._store.drop_lease(self._lease)

    def _is_alive(self, held: Lease) -> bool | None:
        if held.mark == self._lease.mark:
            return held.import_id in self._held_here
        return is_alive(held.mark)
