"""Requests → image bytes and validated values. A photo may come as a form's file, as the raw body, or in JSON."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request

from services.contracts.domain.errors import InvalidRequest, UnsupportedImage
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.web.forms import read_body, read_form
from services.contracts.web.json_body import read_json_object
from services.contracts.web.problems import invalid_request, unknown_name
from services.gateway.search.form_parts import image_of, text_of
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.options import NoOptions

FORM, JSON = "multipart/form-data", "application/json"
RAW = ("", "application/octet-stream")
Model = TypeVar("Model", bound=BaseModel)


class PhotoBody(FrozenModel):
    """A photo in JSON: exactly one of `image_url` and `image_base64`."""

    image_url: str | None = Field(default=None, max_length=2048, examples=["https://shop.example/images/15970.jpg"])
    image_base64: str | None = Field(default=None, description="the image file in base64, or a data: URL")


async def read_search(request: Request, reader: ImageReader, options: type[Model]) -> tuple[bytes, Model]:
    """Return the photo and the options of a search. Options in the body come before those in the query string.

    Raises:
        InvalidRequest, UnsupportedImage: the body or the query string is not valid.
        InvalidImage, ImageTooLarge, ImageUrlRefused, ImageUrlFailed, UpstreamTimeout: as `ImageReader`.
    """
    return await _read(request, reader, options, request.query_params)


async def read_photo(request: Request, reader: ImageReader) -> bytes:
    """Return the photo of a request without options. Raises as `read_search`."""
    data, _ = await _read(request, reader, NoOptions, {})
    return data


async def _read(
    request: Request, reader: ImageReader, options: type[Model], query: Mapping[str, Any]
) -> tuple[bytes, Model]:
    kind = content_type(request)
    if kind == JSON:
        body = await read_json_object(request)
        photo = parse(PhotoBody, {name: body.pop(name) for name in PhotoBody.model_fields if name in body})
        values = parse(options, body, query)
        return await reader.one_of(photo.image_url, photo.image_base64), values
    if kind == FORM:
        form = await read_form(request, max_files=20, max_fields=20, binary=("image",))
        return await _from_form(form, reader, options, query)
    if kind.startswith("image/") or kind in RAW:
        values = parse(options, {}, query)
        return reader.checked(await read_body(request)), values
    raise UnsupportedImage(f"a body of type {kind} is not accepted: send {FORM}, {JSON} or the image itself as image/*")


async def _from_form(
    form: FormData, reader: ImageReader, options: type[Model], query: Mapping[str, Any]
) -> tuple[bytes, Model]:
    fields: dict[str, Any] = dict(await text_of(form, "image"))
    sources = {name: fields.pop(name) for name in PhotoBody.model_fields if name in fields}
    values = parse(options, fields, query)
    if sources and "image" not in form:
        photo = parse(PhotoBody, sources)
        return await reader.one_of(photo.image_url, photo.image_base64), values
    if sources:
        raise InvalidRequest("give the image once: as the part image, or as image_url or image_base64")
    return reader.checked(await image_of(form, "image")), values


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
        items = [_with_near_name(item, model) for item in error.errors(include_url=False, include_input=False)]
        raise invalid_request(
            (("query",) if item["loc"] and item["loc"][0] in from_query else within, item) for item in items
        ) from None


def _with_near_name(item: Mapping[str, Any], model: type[BaseModel]) -> Mapping[str, Any]:
    """Return an error; if it is an unknown field, with the name of the field that may be meant."""
    if item["type"] != "extra_forbidden" or len(item["loc"]) != 1:
        return item
    return {**item, "msg": unknown_name(str(item["loc"][0]), model.model_fields)}


def content_type(request: Request) -> str:
    """Return the body's media type, lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
