"""The bodies of the index service's HTTP API."""

import base64
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.engines import FAISS
from services.contracts.domain.filtering.facets import Facet, FacetSummary
from services.contracts.domain.filtering.filters import EVERYTHING, AttributeValue
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.domain.parts import Part
from services.contracts.wire.filter_json import JsonFilter

MAX_K = 100
MAX_REACH = 500
MAX_SAMPLE = 50
MAX_REVISION_WAIT_S = 10.0
REVISION_FIELD = "x-index-revision"  # of every response: the revision at the request's arrival

Attributes = dict[str, AttributeValue | list[AttributeValue]]
Vector = Annotated[list[float], Field(min_length=1, max_length=4096)]
Catalogues = Annotated[tuple[str, ...], Field(min_length=1, description="names of the catalogues to search")]
PartName = Annotated[
    Part,
    PlainValidator(lambda value: value if isinstance(value, Part) else Part.parse(str(value))),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+/[0-9]+$", "examples": ["2/4"]}),
]
ProductId = Annotated[str, Field(min_length=1, max_length=256)]


def _vector(value: object) -> NDArray[np.float32]:
    """Return a vector; JSON has its bytes in base64.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, str):
        raise ValueError("the vector is not text in base64")
    return np.frombuffer(base64.b64decode(value, validate=True), "<f4")


HitVector = Annotated[
    NDArray[np.float32],
    PlainValidator(_vector),
    PlainSerializer(lambda vector: base64.b64encode(vector.astype("<f4").tobytes()).decode()),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]


class IndexedProduct(FrozenModel):
    """A product as the index holds it for results."""

    id: str = Field(examples=["15970"])
    catalogue: str = Field(examples=["default"])
    category: int = Field(description="category id", examples=[0])
    url: str | None = Field(default=None, examples=["https://shop.example/products/15970"])
    image_url: str | None = None
    title: str | None = None
    attributes: Attributes = Field(default_factory=dict)
    group: str | None = Field(default=None, description="what the variants of a style share")


class Hit(IndexedProduct):
    """A product near the query, by its nearest image: `image_url` and `score` belong to that image.

    `score` is cosine similarity, about -1 to 1. `similarity` is calibrated similarity, 0 to 1; null without a scale.
    """

    score: float = Field(examples=[0.93])
    similarity: float | None = Field(default=None, ge=0, le=1, examples=[0.82])
    image_index: int = Field(default=0, ge=0, description="which of the product's images; 0 is the main image")
    vector: HitVector | None = Field(
        default=None, description="of the main image, float32 in base64, unit length; null unless vectors are requested"
    )


def attributes_of(product: IndexedProduct) -> Attributes:
    """Return the attributes that filters read; the group is one of them, unless one has its name."""
    return product.attributes if product.group is None else {"group": product.group, **product.attributes}


class Page(FrozenModel):
    """A range of the ranked results: `k` results after the first `offset`."""

    k: int = Field(default=10, ge=1, le=MAX_K, description="number of results to return, at most", examples=[10])
    offset: int = Field(
        default=0, ge=0, description=f"number of results to skip; offset + k may be at most {MAX_REACH}"
    )

    @field_validator("offset")
    @classmethod
    def _within_reach(cls, value: int, info: ValidationInfo) -> int:
        k = info.data.get("k")
        if k is not None and value + k > MAX_REACH:
            text = "offset + k may be at most {most}: {offset} + {k} is more"
            raise PydanticCustomError("page", text, {"most": MAX_REACH, "offset": value, "k": k})
        return value

    @property
    def end(self) -> int:
        """The rank after the page's last one, counted from 0."""
        return self.offset + self.k

    def following(self) -> "Page | None":
        """Return the next page, which is shorter where MAX_REACH cuts it; None where MAX_REACH is reached."""
        return Page(k=min(self.k, MAX_REACH - self.end), offset=self.end) if self.end < MAX_REACH else None


class ResultOptions(Page):
    """The options that every search has. The public API and the index's API both take their declarations from here."""

    filter: JsonFilter = EVERYTHING
    min_score: float | None = Field(default=None, ge=-1, le=1, description="leave out results with a lower score")
    facets: bool = Field(default=False, description="count the values that the results can be filtered by")
    group_by: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        exclude_if=lambda value: value is None,
        description="of the products with the same value of this attribute, return the nearest only: `group` for the "
        "variants of a style",
    )


class IndexQuery(ResultOptions):
    """What every search of the index has. The last three are for the gateway's ranking, and left out where it has none.

    Pinned products of the category are returned in `pinned`, whether they meet the filter or not; the hits are those of
    the search, which names them in `exclude` if they are not to be among the hits.
    """

    exclude: list[ProductId] = Field(default_factory=list, max_length=1000, description="products to leave out")
    hide: JsonFilter | None = Field(
        default=None, exclude_if=lambda value: value is None, description="leave out the products that meet this filter"
    )
    pinned: list[ProductId] = Field(
        default_factory=list,
        max_length=MAX_K,
        exclude_if=lambda value: not value,
        description="products to return in addition, with their scores",
    )
    vectors: bool = Field(
        default=False,
        exclude_if=lambda value: not value,
        description="return the vector of each hit's main image",
    )


class CatalogueProduct(FrozenModel):
    """A product of one catalogue."""

    catalogue: str
    id: ProductId


class IndexSearch(IndexQuery):
    """A search inside one category of the index."""

    category: int = Field(ge=0, description="category id, 0 to 8 for the shipped models")
    catalogues: Catalogues = (DEFAULT_CATALOGUE,)
    vector: Vector = Field(description="the query's vector; it need not have unit length")
    model: str = Field(description="the model of the vector; products are searched by their vectors of this model")
    vector_of: CatalogueProduct | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="the product that the vector is of; it is left out",
    )
    part: PartName = Field(
        default_factory=Part,
        exclude_if=lambda value: value.is_whole,
        description="the part of each category that the node has to hold. If it is not all, the response has every hit "
        "up to one after the page, with unrounded scores, and what facets and similarity are made of",
    )

    @field_validator("vector")
    @classmethod
    def _finite(cls, value: list[float]) -> list[float]:
        array = np.asarray(value, dtype=np.float32).astype(np.float64)
        if not 0 < array.dot(array) < np.inf:
            raise ValueError("the vector has to be finite and not all zero")
        return value


class IndexSimilar(IndexQuery):
    """A search by an indexed product, which is left out of its own results."""

    id: ProductId
    catalogues: Catalogues = (DEFAULT_CATALOGUE,)
    catalogue: str | None = Field(
        default=None, description="the product's catalogue, one of `catalogues`; default: the first that has the id"
    )
    model: str | None = Field(default=None, description="search by this model's vectors; default: the active model")
    part: PartName = Field(
        default_factory=Part,
        exclude_if=lambda value: value.is_whole,
        description="the part of the catalogue that the node has to hold",
    )


class IndexVectors(FrozenModel):
    """A request for the vectors of products."""

    ids: list[ProductId] = Field(min_length=1, max_length=100)
    catalogues: Catalogues = (DEFAULT_CATALOGUE,)
    model: str = Field(description="the model of the vectors")


class ProductVector(FrozenModel):
    """The vector of a product's main image, unit length."""

    id: str
    catalogue: str
    category: int
    vector: list[float]


class VectorsResponse(FrozenModel):
    """The vectors of those of the requested products that this node holds."""

    vectors: list[ProductVector]


class ScalePoints(FrozenModel):
    """A scale of similarity: points that ascend in both; between them it is linear."""

    scores: list[float]
    values: list[float]


class IndexRevision(FrozenModel):
    """As long as the revision is the same, so is the result of every search."""

    revision: str | None = Field(
        description="null if the engine does not say when it changes", examples=["6f1c2ab09d3e.17"]
    )


class IndexResponse(FrozenModel):
    """A page of hits, best first, of the category that was searched, and the facets if they were requested."""

    category: int
    hits: list[Hit]
    pinned: list[Hit] = Field(default_factory=list, description="the pinned products of the category, in their order")
    best_score: float | None = Field(description="of the first hit on the first page; null without hits")
    best_similarity: float | None = Field(description="the same hit's; null without hits or without a scale")
    next_page: Page | None = Field(description="null after the last hit")
    model: str
    active: str = Field(description="the active model, which the next search should use")
    timings_ms: dict[str, float]
    facets: list[Facet] = Field(default_factory=list)
    total: int | None = Field(
        default=None, description="products of the category that meet the filter; null unless facets are requested"
    )
    unknown_attributes: list[str] = Field(
        default_factory=list, description="attributes of the filter that no product of the category has"
    )
    exact: bool = Field(default=True, description="whether the search looked at every vector; false if approximate")
    engine: str = Field(default=FAISS, description="what searched", examples=["faiss", "milvus hnsw"])
    facet_summary: FacetSummary | None = Field(default=None, description="of a part, if facets are requested")
    scales: dict[str, ScalePoints] = Field(
        default_factory=dict, description="of a part: the category's scale of similarity in each catalogue"
    )


class IndexSample(FrozenModel):
    """Products of the index, drawn at random."""

    products: list[IndexedProduct]


class CategoryCount(FrozenModel):
    """The number of products of a category, and the score from which a result is a close match; null if unknown.

    A node that does not hold the category counts 0 products.
    """

    id: int
    name: str
    products: int
    held: bool = True
    close_score: float | None = Field(default=None, examples=[0.912])


SyncState = Literal["starting", "loading", "following", "polling", "reconnecting", "rebuilding"]


class SnapshotStatus(FrozenModel):
    """The state of the index's snapshot on disk."""

    age_seconds: float | None = Field(description="age of the state that it holds; null without a snapshot")
    bytes: int | None
    failures: int = Field(description="failed attempts to write or to load it, since the start")
    last_error: str | None = None


class ReconcileStatus(FrozenModel):
    """Results of comparing the index with the database. A document that differs between them has drifted."""

    found: int = Field(description="documents that had drifted, since the start")
    repaired: int = Field(description="drifted documents that were repaired, since the start")
    last_at: float | None = Field(description="Unix time at which the last comparison ended; null before the first")
    last_seconds: float | None = Field(description="duration of the last comparison")
    last_error: str | None = Field(description="why the last comparison failed; null if it did not")


class SyncStatus(FrozenModel):
    """How the index follows the database."""

    state: SyncState = Field(examples=["following"])
    stale: bool = Field(
        description="whether searches may see an older state than the database's: it is unavailable, is being read "
        "again, or its changes are applied more than two seconds late"
    )
    loaded_from: Literal["snapshot", "database"] | None = Field(description="source of the first load")
    lag_seconds: float | None = Field(description="seconds since the index was last level with the database")
    applied: int = Field(description="changes applied since the start")
    skipped: int = Field(description="documents that cannot be indexed: wrong dimension, NaN, unknown category")
    skipped_images: int = Field(default=0, description="additional images that cannot be indexed")
    other_models: int = Field(description="products whose vector comes from another model; they cannot be searched")
    last_error: str | None = None
    snapshot: SnapshotStatus | None = Field(default=None, description="null if the index keeps no snapshot")
    reconcile: ReconcileStatus


class IndexedModel(FrozenModel):
    """A model whose vectors the index holds."""

    model: str = Field(examples=["fashion/2"])
    role: Literal["active", "candidate", "previous", "leaving"]
    complete: bool = Field(description="whether every catalogue can be searched by it")
    products: int
    state: SyncState
    lag_seconds: float | None
    without_vector: int = Field(description="products without a vector of this model")


class CatalogueStatus(FrozenModel):
    """What the index holds of one catalogue, by category and by model, and how it follows the database."""

    products: int
    categories: list[CategoryCount]
    models: list[IndexedModel] = Field(min_length=1)
    sync: SyncStatus


class IndexStatus(FrozenModel):
    """What the index holds. Products, categories and sync of each catalogue are those of the active model."""

    model: str = Field(description="the active model")
    ready: bool = Field(description="whether every catalogue can be searched")
    part: PartName = Field(default_factory=Part, description="the part of each category that it holds")
    engine: str = Field(default=FAISS, description="what holds the vectors", examples=["faiss", "milvus hnsw"])
    promoted: str | None = Field(default=None, description="the promoted model; null if the settings decide")
    problems: dict[str, str] = Field(default_factory=dict, description="models that cannot be indexed, and why")
    catalogues: dict[str, CatalogueStatus] = Field(min_length=1, description="the catalogues by name")
