"""The address under which a client reaches the service: the host, and a path before every path.

A proxy may serve the gateway below a path. Addresses in responses begin with that path.
"""

from collections.abc import Callable
from contextvars import ContextVar

_prefix: ContextVar[str] = ContextVar("prefix", default="")
_origin: ContextVar[Callable[[], str]] = ContextVar("origin", default=str)
_is_absolute: ContextVar[bool] = ContextVar("is_absolute", default=False)


def set_public_address(origin: Callable[[], str], prefix: str) -> None:
    """Set what returns scheme and host, and the path before every path, for the current request."""
    _prefix.set(prefix)
    _origin.set(origin)
    _is_absolute.set(False)


def use_absolute_urls() -> None:
    """Let the addresses in the response of the current request have scheme and host."""
    _is_absolute.set(True)


def current_prefix() -> str:
    """Return the path before every path in the current request, such as `/lookalike`; empty without one."""
    return _prefix.get()


def current_base() -> str:
    """Return what addresses in the response of the current request begin with."""
    return (_origin.get()() if _is_absolute.get() else "") + _prefix.get()
