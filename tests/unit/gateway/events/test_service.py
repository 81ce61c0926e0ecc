"""The events of a catalogue: how requests are read."""

import asyncio
from unittest.mock import Mock

import pytest

from services.catalogue.store.events.event_log import EventLog
from services.gateway.events import service
from services.gateway.events.body import SHORT_BYTES, ReadEvents
from services.gateway.events.service import EventService

SHORT, LONG = b" " * SHORT_BYTES, b" " * (SHORT_BYTES + 1)


@pytest.mark.parametrize(("body", "most"), [(LONG, 1), (SHORT, 3)])
async def test_long_bodies_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch, body: bytes, most: int) -> None:
    at_once: list[int] = []
    reading = 0

    async def read(body: bytes, content_type: str) -> ReadEvents:
        nonlocal reading
        reading += 1
        at_once.append(reading)
        await asyncio.sleep(0)
        reading -= 1
        return ReadEvents()

    monkeypatch.setattr(service, "read_events", read)
    events = EventService(Mock(EventLog), 1.0, keeps_vectors=False, count=Mock())
    await asyncio.gather(*(events.read(body, "application/json") for _ in range(3)))
    assert (len(at_once), max(at_once)) == (3, most)
