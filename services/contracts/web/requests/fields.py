"""Header fields of requests, read where they are: most requests pass a dozen readers, each of one field."""

from starlette.types import Scope


def field_of(scope: Scope, name: bytes) -> str | None:
    """Return the first field of a name in lower case; None without one."""
    for field, value in scope["headers"]:
        if field == name:
            return str(value, "latin-1")
    return None
