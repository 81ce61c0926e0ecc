"""Routes that complete looks."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from services.contracts.domain import errors
from services.contracts.domain.catalogues import known_catalogue
from services.contracts.web.problems import responses
from services.contracts.web.requests.disconnect import until_disconnected
from services.gateway.look.options import LookOptions, ProductLookOptions
from services.gateway.look.responses import LookResponse
from services.gateway.products.service import check_key
from services.gateway.routes.openapi.example_image import EXAMPLE_IMAGE
from services.gateway.routes.openapi.photo_body import PHOTO_ERRORS, photo_body
from services.gateway.search.options import query_parameters
from services.gateway.search.request import parse, read_photo_with
from services.gateway.state import State, place

router = APIRouter(prefix="/v1", tags=["search"])
_FAILURES = (
    errors.UnknownCategory,
    errors.TooManyRequests,
    errors.EmbeddingUnavailable,
    errors.IndexNotReady,
    errors.ModelIndexMismatch,
    errors.UpstreamTimeout,
)
_EXAMPLES: dict[str, dict[str, Any]] = {
    "plain": {"summary": "A photo in base64", "value": {"image_base64": EXAMPLE_IMAGE}},
    "shoes": {
        "summary": "Shoes and bags only",
        "value": {"image_base64": EXAMPLE_IMAGE, "categories": ["Shoes", "Bags"]},
    },
}


@router.get(
    "/products/{id:product_id}/look",
    response_model=LookResponse,
    summary="Complete the look of a product",
    openapi_extra={"parameters": query_parameters(ProductLookOptions)},
    responses=responses(errors.InvalidRequest, errors.UnknownProduct, errors.UnknownCatalogue, *_FAILURES),
)
async def get_product_look(
    request: Request, state: State, id: Annotated[str, Path(description="the product's id")]
) -> LookResponse:
    """Find the products of each other category that go with a product: no two of one kind."""
    options = parse(ProductLookOptions, {}, request.query_params)
    if options.catalogue is not None:
        known_catalogue(options.catalogue, state.search.catalogues)
    async with place(request, state, "similar"):
        return await state.look.of_product(check_key(id), options)


@router.post(
    "/look",
    response_model=LookResponse,
    summary="Complete the look of a photo",
    openapi_extra={
        "requestBody": photo_body("Look", _EXAMPLES, LookOptions),
        "parameters": query_parameters(LookOptions),
    },
    responses=responses(*PHOTO_ERRORS, *_FAILURES),
)
async def look_by_image(request: Request, state: State) -> LookResponse:
    """Find each garment of a photo, a product that looks like it, and products of other categories that go with them.

    Send the photo as for a search: of one garment, or of a whole outfit.
    """
    async with place(request, state, "photo"):
        photo, options = await read_photo_with(request, state.reader, LookOptions)
        return await until_disconnected(request, state.look.of_photo(photo, options))
