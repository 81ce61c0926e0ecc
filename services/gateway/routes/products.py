"""Routes of the catalogue's products."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.exceptions import HTTPException

from services.catalogue.product import MAX_IMAGES, NAME_DIGITS
from services.contracts.domain import errors
from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.etags import is_current
from services.contracts.web.forms import read_form
from services.contracts.web.json_body import json_object, read_json_object
from services.contracts.web.json_size import MAX_JSON_BYTES, JsonSize
from services.contracts.web.problems import responses
from services.contracts.wire.index import MAX_SAMPLE
from services.gateway.access.guard import check_link
from services.gateway.pages.pictures import WIDTHS, check_width
from services.gateway.products.responses import ProductResponse
from services.gateway.products.service import ImageFiles, ProductBody, check_key, check_new_key
from services.gateway.routes.photo_body import BINARY, PHOTO_ERRORS
from services.gateway.search.request import (
    FORM,
    JSON,
    content_type,
    form_fields,
    form_file,
    form_files,
    parse,
)
from services.gateway.search.responses import SampleResponse
from services.gateway.state import Admitted, State

router = APIRouter(prefix="/v1/products", tags=["products"])
Key = Annotated[str, Path(description="the product's id", examples=["15970"])]
Width = Annotated[int | None, Query(description=f"scale it down, as WebP: one of {', '.join(map(str, WIDTHS))} pixels")]
MAX_PRODUCT_FIELD = 1024 * 1024  # bytes; it may have small images in base64
PictureName = Annotated[
    str | None,
    Query(
        pattern=rf"^[0-9a-f]{{{NAME_DIGITS}}}$",
        description="an additional image, by the first digits of its hash, as in the addresses in `images`",
    ),
]

_READ = (errors.InvalidRequest, errors.UnknownProduct, errors.CatalogueUnavailable, errors.EmbeddingUnavailable)
_WRITE = (
    *PHOTO_ERRORS,
    errors.UnknownCategory,
    errors.Unauthorised,
    errors.EmbeddingUnavailable,
    errors.CatalogueUnavailable,
    errors.UpstreamTimeout,
)


def _product_body() -> dict[str, Any]:
    schema = ProductBody.model_json_schema()
    # A reference to `#/$defs` leads nowhere from here: references are resolved from the document's root.
    image_list, _ = schema["properties"]["images"]["anyOf"]
    image_list["items"] = schema.pop("$defs")["ImageBody"]
    form = {
        "type": "object",
        "required": ["image"],
        "properties": {
            "image": BINARY,
            "images": {
                "type": "array",
                "items": BINARY,
                "description": "additional images, after those that `product` lists; with them, an existing product "
                "needs no `image`",
            },
            "product": {"type": "string", "description": "the product as a JSON object, as in application/json"},
        },
    }
    return {"required": True, "content": {JSON: {"schema": schema}, FORM: {"schema": form}}}


@router.get(
    "",
    response_model=SampleResponse,
    dependencies=[Admitted],
    summary="Draw products at random",
    responses=responses(
        errors.InvalidRequest,
        errors.UnknownCategory,
        errors.TooManyRequests,
        errors.IndexNotReady,
        errors.UpstreamTimeout,
    ),
)
async def sample_products(
    state: State,
    sample: Annotated[int, Query(ge=1, le=MAX_SAMPLE, description="number of products, at most")] = 12,
    category: Annotated[str | None, Query(description="of this category only: its name or id")] = None,
) -> SampleResponse:
    """Each call returns other products."""
    return SampleResponse(products=await state.search.sample(sample, category))


@router.get("/{id:product_id}/image", summary="Get a product's stored picture", response_class=Response,
            responses={200: {"content": {"image/*": {}}}, **responses(*_READ)})  # fmt: skip
async def get_product_image(
    id: Key, request: Request, state: State, w: Width = None, picture: PictureName = None
) -> Response:
    """The picture of the main image, or of the additional image that `picture` names."""
    width = None if w is None else check_width(w)
    image = await state.products.image(check_key(id), picture)
    check_link(request, image.sha256)
    etag = f'"{image.sha256}"' if width is None else f'"{image.sha256}-{width}"'
    # `v` and `picture` are the picture's hash, so an address with one of them always has the same content.
    is_named = bool({"v", "picture"} & set(request.query_params))
    age = "public, max-age=31536000, immutable" if is_named else "public, max-age=60"
    # Pages of other origins show it, including pages that embed only resources which opt in.
    shared = {"Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff"}
    headers = {"ETag": etag, "Cache-Control": age, **shared}
    if is_current(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if width is not None:
        image = await state.resizer.resized(image, width)
    return Response(image.data, media_type=image.content_type, headers=headers)


@router.get("/{id:product}", response_model=ProductResponse, summary="Get a product", responses=responses(*_READ))
async def get_product(id: Key, state: State) -> ProductResponse:
    """The product as it is stored, without its vectors."""
    return await state.products.get(check_key(id))


@router.put(
    "/{id:product}",
    response_model=ProductResponse,
    summary="Create or replace a product",
    openapi_extra={"requestBody": _product_body()},
    responses={201: {"model": ProductResponse, "description": "The product was created."}, **responses(*_WRITE)},
)
async def put_product(id: Key, request: Request, response: Response, state: State) -> ProductResponse:
    """The images go through the network; a search finds the product within a second, by each of its images.

    Without an image, an existing product keeps its own. The status is 201 if the product was created, 200 if replaced.
    """
    key = check_new_key(id)
    body, files = await _read_product(request, state)
    result = await state.products.put(key, body, files, state.reader)
    response.status_code = 201 if result.created else 200
    return result.response


@router.api_route("/{id:product_id}/image", methods=["PUT", "PATCH", "DELETE", "POST"], include_in_schema=False)
@router.api_route("/{id:product_id}/similar", methods=["PUT", "PATCH", "DELETE", "POST"], include_in_schema=False)
async def refuse_to_write_a_part(id: str) -> None:
    """A write to `a/image` is a mistake: as an address, it is the picture of `a`; as an id, it is `a%2Fimage`."""
    raise HTTPException(
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"this is the address of a part of the product {id!r}: in an id, write / as %2F",
        {"Allow": "GET, HEAD"},
    )


@router.delete("/{id:product}", status_code=204, summary="Delete a product",
               responses=responses(*_READ, errors.Unauthorised))  # fmt: skip
async def delete_product(id: Key, state: State) -> None:
    """The product and its stored pictures are removed; a search finds it for up to a second more."""
    await state.products.delete(check_key(id))


async def _read_product(request: Request, state: State) -> tuple[ProductBody, ImageFiles]:
    kind = content_type(request)
    if kind == JSON:
        return parse(ProductBody, await read_json_object(request)), ImageFiles()
    if kind != FORM:
        raise InvalidRequest(f"send the product as {JSON}, or as {FORM} with the parts image and product")
    form = await read_form(request, max_files=MAX_IMAGES, max_fields=20, max_field_bytes=MAX_PRODUCT_FIELD)
    additional = [state.reader.checked(data) for data in await form_files(form, "images")]
    main = None if additional and "image" not in form else state.reader.checked(await form_file(form, "image"))
    fields = form_fields(form, "image", "images")
    if set(fields) - {"product"}:
        raise InvalidRequest("in addition to image and images the form has one field: product, a JSON object")
    return await parse_product(fields.get("product", "{}")), ImageFiles(main, additional)


async def parse_product(text: str) -> ProductBody:
    """Return the product in a form's field.

    Raises:
        InvalidRequest: the field is not a product in JSON.
        RequestTooLarge: it has more than MAX_JSON_BYTES without the text of images.
    """
    if not JsonSize().add(text.encode(), MAX_JSON_BYTES):
        raise errors.RequestTooLarge(f"product has more than {MAX_JSON_BYTES:,} bytes, not counting its images")
    return parse(ProductBody, await json_object(text, "product"), within=("product",))
