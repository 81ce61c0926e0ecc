"""The steps of `lookalike learn`: train, promote, roll back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from services.catalogue.learning.log_reader import read_searches
from services.catalogue.learning.search_log import LoggedSearch
from services.catalogue.learning.training import LearningOptions, learn
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.learned_orders import OrderNote, OrderVersion

ATTEMPTS = 5  # to change a note that other processes change at the same time


class OrderRefused(Exception):
    """A step is not possible. The text says why, and what to do."""


class NoGain(OrderRefused):
    """A version is not known to be better than the plain order."""


class OrderStore(Protocol):
    """Where the versions are kept."""

    async def add(self, data: bytes, report: Mapping[str, Any]) -> OrderVersion: ...
    async def list(self) -> list[OrderVersion]: ...
    async def note(self) -> OrderNote: ...
    async def replace_note(self, old: OrderNote, new: OrderNote) -> bool: ...


@dataclass(frozen=True)
class Orders:
    """The versions of a catalogue's learned order, and which one is active."""

    note: OrderNote
    versions: list[OrderVersion] = field(default_factory=list)

    def named(self, version: str | None) -> OrderVersion:
        """Return a version, the latest one for None.

        Raises:
            OrderRefused: there is none.
        """
        if not self.versions:
            raise OrderRefused("nothing has been learned yet: run lookalike learn train first")
        if version is None:
            return self.versions[-1]
        for known in self.versions:
            if known.version == version:
                return known
        names = ", ".join(known.version for known in self.versions)
        raise OrderRefused(f"there is no version {version!r} of the learned order: there are {names}")


class LearnSession:
    """Learned orders of one catalogue. Each step raises OrderRefused with a sentence if it is not possible."""

    def __init__(self, store: OrderStore) -> None:
        self._store = store

    async def orders(self) -> Orders:
        """Return all versions, the oldest first."""
        return Orders(await self._store.note(), await self._store.list())

    async def train(self, searches: list[LoggedSearch], options: LearningOptions) -> OrderVersion:
        """Learn from searches and store a version. It is not active yet.

        Raises:
            NotEnoughEvents, LearningUnavailable: as `learn`.
        """
        order, report = learn(searches, options)
        try:
            return await self._store.add(order.to_bytes(), report.to_dict())
        except ValueError as error:
            raise OrderRefused(str(error)) from None

    async def promote(self, version: str | None, *, force: bool) -> tuple[OrderVersion, OrderNote]:
        """Let searches use a version, the latest one for None.

        Raises:
            NoGain: the interval of its gain does not lie above zero, and `force` is not set.
        """
        chosen = (await self.orders()).named(version)
        gain = chosen.report["comparison"]["gain"]
        if gain["low"] <= 0 and not force:
            raise NoGain(
                f"version {chosen.version} is not known to be better than the plain order: its gain in NDCG@10 "
                f"is {gain['mean']:+.4f}, between {gain['low']:+.4f} and {gain['high']:+.4f}; train again with more "
                "events, or promote it in spite of that with --force"
            )
        return chosen, await self._change(lambda note: note.promoted(chosen.version))

    async def rollback(self) -> OrderNote:
        """Let searches use the version before the active one, or the plain order if there is none."""

        def back(note: OrderNote) -> OrderNote:
            if note.active is None:
                raise OrderRefused("no learned order is active: searches use the plain order")
            return note.rolled_back()

        return await self._change(back)

    async def _change(self, change: Callable[[OrderNote], OrderNote]) -> OrderNote:
        for _ in range(ATTEMPTS):
            old = await self._store.note()
            new = change(old)
            if new == old or await self._store.replace_note(old, new):
                return new
        raise OrderRefused("the learned order is being changed by other processes: try again")


async def searches_of(database: CatalogueDatabase, days: float) -> list[LoggedSearch]:
    """Return the searches of the last days.

    Raises:
        CatalogueUnavailable: the database is unavailable.
    """
    return await read_searches(database, datetime.now(UTC) - timedelta(days=days))
