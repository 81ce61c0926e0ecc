"""Reads multipart forms into memory: people's photos are never written to disk."""

from collections.abc import Collection

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.json_size import MAX_JSON_BYTES

DISCONNECTED = "the client disconnected before its request was complete"


class _InMemoryParser(MultiPartParser):
    spool_max_size = 2**40  # Starlette writes larger files to disk; `body_limit` limits the size
    ended = False
    binary: Collection[str] = ()

    def on_headers_finished(self) -> None:
        """Take a part with the name of an image for a file, also without a file name: as text it would be damaged."""
        part = self._current_part
        _, options = parse_options_header(part.content_disposition)
        if b"filename" not in options and options.get(b"name", b"").decode("latin-1") in self.binary:
            part.content_disposition = (part.content_disposition or b"") + b'; filename=""'
        super().on_headers_finished()

    def on_end(self) -> None:
        """Note the closing boundary. Without it the last file is missing, and the parser does not report that."""
        self.ended = True


async def read_body(request: Request) -> bytes:
    """Return the request's body.

    Raises:
        InvalidRequest: the client disconnected.
    """
    try:
        return await request.body()
    except ClientDisconnect:
        raise InvalidRequest(DISCONNECTED) from None


async def read_form(
    request: Request,
    *,
    max_files: int,
    max_fields: int,
    max_field_bytes: int = MAX_JSON_BYTES,
    binary: Collection[str] = (),
) -> FormData:
    """Return the files and fields of a multipart request. The app limits the size of the body.

    Args:
        request: the request.
        max_files: the number of parts with a file name, at most.
        max_fields: the number of other parts, at most.
        max_field_bytes: the size of each of these, at most.
        binary: names of parts that are files, also without a file name.

    Raises:
        InvalidRequest: it is malformed or truncated, has too many files or fields, or the client disconnected.
    """
    parser = _InMemoryParser(
        request.headers, request.stream(), max_files=max_files, max_fields=max_fields, max_part_size=max_field_bytes
    )
    parser.binary = binary
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidRequest(f"the multipart body cannot be read: {error.message}") from None
    except ClientDisconnect:
        raise InvalidRequest(DISCONNECTED) from None
    if not parser.ended:
        raise InvalidRequest("the multipart body is truncated: its closing boundary is missing")
    return form
