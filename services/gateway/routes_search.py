"""Routes of the search: by photo, and by product."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from services.contracts import errors
from services.contracts.problems import responses
from services.contracts.wire import MAX_K, IndexSimilar
from services.gateway.products import check_key
from services.gateway.query import FORM, JSON, OptionsBody, parse, read_search
from services.gateway.results import SearchAnswer, SimilarAnswer
from services.gateway.state import Admitted, State

router = APIRouter(prefix="/v1", tags=["search"])

_OPTION_NAMES = ("k", "category", "filter", "min_score", "facets")
_BINARY = {"type": "string", "format": "binary"}


def _options_schema() -> dict[str, Any]:
    properties = OptionsBody.model_json_schema(ref_template="#/components/schemas/{model}")["properties"]
    return {name: {k: v for k, v in properties[name].items() if k != "$ref"} for name in _OPTION_NAMES}


def _search_body() -> dict[str, Any]:
    options: dict[str, Any] = {
        "k": {"type": "integer", "minimum": 1, "maximum": MAX_K, "default": 10},
        "category": {"type": "string", "description": "search this category (name or id), not the predicted one"},
        "filter": {"type": "object", "additionalProperties": True, "example": {"gender": "Men", "price": {"lte": 50}}},
        "min_score": {"type": "number", "minimum": -1, "maximum": 1},
        "facets": {"type": "boolean", "description": "count what the results can be filtered by"},
    }
    as_text = {**options, "filter": {"type": "string", "description": "a JSON object", "example": '{"gender": "Men"}'}}
    image = {"image_url": {"type": "string", "format": "uri"}, "image_base64": {"type": "string"}}
    return {
        "required": True,
        "content": {
            FORM: {"schema": {"type": "object", "required": ["image"], "properties": {"image": _BINARY, **as_text}}},
            JSON: {
                "schema": {
                    "type": "object",
                    "properties": {**image, **options},
                    "oneOf": [{"required": ["image_url"]}, {"required": ["image_base64"]}],
                    "additionalProperties": False,
                },
                "example": {"image_url": "https://shop.example/images/15970.jpg", "k": 10},
            },
            "image/*": {"schema": _BINARY},
        },
    }


def _query_parameters() -> list[dict[str, Any]]:
    kinds: dict[str, dict[str, Any]] = {
        "k": {"type": "integer", "minimum": 1, "maximum": MAX_K},
        "category": {"type": "string"},
        "filter": {"type": "string", "description": "a JSON object"},
        "min_score": {"type": "number", "minimum": -1, "maximum": 1},
        "facets": {"type": "boolean", "description": "count what the results can be filtered by"},
    }
    text = "as in the body; for a raw image this is the only place"
    return [{"name": n, "in": "query", "required": False, "description": text, "schema": s} for n, s in kinds.items()]


@router.post(
    "/search",
    response_model=SearchAnswer,
    dependencies=[Admitted],
    summary="Find the products that look like a photo",
    description="Send the photo as a form's file, as the raw body, in base64, or by its URL. The search is within "
    "the category that the network predicts, unless `category` names another.",
    openapi_extra={"requestBody": _search_body(), "parameters": _query_parameters()},
    responses=responses(
        errors.InvalidRequest,
        errors.InvalidImage,
        errors.ImageUrlRefused,
        errors.ImageUrlFailed,
        errors.ImageTooLarge,
        errors.UnsupportedImage,
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
        errors.TooManyRequests,
        errors.IndexNotReady,
        errors.UpstreamTimeout,
    ),
)
async def similar(
    state: State,
    id: Annotated[str, Path(description="the product's id", examples=["15970"])],
    k: Annotated[int, Query(ge=1, le=MAX_K, description="how many results at most")] = 10,
    filter: Annotated[str | None, Query(description="a JSON object: conditions that all have to hold")] = None,
    min_score: Annotated[float | None, Query(ge=-1, le=1, description="leave out lower scores")] = None,
    facets: Annotated[bool, Query(description="count what the results can be filtered by")] = False,
) -> SimilarAnswer:
    options = parse(OptionsBody, {"filter": filter or {}})
    return await state.search.by_product(
        IndexSimilar(id=check_key(id), k=k, filter=options.filter, min_score=min_score, facets=facets)
    )
