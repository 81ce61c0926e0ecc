"""What runs the workers: blocks go in, the result of each block comes out, in the same order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from services.catalogue.importing.ports import ImporterError

B = TypeVar("B")
R = TypeVar("R")
Reader = Callable[[], Iterator[B]]
"""Reads the blocks, from the beginning each time. It is sent to the process that reads, so it can be pickled."""
Work = Callable[[], Callable[[B], R]]
"""Opens what a worker needs and returns the function that processes a block. It is sent to each worker."""


class EngineError(ImporterError):
    """The engine cannot be started, or has failed. The text says why and what to do."""


class Engine(Protocol):
    """Workers in processes of their own, or the fake of the tests.

    A block whose worker ends unexpectedly is processed again, and the reader is started again if its process ends. Both
    have to be able to bear that.
    """

    @property
    def workers(self) -> int:
        """The number of workers."""

    def run(self, read: Reader[B], work: Work[B, R]) -> Iterator[R]:
        """Yield the result of each block, in the order of the blocks.

        Raises:
            EngineError: the engine has failed, or the reader or a worker raises.
        """

    def close(self) -> None:
        """End the workers. A `run` that waits in another thread ends."""


OpenEngine = Callable[[], Engine]
_END: Any = object()


@asynccontextmanager
async def opened(open_engine: OpenEngine) -> AsyncIterator[Engine]:
    """Open an engine, which takes seconds, for as long as the block.

    Raises:
        EngineError: it cannot be started.
    """
    engine = await asyncio.to_thread(open_engine)
    try:
        yield engine
    finally:
        await asyncio.to_thread(engine.close)


async def results(engine: Engine, read: Reader[B], work: Work[B, R], stopping: asyncio.Event) -> AsyncIterator[R]:
    """Yield the results of an engine until there are no more, or `stopping` is set; then the engine is closed.

    Raises:
        EngineError: as `Engine.run`.
    """
    iterator = engine.run(read, work)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        while not stopping.is_set():
            following = asyncio.ensure_future(asyncio.to_thread(next, iterator, _END))
            await asyncio.wait({following, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                await asyncio.to_thread(engine.close)
                await asyncio.wait({following})
                following.exception()  # of a run that was closed
                return
            if (result := await following) is _END:
                return
            yield result
    finally:
        stop.cancel()
