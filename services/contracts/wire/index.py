"""The bodies of the index service's HTTP API."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.contracts.domain.catalogues import DEFAULT
from services.contracts.domain.facets import Facet
from services.contracts.domain.filters import EVERYTHING, AttributeValue
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.filter_json import JsonFilter

MAX_K = 100
MAX_REACH = 500
MAX_SAMPLE = 50

Attributes = dict[str, AttributeValue | list[AttributeValue]]
Vector = Annotated[list[float], Field(min_length=1, max_length=4096)]
Catalogues = Annotated[tuple[str, ...], Field(min_length=1, description="the catalogues that are searched")]
ProductId = Annotated[str, Field(min_length=1, max_length=256)]


class Listed(FrozenModel):
    """One product of the index, as a result shows it."""

    id: str = Field(examples=["15970"])
    category: int = Field(examples=[0])
    url: str | None = Field(default=None, examples=["https://shop.example/products/15970"])
    image_url: str | None = None
    title: str | None = None
    attributes: Attributes = Field(default_factory=dict)
    catalogue: str = Field(default=DEFAULT, exclude_if=lambda value: value == DEFAULT)


class Hit(Listed):
    """One product near the query, by the image that is nearest to it: `image_url` is that image's.

    `score` is cosine similarity, about -1 to 1; `similarity` what it is worth among the products of the category, 0 to 1:
    from 0.5 on a close match; null where there is no scale.
    """

    score: float = Field(examples=[0.93])
    similarity: float | None = Field(default=None, ge=0, le=1, examples=[0.82])
    image: int = Field(default=0, description="which of the product's images: 0 the main one, n the n-th further one")


class Page(FrozenModel):
    """Which places of all results are meant: `k` of them from number `offset` on, which counts from 0."""

    k: int = Field(default=10, ge=1, le=MAX_K, description="how many results at most", examples=[10])
    offset: int = Field(default=0, ge=0, description="how many of the best to pass over, for further pages")

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
        """The number of the first place after the page."""
        return self.offset + self.k

    def following(self) -> "Page | None":
        """Return the next page, of the same size or what is left of it; None where no further place may be asked for."""
        return Page(k=min(self.k, MAX_REACH - self.end), offset=self.end) if self.end < MAX_REACH else None


class IndexSearch(Page):
    """A search inside one category of the index."""

    category: int = Field(ge=0, description="category id, 0 to 8 for the shipped models")
    catalogues: Catalogues = (DEFAULT,)
    vector: Vector = Field(description="the query's vector; it is brought to unit length")
    model: str = Field(description="the model the vector comes from; products are searched by its vectors of them")
    filter: JsonFilter = EVERYTHING
    exclude: list[ProductId] = Field(default_factory=list, max_length=1000)
    min_score: float | None = Field(default=None, ge=-1, le=1)
    facets: bool = Field(default=False, description="count what the category can be filtered by")

    @field_validator("vector")
    @classmethod
    def _finite(cls, value: list[float]) -> list[float]:
        array = np.asarray(value, dtype=np.float32)
        if not np.isfinite(array).all() or not np.linalg.norm(array) > 0:
            raise ValueError("the vector has to be finite and not all zero")
        return value


class IndexSimilar(Page):
    """A search by a product that is in the index; it is left out of its own results."""

    id: ProductId
    catalogues: Catalogues = (DEFAULT,)
    of: str | None = Field(
        default=None, description="which of them the product is of; the first that has it where it is left out"
    )
    model: str | None = Field(default=None, description="by whose vectors; the active model's where it is left out")
    filter: JsonFilter = EVERYTHING
    min_score: float | None = Field(default=None, ge=-1, le=1)
    facets: bool = False


class IndexAnswer(FrozenModel):
    """A page of hits, best first, of the category that was searched; facets where they were asked for."""

    category: int
    hits: list[Hit]
    best_score: float | None = Field(description="of the first of all hits, on whichever page; null where none is")
    best_similarity: float | None = Field(description="the same hit's; null where none is, or there is no scale")
    next_page: Page | None = Field(description="what to ask for to go on; null where these are the last hits")
    model: str
    active: str = Field(description="the model that the next search is to use")
    timings_ms: dict[str, float]
    facets: list[Facet] = Field(default_factory=list)


class IndexSample(FrozenModel):
    """Some products of the index, chosen by chance."""

    products: list[Listed]


class CategoryCount(FrozenModel):
    """How many products of a category are indexed, and from which score on a result counts as close; null if unknown.

    A node that does not hold a category has none of it.
    """

    id: int
    name: str
    products: int
    held: bool = True
    close_score: float | None = Field(default=None, examples=[0.912])


SyncState = Literal["starting", "loading", "following", "polling", "reconnecting", "rebuilding"]


class SnapshotStatus(FrozenModel):
    """How it stands with the index's snapshot on its disk."""

    age_seconds: float | None = Field(description="since the moment it shows; null when there is none")
    bytes: int | None
    failures: int = Field(description="how often it could not be written or used, since the start")
    last_error: str | None = None


class ReconcileStatus(FrozenModel):
    """What comparing the index with the database has found. Drift: documents that the index knew otherwise than they are."""

    found: int = Field(description="documents that had drifted, since the start")
    repaired: int = Field(description="of these, how many were put right")
    last_at: float | None = Field(description="Unix time of the end of the last comparison; null before the first")
    last_seconds: float | None = Field(description="how long it took")
    last_error: str | None = Field(description="why the last one came to no end; null when it did")


class SyncStatus(FrozenModel):
    """How the index follows the database."""

    state: SyncState = Field(examples=["following"])
    stale: bool = Field(
        description="whether searches may see an older state than the database's: it is away or read anew, or its "
        "changes come faster than they are applied and are more than two seconds late"
    )
    loaded_from: Literal["snapshot", "database"] | None = Field(
        description="where what is searched was first read from"
    )
    lag_seconds: float | None = Field(description="seconds since the index last knew itself level with the database")
    applied: int = Field(description="changes applied since the start")
    skipped: int = Field(description="documents that could not be indexed: wrong dimension, NaN, unknown category")
    skipped_images: int = Field(default=0, description="further images of products that could not be indexed")
    other_models: int = Field(description="products whose vector comes from another model: not searchable here")
    last_error: str | None = None
    snapshot: SnapshotStatus | None = Field(default=None, description="null where none is kept")
    reconcile: ReconcileStatus


class IndexedModel(FrozenModel):
    """A model that the index holds."""

    model: str = Field(examples=["fashion/2"])
    role: Literal["active", "candidate", "previous", "leaving"]
    complete: bool = Field(description="whether it can be searched")
    products: int
    state: SyncState
    lag_seconds: float | None
    without_vector: int = Field(description="products that have no vector of it")


class CatalogueStatus(FrozenModel):
    """Counts a category, the models and the state of the sync, of one catalogue."""

    products: int
    categories: list[CategoryCount]
    models: list[IndexedModel] = Field(default_factory=list)
    sync: SyncStatus


class IndexStatus(CatalogueStatus):
    """What the index holds: of the default catalogue, and of each further one."""

    model: str = Field(description="the active model: what the counts and the sync are of")
    ready: bool = Field(description="whether every catalogue can be searched")
    promoted: str | None = Field(
        default=None, description="the model that was promoted; null where the settings decide"
    )
    problems: dict[str, str] = Field(default_factory=dict, description="models that cannot be indexed, and why")
    further: dict[str, CatalogueStatus] = Field(
        default_factory=dict, description="each catalogue beside the default one, by its name"
    )
