"""Facets: the attributes by which a category can be filtered, with their values or their range."""

from pydantic import Field

from services.contracts.domain.filters import AttributeValue
from services.contracts.domain.frozen_model import FrozenModel


class FacetValue(FrozenModel):
    """One value of an attribute, and how many products have it."""

    value: AttributeValue = Field(examples=["Navy Blue"])
    count: int = Field(examples=[412])


class FacetRange(FrozenModel):
    """The least and the greatest number of an attribute."""

    min: float = Field(examples=[4.5])
    max: float = Field(examples=[129.0])


class Facet(FrozenModel):
    """What can be filtered by: an attribute with its values, most frequent first, or with its range.

    A count says how many products of the category there are with that value that meet the filter, but for what it asks
    of this attribute alone: as many as a further choice of it would bring.
    """

    attribute: str = Field(examples=["baseColour"])
    values: list[FacetValue] = Field(default_factory=list)
    range: FacetRange | None = None
