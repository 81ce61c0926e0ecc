"""Imports without what libraries import and no service uses: 5 to 8 MB of each process.

structlog and httpx import rich and Pygments wherever they are installed, as they are next to the commands, for colours
that no log has. FastAPI looks for models of Pydantic's first version.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNUSED = ("rich", "pygments", "pydantic.v1")


@contextmanager
def lean_imports() -> Iterator[None]:
    """Let the unused packages count as missing while others are imported, unless they are imported already."""
    absent = [name for name in UNUSED if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment] # an import of it fails
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with lean_imports():
    import structlog

__all__ = ["lean_imports", "structlog"]
