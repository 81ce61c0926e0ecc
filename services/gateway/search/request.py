"""A request with a photo, in any of its three forms, → image bytes and options."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, Field, ValidationError, field_validator
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from services.contracts.domain.box import Box
from services.contracts.domain.errors import (
    ImageTooLarge,
    ImageUrlRefused,
    InvalidImage,
    InvalidRequest,
    UnsupportedImage,
    validation_message,
)
from services.contracts.domain.filters import EVERYTHING
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.images.fetch import ImageFetcher
from services.contracts.web.forms import read_body, read_form
from services.contracts.wire.filter_json import JsonFilter
from services.contracts.wire.index import Page
from services.gateway.search.service import SearchOptions

FORM, JSON = "multipart/form-data", "application/json"
Body = TypeVar("Body", bound=BaseModel)


class OptionsBody(Page):
    """How to search. In a query string or form, `filter` is a JSON object in text."""

    category: str | None = Field(default=None, description="search this category (name or id), not the predicted one")
    filter: JsonFilter = EVERYTHING
    min_score: float | None = Field(default=None, ge=-1, le=1, description="leave out results with a lower score")
    facets: bool = Field(default=False, description="count what the results can be filtered by")
    box: Box | None = None

    @field_validator("filter", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value) if value else {}
        except orjson.JSONDecodeError as error:
            raise ValueError(f"the filter is no JSON object: {error}") from None

    @field_validator("category", mode="before")
    @classmethod
    def _from_number(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def options(self) -> SearchOptions:
        """Return the domain's form of it."""
        page = Page(k=self.k, offset=self.offset)
        return SearchOptions(page, self.category, self.filter, self.min_score, self.facets, self.box)


class NoOptions(FrozenModel):
    """What a form has beside the photo where nothing can be chosen."""


class PhotoBody(FrozenModel):
    """A photo in JSON: exactly one of `image_url` and `image_base64`."""

    image_url: str | None = Field(default=None, max_length=2048, examples=["https://shop.example/images/15970.jpg"])
    image_base64: str | None = Field(default=None, description="the image file in base64, or a data: URL")


Photo = TypeVar("Photo", bound=PhotoBody)


class SearchBody(PhotoBody, OptionsBody):
    """A search as JSON."""


@dataclass(frozen=True)
class ImageReader:
    """Brings the image of a request's body, wherever it is, within the bound on its size."""

    max_bytes: int
    fetcher: ImageFetcher | None

    async def from_url(self, url: str) -> bytes:
        """Fetch the image.

        Raises:
            ImageUrlRefused: fetching is switched off, or the address may not be fetched.
            ImageUrlFailed, ImageTooLarge, UpstreamTimeout: see `ImageFetcher`.
        """
        if self.fetcher is None:
            raise ImageUrlRefused(
                "this installation fetches no image URLs: send the image, or set GATEWAY_FETCH_ENABLED"
            )
        return await self.fetcher.fetch(url)

    def from_base64(self, text: str) -> bytes:
        """Decode base64, or a data: URL that holds it.

        Raises:
            InvalidImage: it is no base64.
        """
        if text.startswith("data:"):
            text = text.partition(",")[2]
        try:
            return self.checked(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            raise InvalidImage("image_base64 is not valid base64") from None

    def checked(self, data: bytes) -> bytes:
        """Return the bytes if there are any, and not too many.

        Raises:
            InvalidImage, ImageTooLarge: there are none, or too many.
        """
        if not data:
            raise InvalidImage("the image is empty: it has 0 bytes")
        if len(data) > self.max_bytes:
            raise ImageTooLarge(f"the image has {len(data):,} bytes: at most {self.max_bytes:,} are taken")
        return data

    async def one_of(self, url: str | None, text: str | None) -> bytes:
        """Return the image of exactly one of the two ways.

        Raises:
            InvalidRequest: none or both are given.
        """
        if (url is None) == (text is None):
            raise InvalidRequest("give exactly one of image_url and image_base64")
        return await self.from_url(url) if url is not None else self.from_base64(text or "")


async def read_search(request: Request, reader: ImageReader) -> tuple[bytes, SearchOptions]:
    """Return the image and the options of a search request.

    Raises:
        InvalidRequest, UnsupportedImage, and what `ImageReader` raises: the body or the query string is not right.
    """
    data, body = await _read(request, reader, SearchBody, OptionsBody, dict(request.query_params))
    return data, body.options()


async def read_photo(request: Request, reader: ImageReader) -> bytes:
    """Return the image of a request that has no options; errors as of `read_search`."""
    data, _ = await _read(request, reader, PhotoBody, NoOptions, {})
    return data


async def _read(
    request: Request, reader: ImageReader, as_json: type[Photo], beside: type[Body], query: dict[str, Any]
) -> tuple[bytes, Photo | Body]:
    """Return the image, and what came with it: in JSON both are in one object, elsewhere the options are beside the image."""
    kind = content_type(request)
    if kind == JSON:
        body = parse(as_json, {**query, **await json_object(request)})
        return await reader.one_of(body.image_url, body.image_base64), body
    if kind == FORM:
        form = await read_form(request, max_files=1, max_fields=20)
        data = reader.checked(await form_file(form, "image"))
        return data, parse(beside, {**query, **form_fields(form, "image")})
    if kind.startswith("image/") or kind in ("", "application/octet-stream"):
        options = parse(beside, query)
        return reader.checked(await read_body(request)), options
    raise UnsupportedImage(f"a body of type {kind} is not taken: send {FORM}, {JSON} or the image itself as image/*")


def content_type(request: Request) -> str:
    """Return the body's media type, lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse(model: type[Body], values: dict[str, Any]) -> Body:
    """Validate values.

    Raises:
        InvalidRequest: they do not fit; the text names each field.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = [{"where": _place(item["loc"]), "what": validation_message(item)} for item in error.errors()]
        detail = "; ".join(f"{item['where']}: {item['what']}" for item in found[:5])
        raise InvalidRequest(detail, errors=found) from None


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "body"


async def json_object(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object.

    Raises:
        InvalidRequest: it is not one.
    """
    try:
        value = orjson.loads(await read_body(request))
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"the body is no valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidRequest("the body has to be a JSON object")
    return value


async def form_file(form: FormData, name: str) -> bytes:
    """Return the bytes of the form's file.

    Raises:
        InvalidRequest: there is no file of that name.
    """
    part = form.get(name)
    if not isinstance(part, UploadFile):
        raise InvalidRequest(f"the form has no file {name!r}: send the image as a file part of that name")
    return await part.read()


async def form_files(form: FormData, name: str) -> list[bytes]:
    """Return the bytes of all files of a name.

    Raises:
        InvalidRequest: there is text of that name.
    """
    parts = form.getlist(name)
    if not all(isinstance(part, UploadFile) for part in parts):
        raise InvalidRequest(f"the form's {name!r} has to be files")
    return [await part.read() for part in parts if isinstance(part, UploadFile)]


def form_fields(form: FormData, *files: str) -> dict[str, Any]:
    """Return the form's text fields."""
    return {name: value for name, value in form.items() if name not in files}
