"""Facets: the attributes by which a category can be filtered, with their values or their range."""

from collections.abc import Iterable

from pydantic import Field

from services.contracts.domain.filtering.filters import AttributeValue
from services.contracts.domain.frozen_model import FrozenModel

MIN_SHARE = 0.05  # of the products that must have an attribute for it to be a facet
MAX_VALUES = 60  # an attribute with more distinct texts is a description or a number, such as a title or an SKU
MAX_SHOWN_VALUES = 30


class FacetValue(FrozenModel):
    """One value of an attribute, and how many products have it."""

    value: AttributeValue = Field(examples=["Navy Blue"])
    count: int = Field(examples=[412])


class FacetRange(FrozenModel):
    """The smallest and the largest number of an attribute."""

    min: float = Field(examples=[4.5])
    max: float = Field(examples=[129.0])


class Facet(FrozenModel):
    """An attribute to filter by, with its values (most frequent first) or its range.

    A count is the number of the category's products that have the value and match the filter. The filter's conditions
    on this attribute alone are not applied: the count is what choosing the value would add.
    """

    attribute: str = Field(examples=["baseColour"])
    values: list[FacetValue] = Field(default_factory=list)
    range: FacetRange | None = None


def ranked_values(values: Iterable[FacetValue]) -> list[FacetValue]:
    """Return values in the order of a facet: the most frequent first, equal counts by text and then by type."""
    return sorted(values, key=lambda entry: (-entry.count, str(entry.value), type(entry.value).__name__))


class AttributeSummary(FrozenModel):
    """What one part of a category holds of an attribute. The summaries of all parts make the facet.

    The parts' sums are exact: where `values` is cut off, there are too many for a facet of values.
    """

    attribute: str
    products: int = Field(description="products that have the attribute")
    has_texts: bool = Field(description="whether any value is a text or a boolean")
    values: list[AttributeValue] = Field(description="distinct values; at most one more than a facet may have")
    range: FacetRange | None = Field(description="smallest and largest number")
    counts: list[FacetValue] = Field(description="products with each value that meet the filter's other conditions")


class FacetSummary(FrozenModel):
    """What one part of a category holds for facets."""

    products: int = Field(description="products of the part")
    uncounted: list[str] = Field(description="attributes with too many values for a facet")
    attributes: list[AttributeSummary]
