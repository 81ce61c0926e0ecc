"""The index nodes behind the gateway. A search goes to a node that holds its category, or to another if that one fails.

A node's status says which categories it holds. Several nodes may hold the same ones: they take turns.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import structlog

from services.contracts.domain.errors import (
    CategoryElsewhere,
    IndexNotReady,
    LookalikeError,
    ModelIndexMismatch,
    UnknownProduct,
    UpstreamTimeout,
)
from services.contracts.web.upstream_calls import UpstreamCalls
from services.contracts.wire.index import (
    IndexResponse,
    IndexSample,
    IndexSearch,
    IndexSimilar,
    IndexStatus,
    IndexVectors,
    ProductVector,
)
from services.gateway.index_nodes import overview
from services.gateway.index_nodes.client import IndexClient
from services.gateway.index_nodes.node import IndexNode

T = TypeVar("T")
log = structlog.get_logger()
RETRY_ELSEWHERE = (IndexNotReady, UpstreamTimeout, ModelIndexMismatch, CategoryElsewhere)


class IndexNodes:
    """All index nodes, which together hold every catalogue."""

    def __init__(self, clients: Iterable[IndexClient], refresh_s: float, calls: UpstreamCalls | None = None) -> None:
        """Take the nodes' clients.

        Args:
            clients: one for each node, or for a load balancer in front of nodes that hold the same categories.
            refresh_s: seconds between two readings of every node's status.
            calls: measures the calls.
        """
        self.nodes = [IndexNode(client, calls) for client in clients]
        self._refresh_s = refresh_s
        self._turn = 0

    async def run(self) -> None:
        """Refresh the nodes' statuses again and again until cancelled."""
        while True:
            await asyncio.sleep(self._refresh_s)
            try:
                await self.refresh()
            except Exception:
                log.exception("index_nodes_not_refreshed")

    async def refresh(self) -> None:
        """Read every node's status."""
        await asyncio.gather(*(node.refresh() for node in self.nodes))

    async def close(self) -> None:
        """Close every client."""
        await asyncio.gather(*(node.close() for node in self.nodes))

    async def search(self, query: IndexSearch) -> IndexResponse:
        """Return the nearest products of a category.

        Raises:
            UnknownCategory, ModelIndexMismatch, InvalidRequest: as the index says.
            IndexNotReady, UpstreamTimeout: no node that holds the category answers.
        """
        return await self._of_category(query.category, lambda client: client.search(query))

    async def similar(self, query: IndexSimilar) -> IndexResponse:
        """Return the products nearest to an indexed one. The nodes are asked in turn until one knows the product.

        Raises:
            UnknownProduct: no node knows it. Otherwise as `search`, if a node that may know it does not answer.
        """
        ruled_out = frozenset[int]()
        failed: list[tuple[IndexNode, LookalikeError]] = []
        for node in self._in_turn():
            if node.held and node.held <= ruled_out:
                continue
            try:
                return await node.ask(lambda client: client.similar(query))
            except UnknownProduct:
                ruled_out |= node.held
            except RETRY_ELSEWHERE as error:
                failed.append((node, error))
        for node, trouble in failed:
            if not node.held or node.held - ruled_out:
                raise trouble
        raise UnknownProduct(f"there is no product {query.id!r} in the index")

    async def vectors(self, query: IndexVectors) -> list[ProductVector]:
        """Return the vectors of products. The nodes are asked in turn until all products are known.

        Raises:
            IndexNotReady, UpstreamTimeout, ModelIndexMismatch: products are missing, and a node does not answer.
        """
        found: dict[str, ProductVector] = {}
        trouble: LookalikeError | None = None
        for node in self._in_turn():
            missing = [key for key in query.ids if key not in found]
            if not missing:
                break
            part = query.model_copy(update={"ids": missing})
            try:
                vectors = await node.ask(lambda client, part=part: client.vectors(part))  # type: ignore[misc]
            except RETRY_ELSEWHERE as error:
                trouble = error
                continue
            found |= {vector.id: vector for vector in vectors}
        if trouble is not None and len(found) < len(query.ids):
            raise trouble
        return list(found.values())

    async def sample(self, count: int, category: int | None, catalogues: Sequence[str]) -> IndexSample:
        """Return products of these catalogues, drawn at random, of one category or of all that can be searched.

        Raises:
            UnknownCategory: as the index says.
            IndexNotReady, UpstreamTimeout: no node answers, or none that holds the category.
        """
        if category is not None:
            return await self._of_category(category, lambda client: client.sample(count, category, catalogues))
        if all(node.holds_all for node in self.nodes) or not any(node.is_well for node in self.nodes):
            return await self._first(
                self._in_turn(), lambda client: client.sample(count, None, catalogues), "any category"
            )
        status = overview.combined(overview.merged(self.nodes), catalogues)
        shares = overview.shares(count, status, random.Random())
        parts = await asyncio.gather(*(self._share(share, number, catalogues) for number, share in shares.items()))
        samples = [sample for sample in parts if sample is not None]
        if shares and not samples:
            raise IndexNotReady("; ".join(overview.obstacles(self.nodes)))
        products = [product for sample in samples for product in sample.products]
        return IndexSample(products=random.sample(products, len(products)))

    async def _share(self, count: int, category: int, catalogues: Sequence[str]) -> IndexSample | None:
        try:
            return await self.sample(count, category, catalogues)
        except RETRY_ELSEWHERE:  # its nodes have just failed; the other categories' products remain
            return None

    async def status(self) -> IndexStatus:
        """Return the status of all nodes as if they were one node; see `overview.merged`.

        Searches wait for it. Nodes that failed the last time are therefore left to `run`, if others answered.

        Raises:
            IndexNotReady, UpstreamTimeout: no node answers.
        """
        answering = [node for node in self.nodes if node.trouble is None]
        await asyncio.gather(*(node.refresh() for node in answering or self.nodes))
        if all(node.trouble for node in self.nodes):
            raise self.nodes[0].trouble or IndexNotReady("no index node answers")
        return overview.merged(self.nodes)

    async def ready(self) -> tuple[str, ...]:
        """Return sentences that name the categories that cannot be searched, and why; none if all can.

        Raises:
            IndexNotReady: nothing can be searched.
        """
        await self.refresh()
        if not any(node.is_well for node in self.nodes):
            raise IndexNotReady("; ".join(overview.obstacles(self.nodes)))
        return overview.gaps(self.nodes)

    async def _of_category(self, category: int, call: Callable[[IndexClient], Awaitable[T]]) -> T:
        holders = [node for node in self._in_turn() if node.status is None or category in node.held]
        name = overview.category_names(self.nodes).get(category, f"category {category}")
        return await self._first(holders, call, name)

    async def _first(self, nodes: Sequence[IndexNode], call: Callable[[IndexClient], Awaitable[T]], subject: str) -> T:
        """Return the response of the first node that gives one."""
        errors: list[LookalikeError] = []
        for node in nodes:
            try:
                return await node.ask(call)
            except CategoryElsewhere:  # the node's categories have changed since its last status
                continue
            except RETRY_ELSEWHERE as error:
                errors.append(error)
        if not errors:
            raise IndexNotReady(f"no index node holds {subject}")
        if len(self.nodes) == 1 or isinstance(errors[-1], ModelIndexMismatch):
            raise errors[-1]
        raise type(errors[-1])(f"no index node answers for {subject}: {errors[-1].detail}")

    def _in_turn(self) -> list[IndexNode]:
        """Return all nodes in the order to ask them: first those likely to answer, last those never reached."""
        self._turn = (self._turn + 1) % len(self.nodes)
        turned = self.nodes[self._turn :] + self.nodes[: self._turn]
        return sorted(turned, key=lambda node: (not node.is_well, node.status is None))
