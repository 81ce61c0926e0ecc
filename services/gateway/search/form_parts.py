"""The parts of a multipart form: images and text, by their content rather than by their file names.

Programs send JSON with a file name (`FormData.append(name, blob)`) and images without one. A part that is not what it
should be is named, with what it is.
"""

from starlette.datastructures import FormData, UploadFile

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.json_size import MAX_JSON_BYTES

SHOWN = 60  # characters of a text that an error quotes
TEXT_BYTES = 2048  # longer text than this is not taken for a mistaken address or id


async def image_of(form: FormData, name: str) -> bytes:
    """Return the image of the form's only part of that name.

    Raises:
        InvalidRequest: there is none, there are several, or the part is text.
    """
    images = await images_of(form, name)
    if not images:
        raise InvalidRequest(missing_image(form, name))
    if len(images) > 1:
        raise InvalidRequest(f"the form has {len(images)} parts {name!r}: send one image")
    return images[0]


def missing_image(form: FormData, name: str) -> str:
    """Return the sentence about an image that the form does not have."""
    others = ", ".join(dict.fromkeys(form)) or "no parts"
    return f"the form has no file {name!r}, but {others}: send the image as a file part of that name"


async def texts_and_images_of(form: FormData, name: str) -> tuple[list[str], list[bytes]]:
    """Return the parts of a name that are text, and those that are images, which are files with other content."""
    texts: list[str] = []
    images: list[bytes] = []
    for part in form.getlist(name):
        content = part if isinstance(part, str) else await part.read()
        text = content if isinstance(content, str) else _short_text(content)
        if text is not None:
            texts.append(text.strip())
        elif isinstance(content, bytes):
            images.append(content)
    return [text for text in texts if text], images


async def images_of(form: FormData, name: str) -> list[bytes]:
    """Return the images of all parts of that name.

    Raises:
        InvalidRequest: a part is text.
    """
    return [_image(name, part if isinstance(part, str) else await part.read()) for part in form.getlist(name)]


async def text_of(form: FormData, *images: str, max_bytes: int = MAX_JSON_BYTES) -> dict[str, str]:
    """Return the form's text by the names of the parts, without those that are images.

    Raises:
        InvalidRequest: a part is not text, or too long.
    """
    return {name: await _text(name, part, max_bytes) for name, part in form.items() if name not in images}


def _image(name: str, content: bytes | str) -> bytes:
    text = content if isinstance(content, str) else _short_text(content)
    if text is None:
        return content if isinstance(content, bytes) else content.encode()
    if not text and isinstance(content, bytes):
        return b""  # what a browser sends for a file that was not chosen; the reader says that it is empty
    quoted = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    raise InvalidRequest(f"the form's part {name!r} is the text {quoted!r}: send the image itself, as a file part")


def _short_text(content: bytes) -> str | None:
    """Return the text that a part is instead of an image; None for anything else."""
    if len(content) > TEXT_BYTES:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if all(character.isprintable() or character.isspace() for character in text) else None


async def _text(name: str, part: str | UploadFile, max_bytes: int) -> str:
    if isinstance(part, str):
        return part
    kind = part.content_type or "of an unknown type"
    if (part.size or 0) > max_bytes:
        raise InvalidRequest(f"the form's part {name!r} is a file ({kind}) of {part.size:,} bytes, and should be text")
    try:
        return (await part.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(f"the form's part {name!r} is a file ({kind}), and should be text") from None
