"""Routes of searches: by photo and by product."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Request, Response

from services.contracts.domain import errors
from services.contracts.domain.catalogues import known_catalogue
from services.contracts.web.problems import responses
from services.contracts.web.requests.disconnect import until_disconnected
from services.contracts.wire.filter_json import EXAMPLE as FILTER_EXAMPLE
from services.gateway.access.guard import may_write
from services.gateway.metrics import GatewayMetrics
from services.gateway.products.service import check_key
from services.gateway.ranking.options import RankingOptions
from services.gateway.routes.openapi.example_image import EXAMPLE_IMAGE
from services.gateway.routes.openapi.photo_body import PHOTO_ERRORS, photo_body
from services.gateway.routes.search_route import SearchRoute
from services.gateway.search.options import PhotoOptions, SimilarOptions, query_parameters
from services.gateway.search.request import parse, read_search
from services.gateway.search.responses import SearchResponse, SimilarResponse
from services.gateway.state import GatewayState, State, place

router = APIRouter(prefix="/v1", tags=["search"], route_class=SearchRoute)
_EXAMPLES: dict[str, dict[str, Any]] = {
    "plain": {"summary": "Ten results", "value": {"image_base64": EXAMPLE_IMAGE, "k": 10}},
    "next": {"summary": "The next ten", "value": {"image_base64": EXAMPLE_IMAGE, "k": 10, "offset": 10}},
    "filtered": {
        "summary": "Men's products that cost up to 50 or are on sale",
        "value": {"image_base64": EXAMPLE_IMAGE, "filter": FILTER_EXAMPLE},
    },
}


@router.post(
    "/search",
    response_model=SearchResponse,
    summary="Search by photo",
    openapi_extra={
        "requestBody": photo_body("Search", _EXAMPLES, PhotoOptions),
        "parameters": query_parameters(PhotoOptions),
    },
    responses=responses(
        *PHOTO_ERRORS,
        errors.UnknownCategory,
        errors.UnknownProduct,
        errors.PageExpired,
        errors.DetectorUnavailable,
        errors.TooManyRequests,
        errors.EmbeddingUnavailable,
        errors.IndexNotReady,
        errors.ModelIndexMismatch,
        errors.UpstreamTimeout,
    ),
)
async def search_by_image(request: Request, state: State) -> SearchResponse:
    """Find the products that look most like a photo.

    Send the photo as a form's file, as the raw body, in base64, or by its URL. The search stays within the category
    that the network predicts, or within the one that `category` names. Options may stand in the body or in the query
    string; with a raw body, only in the query string. With `like` and `unlike` the results are also like, or unlike,
    products and images; then the photo may be left out.
    """
    async with place(request, state, "photo"):
        query, options = await read_search(request, state.reader)
        _check_rules(request, state, options)
        response = await until_disconnected(request, state.search.by_image(query, options))
    _metrics(request).record_search("photo", response.outcome, response.category.name, response.timings_ms)
    return response


@router.get(
    "/products/{id:product_id}/similar",
    response_model=SimilarResponse,
    summary="Get similar products",
    openapi_extra={"parameters": query_parameters(SimilarOptions)},
    responses=responses(
        errors.InvalidRequest,
        errors.UnknownProduct,
        errors.PageExpired,
        errors.UnknownCatalogue,
        errors.UnknownModel,
        errors.TooManyRequests,
        errors.IndexNotReady,
        errors.ModelIndexMismatch,
        errors.UpstreamTimeout,
    ),
)
async def get_similar_products(
    request: Request, state: State, id: Annotated[str, Path(description="the product's id")]
) -> Response:
    """Find the products that look most like one of the catalogue, which is left out."""
    query = request.scope["query_string"].decode("latin-1")
    page = state.search.kept_page(id, query)
    if page is None:
        options = parse(SimilarOptions, {}, request.query_params)
        _check_rules(request, state, options)
        if options.catalogue is not None:
            known_catalogue(options.catalogue, state.search.catalogues)
        async with place(request, state, "similar"):
            page = await state.search.similar_page(check_key(id), query, options)
    _metrics(request).record_search("product", page.outcome, page.category, page.timings_ms)
    return Response(page.text, media_type="application/json")


def _check_rules(request: Request, state: GatewayState, options: RankingOptions) -> None:
    """Return if a request may bring rules of its own, or brings none: a shopper could list what the shop hides.

    Raises:
        Forbidden: its key may not.
    """
    if options.rules is not None and not may_write(request, state.settings):
        raise errors.Forbidden("rules needs a key of the scope catalogue, or admin")


def _metrics(request: Request) -> GatewayMetrics:
    return cast(GatewayMetrics, request.app.state.metrics)
