"""Workers on Ray: how a cluster is started, what a run asks of it, and what is left afterwards. Ray is a fake."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from services.bulk import ray_engine
from services.bulk.engine import EngineError
from services.bulk.options import BulkOptions
from services.bulk.ray_engine import RayEngine, check_ray
from services.contracts.domain.machine import available_processors
from tests.support.fakes.ray import FakeRay, install

CLUSTER = BulkOptions(address="auto")
VARIABLES = ["RAY_USAGE_STATS_ENABLED", "RAY_BACKEND_LOG_LEVEL", "RAY_ENABLE_AUTO_CONNECT", "RAY_AUTH_MODE"]
NICENESS = "RAY_worker_niceness"
VARIABLES += ["RAY_AUTH_TOKEN", NICENESS]


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRay]:
    with mock.patch.dict(os.environ):
        for name in VARIABLES:
            os.environ.pop(name, None)
        levels = {name: logging.getLogger(name).level for name in ("ray", "ray.data")}
        yield install(monkeypatch)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@pytest.fixture
def opened() -> Iterator[Callable[[BulkOptions], RayEngine]]:
    engines: list[RayEngine] = []

    def open_engine(options: BulkOptions) -> RayEngine:
        engines.append(RayEngine(options))
        return engines[-1]

    yield open_engine
    for engine in engines:
        engine.close()


def doubled() -> Callable[[int], int]:
    """The work of a run: the worker doubles a number."""
    return lambda number: 2 * number


@pytest.mark.parametrize("missing", ["ray", "pyarrow"])
def test_both_libraries_have_to_be_installed(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_engine, "find_spec", lambda name: None if name == missing else True)
    with pytest.raises(EngineError, match=r"Ray is not installed: pip install 'lookalike\[ray\]'"):
        RayEngine(BulkOptions())


def test_a_run_gives_the_results_of_its_blocks_in_order(
    ray: FakeRay, opened: Callable[[BulkOptions], RayEngine]
) -> None:
    engine = opened(BulkOptions(workers=3))
    assert list(engine.run(lambda: iter([1, 2, 3]), doubled)) == [2, 4, 6]
    assert list(engine.run(lambda: iter([4]), doubled)) == [8]


def test_a_run_has_one_reader_and_a_processor_for_each_worker(
    ray: FakeRay, opened: Callable[[BulkOptions], RayEngine]
) -> None:
    list(opened(BulkOptions(workers=3, gpus=0.5)).run(lambda: iter([1]), doubled))
    assert ray.read == {"num_cpus": 0, "override_num_blocks": 1}  # it may run where every processor has a worker
    assert (ray.mapped["num_cpus"], ray.mapped["num_gpus"], ray.mapped["batch_size"]) == (1, 0.5, 1)
    assert (ray.mapped["compute"].size, ray.mapped["compute"].max_tasks_in_flight_per_actor) == (3, 2)
    assert ray.batches == {"batch_size": 1, "batch_format": "pyarrow", "prefetch_batches": 0}
    assert (ray.context.execution_options.preserve_order, ray.context.target_max_block_size) == (True, 1)
    assert (ray.context.enable_progress_bars, ray.context.print_on_execution_start) == (False, False)
    assert [logging.getLogger(name).level for name in ("ray", "ray.data")] == [logging.CRITICAL] * 2


def test_the_feed_is_read_by_one_task_on_this_node(ray: FakeRay, opened: Callable[[BulkOptions], RayEngine]) -> None:
    list(opened(BulkOptions(workers=3)).run(lambda: iter([1]), doubled))
    (source,) = ray.sources
    assert source.supports_distributed_reads is False
    (task,) = source.get_read_tasks(8)
    assert task.metadata == {"num_rows": None, "size_bytes": None, "exec_stats": None}  # not known before it is read


def test_without_an_address_a_cluster_is_started_whose_files_are_removed(
    ray: FakeRay, opened: Callable[[BulkOptions], RayEngine]
) -> None:
    engine = opened(BulkOptions(workers=4, gpus=0.5))
    ((arguments, options),) = ray.started
    folder = Path(options["_temp_dir"])
    assert folder.is_dir()
    assert (arguments, options["num_cpus"], options["num_gpus"]) == ((), 4, 2.0)
    assert options["include_dashboard"] is False
    engine.close()
    engine.close()
    assert (ray.ended, folder.exists()) == (1, False)


def test_a_cluster_of_its_own_is_closed_to_other_processes_and_has_the_priority_of_other_work(
    ray: FakeRay, opened: Callable[[BulkOptions], RayEngine]
) -> None:
    opened(BulkOptions(workers=1))
    assert (os.environ["RAY_AUTH_MODE"], len(os.environ["RAY_AUTH_TOKEN"])) == ("token", 64)
    assert os.environ[NICENESS] == "0"
    assert ray.started[0][1]["num_gpus"] is None


@pytest.mark.parametrize("options", [BulkOptions(workers=1), CLUSTER])
def test_ray_sends_no_statistics_and_starts_nothing_after_the_end(
    options: BulkOptions, ray: FakeRay, opened: Callable[[BulkOptions], RayEngine]
) -> None:
    opened(options)
    assert (os.environ["RAY_USAGE_STATS_ENABLED"], os.environ["RAY_ENABLE_AUTO_CONNECT"]) == ("0", "0")
    assert os.environ["RAY_BACKEND_LOG_LEVEL"] == "fatal"
    (_, started) = ray.started[0]
    assert (started["log_to_driver"], started["logging_level"]) == (False, logging.ERROR)


def test_with_an_address_the_workers_run_in_that_cluster(
    ray: FakeRay, opened: Callable[[BulkOptions], RayEngine]
) -> None:
    ray.resources = {"CPU": 12.0}
    engine = opened(BulkOptions(address="auto", gpus=1))
    ((arguments, options),) = ray.started
    assert (arguments, set(options)) == (("auto",), {"log_to_driver", "logging_level"})
    assert "RAY_AUTH_TOKEN" not in os.environ
    assert engine.workers == 12
    list(engine.run(lambda: iter([1]), doubled))
    assert (ray.mapped["compute"].size, ray.mapped["num_gpus"]) == (12, 1)


@pytest.mark.parametrize(
    ("options", "resources", "workers"),
    [
        (BulkOptions(workers=3, address="auto"), {"CPU": 12.0}, 3),
        (CLUSTER, {"CPU": 0.0}, 1),
        (CLUSTER, {}, 1),
        (BulkOptions(workers=5), {}, 5),
        (BulkOptions(), {"CPU": 900.0}, available_processors()),
    ],
)
def test_the_number_of_workers(
    options: BulkOptions,
    resources: dict[str, float],
    workers: int,
    ray: FakeRay,
    opened: Callable[[BulkOptions], RayEngine],
) -> None:
    ray.resources = resources
    assert opened(options).workers == workers


def test_a_run_without_gpus_asks_for_none(ray: FakeRay, opened: Callable[[BulkOptions], RayEngine]) -> None:
    list(opened(BulkOptions(workers=1)).run(lambda: iter([1]), doubled))
    assert ray.mapped["num_gpus"] is None


def test_what_ray_prints_goes_to_stderr_until_it_is_closed(
    ray: FakeRay, opened: Callable[[BulkOptions], RayEngine], capsys: pytest.CaptureFixture[str]
) -> None:
    engine = opened(BulkOptions(workers=1))
    engine.close()
    sys.stdout.write("a result\n")
    assert capsys.readouterr() == ("a result\n", "a process has ended\n")


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


ERRORS: list[tuple[Exception, str]] = [
    (RuntimeError("\nout of memory\nTraceback: …\n"), "out of memory"),
    (TimeoutError(), "TimeoutError"),
    (_caused(RuntimeError("a task failed"), ValueError("feed.csv has gone\nat line 5")), "feed.csv has gone"),
]


@pytest.mark.parametrize(("error", "line"), ERRORS)
def test_a_cluster_that_cannot_be_started_is_one_line_and_leaves_nothing(
    error: Exception, line: str, ray: FakeRay, capsys: pytest.CaptureFixture[str]
) -> None:
    ray.trouble = error
    with pytest.raises(EngineError) as caught:
        RayEngine(BulkOptions(workers=1))
    assert str(caught.value) == f"Ray cannot be started: {line}"
    assert (ray.ended, Path(ray.started[0][1]["_temp_dir"]).exists()) == (1, False)
    sys.stdout.write("a result\n")
    assert capsys.readouterr().out == "a result\n"


@pytest.mark.parametrize(("error", "line"), ERRORS)
def test_a_run_that_fails_has_given_its_results(
    error: Exception, line: str, ray: FakeRay, opened: Callable[[BulkOptions], RayEngine]
) -> None:
    ray.failure = error
    results = opened(BulkOptions(workers=1)).run(lambda: iter([1, 2]), doubled)
    assert [next(results), next(results)] == [2, 4]
    with pytest.raises(EngineError) as caught:
        next(results)
    assert str(caught.value) == f"Ray has failed: {line}"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:99999"])
def test_a_cluster_where_nothing_listens_is_not_waited_for(address: str, ray: FakeRay) -> None:
    before: Any = sys.stdout
    with pytest.raises(EngineError, match=f"^there is no Ray cluster at {address}: "):
        RayEngine(BulkOptions(address=address))
    assert (ray.started, ray.ended, sys.stdout is before) == ([], 1, True)


def test_an_address_without_a_scheme_is_that_of_a_cluster(ray: FakeRay) -> None:
    for address in (None, "auto", "head:6379"):
        check_ray(BulkOptions(address=address))
    with pytest.raises(EngineError, match="is not the address of a cluster's head"):
        check_ray(BulkOptions(address="ray://head:10001"))
