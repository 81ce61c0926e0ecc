"""Request bodies → image files. Nothing is written to disk: people's photos are never stored."""

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile

from services.contracts.errors import InvalidRequest, UnsupportedImage
from services.contracts.forms import read_body, read_form
from services.contracts.wire import MAX_BATCH

MULTIPART = "multipart/form-data"
SINGLE_FIELD, BATCH_FIELD = "image", "images"


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
        return await read_body(request)
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


def _media_type(request: Request) -> str:
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    return kind.decode("latin-1").strip().lower()


async def _files(request: Request, field: str, most: int) -> list[bytes]:
    form = await read_form(request, max_files=most, max_fields=16)
    try:
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
