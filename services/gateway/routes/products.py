"""Routes of the catalogue's products."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.exceptions import HTTPException

from services.catalogue.product import MAX_IMAGES, NAME_DIGITS
from services.contracts.domain import errors
from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.forms import read_form
from services.contracts.web.bodies.json_body import json_object, read_json_object
from services.contracts.web.bodies.json_size import MAX_JSON_BYTES, JsonSize
from services.contracts.web.etags import is_current
from services.contracts.web.problems import responses
from services.gateway.access.guard import check_link, may_write
from services.gateway.pages.pictures import WIDTHS, check_width
from services.gateway.products.body import ProductBody, ProductPatch, split_patch
from services.gateway.products.responses import DeletedResponse, ProductResponse
from services.gateway.products.service import ImageFiles, check_key, check_new_key
from services.gateway.routes.openapi.photo_body import PHOTO_ERRORS
from services.gateway.routes.openapi.product_body import MERGE_PATCH, patch_body, product_body
from services.gateway.routes.query_parameters import AbsoluteUrls, KnownParameters, Wait
from services.gateway.search.form_parts import image_of, images_of, text_of
from services.gateway.search.request import (
    FORM,
    JSON,
    content_type,
    parse,
)
from services.gateway.state import GatewayState, State, place

router = APIRouter(prefix="/v1/products", tags=["products"])
Key = Annotated[str, Path(description="the product's id")]
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


@router.get("/{id:product_id}/image", summary="Get a product's stored picture", response_class=Response,
            responses={200: {"description": "The picture, as image/…"}, **responses(*_READ)})  # fmt: skip
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


@router.get(
    "/{id:product}",
    response_model=ProductResponse,
    dependencies=[KnownParameters, AbsoluteUrls],
    summary="Get a product",
    responses=responses(*_READ),
)
async def get_product(id: Key, request: Request, state: State) -> ProductResponse:
    """The product as it is stored, without its vectors. A key of scope search gets the attributes of results."""
    product = await state.products.get(check_key(id))
    if may_write(request, state.settings):
        return product
    return product.model_copy(update={"attributes": state.search.visible.of(product.attributes)})


@router.put(
    "/{id:product}",
    response_model=ProductResponse,
    dependencies=[KnownParameters, AbsoluteUrls],
    summary="Create or replace a product",
    openapi_extra={"requestBody": product_body()},
    responses={201: {"model": ProductResponse, "description": "The product was created."}, **responses(*_WRITE)},
)
async def put_product(
    id: Key, request: Request, response: Response, state: State, wait: Wait = False
) -> ProductResponse:
    """The images go through the network; a search finds the product within a second, by each of its images.

    Without an image, an existing product keeps its own. The status is 201 if the product was created, 200 if replaced.
    With `wait`, the response comes when searches find the product; `searchable` says whether they do.
    """
    key = check_new_key(id)
    values, files = await _read_product(request, state, (JSON,))
    body = parse(ProductBody, values.values, within=values.place)
    async with place(request, state, "write"):
        result = await state.products.put(key, body, files, state.reader)
    response.status_code = 201 if result.created else 200
    return await _waited(result.response, state) if wait else result.response


@router.patch(
    "/{id:product}",
    response_model=ProductResponse,
    dependencies=[KnownParameters, AbsoluteUrls],
    summary="Change a product",
    openapi_extra={"requestBody": patch_body()},
    responses=responses(*_WRITE, errors.UnknownProduct),
)
async def patch_product(id: Key, request: Request, state: State, wait: Wait = False) -> ProductResponse:
    """A JSON merge patch (RFC 7396): fields that the body has are replaced, null removes, the others stay.

    `attributes` are merged one by one; `images` is replaced as a whole. A new image may be sent as in a PUT; without
    one nothing goes through the network. With `category` null, the category is the predicted one again.
    """
    key = check_key(id)
    values, files = await _read_product(request, state, (JSON, MERGE_PATCH))
    kept, removed, removed_attributes = split_patch(values.values)
    patch = ProductPatch(parse(ProductBody, kept, within=values.place), removed, removed_attributes)
    async with place(request, state, "write"):
        response = await state.products.patch(key, patch, files, state.reader)
    return await _waited(response, state) if wait else response


async def _waited(response: ProductResponse, state: GatewayState) -> ProductResponse:
    return response.model_copy(update={"searchable": await state.is_level()})


@router.api_route("/{id:product_id}/image", methods=["PUT", "PATCH", "DELETE", "POST"], include_in_schema=False)
@router.api_route("/{id:product_id}/similar", methods=["PUT", "PATCH", "DELETE", "POST"], include_in_schema=False)
@router.api_route("/{id:product_id}/look", methods=["PUT", "PATCH", "DELETE", "POST"], include_in_schema=False)
async def refuse_to_write_a_part(id: str) -> None:
    """A write to `a/image` is a mistake: as an address, it is the picture of `a`; as an id, it is `a%2Fimage`."""
    raise HTTPException(
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"this is the address of a part of the product {id!r}: in an id, write / as %2F",
        {"Allow": "GET, HEAD"},
    )


@router.delete(
    "/{id:product}",
    status_code=204,
    dependencies=[KnownParameters],
    summary="Delete a product",
    responses={
        200: {"model": DeletedResponse, "description": "The product was deleted; only with `wait`."},
        **responses(*_READ, errors.Unauthorised),
    },
)
async def delete_product(id: Key, state: State, wait: Wait = False) -> Response:
    """The product and its stored pictures are removed; a search finds it for up to a second more.

    With `wait`, the response comes when searches no longer find it; `searchable` says whether they still may.
    """
    await state.products.delete(check_key(id))
    if not wait:
        return Response(status_code=204)
    body = DeletedResponse(deleted=1, unknown=[], searchable=not await state.is_level())
    return Response(body.model_dump_json(), media_type=JSON)


@dataclass(frozen=True)
class _Values:
    """The values of a product in a request, and the path to them in its body."""

    values: dict[str, Any]
    place: tuple[str, ...] = ()


async def _read_product(request: Request, state: GatewayState, kinds: Sequence[str]) -> tuple[_Values, ImageFiles]:
    kind = content_type(request)
    if kind in kinds:
        return _Values(await read_json_object(request)), ImageFiles()
    if kind != FORM:
        raise InvalidRequest(f"send the product as {JSON}, or as {FORM} with the parts image and product")
    form = await read_form(
        request,
        max_files=MAX_IMAGES + 1,
        max_fields=20,
        max_field_bytes=MAX_PRODUCT_FIELD,
        binary=("image", "images"),
    )
    fields = await text_of(form, "image", "images", max_bytes=MAX_PRODUCT_FIELD)
    additional = [state.reader.checked(data) for data in await images_of(form, "images")]
    needs_main = request.method == "PUT" and not additional
    main = state.reader.checked(await image_of(form, "image")) if "image" in form or needs_main else None
    if set(fields) - {"product"}:
        raise InvalidRequest("in addition to image and images the form has one field: product, a JSON object")
    return _Values(await product_values(fields.get("product", "{}")), ("product",)), ImageFiles(main, additional)


async def product_values(text: str) -> dict[str, Any]:
    """Return the values of the product in a form's field.

    Raises:
        InvalidRequest: the field is not a JSON object.
        RequestTooLarge: it has more than MAX_JSON_BYTES without the text of images.
    """
    if not JsonSize().add(text.encode(), MAX_JSON_BYTES):
        raise errors.RequestTooLarge(f"product has more than {MAX_JSON_BYTES:,} bytes, not counting its images")
    return await json_object(text, "product")
