"""The responses of looks."""

from typing import Literal

from pydantic import Field

from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.embedding import GarmentBox
from services.gateway.search.responses import Outcome, ProductSummary, SearchResult

Basis = Literal["learned", "similarity"]


class LookProduct(ProductSummary):
    """A product that goes with the garments."""

    compatibility: float = Field(
        description="how well it goes with the garments: comparable within its category only, no unit", examples=[0.41]
    )


class LookCategory(FrozenModel):
    """The products of one category that go with the garments, best first: one of them completes the look."""

    category: str = Field(examples=["Shoes"])
    results: list[LookProduct]
    baskets: float = Field(
        description="the weight of what shoppers bought together in `compatibility`, 0 to 1", examples=[0.31]
    )


class LookGarment(FrozenModel):
    """A garment that the others are to go with.

    `garment` is its part of the photo; null for a product, or if the whole photo shows it. `product` is the product
    itself, or the one that looks most like the garment; null if the shop has none of the category. `results` begins
    with it; after it come products of other styles that look like the garment.
    """

    category: str = Field(examples=["Topwear"])
    garment: GarmentBox | None
    product: SearchResult | None
    results: list[SearchResult]


class LookResponse(FrozenModel):
    """A look: the garments that are there, and the products of other categories that complete it.

    No two of them are of one category. Categories come in the order in which they are usually worn together.
    """

    outcome: Outcome = Field(description="`no_clothing` or `other_clothing`: the photo shows no garment to go with")
    garments: list[LookGarment]
    look: list[LookCategory]
    basis: Basis = Field(
        description="`learned`: from garments worn together; `similarity`: there is no look model for these vectors, "
        "and the products are similar in style"
    )
    warnings: list[str]
    model: str = Field(examples=["fashion/3"])
    look_model: str | None = Field(examples=["look/1"])
    request_id: str | None = Field(examples=["6f1c2ab09d3e4c55"])
    timings_ms: dict[str, float] = Field(examples=[{"index": 9.1, "total": 10.2}])
