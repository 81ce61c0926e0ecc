"""The options of a search, each declared once: in `wire.index.ResultOptions` if the index applies it, otherwise here.

Everything else follows from the declarations: how query strings, forms and JSON are parsed, the parameters and schemas
of the OpenAPI document, and the request to the index.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, field_validator

from services.catalogue.product import MAX_IMAGES, MAX_KEY_LENGTH
from services.contracts.domain.box import SCHEMA as BOX_SCHEMA
from services.contracts.domain.box import TEXT_SCHEMA as BOX_TEXT_SCHEMA
from services.contracts.domain.box import Box
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.filter_json import EXAMPLE as FILTER_EXAMPLE
from services.contracts.wire.filter_json import MAX_TEXT_BYTES
from services.contracts.wire.index import ResultOptions
from services.gateway.ranking.options import RankingOptions

Schema = dict[str, Any]
LIKE = "ids of products that the results are to be like, in addition to the photo"
UNLIKE = "ids of products that the results are not to be like"
# Options that are no number, flag or plain text: how a query string or a form has them.
TEXT_SCHEMAS: dict[str, Schema] = {
    "filter": {
        "type": "string",
        "description": f"the filter as JSON in text, such as `{orjson.dumps(FILTER_EXAMPLE).decode()}`",
    },
    "box": BOX_TEXT_SCHEMA,
    "categories": {"type": "string", "description": "names or ids of categories, separated by commas"},
    "rules": {
        "type": "string",
        "description": "rules for this search as JSON in text, in the place of the stored ones; needs a key of the "
        "scope catalogue",
    },
    "like": {
        "type": "array",
        "items": {"type": "string"},
        "description": "ids of products that the results are to be like",
    },
    "unlike": {
        "type": "array",
        "items": {"type": "string"},
        "description": "ids of products that they are not to be like",
    },
}


def _name(value: object) -> object:
    """Return a category's id as text, so that JSON may give it as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def filter_from_text(value: object) -> object:
    """Return a filter as JSON has it; a query string or a form has it as text.

    Raises:
        ValueError: the text is not JSON.
    """
    if not isinstance(value, str):
        return value
    if len(value) > MAX_TEXT_BYTES:
        raise ValueError(f"the filter has {len(value):,} characters: at most {MAX_TEXT_BYTES:,} are accepted")
    try:
        return orjson.loads(value) if value else {}
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the filter is not a JSON object: {error}") from None


class NoOptions(FrozenModel):
    """The options of a request that has none."""


class SearchOptions(ResultOptions, RankingOptions):
    """The options of every search."""

    @field_validator("filter", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return filter_from_text(value)

    engine: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="engine of the page before, as `next_page` names it; if no index node has it, the page has expired",
    )
    absolute_urls: bool = Field(default=False, description="addresses of stored pictures begin with scheme and host")

    def result_options(self) -> dict[str, Any]:
        """Return the options that the index applies, by name."""
        return {name: getattr(self, name) for name in ResultOptions.model_fields}


def _ids(value: object) -> object:
    """Return a list of ids. A query string or a form has one as text, or a list as JSON in text."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return value
    texts = [part for item in value for part in (_listed(item) if isinstance(item, str) else [item])]
    return list(dict.fromkeys(texts)) if all(isinstance(text, str) for text in texts) else texts


def _listed(text: str) -> list[Any]:
    if not text.startswith("["):
        return [text] if text else []
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [text]
    return value if isinstance(value, list) else [text]


Ids = Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], BeforeValidator(_ids), Field(max_length=10)]


class PhotoOptions(SearchOptions):
    """The options of a search by photo."""

    like: Ids = Field(default_factory=list, description=LIKE)
    unlike: Ids = Field(default_factory=list, description=UNLIKE)
    garments: Literal["one", "all"] = Field(
        default="one",
        description="`all`: find every garment of the photo, and return one list of results for each in `garments`",
    )

    category: Annotated[str | None, BeforeValidator(_name)] = Field(
        default=None, description="name or id of the category to search; default: the predicted category"
    )
    box: Annotated[Box, WithJsonSchema(BOX_SCHEMA)] | None = None
    prior: Annotated[str | None, BeforeValidator(_name)] = Field(
        default=None,
        description="name or id of the category that `/v1/detect` has found in this part of the photo: the search "
        "takes it into account, but does not follow it if the network is sure of another",
    )
    crop: Literal["auto", "none"] = Field(
        default="auto",
        description="without `box`: `auto` looks at the surest garment by itself if the whole photo does not show one "
        "garment clearly; `none` looks at the whole photo",
    )


class SimilarOptions(SearchOptions):
    """The options of a search by product."""

    model: str | None = Field(
        default=None, description="search by this model's vectors, one of those in /v1/stats; default: the active model"
    )
    catalogue: str | None = Field(
        default=None,
        description="the product's catalogue, where several are searched; default: the first that has the product",
    )


class PreviewOptions(SearchOptions):
    """The options of a preview of merchandising rules."""

    product: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        description="id of a product whose similar products are shown, in the place of a photo",
    )
    category: Annotated[str | None, BeforeValidator(_name)] = Field(
        default=None, description="with a photo: name or id of the category to search; default: the predicted one"
    )


class ExplainOptions(FrozenModel):
    """The options of the explanation of a match."""

    query_product: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        description="id of a product whose main image is the query, in the place of a photo",
    )
    image_index: int = Field(
        default=0, ge=0, lt=MAX_IMAGES, description="the product's image to explain, as in results: 0 is the main image"
    )
    box: Annotated[Box, WithJsonSchema(BOX_SCHEMA)] | None = None


def json_properties(options: type[BaseModel]) -> dict[str, Schema]:
    """Return the schema of each option in a JSON body."""
    return {name: _without_null(schema) for name, schema in options.model_json_schema().get("properties", {}).items()}


def text_properties(options: type[BaseModel]) -> dict[str, Schema]:
    """Return the schema of each option in a query string or a form."""
    return {name: TEXT_SCHEMAS.get(name, schema) for name, schema in json_properties(options).items()}


def query_parameters(options: type[BaseModel]) -> list[Schema]:
    """Return the OpenAPI parameters of the options."""
    return [
        {"name": name, "in": "query", "required": False, **_described(schema)}
        for name, schema in text_properties(options).items()
    ]


def _described(schema: Schema) -> Schema:
    """Return a parameter's schema and description, which OpenAPI has side by side."""
    text = schema.get("description")
    inner = {name: value for name, value in schema.items() if name != "description"}
    return {"schema": inner} if text is None else {"description": text, "schema": inner}


def _without_null(schema: Schema) -> Schema:
    """Return a schema without its title, and without null as a value: a request leaves the option out instead."""
    return {name: value for name, value in _flattened(schema) if name != "title"}


def _flattened(schema: Schema) -> Iterator[tuple[str, Any]]:
    for name, value in schema.items():
        if name == "anyOf" and {"type": "null"} in value:
            (inner,) = (option for option in value if option != {"type": "null"})
            yield from inner.items()
        elif name != "title" and (name, value) != ("default", None):
            yield name, value
