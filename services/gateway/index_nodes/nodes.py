"""The index nodes behind the gateway. A search goes to a node that holds its category, or to another if that one fails.

A node's status says which categories it holds, and which part of them. Several nodes may hold the same: they take
turns. A search of a category in parts goes to nodes that together hold all of it, and their answers are merged.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import structlog

from services.contracts.domain.engines import FAISS
from services.contracts.domain.errors import (
    CategoryElsewhere,
    IndexNotReady,
    LookalikeError,
    ModelIndexMismatch,
    UnknownProduct,
    UpstreamTimeout,
)
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.contracts.wire.index import (
    CatalogueProduct,
    IndexQuery,
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
from services.gateway.index_nodes.cover import NodeGroup, cover, modulus_of
from services.gateway.index_nodes.engines import by_engine, checked, of_engine
from services.gateway.index_nodes.hedging import Hedging
from services.gateway.index_nodes.merge import merged_response
from services.gateway.index_nodes.node import IndexNode
from services.gateway.index_nodes.shadow import Shadow

T = TypeVar("T")
log = structlog.get_logger()
Revisions = tuple[str, ...]  # of each node
RETRY_ELSEWHERE = (IndexNotReady, UpstreamTimeout, ModelIndexMismatch, CategoryElsewhere)


class IndexNodes:
    """All index nodes, which together hold every catalogue."""

    def __init__(
        self,
        clients: Iterable[IndexClient],
        refresh_s: float,
        calls: UpstreamCalls | None = None,
        hedging: Hedging | None = None,
        shadow: Shadow | None = None,
    ) -> None:
        """Take the nodes' clients.

        Args:
            clients: one for each node, or for a load balancer in front of nodes that hold the same.
            refresh_s: seconds between two readings of every node's status.
            calls: measures the calls.
            hedging: sends second requests to replicas; None for none.
            shadow: repeats searches on another node and compares; None for none.
        """
        self._hedging = hedging or Hedging(0.0)
        self._shadow = shadow
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

    async def watch(self) -> None:
        """Know the nodes' revisions until cancelled."""
        await asyncio.gather(*(node.watch() for node in self.nodes))

    @property
    def revisions(self) -> Revisions | None:
        """The revisions of what all nodes show; None if one is not known, or a shadow node compares answers."""
        known = tuple([node.revision for node in self.nodes if node.revision is not None])
        return known if len(known) == len(self.nodes) and self._shadow is None else None

    async def refresh(self) -> None:
        """Read every node's status."""
        await asyncio.gather(*(node.refresh() for node in self.nodes))

    async def close(self) -> None:
        """Close every client."""
        await asyncio.gather(*(node.close() for node in self.nodes))
        if self._shadow is not None:
            await self._shadow.close()

    @property
    def have_other_engines(self) -> bool:
        """Whether any node, the shadow node included, may have another engine than FAISS."""
        return self._shadow is not None or any(node.engine not in (None, FAISS) for node in self.nodes)

    async def search(self, query: IndexSearch, engine: str | None = None) -> IndexResponse:
        """Return the nearest products of a category. `engine`: that has to answer; None for any.

        Raises:
            UnknownCategory, ModelIndexMismatch, InvalidRequest: as the index says.
            IndexNotReady, UpstreamTimeout: no node that holds the category answers.
            PageExpired: no node has the engine, or one whose results are the same.
        """
        response = await self._search(query, engine)
        if self._shadow is not None:
            self._shadow.search(query, response)
        return response

    async def _search(self, query: IndexSearch, engine: str | None) -> IndexResponse:
        holders, subject = self._holders(query.category)
        *groups, last = by_engine(of_engine(holders, engine))
        for nodes in groups:
            with contextlib.suppress(*RETRY_ELSEWHERE):
                return checked(await self._by_one_engine(nodes, query, subject), engine)
        return checked(await self._by_one_engine(last, query, subject), engine)

    async def _by_one_engine(self, nodes: Sequence[IndexNode], query: IndexSearch, subject: str) -> IndexResponse:
        if all(node.part.is_whole for node in nodes):
            return await self._first(nodes, lambda client: client.search(query), subject)
        responses = await self._of_parts(nodes, query, subject)
        return responses[0] if len(responses) == 1 else merged_response(responses, query)

    async def similar(self, query: IndexSimilar, engine: str | None = None) -> IndexResponse:
        """Return the products nearest to an indexed one. The nodes are asked in turn until one knows the product.

        Raises:
            UnknownProduct: no node knows it. Otherwise as `search`, if a node that may know it does not answer.
        """
        is_whole = all(node.part.is_whole for node in self.nodes)
        response = await (self._similar(query, engine) if is_whole else self._similar_in_parts(query, engine))
        if self._shadow is not None:
            self._shadow.similar(query, response)
        return response

    async def _similar(self, query: IndexSimilar, engine: str | None) -> IndexResponse:
        ruled_out = frozenset[int]()
        failed: list[tuple[IndexNode, LookalikeError]] = []
        for node in of_engine(self._in_turn(), engine):
            if node.held and node.held <= ruled_out:
                continue
            try:
                return checked(await node.ask(lambda client: client.similar(query)), engine)
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
        return await self._vectors(self._in_turn(), query)

    async def _vectors(self, nodes: Sequence[IndexNode], query: IndexVectors) -> list[ProductVector]:
        products: dict[str, ProductVector] = {}
        trouble: LookalikeError | None = None
        for node in nodes:
            missing = [key for key in query.ids if key not in products]
            if not missing:
                break
            part = query.model_copy(update={"ids": missing})
            try:
                vectors = await node.ask(lambda client, part=part: client.vectors(part))  # type: ignore[misc]
            except RETRY_ELSEWHERE as error:
                trouble = error
                continue
            products |= {vector.id: vector for vector in vectors}
        if trouble is not None and len(products) < len(query.ids):
            raise trouble
        return list(products.values())

    async def sample(self, count: int, category: int | None, catalogues: Sequence[str]) -> IndexSample:
        """Return products of these catalogues, drawn at random, of one category or of all that can be searched.

        Raises:
            UnknownCategory: as the index says.
            IndexNotReady, UpstreamTimeout: no node answers, or none that holds the category.
        """
        if category is not None:
            return await self._sample_of(category, count, catalogues)
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

    async def _sample_of(self, category: int, count: int, catalogues: Sequence[str]) -> IndexSample:
        """Return products of one category, each part's by its share of them."""
        holders, subject = self._holders(category)
        modulus = modulus_of(holders)
        groups = cover(holders, WHOLE.residues(modulus), modulus)
        if groups is None or len(groups) == 1:
            return await self._first(holders, lambda client: client.sample(count, category, catalogues), subject)
        sizes = [overview.products_of(group.nodes, category, catalogues) for group in groups]
        drawn = overview.drawn(sizes, count, random.Random())

        async def of_group(group: NodeGroup, share: int) -> IndexSample:
            return await self._first(group.nodes, lambda client: client.sample(share, category, catalogues), subject)

        wanted = [(group, share) for group, share in zip(groups, drawn, strict=True) if share]
        samples = await asyncio.gather(*(of_group(group, share) for group, share in wanted))
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

    def _holders(self, category: int) -> tuple[list[IndexNode], str]:
        """Return the nodes that may hold a category, in the order to ask them, and the category's name."""
        holders = [node for node in self._in_turn() if node.status is None or category in node.held]
        return holders, overview.category_names(self.nodes).get(category, f"category {category}")

    async def _similar_in_parts(self, query: IndexSimilar, engine: str | None) -> IndexResponse:
        """Return the products nearest to one that a single part holds: its vector is read first, then all are searched.

        Raises: as `similar`.
        """
        model = query.model or (await self._known_status()).model
        catalogues = query.catalogues if query.catalogue is None else (query.catalogue,)
        holders = [node for node in self._in_turn() if node.status is None or node.part.holds(query.id)]
        vectors = await self._vectors(holders, IndexVectors(ids=[query.id], catalogues=catalogues, model=model))
        if not vectors:
            raise UnknownProduct(f"there is no product {query.id!r} in the index")
        product = vectors[0]
        options = {name: getattr(query, name) for name in IndexQuery.model_fields}
        return await self._search(
            IndexSearch(
                **options,
                category=product.category,
                catalogues=query.catalogues,
                vector=product.vector,
                model=model,
                vector_of=CatalogueProduct(catalogue=product.catalogue, id=product.id),
            ),
            engine,
        )

    async def _known_status(self) -> IndexStatus:
        """Return the status of all nodes as it was last read, or read it if no node has been reached."""
        return overview.merged(self.nodes) if any(node.status for node in self.nodes) else await self.status()

    async def _of_parts(self, holders: Sequence[IndexNode], query: IndexSearch, subject: str) -> list[IndexResponse]:
        """Return the responses of disjoint parts that together are everything, by part.

        If no node of a part answers, other nodes that hold the same products in other parts are asked.

        Raises: as `search`.
        """
        modulus = modulus_of(holders)
        missing, answered = WHOLE.residues(modulus), list[tuple[Part, IndexResponse]]()
        errors: list[LookalikeError] = []
        remaining = list(holders)
        while missing:
            groups = cover(remaining, missing, modulus)
            if groups is None and answered:  # nodes hold the missing part only together with others
                missing, answered = WHOLE.residues(modulus), []
                groups = cover(remaining, missing, modulus)
            if groups is None:
                raise _none_answers(errors, subject, alone=False)
            results = await asyncio.gather(
                *(self._of_group(group, query, subject) for group in groups), return_exceptions=True
            )
            for group, result in zip(groups, results, strict=True):
                if isinstance(result, RETRY_ELSEWHERE):
                    errors.append(result)
                    remaining = [node for node in remaining if node not in group.nodes]
                elif isinstance(result, BaseException):
                    raise result
                else:
                    answered.append((group.part, result))
                    missing -= group.residues
        return [response for _, response in sorted(answered, key=lambda pair: (pair[0].number, pair[0].of))]

    async def _of_group(self, group: NodeGroup, query: IndexSearch, subject: str) -> IndexResponse:
        part_query = query.model_copy(update={"part": group.part})
        return await self._first(group.nodes, lambda client: client.search(part_query), f"{subject}, part {group.part}")

    async def _first(self, nodes: Sequence[IndexNode], call: Callable[[IndexClient], Awaitable[T]], subject: str) -> T:
        """Return the response of the first node that gives one."""
        errors: list[LookalikeError] = []
        for place, node in enumerate(nodes):
            try:
                return await self._hedged(node, nodes[place + 1 :], call)
            except CategoryElsewhere:  # what the node holds has changed since its last status
                continue
            except RETRY_ELSEWHERE as error:
                errors.append(error)
        raise _none_answers(errors, subject, alone=len(self.nodes) == 1)

    async def _hedged(
        self, node: IndexNode, replicas: Sequence[IndexNode], call: Callable[[IndexClient], Awaitable[T]]
    ) -> T:
        """Ask a node, and a replica as well if the node takes longer than it usually does and the bound allows it."""
        replica = next((other for other in replicas if other.is_well), None)
        if not self._hedging.share or replica is None:
            return await node.search(call)
        usual = [known for known in (node.durations.p95, replica.durations.p95) if known is not None]
        if not usual:
            return await node.search(call)
        return await self._hedging.first(
            lambda: node.search(call), lambda: replica.search(call), min(usual), RETRY_ELSEWHERE
        )

    def _in_turn(self) -> list[IndexNode]:
        """Return all nodes in the order to ask them: first those likely to answer, last those never reached."""
        self._turn = (self._turn + 1) % len(self.nodes)
        turned = self.nodes[self._turn :] + self.nodes[: self._turn]
        return sorted(turned, key=lambda node: (not node.is_well, node.status is None))


def _none_answers(errors: Sequence[LookalikeError], subject: str, *, alone: bool) -> LookalikeError:
    """Return the error of a search that no node has answered. `alone`: there is one node only."""
    if not errors:
        return IndexNotReady(f"no index node holds {subject}")
    if alone or isinstance(errors[-1], ModelIndexMismatch):
        return errors[-1]
    return type(errors[-1])(f"no index node answers for {subject}: {errors[-1].detail}")
