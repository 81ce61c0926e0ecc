"""The public API's answers."""

from typing import Literal

from pydantic import Field

from services.catalogue.product import Product
from services.contracts.domain.facets import Facet
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.domain.similarity import SimilarityLabel, label_of
from services.contracts.wire.embedding import GarmentBox
from services.contracts.wire.index import Attributes, IndexedModel, Page
from services.gateway.index_nodes.node import IndexNode

Outcome = Literal["ok", "no_clothing", "no_close_match"]


class SearchedCategory(FrozenModel):
    """The category that was searched. `probability` is the network's; null where no image was sent."""

    id: int = Field(examples=[0])
    name: str = Field(examples=["Topwear"])
    probability: float | None = Field(examples=[0.98])


class Shown(FrozenModel):
    """One product as pages show it."""

    id: str = Field(examples=["15970"])
    url: str | None = Field(examples=["https://shop.example/products/15970"])
    image_url: str | None = Field(examples=["https://shop.example/images/15970.jpg"])
    title: str | None = Field(examples=["Turtle Check Men Navy Blue Shirt"])
    category: str = Field(examples=["Topwear"])
    attributes: Attributes = Field(examples=[{"baseColour": "Navy Blue", "price": 29.9}])
    catalogue: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="the catalogue that it is of; only where several are searched",
        examples=["shoes-and-more"],
    )


class Similarity(FrozenModel):
    """A score on the calibrated scale of its category: 1 is the same picture, 0.5 and above is a close match."""

    value: float = Field(ge=0, le=1, examples=[0.82])
    label: SimilarityLabel = Field(examples=["very alike"])

    @classmethod
    def of(cls, value: float | None) -> "Similarity | None":
        """Return a value with its label; None where the index has no scale."""
        if value is None:
            return None
        return cls(value=value, label=label_of(value))


class Result(Shown):
    """One product of a result list. `score` is cosine similarity, about -1 to 1: higher is more alike.

    `similarity` says what that is worth in this category; null where too few products, and the model, tell.
    """

    score: float = Field(examples=[0.93])
    image: int = Field(
        examples=[0],
        description="which of the product's images is nearest: 0 the main one, n the n-th further one. "
        "`image_url` and `score` are that image's",
    )
    similarity: Similarity | None


class SampleAnswer(FrozenModel):
    """Some products of the catalogue, chosen by chance."""

    products: list[Shown]


class SimilarAnswer(FrozenModel):
    """Products that look like one of the catalogue, best first. `outcome` is of the search, whichever page is asked for."""

    outcome: Outcome
    category: SearchedCategory
    results: list[Result]
    next_page: Page | None = Field(
        description="`offset` and `k` of the next page; null where these are the last results",
        examples=[{"k": 10, "offset": 10}],
    )
    facets: list[Facet] = Field(description="what can be filtered by, with counts; empty unless asked for")
    model: str = Field(examples=["fashion/2"])
    request_id: str | None = Field(examples=["6f1c2ab09d3e4c55"])
    timings_ms: dict[str, float] = Field(examples=[{"index": 1.4, "total": 2.2}])


class SearchAnswer(SimilarAnswer):
    """Products that look like the photo, best first. `probabilities` tell the prediction even with an override."""

    probabilities: dict[str, float] = Field(examples=[{"Topwear": 0.98, "Shoes": 0.001}])
    timings_ms: dict[str, float] = Field(examples=[{"decode": 2.1, "network": 3.0, "index": 1.4, "total": 7.2}])


class GarmentsAnswer(FrozenModel):
    """The garments of a photo, the surest first; none where none is seen. Each `box` is one that a search takes."""

    garments: list[GarmentBox]
    model: str = Field(examples=["detector/1"])
    request_id: str | None = Field(examples=["6f1c2ab09d3e4c55"])
    timings_ms: dict[str, float] = Field(examples=[{"decode": 2.1, "network": 12.0, "total": 16.2}])


class PredictedCategory(FrozenModel):
    """What the network said of a product's image."""

    id: int
    name: str
    probability: float


class ImageView(FrozenModel):
    """A further image of a product."""

    url: str | None = Field(examples=["https://shop.example/images/15970-back.jpg"])


class ProductView(FrozenModel):
    """A product of the catalogue."""

    id: str = Field(examples=["15970"])
    category: str = Field(examples=["Topwear"])
    category_source: str = Field(examples=["network"], description="feed, mapping, network or unknown")
    prediction: PredictedCategory | None
    url: str | None
    image_url: str | None
    title: str | None
    attributes: Attributes
    model: str | None = Field(examples=["fashion/2"])
    images: list[ImageView] = Field(description="its further images, in their order")

    @classmethod
    def of(
        cls, product: Product, names: list[str], url: str | None, image_url: str | None, additional: list[str | None]
    ) -> "ProductView":
        """Return the view of a product; `names` are the categories' names in the order of their ids."""
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
            model=product.model,
            images=[ImageView(url=one) for one in additional],
        )


class CategoryView(FrozenModel):
    """A category and how many products of it there are.

    `close_score` is the score from which a result counts as close, fitted on the category's own products; null if unknown.
    """

    id: int
    name: str
    products: int
    close_score: float | None = Field(examples=[0.912])
    searchable: bool = Field(description="whether an index node that holds it answers")


class CategoriesAnswer(FrozenModel):
    """The model's categories, in the order of their ids."""

    model: str
    categories: list[CategoryView]


class IndexNodeView(FrozenModel):
    """One index node: what it holds, and how it is doing."""

    categories: list[str] = Field(examples=[["Topwear", "Shoes"]])
    products: int
    ready: bool = Field(description="whether it can be searched")
    obstacle: str | None = Field(description="why not; null when it can")
    lag_seconds: float | None = Field(description="seconds since it last knew itself level with the database")

    @classmethod
    def of(cls, node: IndexNode) -> "IndexNodeView":
        """Return the view of a node; what it last said stays known while it is away."""
        status = node.status
        return cls(
            categories=[one.name for one in status.categories if one.held] if status else [],
            products=status.products if status else 0,
            ready=node.is_well,
            obstacle=node.obstacle,
            lag_seconds=status.sync.lag_seconds if status and node.trouble is None else None,
        )


class StatsAnswer(FrozenModel):
    """What the installation holds and how it is doing."""

    model: str
    promoted: str | None = Field(description="the model that was promoted; null where the settings decide")
    models: list[IndexedModel] = Field(
        description="the models that the index holds: searches can be switched between them"
    )
    products: int
    categories: list[CategoryView]
    sync: dict[str, object] = Field(
        description="how the index node that is furthest behind follows the database: see the index's /v1/status"
    )
    index_nodes: list[IndexNodeView]
    uptime_seconds: float


class CatalogueName(FrozenModel):
    """A catalogue of the installation."""

    name: str = Field(examples=["default"])
    products: int
    path: str = Field(
        description="what its addresses begin with, before /v1: nothing for the default one",
        examples=["/catalogues/shoes-and-more"],
    )


class CataloguesAnswer(FrozenModel):
    """The catalogues of the installation, the default one first."""

    catalogues: list[CatalogueName]


class CatalogueAnswer(StatsAnswer):
    """What the shop's engineers look at: the counts, the sync, how the last import went and what the doctor found."""

    last_import: dict[str, object] | None = Field(description="summary of the last import; null where none is recorded")
    last_examination: dict[str, object] | None = Field(
        description="what lookalike doctor last found; null where it has not been run"
    )
