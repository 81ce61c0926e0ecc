"""The options of looks, each declared once."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from services.catalogue.merchandising import CategoryName
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.filter_json import JsonFilter
from services.gateway.search.options import filter_from_text

MAX_K = 20
DIVERSITY = 0.3  # of the products of a category: styles that differ and still go together


def _names(value: object) -> object:
    """Return a list of categories. A query string or a form has them in one text, separated by commas."""
    return [name for name in value.split(",") if name.strip()] if isinstance(value, str) else value


class LookOptions(FrozenModel):
    """The options of a look for a photo."""

    k: int = Field(
        default=4, ge=1, le=MAX_K, description="number of products of each category and of each garment, at most"
    )
    categories: Annotated[list[CategoryName], BeforeValidator(_names), Field(max_length=50)] = Field(
        default_factory=list,
        description="names or ids of the categories to complete the look with; default: all that are usually worn "
        "together",
    )
    filter: JsonFilter = EVERYTHING
    diversity: float = Field(
        default=DIVERSITY, ge=0, le=1, description="how much the products of a category are to differ from each other"
    )
    out_of_stock: Literal["show", "hide"] | None = Field(
        default=None,
        description="whether products out of stock may be in the look; default: `hide`, or as the rules say",
    )
    absolute_urls: bool = Field(default=False, description="addresses of stored pictures begin with scheme and host")

    @field_validator("filter", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return filter_from_text(value)


class ProductLookOptions(LookOptions):
    """The options of a look for a product."""

    catalogue: str | None = Field(
        default=None,
        description="the product's catalogue, where several are searched; default: the first that has the product",
    )
