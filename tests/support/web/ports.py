"""Ports for the tests' own servers, reserved so that no two test processes choose the same one."""

import fcntl
import functools
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

# Below the ports that Linux (32768 and up) and other systems (49152 and up) give to outgoing connections and to port 0.
FIRST, LAST = 20_000, 32_000


def free_ports(count: int) -> list[int]:
    """Reserve ports on which nothing listens, until this process ends.

    Byte n of a file that all test processes of a user share stands for port n: the process that holds the lock of the
    byte has the port. The system releases the locks of a process that ends.

    Raises:
        RuntimeError: all ports are reserved.
    """
    ports = _candidates()
    return [next(ports) for _ in range(count)]


def free_port() -> int:
    """Reserve one port: see `free_ports`."""
    return free_ports(1)[0]


@functools.cache
def _candidates() -> Iterator[int]:
    """Return an iterator over ports that were reserved just now: a port is reserved once in a process."""
    return _reserved_ports(random.randrange(FIRST, LAST))


def _reserved_ports(start: int) -> Iterator[int]:
    locks = _lock_file()
    for port in chain(range(start, LAST), range(FIRST, start)):
        if _lock(locks, port):
            if is_free(port):
                yield port
            else:
                fcntl.lockf(locks, fcntl.LOCK_UN, 1, port)
    raise RuntimeError(f"all ports from {FIRST} to {LAST} are reserved or in use")


@functools.cache
def _lock_file() -> BinaryIO:
    """Open the file once: to close any handle of it would release all locks of the process."""
    return (Path(tempfile.gettempdir()) / f"lookalike-test-ports-{os.getuid()}").open("ab")


def _lock(locks: BinaryIO, port: int) -> bool:
    try:
        fcntl.lockf(locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
