"""Index nodes come, load, become ready and go, in any order: a search has the whole answer, or none."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.catalogue.documents.product_document import Record
from services.catalogue.product import unit_vector
from services.contracts.domain.errors import IndexNotReady, UpstreamTimeout
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.index import IndexResponse, IndexSearch
from services.gateway.index_nodes.client import IndexClient
from services.gateway.index_nodes.cover import cover, modulus_of
from services.gateway.index_nodes.nodes import IndexNodes
from tests.support.servers.index import app_around, new_replica
from tests.support.values.products import make_product
from tests.support.web.service_transport import AnsweringTransport

PRODUCTS = 60
PARTS = [WHOLE, Part(1, 2), Part(2, 2), *(Part(number, 4) for number in range(1, 5)), Part(1, 2)]
VECTORS = [
    unit_vector(vector) for vector in np.random.default_rng(7).standard_normal((PRODUCTS, 64)).astype(np.float32)
]
RECORDS = [
    Record(f"p{number}", make_product(f"p{number}", 0, vector, attributes={"colour": f"c{number % 3}"}))
    for number, vector in enumerate(VECTORS)
]
Apps = dict[Part, tuple[TestClient, TestClient]]  # while it loads, and when it is ready


@pytest.fixture(scope="module")
def own() -> Iterator[Apps]:
    """Give the apps of each part."""
    with ExitStack() as stack:
        loading = stack.enter_context(TestClient(app_around(None)))
        ready = {}
        for part in set(PARTS):
            replica = new_replica(part=part)
            replica.apply([], RECORDS)
            ready[part] = (loading, stack.enter_context(TestClient(app_around(replica))))
        yield ready


@pytest.fixture(scope="module")
def expected(own: Apps) -> list[dict[str, Any]]:
    """What a node with everything answers to each search."""

    async def answers() -> list[dict[str, Any]]:
        node = Node(0, WHOLE, own[WHOLE])
        node.state = "ready"
        gateway = IndexNodes([node.client], refresh_s=60)
        return [await search(gateway, number) for number in range(PRODUCTS)]

    for _, ready in own.values():
        assert ready.get("/readyz").status_code == httpx.codes.OK
    return asyncio.run(answers())


class Node:
    """A node that does not run, loads, or is ready."""

    def __init__(self, number: int, part: Part, own: tuple[TestClient, TestClient]) -> None:
        """Be absent. `own`: the apps of its part, while it loads and when it is ready."""
        self.part = part
        self.state = "absent"
        self._loading, self._ready = own
        self.client = IndexClient(f"http://node{number}", 10, transport=AnsweringTransport(self._respond))

    def _respond(self, request: httpx.Request) -> httpx.Response:
        if self.state == "absent":
            raise httpx.ConnectError("refused")
        app = self._ready if self.state == "ready" else self._loading
        path = request.url.raw_path.decode()
        response = app.request(request.method, path, content=request.content, headers=dict(request.headers))
        return httpx.Response(response.status_code, content=response.content, headers=response.headers)


def shown(response: IndexResponse) -> dict[str, Any]:
    """Return what a response says, without times and the scale of similarity, which is fitted on the first part."""
    document = response.model_dump(mode="json", exclude={"timings_ms", "best_similarity"})
    return {**document, "hits": [{**hit, "similarity": None} for hit in document["hits"]]}


async def search(gateway: IndexNodes, seed: int) -> dict[str, Any]:
    query = IndexSearch(category=0, vector=VECTORS[seed].tolist(), model="fashion/1", k=20, facets=True)
    return shown(await gateway.search(query))


Step = tuple[int, str] | None  # a node and its new state; None: the gateway reads all states
Check = Callable[[list[Node], IndexNodes, int], Awaitable[None]]
Steps = st.lists(
    st.none() | st.tuples(st.integers(0, len(PARTS) - 1), st.sampled_from(["absent", "loading", "ready"])), max_size=25
)


async def grow(
    own: Apps, steps: Sequence[Step], check: Callable[[list[Node], IndexNodes, int], Awaitable[None]]
) -> None:
    """Begin with one node that holds everything, let nodes change, and check after each step."""
    nodes = [Node(number, part, own[part]) for number, part in enumerate(PARTS)]
    gateway = IndexNodes([node.client for node in nodes], refresh_s=60)
    nodes[0].state = "ready"
    await gateway.refresh()
    for number, step in enumerate(steps):
        if step is None:
            await gateway.refresh()
        else:
            nodes[step[0]].state = step[1]
        await check(nodes, gateway, number)
    await gateway.close()


def can_answer(nodes: Sequence[Node], gateway: IndexNodes) -> bool:
    """Return whether nodes that are ready now, and whose parts the gateway has read, together hold everything."""
    pairs = zip(nodes, gateway.nodes, strict=True)
    ready = [
        known
        for node, known in pairs
        # While a node of these tests loads, it says that it holds everything.
        if node.state == "ready" and known.status is not None and known.part == node.part
    ]
    modulus = modulus_of(ready) if ready else 1
    return cover(ready, WHOLE.residues(modulus), modulus) is not None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=Steps)
# The node with everything is back, but the gateway has not seen it, and then a half ends.
@example(steps=[(1, "ready"), (2, "ready"), None, (0, "absent"), None, (0, "ready"), (2, "absent")])
def test_a_search_has_the_whole_answer_whenever_ready_nodes_hold_everything(
    own: Apps, expected: list[dict[str, Any]], steps: list[Step]
) -> None:
    async def check(nodes: list[Node], gateway: IndexNodes, number: int) -> None:
        try:
            response = await search(gateway, number)
        except (IndexNotReady, UpstreamTimeout):
            assert not can_answer(nodes, gateway)
        else:
            assert response == expected[number]

    asyncio.run(grow(own, steps, check))


def test_one_node_becomes_two_and_four_without_a_gap(own: Apps, expected: list[dict[str, Any]]) -> None:
    """Each new node loads and becomes ready; then the old ones end. The gateway reads the states in between, or not."""

    async def check(nodes: list[Node], gateway: IndexNodes, number: int) -> None:
        assert await search(gateway, number) == expected[number]

    steps: list[Step] = []
    for begun, ended in (((1, 2), (0,)), ((3, 4, 5, 6), (1, 2))):
        steps += [(number, state) for state in ("loading", "ready") for number in begun]
        steps += [None, *((number, "absent") for number in ended), None]
    asyncio.run(grow(own, steps, check))
