"""Requests → image bytes and validated values. A photo may come as a form's file, as the raw body, or in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request

from services.contracts.domain.errors import InvalidRequest, UnsupportedImage
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.web.bodies.forms import read_body, read_form
from services.contracts.web.bodies.json_body import read_json_object
from services.contracts.web.problems import invalid_request
from services.gateway.search.examples import PhotoQuery
from services.gateway.search.form_parts import image_of, missing_image, text_of, texts_and_images_of
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.options import ExplainOptions, NoOptions, PhotoOptions, PreviewOptions

EXAMPLES = ("like", "unlike")  # options whose values may be images
MAX_EXAMPLES = 10
FORM, JSON = "multipart/form-data", "application/json"
RAW = ("", "application/octet-stream")
Model = TypeVar("Model", bound=BaseModel)


class PhotoBody(FrozenModel):
    """A photo in JSON: exactly one of `image_url` and `image_base64`."""

    image_url: str | None = Field(default=None, max_length=2048, examples=["https://shop.example/images/15970.jpg"])
    image_base64: str | None = Field(default=None, description="the image file in base64, or a data: URL")


async def read_search(
    request: Request, reader: ImageReader, options: type[PhotoOptions] = PhotoOptions
) -> tuple[PhotoQuery, PhotoOptions]:
    """Return the images and the options of a search. Options in the body come before those in the query string.

    Raises:
        InvalidRequest, UnsupportedImage: the body or the query string is not valid.
        InvalidImage, ImageTooLarge, ImageUrlRefused, ImageUrlFailed, UpstreamTimeout: as `ImageReader`.
    """
    query: dict[str, Any] = dict(request.query_params)
    query |= {name: request.query_params.getlist(name) for name in EXAMPLES if name in request.query_params}
    sent = await _read(request)
    values = parse(options, sent.fields, query)
    examples = {name: tuple([await _image(source, reader) for source in sent.examples[name]]) for name in EXAMPLES}
    for name in EXAMPLES:
        if len(examples[name]) + len(getattr(values, name)) > MAX_EXAMPLES:
            raise InvalidRequest(
                f"{name}: a search takes at most {MAX_EXAMPLES} examples, images and products together"
            )
    needs_photo = not (values.like or examples["like"])
    photo = await _image(sent.photo, reader) if needs_photo or not sent.photo.is_empty else None
    return PhotoQuery(photo, examples["like"], examples["unlike"]), values


async def read_photo(request: Request, reader: ImageReader) -> bytes:
    """Return the photo of a request without options. Raises as `read_search`."""
    sent = await _read(request)
    parse(NoOptions, _with_examples(sent))
    return await _image(sent.photo, reader)


async def read_explanation(request: Request, reader: ImageReader) -> tuple[bytes | None, ExplainOptions]:
    """Return the photo, if the request has one, and the options of the explanation of a match.

    Raises:
        InvalidRequest: there is neither a photo nor a product in its place, or there are both.
        Otherwise as `read_search`.
    """
    sent = await _read(request)
    options = parse(ExplainOptions, _with_examples(sent), dict(request.query_params))
    return await _photo_unless(options.query_product, "query_product", sent, reader), options


async def read_photo_with(request: Request, reader: ImageReader, options: type[Model]) -> tuple[bytes, Model]:
    """Return the photo and the options of a request. Raises as `read_search`."""
    sent = await _read(request)
    values = parse(options, _with_examples(sent), dict(request.query_params))
    return await _image(sent.photo, reader), values


async def read_preview(request: Request, reader: ImageReader) -> tuple[bytes | None, PreviewOptions]:
    """Return the photo, if the request has one, and the options of a preview of rules.

    Raises:
        InvalidRequest: there is neither a photo nor a product in its place, or there are both.
        Otherwise as `read_search`.
    """
    sent = await _read(request)
    options = parse(PreviewOptions, _with_examples(sent), dict(request.query_params))
    return await _photo_unless(options.product, "product", sent, reader), options


async def _photo_unless(product: str | None, name: str, sent: "_Sent", reader: ImageReader) -> bytes | None:
    """Return the photo, or None where a product, the option of that name, is the query in its place."""
    if product is None:
        return await _image(sent.photo, reader)
    if not sent.photo.is_empty:
        raise InvalidRequest(f"give the query once: as a photo, or as {name}")
    return None


@dataclass(frozen=True)
class _Image:
    """An image in a request: its bytes, or where they are."""

    data: bytes | None = None
    body: PhotoBody | None = None
    missing: str | None = None  # what to say if there has to be an image

    @property
    def is_empty(self) -> bool:
        return not self.data and self.body in (None, PhotoBody())


@dataclass(frozen=True)
class _Sent:
    """The photo, the values of options, and the images among the examples of a request's body."""

    photo: _Image
    fields: dict[str, Any]
    examples: Mapping[str, list[_Image]]


def _with_examples(sent: _Sent) -> dict[str, Any]:
    """Return the options, with the names of examples: a request that takes none refuses them."""
    return {**sent.fields, **{name: [] for name in EXAMPLES if sent.examples[name]}}


async def _image(image: _Image, reader: ImageReader) -> bytes:
    if image.missing is not None:
        raise InvalidRequest(image.missing)
    if image.body is not None:
        return await reader.one_of(image.body.image_url, image.body.image_base64)
    return reader.checked(image.data or b"")


async def _read(request: Request) -> _Sent:
    kind = content_type(request)
    if kind == JSON:
        return _from_json(await read_json_object(request))
    if kind == FORM:
        return await _from_form(
            await read_form(request, max_files=2 * MAX_EXAMPLES + 20, max_fields=40, binary=("image",))
        )
    if kind.startswith("image/") or kind in RAW:
        return _Sent(_Image(await read_body(request)), {}, {name: [] for name in EXAMPLES})
    raise UnsupportedImage(f"a body of type {kind} is not accepted: send {FORM}, {JSON} or the image itself as image/*")


def _from_json(body: dict[str, Any]) -> _Sent:
    photo = parse(PhotoBody, {name: body.pop(name) for name in PhotoBody.model_fields if name in body})
    examples: dict[str, list[_Image]] = {name: [] for name in EXAMPLES}
    for name in EXAMPLES:
        items = body.get(name)
        if isinstance(items, list):
            images = [item for item in items if isinstance(item, dict)][: MAX_EXAMPLES + 1]
            examples[name] = [_Image(body=parse(PhotoBody, image, within=(name,))) for image in images]
            body[name] = [item for item in items if not isinstance(item, dict)]
    return _Sent(_Image(body=photo), body, examples)


async def _from_form(form: FormData) -> _Sent:
    fields: dict[str, Any] = dict(await text_of(form, "image", *EXAMPLES))
    sources = {name: fields.pop(name) for name in PhotoBody.model_fields if name in fields}
    examples: dict[str, list[_Image]] = {}
    for name in EXAMPLES:
        ids, images = await texts_and_images_of(form, name)
        examples[name] = [_Image(data) for data in images]
        if ids:
            fields[name] = ids
    if sources and "image" in form:
        raise InvalidRequest("give the image once: as the part image, or as image_url or image_base64")
    if sources:
        return _Sent(_Image(body=parse(PhotoBody, sources)), fields, examples)
    if "image" not in form:
        return _Sent(_Image(missing=missing_image(form, "image")), fields, examples)
    return _Sent(_Image(await image_of(form, "image")), fields, examples)


def parse(
    model: type[Model],
    body: Mapping[str, Any],
    query: Mapping[str, Any] | None = None,
    *,
    within: tuple[str, ...] = (),
) -> Model:
    """Validate a request's values.

    Args:
        model: what they have to be.
        body: values of the request's body.
        query: values of its query string; those of the body come first.
        within: path to the values in the body.

    Raises:
        InvalidRequest: they are not valid; `errors` names each place.
    """
    try:
        return model.model_validate({**(query or {}), **body})
    except ValidationError as error:
        from_query = (query or {}).keys() - body.keys()
        errors = error.errors(include_url=False, include_input=False)
        raise invalid_request(
            ((("query",) if item["loc"] and item["loc"][0] in from_query else within, item) for item in errors), model
        ) from None


def content_type(request: Request) -> str:
    """Return the body's media type, lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
