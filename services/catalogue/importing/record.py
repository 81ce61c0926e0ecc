"""An import's record: a note in the database with its state, kept up to date while it runs.

Readers of the record find out when the process that wrote it has ended unexpectedly.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self

from services.catalogue.importing.lease import BEAT_S, ImportLease
from services.catalogue.process_mark import ProcessMark, is_alive, this_process
from services.catalogue.retry import Retry
from services.catalogue.store.database import CatalogueDatabase
from services.contracts.domain.errors import CatalogueUnavailable, LookalikeError
from services.contracts.domain.parts import WHOLE, Part

State = Literal["receiving", "running", "done", "failed", "cancelled", "interrupted"]
UNDER_WAY: tuple[State, ...] = ("receiving", "running")
INTERRUPTED = "the process ended during the import: import again, unchanged products are skipped"
TAKEN_OVER = "another import has taken over, because this one did not respond for too long"


class ImportRecord:
    """Holds the lease of one import and keeps its note up to date, inside an `async with` block."""

    def __init__(
        self,
        catalogue: CatalogueDatabase,
        source: str,
        retry: Retry,
        stopping: asyncio.Event,
        state: State = "running",
        part: Part = WHOLE,
    ) -> None:
        """Describe the import.

        Args:
            catalogue: where the note is stored.
            source: the source's name, for people.
            retry: waits while the database is unavailable when the import begins.
            stopping: is set when the import is cancelled from elsewhere, or taken over.
            state: the first state.
            part: which of the source's products are imported; each part has a lease of its own.
        """
        self.started_at = datetime.now(UTC)
        now = f"{self.started_at:%Y%m%d-%H%M%S-%f}"
        self.id = f"{now[:-3]}-{secrets.token_hex(4)}"  # a later one sorts behind
        self.state: State = state
        self.cancelled = False
        self.taken_over = False
        self.facts: Callable[[], Mapping[str, Any]] = dict
        self._ended_at: datetime | None = None
        self._source = source if part.is_whole else f"{source}, part {part}"
        self._notes = catalogue.notes
        self._retry = retry
        self._stopping = stopping
        self._mark = this_process()
        since = self.started_at.isoformat(timespec="seconds")
        self._lease = ImportLease(catalogue.notes, self.id, source, since, part)
        self._beats: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Take the lease.

        Raises:
            ImportUnderWay: another import holds it.
            RetriesExhausted, Stopped: the database stays unavailable; `stopping` is set.
        """
        await self._retry.call(lambda: self._lease.take(self._stopping))
        try:
            await self._retry.call(self._notes.prune_imports)
            await self._retry.call(lambda: self._notes.put_import(self.id, self.document()))
        except BaseException:
            await self._drop()
            raise
        self._beats = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Write the note a last time and give the lease back."""
        if self._beats is not None:
            self._beats.cancel()
            await asyncio.wait([self._beats])
        if self.state in UNDER_WAY:
            cancelled = isinstance(error, asyncio.CancelledError)
            self.state = "done" if error is None else "interrupted" if cancelled else "failed"
        with contextlib.suppress(LookalikeError):  # the import succeeded even if its note cannot be written
            await self._notes.put_import(self.id, self.document())
        await self._drop()

    def cancel(self) -> None:
        """End the import early."""
        self.cancelled = True
        self._stopping.set()

    def document(self) -> dict[str, Any]:
        """Return the note as it is now."""
        now = datetime.now(UTC)
        if self._ended_at is None and self.state not in UNDER_WAY:
            self._ended_at = now
        return {
            "id": self.id,
            "state": self.state,
            "source": self._source,
            "started_at": self.started_at.isoformat(),
            "updated_at": now.isoformat(),
            "finished_at": None if self._ended_at is None else self._ended_at.isoformat(),
            **self.facts(),
            "process": asdict(self._mark),
        }

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            with contextlib.suppress(CatalogueUnavailable):  # the import itself waits for the database
                self.taken_over = not await self._lease.renew()
                if not self.taken_over:
                    self.cancelled |= await self._notes.put_import(self.id, self.document())
                if self.taken_over or self.cancelled:
                    self._stopping.set()

    async def _drop(self) -> None:
        with contextlib.suppress(LookalikeError):
            await self._lease.drop()


def present(note: Mapping[str, Any], *, is_lease_renewed: bool = True) -> dict[str, Any]:
    """Return an import's note without its process. A note of a process that has ended becomes `interrupted`.

    Args:
        note: as it is stored.
        is_lease_renewed: whether the import still renews its lease, for a process on another machine.
    """
    facts = {name: value for name, value in note.items() if name != "process"}
    if note["state"] not in UNDER_WAY:
        return facts
    alive = is_alive(ProcessMark(**note["process"]))
    if is_lease_renewed if alive is None else alive:
        return facts
    return {**facts, "state": "interrupted", "reason": INTERRUPTED, "finished_at": note["updated_at"]}


def is_elsewhere(note: Mapping[str, Any]) -> bool:
    """Return whether an import is under way in a process whose end this one cannot notice."""
    return note["state"] in UNDER_WAY and is_alive(ProcessMark(**note["process"])) is None
