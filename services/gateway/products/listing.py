"""The list of all products: which products it has, and the cursors between its pages."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import orjson
from pydantic import Field, field_validator

from services.catalogue.store.product_pages import KINDS, ListPosition
from services.contracts.domain.categories import resolve_category
from services.contracts.domain.filtering.filter_match import matches
from services.contracts.domain.filtering.filters import EVERYTHING, Filter
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.filter_json import JsonFilter
from services.gateway.products.responses import ProductResponse
from services.gateway.search.options import filter_from_text

MAX_LIMIT = 1000


class ListOptions(FrozenModel):
    """The options of the list."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = Field(default=100, description="number of products, at most")
    cursor: str | None = Field(default=None, max_length=2000, description="`next_cursor` of the page before")
    category: str | None = Field(default=None, description="only of this category, by name or id")
    filter: JsonFilter = EVERYTHING
    absolute_urls: bool = Field(default=False, description="addresses of stored pictures begin with scheme and host")

    @field_validator("filter", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return filter_from_text(value)

    @field_validator("cursor")
    @classmethod
    def _is_place(cls, value: str | None) -> str | None:
        if value is not None:
            position_of(value)
        return value

    @property
    def position(self) -> ListPosition:
        """Where the page begins."""
        return ListPosition(KINDS[0]) if self.cursor is None else position_of(self.cursor)

    @property
    def wanted(self) -> "ListedProducts":
        """Which products are listed."""
        return ListedProducts(self.filter, self.category)


@dataclass(frozen=True)
class ListedProducts:
    """Which products a list has."""

    filter: Filter = EVERYTHING
    category: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether every product is listed."""
        return self.category is None and not self.filter

    def category_name(self, names: Sequence[str]) -> str | None:
        """Return the name of the category that is listed; None for all.

        Raises:
            UnknownCategory: there is none of that name.
        """
        return None if self.category is None else names[resolve_category(self.category, names)]

    def matches(self, product: ProductResponse, category: str | None) -> bool:
        """Return whether the list has a product, given the category's name."""
        group = {} if product.group is None else {"group": product.group}
        attributes = {**group, **product.attributes}  # as in a search's filter
        return (category is None or product.category == category) and matches(self.filter, attributes)


def cursor_of(position: ListPosition) -> str:
    """Return a place in the list as text for clients."""
    return base64.urlsafe_b64encode(orjson.dumps([position.kind, position.last])).decode().rstrip("=")


def position_of(cursor: str) -> ListPosition:
    """Return the place of a cursor.

    Raises:
        ValueError: it is not the text of a place.
    """
    try:
        kind, last = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if kind not in KINDS or isinstance(last, bool | list | dict):
            raise ValueError(kind)
        position = ListPosition(kind, last)
        _ = position.condition
    except (ValueError, TypeError, binascii.Error):
        raise ValueError("it is not a cursor of this list: send next_cursor of the page before, or none") from None
    return position
