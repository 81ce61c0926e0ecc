"""`python -m services.local.mongo`: runs the stand-in for MongoDB."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
from nx_27017.server import run_server

from services.contracts.web.observability.telemetry import configure_logging
from services.local.mongo.cursors import draw_numbers
from services.local.mongo.inserts import MongoHandler
from services.local.mongo.updates import keep_booleans
from services.local.mongo.write_errors import report_full_disks

log = structlog.get_logger()
THREADS = 128  # at most; each change stream that waits for events keeps one


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    command_line = argparse.ArgumentParser(prog="python -m services.local.mongo", description=__doc__)
    command_line.add_argument("--data-dir", type=Path, required=True, help="folder of the databases, one file each")
    command_line.add_argument("--host", default="127.0.0.1", help="address to listen on")
    command_line.add_argument("--port", type=int, default=27017, help="port of MongoDB's protocol")
    return command_line


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        OSError: the port or the folder cannot be used.
    """
    options.data_dir.mkdir(parents=True, exist_ok=True)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    handler = MongoHandler(str(options.data_dir))
    server = asyncio.ensure_future(run_server(options.host, options.port, handler))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await server
    handler.end_waiting()
    # asyncio logs a traceback for each connection that is closed now, which takes 10 s for those of an index.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    options = parser().parse_args(arguments)
    configure_logging("mongo", json=False, level="WARNING")
    draw_numbers()
    keep_booleans()
    report_full_disks()
    try:
        asyncio.run(serve(options))
    except OSError as error:
        log.error("cannot start", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
