"""Workers on Ray: a local cluster for the length of a run, or one that is there. The only module that imports Ray.

A task reads the feed on the node of this process and yields blocks; an actor for each worker processes them (Ray Data's
`map_batches`). Ray starts a process that ends again, and gives its block to a worker again.
"""

import contextlib
import logging
import os
import pickle
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from services.bulk.engine import B, EngineError, R, Reader, Work
from services.bulk.options import BulkOptions
from services.contracts.domain.machine import available_processors

INSTALL = "pip install 'lookalike[ray]'"
COLUMN = "block"
CONNECT_TIMEOUT_S = 10.0
OBJECT_STORE_BYTES = 512 * 1024 * 1024  # of a local cluster: blocks are 16 MB at most, and few are under way


def check_ray(options: BulkOptions) -> None:
    """Check what can be checked without starting anything.

    Raises:
        EngineError: Ray is not installed, or the address is not that of a cluster's node.
    """
    if any(find_spec(name) is None for name in ("ray", "pyarrow")):
        raise EngineError(f"Ray is not installed: {INSTALL}")
    if options.address is not None and "://" in options.address:
        raise EngineError(
            f"{options.address} is not the address of a cluster's head: give host:port, or auto, and run the command "
            "on a machine of the cluster"
        )


def _check_reachable(address: str) -> None:
    """Check that a cluster listens at host:port: Ray itself tries again for minutes.

    Raises:
        EngineError: nothing listens there.
    """
    host, _, port = address.rpartition(":")
    if not port.isdecimal():  # "auto" and "local" are Ray's to find
        return
    try:
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT_S).close()
    except (OSError, OverflowError) as error:
        raise EngineError(f"there is no Ray cluster at {address}: {error}") from None


class RayEngine:
    """Workers on Ray. Opening it connects to the cluster, or starts one; `close` ends a cluster of its own."""

    def __init__(self, options: BulkOptions) -> None:
        """Connect.

        Raises:
            EngineError: Ray cannot be started, or the cluster cannot be reached; or as `check_ray`.
        """
        check_ray(options)
        self._options = options
        self._folder: str | None = None
        self._output = contextlib.redirect_stdout(sys.stderr)  # Ray prints there which processes have ended
        self._closing = threading.Lock()
        self._is_closed = False
        try:
            self._connect()
        except EngineError:
            self.close()
            raise
        except Exception as error:  # Ray raises its base class, too
            self.close()
            raise EngineError(f"Ray cannot be started: {_first_line(error)}") from None

    def _connect(self) -> None:
        self._output.__enter__()
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # of what Ray handles itself
        os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"  # else a call after `close` starts another cluster
        if self._options.address is not None:
            _check_reachable(self._options.address)
        else:  # a cluster of its own, which no other process of the network can use
            os.environ.setdefault("RAY_AUTH_MODE", "token")
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
            os.environ.setdefault("RAY_worker_niceness", "0")  # 15 by default: next to other work, workers would starve
        import ray

        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "include_dashboard": False}
        if self._options.address is not None:
            del quiet["include_dashboard"]
            ray.init(self._options.address, **quiet)
            return
        self._folder = tempfile.mkdtemp(prefix="lookalike-ray-")
        ray.init(
            num_cpus=self.workers,
            num_gpus=self.workers * self._options.gpus or None,
            object_store_memory=OBJECT_STORE_BYTES,
            _temp_dir=self._folder,
            **quiet,
        )

    @property
    def workers(self) -> int:
        """The number of workers."""
        if self._options.workers is not None:
            return self._options.workers
        if self._options.address is None:
            return available_processors()
        import ray

        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    def run(self, read: Reader[B], work: Work[B, R]) -> Iterator[R]:
        """Yield the result of each block, in the order of the blocks; see `Engine.run`."""
        import ray.data

        self._configure()
        blocks = ray.data.read_datasource(_datasource(read), num_cpus=0, override_num_blocks=1)
        done = blocks.map_batches(
            _Worker,
            fn_constructor_args=(pickle.dumps(work),),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=self.workers, max_tasks_in_flight_per_actor=2),
            num_cpus=1,
            num_gpus=self._options.gpus or None,
        )
        try:
            for batch in done.iter_batches(batch_size=1, batch_format="pyarrow", prefetch_batches=0):
                yield pickle.loads(batch[COLUMN][0].as_py())  # noqa: S301  # of our own workers
        except Exception as error:
            raise EngineError(f"Ray has failed: {_first_line(error)}") from error

    def _configure(self) -> None:
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.target_max_block_size = 1  # a block of ours is a block of Ray's
        context.execution_options.preserve_order = True
        for name in ("ray", "ray.data"):  # what ends a run is in its EngineError
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def close(self) -> None:
        """Disconnect; end a cluster of this run, and remove its files."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
            with contextlib.suppress(ImportError):
                import ray

                ray.shutdown()
            self._output.__exit__(None, None, None)
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)


class _Worker:
    """The actor of Ray Data."""

    def __init__(self, work: bytes) -> None:
        self._process = pickle.loads(work)()  # noqa: S301  # of the process that started the run

    def __call__(self, batch: Any) -> Any:
        import pyarrow

        result = self._process(pickle.loads(batch[COLUMN][0].as_py()))  # noqa: S301  # of our own reader
        return pyarrow.table({COLUMN: [pickle.dumps(result)]})


def _datasource(read: Reader[Any]) -> Any:
    """Return Ray Data's source of the blocks, which one task reads on this node."""
    import pyarrow
    from ray.data import Datasource, ReadTask
    from ray.data.block import BlockMetadata

    def tables() -> Iterator[Any]:
        for block in read():
            yield pyarrow.table({COLUMN: [pickle.dumps(block)]})

    class FeedDatasource(Datasource):  # type: ignore[misc]
        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[ReadTask]:
            return [ReadTask(tables, BlockMetadata(num_rows=None, size_bytes=None, exec_stats=None))]

        @property
        def supports_distributed_reads(self) -> bool:
            return False

    return FeedDatasource()


def _first_line(error: BaseException) -> str:
    cause = error.__cause__ or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
