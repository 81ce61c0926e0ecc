"""What becomes of each row of an import, as lines of JSON for whoever asked for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from services.catalogue.importing.report import Outcome

MOST_LINES = 5000  # that wait for their reader; then the import waits, too
STALL_S = 60.0
LINES_AT_ONCE = 1000


class ResultLines:
    """A queue of lines between an import and the client that reads them."""

    def __init__(self, stopping: asyncio.Event) -> None:
        """Nothing has happened yet; `stopping` is set when the client no longer reads."""
        self._stopping = stopping
        self._lines: list[bytes] = []
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False

    def add(self, outcome: Outcome) -> None:
        """Add what became of a row."""
        said: dict[str, Any] = {"line": outcome.line, "id": outcome.key, "outcome": outcome.fate}
        beside = {"reason": outcome.reason, "image": outcome.image}
        self._put(said | {name: value for name, value in beside.items() if value is not None})
        if len(self._lines) >= MOST_LINES:
            self._room.clear()

    def end(self, document: dict[str, Any]) -> None:
        """Add the last line: how the import went."""
        self._ended = True
        self._put({"import": document})

    async def room(self) -> None:
        """Return when the client has read what there was; give the import up for a client that does not read at all."""
        try:
            async with asyncio.timeout(STALL_S):
                await self._room.wait()
        except TimeoutError:
            self._stopping.set()

    async def follow(self) -> AsyncIterator[bytes]:
        """Yield lines, some at a time, until the last one."""
        while True:
            await self._changed.wait()
            while self._lines:
                part, self._lines = self._lines[:LINES_AT_ONCE], self._lines[LINES_AT_ONCE:]
                self._room.set()
                yield b"".join(part)
            if self._ended:
                return
            self._changed.clear()

    def _put(self, document: dict[str, Any]) -> None:
        self._lines.append(orjson.dumps(document, default=str) + b"\n")
        self._changed.set()
