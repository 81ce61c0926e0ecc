"""The responses of searches."""

from functools import lru_cache
from typing import Literal

from pydantic import Field

from services.contracts.domain.filtering.facets import Facet
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.domain.similarity import SimilarityLabel, label_of
from services.contracts.wire.embedding import GarmentBox
from services.contracts.wire.index import Attributes
from services.gateway.index_nodes.one_engine import NextPage
from services.gateway.ranking.candidate import Move
from services.gateway.ranking.personal import Personal

Outcome = Literal["ok", "no_close_match", "other_clothing", "no_clothing"]


class SearchedCategory(FrozenModel):
    """The category that was searched. `probability` is the network's; null if the query has no image."""

    id: int = Field(examples=[0])
    name: str = Field(examples=["Topwear"])
    probability: float | None = Field(examples=[0.98])


class ProductSummary(FrozenModel):
    """A product as a result list shows it."""

    id: str = Field(examples=["15970"])
    url: str | None = Field(examples=["https://shop.example/products/15970"])
    image_url: str | None = Field(examples=["https://shop.example/images/15970.jpg"])
    title: str | None = Field(examples=["Turtle Check Men Navy Blue Shirt"])
    category: str = Field(examples=["Topwear"])
    attributes: Attributes = Field(examples=[{"baseColour": "Navy Blue", "price": 29.9}])
    group: str | None = Field(
        default=None,
        description="what the variants of a style share; null for a product by itself",
        examples=["SHIRT-12"],
    )
    catalogue: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="the product's catalogue; only where several catalogues are searched",
        examples=["shoes-and-more"],
    )


class Similarity(FrozenModel):
    """Calibrated similarity: 1 is the same picture, 0.5 and above is a close match."""

    value: float = Field(ge=0, le=1, examples=[0.82])
    label: SimilarityLabel = Field(examples=["very alike"])

    @classmethod
    def of(cls, value: float | None) -> "Similarity | None":
        """Return a value with its label; None for None."""
        return None if value is None else _similarity(value)


@lru_cache(1001)  # the index rounds to thousandths
def _similarity(value: float) -> Similarity:
    return Similarity(value=value, label=label_of(value))


class SearchResult(ProductSummary):
    """A product near the query. `score` is cosine similarity, about -1 to 1: higher is more alike.

    `similarity` is the score on the calibrated scale of the category; null if the category has no scale.
    """

    score: float = Field(examples=[0.93])
    image_index: int = Field(
        examples=[0],
        description="which of the product's images is nearest; 0 is the main image. "
        "`image_url` and `score` belong to this image",
    )
    similarity: Similarity | None
    moved: list[Move] | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="why the result is not at the place that its score alone gives it; only if something moved it",
    )


class SampleResponse(FrozenModel):
    """Products of the catalogue, drawn at random."""

    products: list[ProductSummary]


class SimilarResponse(FrozenModel):
    """Products that look like one of the catalogue, best first. `outcome` is the same on every page."""

    outcome: Outcome
    category: SearchedCategory
    results: list[SearchResult]
    next_page: NextPage | None = Field(
        description="the options of the next page; null on the last page", examples=[{"k": 10, "offset": 10}]
    )
    facets: list[Facet] = Field(description="attributes to filter by, with counts; empty unless requested")
    total: int | None = Field(
        default=None,
        description="products of the category that meet the filter; null unless facets are requested",
        examples=[13816],
    )
    warnings: list[str] = Field(
        default_factory=list,
        description="what in the request had no effect, such as a filter on an attribute that no product has",
        examples=[["no product of Topwear has the attribute 'color'"]],
    )
    personal: Personal | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="whether the visitor's taste had a part in the order; only with `visitor`, if events are on",
    )
    engine: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="the engine of the index that searched: `faiss`, `milvus flat` and `milvus gpu` compare every "
        "vector, `milvus hnsw` and `milvus diskann` are approximate; absent as long as FAISS is the only one",
        examples=["milvus hnsw"],
    )
    model: str = Field(examples=["fashion/2"])
    request_id: str | None = Field(examples=["6f1c2ab09d3e4c55"])
    timings_ms: dict[str, float] = Field(examples=[{"index": 1.4, "total": 2.2}])


class SearchResponse(SimilarResponse):
    """Products that look like the photo, best first. `probabilities` are the network's, also for a chosen category."""

    probabilities: dict[str, float] = Field(examples=[{"Topwear": 0.98, "Shoes": 0.001}])
    crop: GarmentBox | None = Field(
        description="the garment that the search has found in the photo and looked at, with the detector's category; "
        "null if it looked at the whole photo, or at the `box` of the request"
    )
    garments: list["GarmentSearch"] | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="only with `garments=all`: each garment of the photo with its results, the surest first; the other "
        "fields are those of the first garment, or of the whole photo if it shows none",
    )
    timings_ms: dict[str, float] = Field(examples=[{"decode": 2.1, "network": 3.0, "index": 1.4, "total": 7.2}])


class GarmentSearch(FrozenModel):
    """A garment of a photo, and the products that look like it."""

    garment: GarmentBox
    outcome: Outcome
    category: SearchedCategory
    results: list[SearchResult]
    next_page: NextPage | None
    facets: list[Facet]


class GarmentsResponse(FrozenModel):
    """The garments of a photo, the most probable first. A search takes each `box` as it is."""

    garments: list[GarmentBox]
    model: str = Field(examples=["detector/2"])
    request_id: str | None = Field(examples=["6f1c2ab09d3e4c55"])
    timings_ms: dict[str, float] = Field(examples=[{"decode": 2.1, "network": 12.0, "total": 16.2}])
