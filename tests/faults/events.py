"""Sends events through the gateway's writer while the database is killed, and finds acknowledged ones that are lost."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime

from services.catalogue.events.event import Event
from services.catalogue.store.database import CatalogueDatabase
from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.events.writer import EventWriter
from tests.support.values.events import make_event

CLIENTS = 4
EVENTS = 10  # of one request
RETRY_AFTER_S = 0.1


class EventSender:
    """Clients that send events; of the requests that fail, every second one is sent again with the same ids.

    Attributes:
        acknowledged: ids of the events that are said to be kept.
        sent: the number of events, without those that were sent again.
        unanswered: the number of requests without an acknowledgement.
    """

    def __init__(self, store: CatalogueDatabase, rate: float) -> None:
        """Send nothing yet. `rate` is the largest number of events a second."""
        self.acknowledged: set[str] = set()
        self.sent = self.unanswered = 0
        self._store = store
        self._writer = EventWriter(store.events)
        self._pause_s = CLIENTS * EVENTS / rate
        self._numbers = itertools.count()

    async def run(self, ending: asyncio.Event) -> None:
        """Send until `ending` is set; then wait for the last answers."""
        await asyncio.gather(*(self._client(ending) for _ in range(CLIENTS)))
        await self._writer.close()

    async def lost(self) -> list[str]:
        """Return acknowledged events that the database does not have, and those in it that were never sent."""
        kept = [event.event_id async for page in self._store.events.events() for event in page]
        unknown = [name for name in kept if int(name.removeprefix("e")) >= self.sent]
        return sorted(self.acknowledged - set(kept)) + unknown

    async def _client(self, ending: asyncio.Event) -> None:
        while not ending.is_set():
            now = datetime.now(UTC)
            events = [make_event("click", f"e{next(self._numbers)}", now, ordinal=1) for _ in range(EVENTS)]
            self.sent += EVENTS
            for _ in range(1 + self.unanswered % 2):
                if await self._is_kept(events):
                    break
                await asyncio.sleep(RETRY_AFTER_S)
            await asyncio.sleep(self._pause_s)

    async def _is_kept(self, events: Sequence[Event]) -> bool:
        try:
            report = await self._writer.write(events)
        except CatalogueUnavailable:
            self.unanswered += 1
            return False
        refused = {events[position].event_id for position in report.failures}
        self.acknowledged |= {event.event_id for event in events} - refused
        return True
