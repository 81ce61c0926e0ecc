"""The options of a search that decide the order of its results. Each is declared once, here."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, Field, WithJsonSchema

from services.catalogue.events.visitor import Visitor
from services.catalogue.merchandising import Merchandising
from services.contracts.domain.frozen_model import FrozenModel

MAX_RULES_TEXT = 64 * 1024


def _from_text(value: object) -> object:
    """Return rules as JSON has them; a query string or a form has them as text.

    Raises:
        ValueError: the text is not JSON.
    """
    if not isinstance(value, str):
        return value
    if len(value) > MAX_RULES_TEXT:
        raise ValueError(f"the rules have {len(value):,} characters: at most {MAX_RULES_TEXT:,} are accepted")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the rules are not a JSON object: {error}") from None


def _without_references(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in which the definitions stand where they are referred to, without titles."""
    definitions = schema.pop("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return inlined(definitions[part["$ref"].rpartition("/")[2]])
        return {name: inlined(value) for name, value in part.items() if name != "title"}

    return dict(inlined(schema))


Rules = Annotated[
    Merchandising, BeforeValidator(_from_text), WithJsonSchema(_without_references(Merchandising.model_json_schema()))
]


class RankingOptions(FrozenModel):
    """The options of the order. None of them changes the index's order by default."""

    visitor: Visitor | None = Field(
        default=None,
        description="an opaque id of the shopper, if they consent; without GATEWAY_EVENTS_ENABLED no effect",
    )
    personal: bool = Field(
        default=True, description="whether the taste of the `visitor` has a part in the order of the results"
    )

    diversity: float = Field(
        default=0,
        ge=0,
        le=1,
        description="how much results are to differ from each other: 0 not at all, 1 as much as possible",
    )
    out_of_stock: Literal["show", "hide"] | None = Field(
        default=None, description="whether products out of stock are results; default: as the shop's rules say"
    )
    rules: Rules | None = Field(
        default=None,
        description="rules for this search, in the place of the stored ones; needs a key of the scope catalogue",
    )
