"""The vectors of another model, product by product: what is passed over, rejected, overtaken, and how fast it goes."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.importing.report import RejectedFile
from services.catalogue.model_switch.product_pictures import ProductPictures
from services.catalogue.model_switch.reembedding import Reembedder
from services.catalogue.model_switch.reembedding_report import ReembedTally
from services.catalogue.product import Prediction, Product, ProductEmbedding, StoredImage
from services.catalogue.retry import RetriesExhausted, Retry, Stopped
from services.catalogue.store.models import Entry
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import EmbeddingUnavailable, ImageUrlFailed, LookalikeError
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.embedding import BatchEmbedding, BatchError, BatchItem, BatchResponse, Category, ModelFacts
from tests.support.values.products import additional_image, make_product

TWO = "fashion/2"
FACTS = ModelFacts(
    model=TWO, categories=["Topwear", "Shoes"], dimension=4, input={"height": 8, "width": 8}, thresholds={}
)


def picture(key: str) -> bytes:
    return f"picture of {key}".encode()


def product(key: str, **changes: Any) -> Product:
    sha256 = hashlib.sha256(picture(key)).hexdigest()
    facts = {"model": "fashion/1", "image_sha256": sha256, **changes}
    return make_product(key, 0, np.eye(4, dtype=np.float32)[0], **facts)


@dataclass
class Catalogue:
    """Products and their kept pictures; `entries` may be made to fail or to change products behind the job's back."""

    products: dict[Any, Product | BrokenDocument] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    failures: list[LookalikeError] = field(default_factory=list)
    on_put: Callable[[], None] = lambda: None
    failing: list[str] = field(default_factory=list)
    looks: int = 0

    def add(self, *keys: str, kept: bool = True, **changes: Any) -> None:
        self.products.update({key: product(key, **changes) for key in keys})
        self.pictures.update({key: picture(key) for key in keys if kept})

    def seen(self, key: str) -> ProductEmbedding | None:
        products = self.products[key]
        assert isinstance(products, Product)
        return products.embeddings.get(TWO)

    async def get(self, key: str) -> StoredImage | None:
        data = self.pictures.get(key)
        return None if data is None else StoredImage("image/png", data)

    async def missing_vectors(
        self, model: str, dimension: int, unversioned: str, batch: int = 1000
    ) -> AsyncIterator[list[Any]]:
        self.looks += 1
        done = {
            key
            for key, product in self.products.items()
            if isinstance(product, Product) and product.embedded_by(model) is not None
        }
        yield [key for key in self.products if key not in done or key in self.failing]

    async def entries(self, document_ids: Sequence[Any]) -> list[Entry]:
        if self.failures:
            raise self.failures.pop(0)
        there = [
            (document_id, self.products[document_id]) for document_id in document_ids if document_id in self.products
        ]
        return [
            Entry(key, Record(str(key), product) if isinstance(product, Product) else product) for key, product in there
        ]

    async def put_embeddings(self, model: str, embeddings: Sequence[tuple[Any, ProductEmbedding]]) -> int:
        self.on_put()
        taken = 0
        for key, embedding in embeddings:
            now = self.products.get(key)
            if isinstance(now, Product) and embedding.is_of(now.images[0]):
                self.products[key] = replace(now, embeddings={**now.embeddings, model: embedding})
                taken += 1
        return taken


@dataclass
class Network:
    """Embeds everything but pictures that say `broken`."""

    batches: list[list[bytes]] = field(default_factory=list)
    failures: list[LookalikeError] = field(default_factory=list)

    at_once: int = 0
    most_at_once: int = 0

    async def embed_batch(
        self, images: Sequence[bytes], model: str | None = None, secondary_model: str | None = None
    ) -> BatchResponse:
        assert secondary_model is None
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        for _ in range(10):
            await asyncio.sleep(0)
        self.at_once -= 1
        assert model == TWO
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(list(images))
        return BatchResponse(items=[self._item(image) for image in images], timings_ms={})

    def _item(self, image: bytes) -> BatchItem:
        if b"broken" in image:
            return BatchItem(error=BatchError(type="/problems/invalid-image", status=422, detail="it is broken"))
        return BatchItem(
            embedding=BatchEmbedding(
                category=Category(id=1, name="Shoes", probability=0.75),
                probabilities={"Topwear": 0.25, "Shoes": 0.75},
                vector=np.array([0.0, 0.6, 0.8, len(image)], "<f4").tobytes(),
                model=TWO,
            )
        )


@dataclass
class World:
    folder: Path
    catalogue: Catalogue = field(default_factory=Catalogue)
    network: Network = field(default_factory=Network)
    web: dict[str, bytes] = field(default_factory=dict)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    template: str | None = None
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.web:
            raise ImageUrlFailed("the image URL answered 404 Not Found")
        return self.web[url]

    async def run(self, wait_s: float = 5.0, rate: float | None = None, part: Part = WHOLE) -> ReembedTally:
        file = RejectedFile(self.folder / "rejected.ndjson")
        pictures = ProductPictures(self.catalogue, self.fetch, self.template)
        retry = Retry(wait_s, self.stopping, lambda _: None)
        job = Reembedder(self.catalogue, self.network, pictures, file, retry, part=part, rate=rate)
        try:
            await job.run(FACTS, "fashion/1", self.stopping)
        finally:
            file.close()
        return job.tally

    @property
    def rejected(self) -> dict[str, str]:
        path = self.folder / "rejected.ndjson"
        lines = map(orjson.loads, path.read_bytes().splitlines()) if path.exists() else ()
        return {line["id"]: line["reason"] for line in lines}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_every_product_gets_the_models_vector_from_its_kept_picture(world: World) -> None:
    keys = [f"p{number}" for number in range(300)]
    world.catalogue.add(*keys)
    tally = await world.run()
    assert (tally.found, tally.embedded, tally.rejected, tally.overtaken) == (300, 300, 0, 0)
    sent = [image for batch in world.network.batches for image in batch]
    assert sorted(sent) == sorted(map(picture, keys))
    assert max(map(len, world.network.batches)) == 16  # a search waits for no more than this, of one request
    assert world.network.most_at_once == 1
    view = world.catalogue.seen("p7")
    assert view is not None
    assert view.prediction == Prediction(1, 0.75)
    np.testing.assert_allclose(view.vector, [0.0, 0.6, 0.8, len(picture("p7"))])


async def test_runs_for_the_parts_share_the_products(world: World) -> None:
    world.catalogue.add(*(f"p{number}" for number in range(40)))
    counts = []
    for number in (1, 2, 3):
        tally = await world.run(part=Part(number, 3))
        counts.append(tally.embedded)
    assert sum(counts) == 40
    assert all(counts)
    assert sorted(image for batch in world.network.batches for image in batch) == sorted(
        world.catalogue.pictures.values()
    )


async def test_what_has_a_vector_already_is_passed_over(world: World) -> None:
    world.catalogue.add("a", "b")
    await world.run()
    world.catalogue.add("c")
    tally = await world.run()
    assert (tally.found, tally.embedded) == (1, 1)
    again = await world.run()
    assert (again.found, again.embedded, world.catalogue.looks) == (0, 0, 5)


async def test_a_picture_that_is_not_kept_is_fetched_from_the_shop_or_by_the_template(world: World) -> None:
    world.catalogue.add("shown", kept=False, image_url="http://shop/shown.jpg")
    world.catalogue.add("by template", kept=False)
    world.web = {"http://shop/shown.jpg": picture("shown"), "http://shop/by%20template.png": b"a later picture"}
    world.template = "http://shop/{id}.png"
    tally = await world.run()
    assert (tally.embedded, tally.other_pictures) == (2, 1)
    assert sorted(world.asked) == ["http://shop/by%20template.png", "http://shop/shown.jpg"]


async def test_a_product_that_gets_no_vector_is_rejected_once_with_the_reason_and_the_rest_goes_through(
    world: World,
) -> None:
    world.catalogue.add("good", "other")
    world.catalogue.add("bare", "dead", kept=False)
    world.catalogue.products["dead"] = product("dead", image_url="http://shop/gone.jpg")
    world.catalogue.add("broken")
    world.catalogue.products["torn"] = BrokenDocument("torn", "the vector is missing")
    tally = await world.run()
    assert (tally.found, tally.embedded, tally.rejected) == (6, 2, 4)
    assert world.rejected == {
        "bare": "no picture of it is stored, and it has no image URL",
        "dead": "http://shop/gone.jpg: the image URL answered 404 Not Found",
        "broken": "it is broken",
        "torn": "the vector is missing",
    }
    assert (await world.run()).rejected == 4


async def test_a_product_whose_picture_is_replaced_meanwhile_is_embedded_as_it_is_now(world: World) -> None:
    world.catalogue.add("a", "b")

    def replaced() -> None:
        world.catalogue.on_put = lambda: None
        world.catalogue.products["a"] = product("a", image_sha256=hashlib.sha256(b"new").hexdigest())
        world.catalogue.pictures["a"] = b"new"

    world.catalogue.on_put = replaced
    tally = await world.run()
    assert (tally.embedded, tally.overtaken, tally.other_pictures) == (2, 1, 0)
    assert world.network.batches == [[picture("a"), picture("b")], [b"new"]]


async def test_products_that_are_written_or_deleted_meanwhile_are_neither_lost_nor_doubled(world: World) -> None:
    world.catalogue.add("a", "b", "gone")

    def meanwhile() -> None:
        world.catalogue.on_put = lambda: None
        world.catalogue.add("late")
        del world.catalogue.products["gone"]

    world.catalogue.on_put = meanwhile
    tally = await world.run()
    assert (tally.embedded, tally.overtaken) == (3, 1)
    assert all(world.catalogue.seen(key) is not None for key in ("a", "b", "late"))


async def test_a_product_that_is_always_overtaken_does_not_keep_the_job_from_ending(world: World) -> None:
    world.catalogue.add("a")

    def always() -> None:
        world.catalogue.products["a"] = product("a", image_sha256=str(world.catalogue.looks))

    world.catalogue.on_put = always
    assert (await world.run()).overtaken == 1


async def test_a_product_that_never_counts_as_done_does_not_keep_the_job_from_ending(world: World) -> None:
    world.catalogue.add("a")
    world.catalogue.on_put = lambda: world.catalogue.failing.append("a")
    tally = await world.run()
    assert (tally.embedded, tally.overtaken, world.catalogue.looks) == (1, 1, 2)


async def test_further_pictures_get_their_vectors_too_kept_and_linked_ones(world: World) -> None:
    unit = np.eye(4, dtype=np.float32)[1]
    further = (
        additional_image(unit, sha256="ab" * 32),
        additional_image(unit, "http://shop/b.jpg", "cd" * 32),
        additional_image(unit),
    )
    world.catalogue.add("a", images=further)
    world.catalogue.add("b")
    world.catalogue.pictures[picture_id("a", "ab" * 32)] = b"the back"
    world.web["http://shop/b.jpg"] = b"the side, seen"
    tally = await world.run()
    assert (tally.embedded, tally.images_rejected) == (2, 0)
    view = world.catalogue.seen("a")
    assert view is not None
    assert {str(image.sha256)[:2]: image.vector[3] for image in view.images[1:]} == {"ab": 8.0, "cd": 14.0}
    assert sum(map(len, world.network.batches)) == 4


async def test_a_further_picture_without_a_vector_is_told_and_the_product_goes_without_it(world: World) -> None:
    unit = np.eye(4, dtype=np.float32)[1]
    shas = ["ab" * 32, "cd" * 32, "ef" * 32]
    links = [None, "http://shop/gone.jpg", "http://shop/bad.jpg"]
    world.catalogue.add(
        "a", images=tuple(additional_image(unit, url, sha256) for url, sha256 in zip(links, shas, strict=True))
    )
    world.web["http://shop/bad.jpg"] = b"broken"
    tally = await world.run()
    assert (tally.embedded, tally.rejected, tally.images_rejected) == (1, 0, 3)
    view = world.catalogue.seen("a")
    assert view is not None and len(view.images) == 1
    lines = (world.folder / "rejected.ndjson").read_bytes().splitlines()
    assert [orjson.loads(line)["reason"] for line in lines] == [
        "its additional picture abababababab is no longer stored",
        "http://shop/gone.jpg: the image URL answered 404 Not Found",
        "its additional picture efefefefefef: it is broken",
    ]


async def test_services_that_are_away_for_a_while_are_waited_for(world: World) -> None:
    world.catalogue.add("a")
    world.catalogue.failures = [EmbeddingUnavailable("restarting")]
    world.network.failures = [EmbeddingUnavailable("restarting")]
    assert (await world.run()).embedded == 1


async def test_a_service_that_stays_away_ends_the_run_with_what_it_said(world: World) -> None:
    world.catalogue.add("a")
    world.network.failures = [EmbeddingUnavailable("gone")] * 100
    with pytest.raises(RetriesExhausted, match="gone"):
        await world.run(wait_s=0.2)


async def test_a_run_that_is_told_to_stop_ends_and_the_next_one_goes_on(world: World) -> None:
    world.catalogue.add(*(f"p{number}" for number in range(1000)))
    world.catalogue.on_put = world.stopping.set
    first = await world.run()
    assert 0 < first.embedded < 1000
    world.stopping.clear()
    world.catalogue.on_put = lambda: None
    second = await world.run()
    assert first.embedded + second.embedded == 1000


async def test_no_more_products_a_second_go_through_than_the_rate_allows(world: World) -> None:
    world.catalogue.add(*(f"p{number}" for number in range(60)))
    started = time.monotonic()
    tally = await world.run(rate=100)
    assert time.monotonic() - started >= 0.3  # 32 at once, the other 28 after 32 hundredths of a second
    assert tally.embedded == 60


async def test_a_slow_rate_does_not_keep_a_run_from_ending_when_it_is_told_to(world: World) -> None:
    world.catalogue.add("a", "b", "c")
    asyncio.get_running_loop().call_later(0.05, world.stopping.set)
    with pytest.raises(Stopped):
        await world.run(rate=1e-5)


async def test_pictures_go_in_requests_that_the_service_takes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.catalogue.importing import images as import_images

    monkeypatch.setattr(import_images, "GROUP_BYTES", 40)
    world.catalogue.add(*(f"p{number}" for number in range(9)))
    await world.run()
    assert all(sum(map(len, batch)) <= 40 for batch in world.network.batches)
    assert sum(map(len, world.network.batches)) == 9
