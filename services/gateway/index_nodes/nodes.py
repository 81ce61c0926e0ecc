"""The index nodes behind the gateway: each search goes to one that holds its category, to another where that is away.

A node says itself which categories it holds. Any number may hold the same: they are asked in turns.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import structlog

from services.contracts.domain.catalogues import DEFAULT
from services.contracts.domain.errors import (
    CategoryElsewhere,
    IndexNotReady,
    LookalikeError,
    ModelIndexMismatch,
    UnknownProduct,
    UpstreamTimeout,
)
from services.contracts.wire.index import IndexAnswer, IndexSample, IndexSearch, IndexSimilar, IndexStatus
from services.gateway.index_nodes import overview
from services.gateway.index_nodes.client import IndexClient
from services.gateway.index_nodes.node import IndexNode

T = TypeVar("T")
log = structlog.get_logger()
Names = tuple[str, ...]
ONE: Names = (DEFAULT,)
ANOTHER_MAY = (IndexNotReady, UpstreamTimeout, ModelIndexMismatch, CategoryElsewhere)


class IndexNodes:
    """All index nodes, which together hold the catalogue."""

    def __init__(self, clients: Iterable[IndexClient], refresh_s: float) -> None:
        """Remember the ways to the nodes.

        Args:
            clients: one a node, or a load balancer before nodes that hold the same.
            refresh_s: the time between two looks at all of them, in seconds.
        """
        self.nodes = [IndexNode(client) for client in clients]
        self._refresh_s = refresh_s
        self._turn = 0

    async def run(self) -> None:
        """Look at the nodes again and again until cancelled."""
        while True:
            await asyncio.sleep(self._refresh_s)
            try:
                await self.look()
            except Exception:
                log.exception("index_nodes_not_looked_at")

    async def look(self) -> None:
        """Ask every node for its status."""
        await asyncio.gather(*(node.look() for node in self.nodes))

    async def close(self) -> None:
        """Close the ways to all of them."""
        await asyncio.gather(*(node.close() for node in self.nodes))

    async def search(self, query: IndexSearch) -> IndexAnswer:
        """Return the nearest products of a category.

        Raises:
            UnknownCategory, ModelIndexMismatch, InvalidRequest: as the index says.
            IndexNotReady, UpstreamTimeout: no node that holds the category answers.
        """
        return await self._of_category(query.category, lambda client: client.search(query))

    async def similar(self, query: IndexSimilar) -> IndexAnswer:
        """Return the products nearest to an indexed one; the nodes are asked until one knows it.

        Raises:
            UnknownProduct: none does. Otherwise as `search`, where one might that does not answer.
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
            except ANOTHER_MAY as error:
                failed.append((node, error))
        for node, trouble in failed:
            if not node.held or node.held - ruled_out:
                raise trouble
        raise UnknownProduct(f"there is no product {query.id!r} in the index")

    async def sample(self, count: int, category: int | None, catalogues: Names = ONE) -> IndexSample:
        """Return products of these catalogues, chosen by chance, of one category if one is named; of those categories that
        can be searched.

        Raises:
            UnknownCategory: as the index says.
            IndexNotReady, UpstreamTimeout: no node answers, or none that holds the category.
        """
        if category is not None:
            return await self._of_category(category, lambda client: client.sample(count, category, catalogues))
        if all(node.holds_all for node in self.nodes) or not any(node.is_well for node in self.nodes):
            ask = lambda client: client.sample(count, None, catalogues)  # noqa: E731
            return await self._first(self._in_turn(), ask, "any category")
        shares = overview.shared_out(count, overview.merged(self._seen(catalogues)), random.Random())
        found = await asyncio.gather(*(self._share(share, number, catalogues) for number, share in shares.items()))
        samples = [sample for sample in found if sample is not None]
        if shares and not samples:
            raise IndexNotReady("; ".join(overview.obstacles(self.nodes)))
        products = [product for sample in samples for product in sample.products]
        return IndexSample(products=random.sample(products, len(products)))

    async def _share(self, count: int, category: int, catalogues: Names) -> IndexSample | None:
        try:
            return await self.sample(count, category, catalogues)
        except ANOTHER_MAY:  # it has just gone: the others' products will do
            return None

    async def status(self, catalogues: Names = ONE) -> IndexStatus:
        """Return what all nodes hold together of these catalogues; `sync` is that of the one that is furthest behind.

        Searches wait for it, so nodes that did not answer the last time are left to `run`, if others did.

        Raises:
            IndexNotReady, UpstreamTimeout: no node answers, or one does not know a catalogue yet.
        """
        answering = [node for node in self.nodes if node.trouble is None]
        await asyncio.gather(*(node.look() for node in answering or self.nodes))
        if all(node.trouble for node in self.nodes):
            raise self.nodes[0].trouble or IndexNotReady("no index node answers")
        return overview.merged(self._seen(catalogues))

    async def counts(self, catalogues: Names) -> dict[str, int]:
        """Return how many products of each catalogue all nodes hold together.

        Raises:
            IndexNotReady, UpstreamTimeout: as `status`.
        """
        await self.status()
        return {name: overview.merged(self._seen((name,))).products for name in catalogues}

    def _seen(self, catalogues: Names) -> list[IndexNode]:
        return [overview.seen(node, catalogues) for node in self.nodes]

    async def ready(self) -> tuple[str, ...]:
        """Return which categories cannot be searched, and why, in sentences; none when all can.

        Raises:
            IndexNotReady: nothing can be searched.
        """
        await self.look()
        if not any(node.is_well for node in self.nodes):
            raise IndexNotReady("; ".join(overview.obstacles(self.nodes)))
        return overview.gaps(self.nodes)

    async def _of_category(self, category: int, call: Callable[[IndexClient], Awaitable[T]]) -> T:
        holders = [node for node in self._in_turn() if node.status is None or category in node.held]
        return await self._first(holders, call, overview.name_of(category, self.nodes))

    async def _first(self, nodes: Sequence[IndexNode], call: Callable[[IndexClient], Awaitable[T]], what: str) -> T:
        """Return what the first node answers that can."""
        errors: list[LookalikeError] = []
        for node in nodes:
            try:
                return await node.ask(call)
            except CategoryElsewhere:  # it holds others than when we last looked
                continue
            except ANOTHER_MAY as error:
                errors.append(error)
        if not errors:
            raise IndexNotReady(f"no index node holds {what}")
        if len(self.nodes) == 1 or isinstance(errors[-1], ModelIndexMismatch):
            raise errors[-1]
        raise type(errors[-1])(f"no index node answers for {what}: {errors[-1].detail}")

    def _in_turn(self) -> list[IndexNode]:
        """Return all nodes: those first that are likely to answer, last those of which nothing is known."""
        self._turn = (self._turn + 1) % len(self.nodes)
        turned = self.nodes[self._turn :] + self.nodes[: self._turn]
        return sorted(turned, key=lambda node: (not node.is_well, node.status is None))
