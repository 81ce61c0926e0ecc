"""Sends events to the gateway while it and the database are killed, and finds acknowledged ones that are lost."""

import asyncio
import itertools
from typing import Any

import httpx

from services.catalogue.store.database import CatalogueDatabase

CLIENTS = 4
EVENTS = 10  # of one request
RETRY_AFTER_S = 0.1
TIMEOUT_S = 60.0  # an answer that comes late still counts
Batch = dict[str, dict[str, Any]]  # events by their ids


class EventSender:
    """Clients that send events; of the requests that fail, every second one is sent again with the same ids.

    Attributes:
        acknowledged: ids of the events that are said to be kept.
        sent: the number of events, without those that were sent again.
        unanswered: the number of requests without an acknowledgement.
    """

    def __init__(self, url: str, store: CatalogueDatabase, rate: float) -> None:
        """Send nothing yet.

        Args:
            url: of the gateway.
            store: the database behind it.
            rate: the largest number of events a second.
        """
        self.acknowledged: set[str] = set()
        self.sent = self.unanswered = 0
        self._url = f"{url}/v1/events"
        self._store = store
        self._pause_s = CLIENTS * EVENTS / rate
        self._numbers = itertools.count()

    async def run(self, ending: asyncio.Event) -> None:
        """Send until `ending` is set; then wait for the last answers."""
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
            await asyncio.gather(*(self._client(http, ending) for _ in range(CLIENTS)))

    async def lost(self) -> list[str]:
        """Return acknowledged events that the database does not have, and those in it that were never sent."""
        kept = [event.event_id async for page in self._store.events.events() for event in page]
        unknown = [name for name in kept if int(name.removeprefix("e")) >= self.sent]
        return sorted(self.acknowledged - set(kept)) + unknown

    async def _client(self, http: httpx.AsyncClient, ending: asyncio.Event) -> None:
        while not ending.is_set():
            names = [f"e{next(self._numbers)}" for _ in range(EVENTS)]
            batch = {name: click(name, ordinal) for ordinal, name in enumerate(names, 1)}
            self.sent += EVENTS
            for _ in range(1 + self.unanswered % 2):
                if await self._is_kept(http, batch):
                    break
                await asyncio.sleep(RETRY_AFTER_S)
            await asyncio.sleep(self._pause_s)

    async def _is_kept(self, http: httpx.AsyncClient, batch: Batch) -> bool:
        try:
            response = await http.post(self._url, json=list(batch.values()))
        except httpx.HTTPError:
            self.unanswered += 1
            return False
        if response.status_code != httpx.codes.ACCEPTED:
            self.unanswered += 1
            return False
        refused = set(response.json()["rejected"])
        self.acknowledged |= {name for number, name in enumerate(batch) if number not in refused}
        return True


def click(name: str, ordinal: int) -> dict[str, Any]:
    """Return a click as a shop sends it."""
    attributes = {"object": {"object_id": f"p{ordinal}"}, "position": {"ordinal": ordinal}}
    return {"event_id": name, "action_name": "click", "request_id": "q1", "event_attributes": attributes}
