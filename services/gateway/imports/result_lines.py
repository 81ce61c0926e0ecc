"""The outcomes of an import's rows as lines of JSON, for the client that waits for them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from services.catalogue.importing.report import Outcome

MAX_LINES = 5000  # that wait for the client; at this number the import waits, too
STALL_S = 60.0  # after which a client that reads nothing ends the import
LINES_AT_ONCE = 1000


class ResultLines:
    """A queue of lines between an import and its client."""

    def __init__(self, stopping: asyncio.Event) -> None:
        """Create an empty queue; it sets `stopping` when the client no longer reads."""
        self._stopping = stopping
        self._lines: list[bytes] = []
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of a row."""
        document: dict[str, Any] = {"line": outcome.line, "id": outcome.key, "outcome": outcome.fate}
        optional = {"reason": outcome.reason, "image": outcome.image, "column": outcome.column}
        self._put(document | {name: value for name, value in optional.items() if value is not None})
        if len(self._lines) >= MAX_LINES:
            self._room.clear()

    def end(self, document: dict[str, Any]) -> None:
        """Add the last line, the import's record."""
        self._ended = True
        self._put({"import": document})

    async def room(self) -> None:
        """Wait until there is room for more lines. A client that reads nothing for STALL_S ends the import."""
        try:
            async with asyncio.timeout(STALL_S):
                await self._room.wait()
        except TimeoutError:
            self._stopping.set()

    async def follow(self) -> AsyncIterator[bytes]:
        """Yield lines, several at a time, up to the last one."""
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
