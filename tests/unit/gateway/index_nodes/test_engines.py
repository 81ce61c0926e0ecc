"""Index nodes with several engines: the results of a search, and its pages, are of a single one."""

import pytest

from services.contracts.domain.errors import IndexNotReady, PageExpired
from services.contracts.domain.parts import Part
from services.contracts.wire.index import IndexQuery, IndexSearch, IndexSimilar, IndexStatus, Page
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.index_nodes.one_engine import NextPage, OneEngine
from services.gateway.index_nodes.shadow import Shadow, ShadowCounts
from services.gateway.ranking.ranking import ranked_page
from services.gateway.ranking.reranker import Stage
from tests.support.fakes.index_fakes import FakeIndex

QUERY = IndexSearch(category=0, vector=[1.0], model="fashion/1")
UNAVAILABLE = IndexNotReady("the index service cannot be reached")


class Node(FakeIndex):
    """A node with an engine, whose products say where they come from, and which holds a part of them."""

    def __init__(self, engine: str, part: str = "1/1") -> None:
        super().__init__({0: [f"{engine} {part} {number}" for number in range(3)] + ["p"]})
        self.engine, self.part = engine, Part.parse(part)

    async def status(self) -> IndexStatus:
        return (await super().status()).model_copy(update={"part": self.part})


async def nodes_of(*fakes: FakeIndex) -> IndexNodes:
    nodes = IndexNodes(fakes, refresh_s=60)  # type: ignore[arg-type]
    await nodes.refresh()
    return nodes


async def engines_of(nodes: IndexNodes, engine: str | None, query: IndexQuery = QUERY, times: int = 6) -> set[str]:
    collected = set()
    for _ in range(times):
        if isinstance(query, IndexSimilar):
            collected.add((await nodes.similar(query, engine)).engine)
        elif isinstance(query, IndexSearch):
            collected.add((await nodes.search(query, engine)).engine)
    return collected


async def test_without_a_page_before_any_engine_answers() -> None:
    nodes = await nodes_of(Node("faiss"), Node("milvus hnsw"))
    assert await engines_of(nodes, None) == {"faiss", "milvus hnsw"}


@pytest.mark.parametrize("query", [QUERY, IndexSimilar(id="p")], ids=["photo", "product"])
@pytest.mark.parametrize("engine", ["faiss", "milvus hnsw"])
async def test_a_page_goes_on_with_the_engine_of_the_page_before(engine: str, query: IndexQuery) -> None:
    nodes = await nodes_of(Node("milvus hnsw"), Node("faiss"), Node("milvus hnsw"))
    assert await engines_of(nodes, engine, query) == {engine}


@pytest.mark.parametrize("query", [QUERY, IndexSimilar(id="p")], ids=["photo", "product"])
async def test_a_page_of_an_engine_that_is_gone_has_expired(query: IndexQuery) -> None:
    nodes = await nodes_of(Node("milvus flat"))
    with pytest.raises(PageExpired, match="engine milvus hnsw"):
        await engines_of(nodes, "milvus hnsw", query)


@pytest.mark.parametrize("query", [QUERY, IndexSimilar(id="p")], ids=["photo", "product"])
async def test_another_exact_engine_goes_on_for_one_that_is_gone_or_fails(query: IndexQuery) -> None:
    nodes = await nodes_of(Node("milvus flat"), Node("milvus hnsw"))
    assert await engines_of(nodes, "faiss", query) == {"milvus flat"}
    own = Node("faiss")
    nodes = await nodes_of(own, Node("milvus flat"))
    assert await engines_of(nodes, "faiss", query) == {"faiss"}
    own.trouble = UNAVAILABLE
    assert await engines_of(nodes, "faiss", query) == {"milvus flat"}


async def test_no_approximate_engine_goes_on_for_one_that_fails() -> None:
    own = Node("milvus hnsw")
    nodes = await nodes_of(own, Node("faiss"))
    own.trouble = UNAVAILABLE
    with pytest.raises(IndexNotReady):
        await engines_of(nodes, "milvus hnsw")


@pytest.mark.parametrize("query", [QUERY, IndexSimilar(id="p")], ids=["photo", "product"])
async def test_a_node_that_has_changed_its_engine_since_its_last_status_does_not_go_on(query: IndexQuery) -> None:
    node = Node("milvus hnsw")
    nodes = await nodes_of(node)
    node.engine = "faiss"
    with pytest.raises(PageExpired):
        await engines_of(nodes, "milvus hnsw", query)


async def test_a_node_that_was_never_reached_may_go_on() -> None:
    nodes = IndexNodes([Node("milvus hnsw")], refresh_s=60)  # type: ignore[list-item]
    assert await engines_of(nodes, "milvus hnsw") == {"milvus hnsw"}


async def test_parts_of_one_engine_are_not_merged_with_products_of_another() -> None:
    fakes = [Node("faiss", "1/2"), Node("faiss", "2/2"), Node("milvus hnsw")]
    nodes = await nodes_of(*fakes)
    for trouble in (None, UNAVAILABLE):
        fakes[1].trouble = trouble
        for _ in range(6):
            response = await nodes.search(QUERY)
            origins = {hit.id.rpartition(" ")[0].rpartition(" ")[0] for hit in response.hits if hit.id != "p"}
            assert origins == {response.engine}
    fakes[2].trouble = UNAVAILABLE
    with pytest.raises(IndexNotReady):
        await nodes.search(QUERY)


async def test_an_engine_that_holds_everything_keeps_its_response_next_to_parts() -> None:
    whole = Node("milvus hnsw")
    whole.unknown_attributes, whole.next_page = ["colour"], Page(offset=10)
    nodes = await nodes_of(Node("faiss", "1/2"), whole)
    response = await nodes.search(QUERY)
    assert (response.engine, response.unknown_attributes, response.next_page) == (
        "milvus hnsw",
        ["colour"],
        Page(offset=10),
    )


async def test_the_requests_of_one_list_of_results_go_to_one_engine() -> None:
    fakes = [Node("faiss"), Node("milvus hnsw")]
    for fake in fakes:
        fake.next_page = Page(k=100, offset=100)  # there are products behind the window
    nodes = await nodes_of(*fakes)
    query = QUERY.model_copy(update={"offset": 90, "k": 20})
    for _ in range(6):
        before = [fake.searches for fake in fakes]
        await ranked_page(query, OneEngine(nodes, None).search, [Stage(arrange=list)])
        assert sorted(fake.searches - count for fake, count in zip(fakes, before, strict=True)) == [0, 2]


async def test_the_next_page_names_the_engine_where_there_may_be_another_one() -> None:
    async def next_page(nodes: IndexNodes, node: Node) -> NextPage | None:
        node.next_page = Page(k=5, offset=5)
        index = OneEngine(nodes, None)
        return index.next_page(await index.similar(IndexSimilar(id="p")))

    faiss, milvus = Node("faiss"), Node("milvus flat")
    shadow = Shadow(milvus, 0.0, ShadowCounts())  # type: ignore[arg-type]
    plain, named = NextPage(k=5, offset=5), NextPage(k=5, offset=5, engine="faiss")
    assert await next_page(await nodes_of(faiss), faiss) == plain
    assert plain.model_dump() == {"k": 5, "offset": 5}
    assert await next_page(IndexNodes([faiss], 60, shadow=shadow), faiss) == named  # type: ignore[list-item]
    assert await next_page(await nodes_of(milvus), milvus) == named.model_copy(update={"engine": "milvus flat"})
    faiss.next_page = None
    index = OneEngine(await nodes_of(faiss), None)
    assert index.next_page(await index.search(QUERY)) is None
