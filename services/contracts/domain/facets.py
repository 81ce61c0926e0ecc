"""Facets: the attributes by which a category can be filtered, with their values or their range."""

from pydantic import Field

from services.contracts.domain.filters import AttributeValue
from services.contracts.domain.frozen_model import FrozenModel


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
