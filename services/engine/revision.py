"""The revision of what searches see: as long as it is the same, so is the result of every search."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock


class Revision:
    """A text that every change of products, scales and models replaces by one that has never been before.

    Any thread may change it; `after` is for event loops.
    """

    def __init__(self) -> None:
        self._process = secrets.token_hex(6)
        self._number = 0
        self._lock = Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def __str__(self) -> str:
        return f"{self._process}.{self._number}"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change what searches see within the block.

        There is a new revision before the change and another one after it: a search that has seen anything of the
        change has begun after the first revision, and one that has not seen all of it before the last.
        """
        self._change()
        try:
            yield
        finally:
            self._change()

    async def after(self, known: str, within_s: float) -> str:
        """Return the revision once it is not `known`, or after some seconds in any case."""
        here = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if str(self) != known:
                return str(self)
            self._waiting.add(here)
        try:
            async with asyncio.timeout(within_s):
                await here[1].wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(here)
        return str(self)

    def _change(self) -> None:
        with self._lock:
            self._number += 1
            for loop, changed in self._waiting:
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(changed.set)
