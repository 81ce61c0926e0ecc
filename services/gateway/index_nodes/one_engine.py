"""The index nodes as one list of results sees them: the same engine answers all its requests, on all its pages.

The pages of two approximate engines overlap, or leave out products.
"""

from pydantic import Field

from services.contracts.domain.engines import FAISS
from services.contracts.wire.index import IndexResponse, IndexSearch, IndexSimilar, Page
from services.gateway.index_nodes.nodes import IndexNodes


class NextPage(Page):
    """The options of the next page."""

    engine: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="the engine of the index that goes on; absent as long as FAISS is the only one",
        examples=["milvus hnsw"],
    )


class OneEngine:
    """Asks index nodes, after the first response those of its engine only."""

    def __init__(self, nodes: IndexNodes, engine: str | None) -> None:
        """Ask nothing yet. `engine`: that of the page before; None for any."""
        self._nodes = nodes
        self._engine = engine

    async def search(self, query: IndexSearch) -> IndexResponse:
        """Return the nearest products of a category. Raises: as `IndexNodes.search`."""
        response = await self._nodes.search(query, self._engine)
        self._engine = response.engine
        return response

    async def similar(self, query: IndexSimilar) -> IndexResponse:
        """Return the products nearest to an indexed one. Raises: as `IndexNodes.similar`."""
        response = await self._nodes.similar(query, self._engine)
        self._engine = response.engine
        return response

    def shown(self, response: IndexResponse) -> str | None:
        """Return the engine that a response of the gateway names; None as long as FAISS is the only one."""
        return response.engine if response.engine != FAISS or self._nodes.have_other_engines else None

    def next_page(self, response: IndexResponse) -> NextPage | None:
        """Return the options of the next page; None after the last one."""
        page = response.next_page
        return None if page is None else NextPage(k=page.k, offset=page.offset, engine=self.shown(response))
