"""A fake of Ray and of pyarrow, as far as `RayEngine` uses them: one process, the worker created for each run."""

import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.bulk import ray_engine


class Cell:
    """A value of a table."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def as_py(self) -> Any:
        return self._value


class Datasource:
    """The base class of the sources."""


@dataclass
class ReadTask:
    """A task that reads."""

    tables: Any
    metadata: dict[str, Any]


@dataclass
class Strategy:
    """How many actors there are, and how many blocks each has."""

    size: int
    max_tasks_in_flight_per_actor: int


@dataclass
class FakeRay:
    """What Ray has been asked to do, and how it answers.

    Attributes:
        trouble: raised when a cluster is started; `failure` when a run has given its results.
        resources: of the cluster.
        started: the arguments of each start.
        ended: number of shutdowns.
        mapped: the arguments of a run's workers; `read` those of its source, `batches` those of its results.
        sources: the sources that were read.
        context: Ray Data's settings.
    """

    trouble: BaseException | None = None
    failure: BaseException | None = None
    resources: dict[str, float] = field(default_factory=dict)
    started: list[tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)
    ended: int = 0
    mapped: dict[str, Any] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)
    batches: dict[str, Any] = field(default_factory=dict)
    sources: list[Any] = field(default_factory=list)
    context: Any = field(default_factory=lambda: types.SimpleNamespace(execution_options=types.SimpleNamespace()))

    def init(self, *arguments: Any, **options: Any) -> None:
        sys.stdout.write("a process has ended\n")  # as Ray does
        self.started.append((arguments, options))
        if self.trouble is not None:
            raise self.trouble

    def shutdown(self) -> None:
        self.ended += 1

    def read_datasource(self, source: Any, **options: Any) -> "FakeRay":
        self.read = options
        self.sources.append(source)
        return self

    def map_batches(self, worker: Any, **options: Any) -> "FakeRay":
        self.mapped = {"worker": worker, **options}
        return self

    def iter_batches(self, **options: Any) -> Iterator[Any]:
        self.batches = options
        worker = self.mapped["worker"](*self.mapped["fn_constructor_args"])
        for task in self.sources[-1].get_read_tasks(1):
            for table in task.tables():
                yield worker(table)
        if self.failure is not None:
            raise self.failure


def install(patch: pytest.MonkeyPatch) -> FakeRay:
    """Let `import ray` and `import pyarrow` import fakes; return the fake."""
    fake = FakeRay()
    ray, data, block = (types.ModuleType(name) for name in ("ray", "ray.data", "ray.data.block"))
    ray.init, ray.shutdown, ray.data = fake.init, fake.shutdown, data  # type: ignore[attr-defined]
    ray.cluster_resources = lambda: fake.resources  # type: ignore[attr-defined]
    data.read_datasource, data.ActorPoolStrategy = fake.read_datasource, Strategy  # type: ignore[attr-defined]
    data.Datasource, data.ReadTask = Datasource, ReadTask  # type: ignore[attr-defined]
    data.DataContext = types.SimpleNamespace(get_current=lambda: fake.context)  # type: ignore[attr-defined]
    block.BlockMetadata = lambda **facts: facts  # type: ignore[attr-defined]
    pyarrow = types.ModuleType("pyarrow")
    pyarrow.table = lambda columns: {name: [Cell(each) for each in column] for name, column in columns.items()}  # type: ignore[attr-defined]
    for module in (ray, data, block, pyarrow):
        patch.setitem(sys.modules, module.__name__, module)
    patch.setattr(ray_engine, "find_spec", lambda _: True)
    return fake
