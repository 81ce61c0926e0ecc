"""Routes that concern several products: the list of all, random ones, and deleting several.

An id may be any text, so their addresses have no slash after `products`.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from services.contracts.domain import errors
from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.json_body import JsonRoute
from services.contracts.web.problems import responses
from services.contracts.web.public_address import use_absolute_urls
from services.contracts.wire.index import MAX_SAMPLE
from services.gateway.products.listing import ListOptions, cursor_of
from services.gateway.products.responses import DeleteBody, DeletedResponse, ProductResponse, ProductsResponse
from services.gateway.products.service import check_key
from services.gateway.routes.query_parameters import AbsoluteUrls, KnownParameters, Wait
from services.gateway.search.options import query_parameters
from services.gateway.search.request import parse
from services.gateway.search.responses import SampleResponse
from services.gateway.state import GatewayState, State, place

router = APIRouter(tags=["products"], route_class=JsonRoute)
NDJSON = "application/x-ndjson"


@router.get(
    "/v1/products",
    response_model=ProductsResponse,
    dependencies=[KnownParameters],
    summary="List the products",
    openapi_extra={"parameters": query_parameters(ListOptions)},
    responses={
        200: {
            "description": "A page of products; with `Accept: application/x-ndjson`, all of them, one a line.",
        },
        **responses(
            errors.InvalidRequest,
            errors.UnknownCategory,
            errors.Unauthorised,
            errors.CatalogueUnavailable,
            errors.EmbeddingUnavailable,
        ),
    },
)
async def list_products(request: Request, state: State) -> Any:
    """The products as they are stored, without their vectors, in a fixed order.

    `next_cursor` is the `cursor` of the next page, null on the last one. A product that exists from the first page to
    the last is listed once, also while others are written. With a `filter` or a `category`, a page may be short before
    the end. With `Accept: application/x-ndjson` the response is all products, one a line; it has no pages.
    """
    options = parse(ListOptions, {}, request.query_params)
    if options.absolute_urls:
        use_absolute_urls()
    if NDJSON in request.headers.get("accept", ""):
        if options.cursor is not None or "limit" in request.query_params:
            raise InvalidRequest("an export has all products: leave out limit and cursor, or ask for JSON")
        return await _export(state, options)
    products, following = await state.products.page(options.position, options.limit, options.wanted)
    warnings = await state.products.warnings(options.wanted) if options.cursor is None else []
    cursor = None if following is None else cursor_of(following)
    return ProductsResponse(products=products, next_cursor=cursor, warnings=warnings)


async def _export(state: GatewayState, options: ListOptions) -> Response:
    """Return all products as lines. If the database fails later, the response breaks off without its end."""
    parts = state.products.all(options.wanted)
    nothing: list[ProductResponse] = []
    first = await anext(parts, nothing)  # an error before the first line is a problem document

    async def lines() -> AsyncIterator[bytes]:
        yield _lines(first)
        async for products in parts:
            yield _lines(products)

    return StreamingResponse(lines(), media_type=NDJSON)


def _lines(products: Sequence[ProductResponse]) -> bytes:
    return b"".join(orjson.dumps(product.model_dump()) + b"\n" for product in products)


@router.get(
    "/v1/products:sample",
    response_model=SampleResponse,
    dependencies=[KnownParameters, AbsoluteUrls],
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
    request: Request,
    state: State,
    count: Annotated[int, Query(ge=1, le=MAX_SAMPLE, description="number of products, at most")] = 12,
    category: Annotated[str | None, Query(description="of this category only: its name or id")] = None,
) -> SampleResponse:
    """Each call returns other products."""
    async with place(request, state, "similar"):
        return SampleResponse(products=await state.search.sample(count, category))


@router.post(
    "/v1/products:delete",
    response_model=DeletedResponse,
    response_model_exclude_none=True,
    dependencies=[KnownParameters],
    summary="Delete several products",
    responses=responses(errors.InvalidRequest, errors.Unauthorised, errors.CatalogueUnavailable),
)
async def delete_products(body: DeleteBody, state: State, wait: Wait = False) -> DeletedResponse:
    """The products and their stored pictures are removed. Ids without a product are named, and are no error."""
    keys = [check_key(key) for key in dict.fromkeys(body.ids)]
    unknown = await state.products.delete_many(keys)
    is_level = await state.is_level() if wait else None
    return DeletedResponse(
        deleted=len(keys) - len(unknown), unknown=unknown, searchable=None if is_level is None else not is_level
    )
