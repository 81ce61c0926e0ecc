"""`python -m services.local.mongo`: start the stand-in for MongoDB."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog
from nx_27017.server import run_server

from services.contracts.telemetry import configure_logging
from services.local.mongo.inserts import Handler

log = structlog.get_logger()


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = argparse.ArgumentParser(prog="python -m services.local.mongo", description=__doc__)
    made.add_argument("--data-dir", type=Path, required=True, help="folder of the databases, a file each")
    made.add_argument("--host", default="127.0.0.1", help="address to listen on")
    made.add_argument("--port", type=int, default=27017, help="port of MongoDB's protocol")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    options = parser().parse_args(arguments)
    configure_logging("mongo", json=False, level="WARNING")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        options.data_dir.mkdir(parents=True, exist_ok=True)
        asyncio.run(run_server(options.host, options.port, Handler(data_dir=str(options.data_dir))))
    except OSError as error:
        log.error("cannot start", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
