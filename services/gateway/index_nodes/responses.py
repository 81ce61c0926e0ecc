"""The responses that say what the installation holds."""

from pydantic import Field

from services.contracts.domain.engines import FAISS
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.wire.index import CatalogueStatus, IndexedModel
from services.gateway.index_nodes.node import IndexNode
from services.gateway.index_nodes.overview import combined


class CategorySummary(FrozenModel):
    """A category and its number of products."""

    id: int
    name: str
    products: int
    close_score: float | None = Field(
        description="score from which a result is a close match, fitted on the category's products; null if unknown",
        examples=[0.912],
    )
    searchable: bool = Field(description="whether an index node that holds it answers")


class CategoriesResponse(FrozenModel):
    """The model's categories, in the order of their ids."""

    model: str
    categories: list[CategorySummary]


class IndexNodeSummary(FrozenModel):
    """An index node: what it holds, and whether it can be searched."""

    categories: list[str] = Field(description="names of the categories that it holds", examples=[["Topwear", "Shoes"]])
    part: str = Field(description="the part of these categories that it holds", examples=["1/1", "2/4"])
    engine: str = Field(default=FAISS, description="what holds its vectors", examples=["faiss", "milvus hnsw"])
    products: int
    ready: bool = Field(description="whether it can be searched")
    obstacle: str | None = Field(description="why it cannot be searched; null if it can")
    lag_seconds: float | None = Field(description="seconds since it was last level with the database")

    @classmethod
    def of(cls, node: IndexNode, catalogues: tuple[str, ...]) -> "IndexNodeSummary":
        """Return what a node holds of some catalogues; its last status counts while it is unavailable."""
        status = combined(node.status, catalogues) if node.status else None
        return cls(
            categories=[category.name for category in node.categories if category.held],
            part=str(node.part),
            engine=node.engine or FAISS,
            products=status.products if status else 0,
            ready=node.is_well,
            obstacle=node.obstacle,
            lag_seconds=status.sync.lag_seconds if status and node.trouble is None else None,
        )


class StatsResponse(FrozenModel):
    """What the installation holds of a catalogue, and the state of the index."""

    model: str
    promoted: str | None = Field(description="the promoted model; null if the settings decide")
    models: list[IndexedModel] = Field(description="the models that the index holds; searches can switch between them")
    products: int
    categories: list[CategorySummary]
    sync: dict[str, object] = Field(
        description="how the index node with the longest delay follows the database; as in the index's /v1/status"
    )
    index_nodes: list[IndexNodeSummary]
    uptime_seconds: float


class CatalogueSummary(FrozenModel):
    """A catalogue of the installation."""

    name: str = Field(examples=["default"])
    products: int
    path: str = Field(
        description="prefix of its addresses, before /v1; empty for the default catalogue",
        examples=["/catalogues/shoes-and-more"],
    )


class CataloguesResponse(FrozenModel):
    """The catalogues of the installation, the default one first."""

    catalogues: list[CatalogueSummary]


class CatalogueResponse(StatsResponse):
    """What the catalogue page shows: the stats, the last import and the last report of `lookalike doctor`."""

    last_import: dict[str, object] | None = Field(description="summary of the last import; null before the first")
    last_examination: dict[str, object] | None = Field(
        description="report of the last `lookalike doctor`; null before the first"
    )


def category_summaries(status: CatalogueStatus) -> list[CategorySummary]:
    """Return the categories of a catalogue, in the order of their ids."""
    return [
        CategorySummary(
            id=category.id,
            name=category.name,
            products=category.products,
            searchable=category.held,
            close_score=category.close_score,
        )
        for category in status.categories
    ]
