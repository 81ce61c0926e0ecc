"""The responses of the routes of single products."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.catalogue.product import Product
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.embedding import MatchExplanation
from services.contracts.wire.index import Attributes


class PredictedCategory(FrozenModel):
    """The network's prediction for a product's main image."""

    id: int
    name: str
    probability: float


class ImageLink(FrozenModel):
    """An additional image of a product."""

    url: str | None = Field(examples=["https://shop.example/images/15970-back.jpg"])


class ProductResponse(FrozenModel):
    """A product of the catalogue."""

    id: str = Field(examples=["15970"])
    category: str = Field(examples=["Topwear"])
    category_source: str = Field(examples=["network"], description="feed, mapping, network or unknown")
    prediction: PredictedCategory | None
    url: str | None
    image_url: str | None
    title: str | None
    attributes: Attributes
    group: str | None = Field(default=None, description="what the variants of a style share")
    model: str | None = Field(examples=["fashion/2"])
    updated_at: str | None = Field(
        description="time of the last change to the second, ISO 8601, UTC; null in documents of other programs",
        examples=["2026-05-01T10:30:00+00:00"],
    )
    updated_by: Literal["import", "api"] | None = Field(
        description="what made the last change: an import, or a request for this product; null without `updated_at`"
    )
    created_at: str | None = Field(
        description="time when Lookalike first wrote the product, as `updated_at`; null in documents that do not say",
        examples=["2026-04-01T10:30:00+00:00"],
    )
    images: list[ImageLink] = Field(description="the additional images, in their order")
    searchable: bool | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="whether searches find the product as it is here; only after a write with `wait`",
    )

    @classmethod
    def of(
        cls, product: Product, names: list[str], url: str | None, image_url: str | None, additional: list[str | None]
    ) -> "ProductResponse":
        """Return the response for a product; `names` are the categories' names by id."""
        guess = product.embedding.prediction
        return cls(
            id=product.key,
            category=names[product.category],
            category_source=product.category_source,
            prediction=None
            if guess is None
            else PredictedCategory(id=guess.category, name=names[guess.category], probability=guess.probability),
            url=url,
            image_url=image_url,
            title=product.title,
            attributes=dict(product.attributes),
            group=product.group,
            model=product.model,
            updated_at=_to_second(product.updated_at),
            updated_by=None if product.updated_at is None else "api" if product.feed_sha256 is None else "import",
            created_at=_to_second(product.created_at),
            images=[ImageLink(url=link) for link in additional],
        )


def _to_second(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")


class ExplanationResponse(MatchExplanation):
    """Why a product is found: which parts of the query's picture and of the product's picture make them alike."""

    request_id: str | None = Field(examples=["6f1c2ab09d3e4c55"])
    timings_ms: dict[str, float] = Field(examples=[{"network": 310.0, "total": 321.5}])


class ProductsResponse(FrozenModel):
    """A page of the list of all products."""

    products: list[ProductResponse]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last page")
    warnings: list[str] = Field(
        default_factory=list,
        description="on the first page: what in the request has no effect, such as an attribute that no product has",
        examples=[["no product has the attribute 'color'"]],
    )


class DeleteBody(FrozenModel):
    """The products to delete."""

    ids: list[str] = Field(min_length=1, max_length=1000, examples=[["15970", "39386"]])


class DeletedResponse(FrozenModel):
    """The products that were deleted."""

    deleted: int = Field(description="number of products that were deleted")
    unknown: list[str] = Field(description="ids of which there was no product")
    searchable: bool | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="whether searches may still find the products; only with `wait`",
    )
