"""What each worker opens, reads and embeds. The database, the embedding service and the web are fakes."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.bulk import block_reembedder, worker_services
from services.bulk.block_importer import BlockImporter, ImportWork
from services.bulk.block_reembedder import BlockReembedder, MissingReader, ReembedWork
from services.bulk.own_models import OwnModels
from services.bulk.worker_services import WorkerLoop, WorkerServices
from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.model_switch.reembedding import IMAGES_A_REQUEST, IN_FLIGHT
from services.catalogue.product import ProductEmbedding
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.store.models import Entry
from services.contracts.domain.errors import CatalogueUnavailable, EmbeddingUnavailable
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.images.fetch import FetchedImage, Validators
from services.contracts.wire.embedding import MAX_BATCH, ModelFacts
from tests.support.fakes.import_fakes import CATEGORIES, FakeEmbedding
from tests.support.servers.stack import MODEL_DIR
from tests.support.values.products import make_product

TWO = "fashion/2"
FACTS = ModelFacts(model=TWO, categories=list(CATEGORIES), dimension=4, input={"height": 8, "width": 8}, thresholds={})
ADDRESSES = WorkerServices(
    "mongodb://m:1", "shop", "shoes", "http://e:2", "t0ken", allow_hosts=("a:1",), wait_s=0.0, timeout_s=3.0
)


class Service:
    """A connection of a worker: how it was opened, and whether it is closed."""

    def __init__(self, world: "World", name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.world, self.name, self.arguments, self.options = world, name, arguments, options

    async def close(self) -> None:
        self.world.closed.append(self.name)


class Database(Service):
    """The documents of a catalogue; `models` and `pictures` are this object."""

    @property
    def models(self) -> "Database":
        return self

    pictures = models

    async def __aenter__(self) -> "Database":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get(self, name: str) -> None:
        return None

    async def missing_vectors(self, *arguments: Any) -> AsyncIterator[list[Any]]:
        self.world.scans.append(arguments)
        for page in self.world.pages:
            yield page

    async def entries(self, document_ids: Sequence[Any]) -> list[Entry]:
        if self.world.trouble is not None:
            raise self.world.trouble
        vector = np.eye(4, dtype=np.float32)[0]
        return [
            Entry(each, Record(each, make_product(each, 0, vector, "fashion/1")))
            if each != "torn"
            else Entry(each, BrokenDocument(each, "the vector is missing"))
            for each in document_ids
        ]

    async def put_embeddings(self, model: str, embeddings: Sequence[tuple[Any, ProductEmbedding]]) -> int:
        self.world.written += [(each, model) for each, _ in embeddings]
        return len(embeddings)


class Embedding(FakeEmbedding):
    """The embedding service, which can be closed."""

    world: Any = None

    async def close(self) -> None:
        self.world.closed.append("embedding")


class Web(Service):
    """A web server that has every image but `empty`."""

    async def get(self, url: str, known: Validators) -> FetchedImage:
        return FetchedImage(None if "empty" in url else url.encode(), known)


class World:
    """What the connections of a test share."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        self.closed: list[str] = []
        self.pages: list[list[Any]] = []
        self.scans: list[tuple[Any, ...]] = []
        self.written: list[tuple[Any, str]] = []
        self.trouble: Exception | None = None
        self.embedding = Embedding()
        self.embedding.world = self

    def open(self, name: str, *arguments: Any, **options: Any) -> Any:
        self.made[name] = arguments, options
        if name == "embedding":
            return self.embedding
        return (Database if name == "database" else Web)(self, name, arguments, options)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    for name, place in (("database", "CatalogueDatabase"), ("embedding", "EmbeddingClient"), ("web", "ImageFetcher")):
        monkeypatch.setattr(
            worker_services, place, lambda *arguments, name=name, **options: world.open(name, *arguments, **options)
        )
    return world


@pytest.fixture
def loop(world: World) -> Iterator[WorkerLoop]:
    loop = WorkerLoop(ADDRESSES)
    yield loop
    if not world.closed:
        loop.close()


def test_a_worker_opens_its_services_and_keeps_them_until_it_is_closed(world: World, loop: WorkerLoop) -> None:
    assert world.made["database"] == (("mongodb://m:1", "shop"), {"catalogue": "shoes", "timeout_s": 3.0})
    (address, _), options = world.made["embedding"]
    assert (address, options) == ("http://e:2", {"token": "t0ken"})
    assert world.made["web"] == ((), {"allowed_hosts": ("a:1",)})

    async def work(services: Any) -> Any:
        return services

    assert loop.run(work) is loop.run(work)
    assert not loop.services.stopping.is_set()
    assert world.closed == []
    loop.close()
    assert world.closed == ["database", "web", "embedding"]
    with pytest.raises(RuntimeError, match="closed"):
        loop._runner.get_loop()


def test_a_worker_waits_for_a_service_as_long_as_the_command(world: World, loop: WorkerLoop) -> None:
    calls: list[int] = []

    async def fail() -> None:
        calls.append(1)
        raise EmbeddingUnavailable("restarting")

    async def call(services: Any) -> None:
        await services.retry.call(fail)

    with pytest.raises(Exception, match=r"restarting \(waited 0 s\)"):
        loop.run(call)
    assert len(calls) == 1


def test_a_worker_with_a_model_of_its_own_calls_no_embedding_service() -> None:
    own = WorkerServices("mongodb://m:1", "shop", "default", "nonsense", model_dir=MODEL_DIR).embedder()
    assert isinstance(own, OwnModels)
    asyncio.run(own.close())


@pytest.mark.parametrize(("workers", "per_host"), [(1, 8), (2, 4), (3, 2), (8, 1), (9, 1), (100, 1)])
def test_each_worker_has_its_share_of_the_requests_to_a_server(workers: int, per_host: int) -> None:
    assert ADDRESSES.shared_by(workers).per_host == per_host


def read(reader: MissingReader) -> list[tuple[Any, ...]]:
    return list(pickle.loads(pickle.dumps(reader))())


def test_documents_without_a_vector_are_read_in_blocks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_reembedder, "BLOCK_DOCUMENTS", 3)
    world.pages = [["a", "b"], ["c", "d", "e", "f", "g"], [], ["h"]]
    assert read(MissingReader(ADDRESSES, FACTS, "fashion/1")) == [("a", "b", "c"), ("d", "e", "f"), ("g", "h")]
    assert world.scans == [(TWO, 4, "fashion/1")]
    assert world.closed == ["database", "web", "embedding"]
    world.pages = [["a", "b", "c"]]
    assert read(MissingReader(ADDRESSES, FACTS, "fashion/1")) == [("a", "b", "c")]


def test_a_block_is_as_much_as_a_worker_embeds_at_a_time(world: World) -> None:
    world.pages = [list(range(IN_FLIGHT * MAX_BATCH + 1))]
    assert [len(block) for block in read(MissingReader(ADDRESSES, FACTS, "fashion/1"))] == [IN_FLIGHT * MAX_BATCH, 1]


def test_documents_of_other_parts_and_those_that_cannot_be_embedded_are_not_read(world: World) -> None:
    ids = [f"p{number}" for number in range(40)]
    world.pages = [ids]
    half = Part(1, 2)
    assert any(map(half.holds, ids)) and not all(map(half.holds, ids))
    skipped = frozenset(ids[:20])
    (block,) = read(MissingReader(ADDRESSES, FACTS, "fashion/1", half, skipped))
    assert block == tuple(each for each in ids[20:] if half.holds(each))
    assert read(MissingReader(ADDRESSES, FACTS, "fashion/1", WHOLE, frozenset(ids))) == []


def test_a_reader_that_is_given_up_closes_its_connections(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_reembedder, "BLOCK_DOCUMENTS", 1)
    world.pages = [["a", "b"]]
    blocks = MissingReader(ADDRESSES, FACTS, "fashion/1")()
    assert next(blocks) == ("a",)
    assert world.closed == []
    blocks.close()  # type: ignore[attr-defined]
    assert world.closed == ["database", "web", "embedding"]


def reembedder(**changes: Any) -> BlockReembedder:
    work = ReembedWork(ADDRESSES, FACTS, "fashion/1", "https://i.test/{id}", **changes)
    made = pickle.loads(pickle.dumps(work))()
    assert isinstance(made, BlockReembedder)
    return made


def test_a_block_of_products_is_embedded_from_the_pictures_of_the_shop(world: World) -> None:
    result = reembedder()(("a", "torn", "b"))
    assert world.written == [("a", TWO), ("b", TWO)]
    assert (result.tally.found, result.tally.embedded, result.tally.rejected) == (3, 2, 1)
    assert [(row.key, row.reason) for row in result.rejected] == [("torn", "the vector is missing")]
    assert (result.skipped, result.failure) == (frozenset({"torn"}), None)


def test_a_worker_sends_the_embedding_service_few_images_at_a_time(world: World) -> None:
    block = tuple(f"p{number}" for number in range(IMAGES_A_REQUEST + 1))
    reembedder()(block)
    assert world.embedding.batches == [IMAGES_A_REQUEST, 1]  # a search waits for no more


def test_a_worker_with_its_own_network_embeds_full_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_services, "OwnModels", lambda _: world.embedding)
    own = WorkerServices("mongodb://m:1", "shop", "default", "http://e:2", model_dir=Path("models/fashion/2"))
    work = ReembedWork(own, FACTS, "fashion/1", "https://i.test/{id}")
    work()(tuple(f"p{number}" for number in range(IMAGES_A_REQUEST + 1)))
    assert world.embedding.batches == [IMAGES_A_REQUEST + 1]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (CatalogueUnavailable("the database cannot be reached"), "the database cannot be reached (waited 0 s)"),
        (EmbeddingUnavailable("it has no such model"), "it has no such model (waited 0 s)"),
    ],
)
def test_a_block_that_a_service_keeps_from_its_end_says_so(world: World, trouble: Exception, reason: str) -> None:
    world.trouble = trouble
    result = reembedder()(("a",))
    assert (result.failure, result.tally.embedded, world.written) == (reason, 0, [])


def test_a_picture_of_no_bytes_is_one_that_the_model_refuses(world: World, loop: WorkerLoop) -> None:
    async def files(services: Any) -> list[Any]:
        pictures = ADDRESSES.pictures(services, "https://i.test/{id}.jpg")
        vector = np.eye(4, dtype=np.float32)[0]
        return await pictures.get([make_product(key, 0, vector) for key in ("a b", "empty")])

    full, empty = loop.run(files)
    assert full.pictures[0].data == b"https://i.test/a%20b.jpg"
    assert empty.pictures[0].data == b""


def test_a_worker_of_an_import_is_opened_from_a_pickle(world: World) -> None:
    work = ImportWork(ADDRESSES, CATEGORIES, FeedMapping(), "fashion/1")
    assert isinstance(pickle.loads(pickle.dumps(work))(), BlockImporter)
    assert set(world.made) == {"database", "embedding", "web"}
