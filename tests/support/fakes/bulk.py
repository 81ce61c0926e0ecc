"""A fake of what bulk imports run on: workers in this process, whose ends can be set."""

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.bulk.engine import B, EngineError, R, Reader, Work


@dataclass
class FakeEngine:
    """Runs the blocks one after the other, through pickles, as another process would get them.

    Attributes:
        workers: as `Engine.workers`.
        repeats: numbers of blocks that are processed twice, as if a worker had ended before its result came.
        fails_after: blocks after which the engine fails.
    """

    workers: int = 2
    repeats: frozenset[int] = frozenset()
    fails_after: int | None = None
    blocks: list[Any] = field(default_factory=list)
    is_closed: bool = False

    def run(self, read: Reader[B], work: Work[B, R]) -> Iterator[R]:
        process = work()
        for number, block in enumerate(read()):
            if number == self.fails_after:
                raise EngineError("Ray has failed: out of memory")
            self.blocks.append(block)
            sent = pickle.dumps(block)
            if number in self.repeats:
                process(pickle.loads(sent))
            yield pickle.loads(pickle.dumps(process(pickle.loads(sent))))

    def close(self) -> None:
        self.is_closed = True


class Notes(dict[str, Any]):
    """Notes in memory, as JSON."""

    async def get(self, name: str) -> dict[str, Any] | None:  # type: ignore[override]
        return None if name not in self else dict(orjson.loads(self[name]))

    async def put(self, name: str, facts: Mapping[str, Any]) -> None:
        self[name] = orjson.dumps(facts)

    async def remove(self, name: str) -> None:
        self.pop(name, None)
