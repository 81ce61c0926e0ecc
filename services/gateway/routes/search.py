"""Routes of the search: by photo, and by product."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request

from services.contracts.domain import box, errors
from services.contracts.domain.catalogues import known_catalogue
from services.contracts.web.problems import responses
from services.contracts.wire.filter_json import EXAMPLE as FILTER_EXAMPLE
from services.contracts.wire.filter_json import SCHEMA as FILTER_SCHEMA
from services.contracts.wire.index import MAX_K, MAX_REACH, IndexSimilar
from services.gateway.products.service import check_key
from services.gateway.routes.photo_body import PHOTO_ERRORS, photo_body
from services.gateway.search.request import OptionsBody, parse, read_search
from services.gateway.search.responses import SearchAnswer, SimilarAnswer
from services.gateway.state import Admitted, State

router = APIRouter(prefix="/v1", tags=["search"])
PHOTO = "https://shop.example/images/15970.jpg"
FILTER_TEXT = orjson.dumps(FILTER_EXAMPLE).decode()

_OPTIONS: dict[str, dict[str, Any]] = {
    "k": {"type": "integer", "minimum": 1, "maximum": MAX_K, "default": 10},
    "offset": {
        "type": "integer",
        "minimum": 0,
        "default": 0,
        "description": f"pass over so many of the best, for further pages; offset + k is at most {MAX_REACH}",
    },
    "category": {"type": "string", "description": "search this category (name or id), not the predicted one"},
    "filter": FILTER_SCHEMA,
    "min_score": {"type": "number", "minimum": -1, "maximum": 1},
    "facets": {"type": "boolean", "description": "count what the results can be filtered by"},
    "box": box.SCHEMA,
}
_AS_TEXT = {
    **_OPTIONS,
    "filter": {"type": "string", "description": "a JSON object", "example": FILTER_TEXT},
    "box": box.TEXT_SCHEMA,
}


_EXAMPLES: dict[str, dict[str, Any]] = {
    "plain": {"summary": "Ten results", "value": {"image_url": PHOTO, "k": 10}},
    "further": {"summary": "The next ten", "value": {"image_url": PHOTO, "k": 10, "offset": 10}},
    "filtered": {
        "summary": "Men's, and either up to 50 or on sale",
        "value": {"image_url": PHOTO, "filter": FILTER_EXAMPLE},
    },
}


def _query_parameters() -> list[dict[str, Any]]:
    text = "as in the body; for a raw image this is the only place"
    return [
        {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
        for name, schema in _AS_TEXT.items()
    ]


@router.post(
    "/search",
    response_model=SearchAnswer,
    dependencies=[Admitted],
    summary="Find the products that look like a photo",
    description="Send the photo as a form's file, as the raw body, in base64, or by its URL. The search is within "
    "the category that the network predicts, unless `category` names another.",
    openapi_extra={"requestBody": photo_body(_EXAMPLES, _AS_TEXT, _OPTIONS), "parameters": _query_parameters()},
    responses=responses(
        *PHOTO_ERRORS,
        errors.UnknownCategory,
        errors.TooManyRequests,
        errors.EmbeddingUnavailable,
        errors.IndexNotReady,
        errors.ModelIndexMismatch,
        errors.UpstreamTimeout,
    ),
)
async def search(request: Request, state: State) -> SearchAnswer:
    data, options = await read_search(request, state.reader)
    return await state.search.by_image(data, options)


@router.get(
    "/products/{id:path}/similar",
    response_model=SimilarAnswer,
    dependencies=[Admitted],
    summary="Find the products that look like one of the catalogue",
    responses=responses(
        errors.InvalidRequest,
        errors.UnknownProduct,
        errors.UnknownCatalogue,
        errors.TooManyRequests,
        errors.IndexNotReady,
        errors.ModelIndexMismatch,
        errors.UpstreamTimeout,
    ),
)
async def similar(
    state: State,
    id: Annotated[str, Path(description="the product's id", examples=["15970"])],
    k: Annotated[int, Query(ge=1, le=MAX_K, description="how many results at most")] = 10,
    offset: Annotated[int, Query(ge=0, description="pass over so many of the best, for further pages")] = 0,
    filter: Annotated[str | None, Query(description="a JSON object, as for a search", examples=[FILTER_TEXT])] = None,
    min_score: Annotated[float | None, Query(ge=-1, le=1, description="leave out lower scores")] = None,
    facets: Annotated[bool, Query(description="count what the results can be filtered by")] = False,
    model: Annotated[
        str | None,
        Query(description="by this model's vectors, of those that /v1/stats lists; the active one's unless set"),
    ] = None,
    catalogue: Annotated[
        str | None,
        Query(
            description="which catalogue the product is of, where all are searched; the first that has it unless set"
        ),
    ] = None,
) -> SimilarAnswer:
    if catalogue is not None:
        known_catalogue(catalogue, state.search.catalogues)
    options = parse(OptionsBody, {"k": k, "offset": offset, "filter": filter or {}})
    return await state.search.by_product(
        IndexSimilar(
            id=check_key(id),
            k=k,
            offset=offset,
            filter=options.filter,
            min_score=min_score,
            facets=facets,
            model=model,
            of=catalogue,
        )
    )
