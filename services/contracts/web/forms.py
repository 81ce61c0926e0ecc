"""Multipart forms, read into memory: people's photos are never written to disk, not even for a moment."""

from fastapi import Request
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from services.contracts.domain.errors import InvalidRequest

GONE = "the client went away before its request was complete"


class _InMemoryParser(MultiPartParser):
    spool_max_size = 2**40  # Starlette's own bound moves larger files to a temporary file; ours is the body's size
    ended = False

    def on_end(self) -> None:
        """Note that the closing boundary has come: without it the last file is missing, and nothing else says so."""
        self.ended = True


async def read_body(request: Request) -> bytes:
    """Return the request's body.

    Raises:
        InvalidRequest: the client hung up.
    """
    try:
        return await request.body()
    except ClientDisconnect:
        raise InvalidRequest(GONE) from None


async def read_form(request: Request, *, max_files: int, max_fields: int) -> FormData:
    """Return a multipart request's files and fields. The body's size is bounded by the app, not here.

    Raises:
        InvalidRequest: it is malformed, cut short, has more files or fields, or the client hung up.
    """
    parser = _InMemoryParser(request.headers, request.stream(), max_files=max_files, max_fields=max_fields)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidRequest(f"the multipart body cannot be read: {error.message}") from None
    except ClientDisconnect:
        raise InvalidRequest(GONE) from None
    if not parser.ended:
        raise InvalidRequest("the multipart body is cut short: its closing boundary is missing")
    return form
