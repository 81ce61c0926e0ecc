"""The gateway knows what revision its index nodes are of, only as long as it is sure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.contracts.domain.errors import IndexNotReady, LookalikeError
from services.contracts.wire.index import REVISION_FIELD
from services.gateway.index_nodes import node as module
from services.gateway.index_nodes.client import IndexClient
from services.gateway.index_nodes.node import IndexNode
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.index_nodes.shadow import Shadow, ShadowCounts
from tests.support.fakes.index_fakes import FakeIndex
from tests.support.waiting import WITHIN_S
from tests.support.web.service_transport import AnsweringTransport

UNAVAILABLE = IndexNotReady("the index service cannot be reached")


class RevisedIndex(FakeIndex):
    """Has a revision, and holds back its answers to who waits for another one until it changes."""

    def __init__(self, revision: str | None = "a.1") -> None:
        super().__init__({0: ["t1", "t2"]})
        self.revised: str | None = revision
        self.asked: list[str | None] = []
        self.changed = asyncio.Event()
        self.fails: LookalikeError | Exception | None = None

    async def revision(self, after: str | None) -> str | None:
        self.asked.append(after)
        if self.fails is not None:
            raise self.fails
        if after is not None and after == self.revised:
            self.changed.clear()
            await self.changed.wait()
            if self.fails is not None:
                raise self.fails
        return self.revised

    def change(self, revision: str | None) -> None:
        self.revised = revision
        self.changed.set()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHANGED_S", 0.001)
    monkeypatch.setattr(module, "UNKNOWN_S", 0.001)


@asynccontextmanager
async def watched(*indexes: RevisedIndex) -> AsyncIterator[IndexNodes]:
    nodes = IndexNodes(indexes, 60)  # type: ignore[arg-type]
    watching = asyncio.create_task(nodes.watch())
    try:
        yield nodes
    finally:
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching


async def until(nodes: IndexNodes, revisions: tuple[str, ...] | None) -> None:
    async with asyncio.timeout(WITHIN_S):
        while nodes.revisions != revisions:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_the_revisions_are_those_of_all_nodes() -> None:
    first, second = RevisedIndex("a.1"), RevisedIndex("b.7")
    async with watched(first, second) as nodes:
        await until(nodes, ("a.1", "b.7"))
        second.change("b.9")
        await until(nodes, ("a.1", "b.9"))


async def test_without_a_watch_no_revision_is_known() -> None:
    assert IndexNodes([RevisedIndex()], 60).revisions is None  # type: ignore[list-item]


@pytest.mark.parametrize("trouble", [UNAVAILABLE, ValueError("unexpected")])
async def test_a_revision_is_forgotten_when_its_node_does_not_answer(trouble: Exception) -> None:
    index = RevisedIndex()
    async with watched(index, RevisedIndex("b.1")) as nodes:
        await until(nodes, ("a.1", "b.1"))
        index.fails = trouble
        index.changed.set()
        await until(nodes, None)
        index.fails = None
        await until(nodes, ("a.1", "b.1"))


async def test_a_node_that_has_no_revision_is_asked_again_later() -> None:
    index = RevisedIndex(None)
    async with watched(index) as nodes:
        async with asyncio.timeout(WITHIN_S):
            while len(index.asked) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert nodes.revisions is None
        assert set(index.asked) == {None}
        index.change("a.1")
        await until(nodes, ("a.1",))


async def test_a_response_of_another_revision_ends_the_known_one() -> None:
    """It may be faster than the news of the change; and behind one address there may be several nodes."""
    index = RevisedIndex()
    async with watched(index) as nodes:
        await until(nodes, ("a.1",))
        nodes.nodes[0]._compare("a.1")
        assert nodes.revisions == ("a.1",)
        nodes.nodes[0]._compare("a.2")
        assert nodes.revisions is None


async def test_a_response_that_is_faster_than_the_revision_may_be_of_a_later_one() -> None:
    index = RevisedIndex()
    async with watched(index) as nodes:
        node = nodes.nodes[0]
        read, answered = index.revision, asyncio.Event()

        async def overtaken(after: str | None) -> str | None:
            revision = await read(after)
            if after is None:
                node._compare("a.3")
                node._compare("a.1")
                answered.set()
            return revision

        index.revision = overtaken  # type: ignore[method-assign]
        await asyncio.wait_for(answered.wait(), WITHIN_S)
        for _ in range(5):
            assert nodes.revisions is None
            await asyncio.sleep(0.001)
        index.revision = read  # type: ignore[method-assign]
        await until(nodes, ("a.1",))


async def test_with_a_shadow_node_every_search_is_to_be_asked() -> None:
    shadow: Any = FakeIndex({0: []})
    nodes = IndexNodes([RevisedIndex()], 60, shadow=Shadow(shadow, 0.1, ShadowCounts()))  # type: ignore[list-item]
    nodes.nodes[0].revision = "a.1"
    assert nodes.revisions is None


def client(*responses: httpx.Response, timeout_s: float = 10) -> tuple[IndexClient, list[str]]:
    targets: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        targets.append(request.url.raw_path.decode())
        return responses[len(targets) - 1]

    return IndexClient("http://node", timeout_s, transport=AnsweringTransport(respond)), targets


async def test_the_client_asks_for_a_revision_and_waits_less_than_its_deadline() -> None:
    answers = [httpx.Response(200, json={"revision": text}) for text in ("a.1", "a.1", None)]
    patient, targets = client(*answers)
    assert [await patient.revision(after) for after in (None, "a.1", "a.1")] == ["a.1", "a.1", None]
    hasty, more = client(httpx.Response(200, json={"revision": "a.2"}), timeout_s=0.5)
    assert await hasty.revision("a.1") == "a.2"
    assert [*targets, *more] == [
        "/v1/revision",
        "/v1/revision?after=a.1&wait_s=1.0",
        "/v1/revision?after=a.1&wait_s=1.0",
        "/v1/revision?after=a.1&wait_s=0.25",
    ]


@pytest.mark.parametrize("body", [b"{}", b"no JSON", b'{"revision": 1}'])
async def test_an_answer_that_is_no_revision_is_none(body: bytes) -> None:
    index, _ = client(httpx.Response(200, content=body))
    assert await index.revision(None) is None


async def test_an_index_of_the_version_before_has_no_revision() -> None:
    missing = httpx.Response(404, json={"detail": "Not Found"})
    index, _ = client(missing, missing)
    node = IndexNode(index)
    watching = asyncio.create_task(node.watch())
    await asyncio.sleep(0.005)
    watching.cancel()
    assert node.revision is None


async def test_each_response_tells_its_revision() -> None:
    headers = {REVISION_FIELD: "a.1"}
    index, _ = client(httpx.Response(200, json={"revision": "a.2"}, headers=headers), httpx.Response(502))
    told: list[str] = []
    index.on_revision = told.append
    await index.revision(None)
    with pytest.raises(IndexNotReady):
        await index.revision(None)
    assert told == ["a.1", ""]
