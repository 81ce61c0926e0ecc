"""Request bodies → image files. Nothing is written to disk, because people's photos are never stored."""

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile

from services.contracts.domain.errors import InvalidRequest, UnsupportedImage
from services.contracts.web.bodies.forms import read_body, read_form
from services.contracts.wire.embedding import MAX_BATCH
from services.contracts.wire.framing import FRAMED, unpack

MULTIPART = "multipart/form-data"
SINGLE_FIELD = "image"


async def single_image(request: Request) -> bytes:
    """Return the image file of a raw or multipart request.

    Raises:
        UnsupportedImage: the body has another media type.
        InvalidRequest: the form does not have exactly one file named `image`.
    """
    kind = _media_type(request)
    if kind == MULTIPART:
        return await _file(request, SINGLE_FIELD)
    if kind.startswith("image/") or kind in ("application/octet-stream", ""):
        return await read_body(request)
    raise UnsupportedImage(
        f"the media type {kind} is not supported: send the image as image/*, or as the file `image` of a multipart form"
    )


async def batch_images(request: Request) -> list[bytes]:
    """Return the images of a batch, in order.

    Raises:
        InvalidRequest: the body has another media type, is malformed, or has no image or more than MAX_BATCH.
    """
    if _media_type(request) != FRAMED:
        raise InvalidRequest(f"send the images as {FRAMED}: for each image its length in four bytes, then its bytes")
    return unpack(await read_body(request), MAX_BATCH)


async def pair_of_images(request: Request) -> tuple[bytes, bytes]:
    """Return the two images of a request.

    Raises:
        InvalidRequest: the body has another media type, is malformed, or does not have exactly two images.
    """
    images = await batch_images(request)
    if len(images) != 2:
        raise InvalidRequest(f"the body has {len(images)} images: send two, the query's and the product's")
    return images[0], images[1]


def _media_type(request: Request) -> str:
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    return kind.decode("latin-1").strip().lower()


async def _file(request: Request, field: str) -> bytes:
    form = await read_form(request, max_files=1, max_fields=16)
    try:
        return await _named(form, field)
    finally:
        await form.close()


async def _named(form: FormData, field: str) -> bytes:
    unknown = sorted({name for name in form if name != field})
    if unknown:
        raise InvalidRequest(f"the form has the unknown field {', '.join(unknown)}: the only field is `{field}`")
    values = form.getlist(field)
    if not values:
        raise InvalidRequest(f"the form has no file named `{field}`")
    file = values[0]
    if len(values) > 1 or not isinstance(file, UploadFile):
        raise InvalidRequest(f"`{field}` must be one file: its part of the form needs a filename")
    return await file.read()
