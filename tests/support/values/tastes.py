"""A log of visitors for tests of tastes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from services.catalogue.documents.product_document import Record
from services.catalogue.events.event import Event
from services.contracts.domain.errors import CatalogueUnavailable
from tests.support.values.events import make_event
from tests.support.values.products import make_product

MODEL = "fashion/1"
EAST, NORTH = np.array([1, 0, 0, 0], np.float32), np.array([0, 1, 0, 0], np.float32)


@dataclass
class VisitorLog:
    """Events and products in this process; a reading waits for `gate` if it is set, and raises `trouble`.

    Products whose ids begin with `n` have the vector NORTH, the others EAST; there is no product `gone`.
    """

    rows: list[Event] = field(default_factory=list)
    trouble: CatalogueUnavailable | None = None
    gate: asyncio.Event | None = None
    readings: list[str] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def events_of(self, client_id: str, **_: object) -> list[Event]:
        self.readings.append(client_id)
        self.was_asked.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return [event for event in self.rows if event.client_id == client_id]

    async def read(self, document_ids: Sequence[Any]) -> list[Record]:
        return [
            Record(key, make_product(key, 0, NORTH if key.startswith("n") else EAST, MODEL))
            for key in document_ids
            if key != "gone"
        ]


def done(action: str, visitor: str, product: str = "a") -> Event:
    """Return an event of a visitor, now."""
    return make_event(action, f"{action}-{visitor}-{product}", datetime.now(UTC), product=product, visitor=visitor)
