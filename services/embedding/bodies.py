"""Request bodies → image files. Nothing is written to disk: people's photos are never stored."""

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from services.contracts.errors import InvalidRequest, UnsupportedImage
from services.contracts.wire import MAX_BATCH

MULTIPART = "multipart/form-data"
GONE = "the client went away before its request was complete"
SINGLE_FIELD, BATCH_FIELD = "image", "images"


class _InMemory(MultiPartParser):
    spool_max_size = 2**40  # Starlette's own bound moves larger files to a temporary file; ours is the body's size
    ended = False

    def on_end(self) -> None:
        """Note that the closing boundary has come: without it the last file is missing, and nothing else says so."""
        self.ended = True


async def single_image(request: Request) -> bytes:
    """Return the image file of a raw or multipart request.

    Raises:
        UnsupportedImage: the body is neither.
        InvalidRequest: the multipart form has not exactly one file named `image`.
    """
    kind = _media_type(request)
    if kind == MULTIPART:
        files = await _files(request, SINGLE_FIELD, 1)
        return files[0]
    if kind.startswith("image/") or kind in ("application/octet-stream", ""):
        return await _whole(request)
    raise UnsupportedImage(
        f"a body of type {kind} is not taken: send the image itself as image/*, or as the file `image` of a multipart form"
    )


async def batch_images(request: Request) -> list[bytes]:
    """Return the files named `images` of a multipart request, in order.

    Raises:
        InvalidRequest: it is not multipart, holds none, or more than MAX_BATCH.
    """
    if _media_type(request) != MULTIPART:
        raise InvalidRequest(f"send the images as files named `{BATCH_FIELD}` of a {MULTIPART} body")
    return await _files(request, BATCH_FIELD, MAX_BATCH)


async def _whole(request: Request) -> bytes:
    try:
        return await request.body()
    except ClientDisconnect:
        raise InvalidRequest(GONE) from None


def _media_type(request: Request) -> str:
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    return kind.decode("latin-1").strip().lower()


async def _files(request: Request, field: str, most: int) -> list[bytes]:
    parser = _InMemory(request.headers, request.stream(), max_files=most, max_fields=16)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidRequest(f"the multipart body cannot be read: {error.message}") from None
    except ClientDisconnect:
        raise InvalidRequest(GONE) from None
    try:
        if not parser.ended:
            raise InvalidRequest("the multipart body is cut short: its closing boundary is missing")
        return await _named(form, field)
    finally:
        await form.close()


async def _named(form: FormData, field: str) -> list[bytes]:
    others = sorted({name for name in form if name != field})
    if others:
        raise InvalidRequest(f"the form has a field {', '.join(others)}: the only one taken is `{field}`")
    values = form.getlist(field)
    if not values:
        raise InvalidRequest(f"the form has no file named `{field}`")
    files = [await value.read() for value in values if isinstance(value, UploadFile)]
    if len(files) < len(values):
        raise InvalidRequest(f"`{field}` has to be a file: its part of the form needs a filename")
    return files
