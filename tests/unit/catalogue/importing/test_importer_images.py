"""Several images a product, through an import: which are embedded, stored, kept, removed and told."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.importing.images import GROUP_BYTES
from services.catalogue.product import Product
from services.catalogue.sources.records.rows import RowImage, SourceImageError, SourceRow, ValueProblem
from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import ImageServerUnavailable
from services.contracts.images.fetch import FetchedImage, Validators
from tests.support.fakes.import_fakes import World, row
from tests.support.values.products import make_product

FRONT, BACK, SIDE, LABEL = b"\x01front", b"\x02back", b"\x00side", b"\x00label"
WEB = "https://a.test"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.web.pages = {f"{WEB}/back.jpg": BACK, f"{WEB}/side.jpg": SIDE, f"{WEB}/front.jpg": FRONT}
    return world


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def shirt(*images: str | bytes, **facts: object) -> SourceRow:
    """A row whose further images are URLs (text) or files (bytes)."""
    listed = [RowImage(image) if isinstance(image, str) else file(image) for image in images]
    return row("A", FRONT, images=tuple(listed), line=3, **facts)


def file(data: bytes) -> RowImage:
    return RowImage(f"{data[1:].decode()}.jpg", lambda: data)


def images(product: Product) -> list[tuple[str | None, str | None]]:
    return [(image.url, image.sha256) for image in product.images[1:]]


def told(world: World) -> list[tuple[int, str, str, str]]:
    lines = world.rejected_file.read_bytes().splitlines() if world.rejected_file.exists() else []
    return sorted(tuple(orjson.loads(line).values()) for line in lines)


def seen(data: bytes, model: str = "fashion/1") -> np.ndarray:
    """The vector that the fake network makes of an image."""
    return np.array([1.0 + byte for byte in hashlib.sha256(data + model.encode()).digest()[:4]], np.float32)


async def test_a_product_has_a_vector_of_each_image_and_those_from_files_are_stored_before_it(world: World) -> None:
    tally = await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    product = world.catalogue.products["A"]
    assert images(product) == [(f"{WEB}/back.jpg", sha256(BACK)), (None, sha256(SIDE))]
    np.testing.assert_array_equal(product.vectors, [seen(FRONT), seen(BACK), seen(SIDE)])
    assert {key: picture.data for key, picture in world.catalogue.pictures.items()} == {
        "A": FRONT,
        picture_id("A", sha256(SIDE)): SIDE,
    }
    assert world.catalogue.faults.events[-1] == ("product", "A")
    assert (product.category, tally.imported, tally.embedded, tally.images_rejected) == (1, 1, 3, 0)


async def test_a_second_import_sends_embeds_and_writes_nothing(world: World) -> None:
    await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    world.web.sent.clear()
    world.catalogue.faults.events.clear()
    tally = await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    assert (tally.unchanged, tally.updated, tally.embedded, world.web.sent) == (1, 0, 0, [])
    assert (world.web.asked, world.catalogue.faults.events) == ([f"{WEB}/back.jpg"] * 2, [])


async def test_only_images_that_are_new_are_embedded_and_pictures_that_are_gone_are_removed(world: World) -> None:
    await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    tally = await world.run(shirt(LABEL, f"{WEB}/back.jpg"))
    product = world.catalogue.products["A"]
    assert images(product) == [(None, sha256(LABEL)), (f"{WEB}/back.jpg", sha256(BACK))]
    np.testing.assert_array_equal(product.vectors, [seen(FRONT), seen(LABEL), seen(BACK)])
    assert (tally.updated, tally.embedded, world.embedding.images) == (1, 1, 4)
    assert set(world.catalogue.pictures) == {"A", picture_id("A", sha256(LABEL))}
    tally = await world.run(shirt())
    assert (images(world.catalogue.products["A"]), tally.updated, tally.embedded) == ([], 1, 0)
    assert set(world.catalogue.pictures) == {"A"}


async def test_another_main_image_leaves_the_vectors_of_the_others(world: World) -> None:
    await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    tally = await world.run(row("A", LABEL, images=shirt(f"{WEB}/back.jpg", SIDE, FRONT).images))
    product = world.catalogue.products["A"]
    np.testing.assert_array_equal(product.vectors, [seen(LABEL), seen(BACK), seen(SIDE), seen(FRONT)])
    assert (tally.updated, tally.embedded) == (1, 1)
    assert world.catalogue.pictures[picture_id("A", sha256(FRONT))].data == FRONT


async def test_another_order_is_written_without_embedding(world: World) -> None:
    await world.run(shirt(f"{WEB}/back.jpg", f"{WEB}/side.jpg"))
    tally = await world.run(shirt(f"{WEB}/side.jpg", f"{WEB}/back.jpg"))
    np.testing.assert_array_equal(world.catalogue.products["A"].vectors, [seen(FRONT), seen(SIDE), seen(BACK)])
    assert (tally.updated, tally.embedded) == (1, 0)


async def test_another_model_embeds_all_images_anew(world: World) -> None:
    await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    world.embedding.model = "fashion/2"
    tally = await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    product = world.catalogue.products["A"]
    assert (tally.updated, tally.embedded, product.model, len(product.images)) == (1, 3, "fashion/2", 3)
    assert world.web.sent == [f"{WEB}/back.jpg"] * 2


async def test_an_image_that_changed_at_its_address_is_embedded_again(world: World) -> None:
    await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    world.web.pages[f"{WEB}/back.jpg"] = LABEL
    tally = await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    np.testing.assert_array_equal(world.catalogue.products["A"].vectors, [seen(FRONT), seen(LABEL), seen(SIDE)])
    assert (tally.updated, tally.embedded) == (1, 1)


async def test_the_same_picture_twice_counts_once(world: World) -> None:
    tally = await world.run(shirt(f"{WEB}/front.jpg", SIDE, f"{WEB}/side.jpg", f"{WEB}/back.jpg"))
    assert [image for _, image in images(world.catalogue.products["A"])] == [sha256(SIDE), sha256(BACK)]
    assert (tally.embedded, tally.images_rejected) == (3, 0)


async def test_an_image_that_cannot_be_had_is_told_and_the_product_comes_in_without_it(world: World) -> None:
    def missing() -> bytes:
        raise SourceImageError("there is no image gone.jpg")

    listed = (
        RowImage(f"{WEB}/none.jpg"),
        RowImage("gone.jpg", missing),
        RowImage("broken.jpg", lambda: b"broken"),
        *shirt(f"{WEB}/back.jpg").images,
    )
    tally = await world.run(row("A", FRONT, images=listed, line=3))
    assert (tally.imported, tally.rejected, tally.images_rejected) == (1, 0, 3)
    assert images(world.catalogue.products["A"]) == [(f"{WEB}/back.jpg", sha256(BACK))]
    assert told(world) == [
        (3, "A", "it is broken", "broken.jpg"),
        (3, "A", "the image URL answered 404 Not Found", f"{WEB}/none.jpg"),
        (3, "A", "there is no image gone.jpg", "gone.jpg"),
    ]
    assert set(world.catalogue.pictures) == {"A"}


async def test_a_product_keeps_an_image_whose_server_is_away_and_says_so(world: World) -> None:
    await world.run(shirt(f"{WEB}/back.jpg", SIDE, title="old"))
    del world.web.pages[f"{WEB}/back.jpg"]
    before = world.catalogue.products["A"]
    tally = await world.run(shirt(f"{WEB}/back.jpg", SIDE, title="old"))
    assert (tally.unchanged, tally.images_rejected) == (1, 1)
    tally = await world.run(shirt(f"{WEB}/back.jpg", SIDE, title="new"))
    after = world.catalogue.products["A"]
    assert (tally.updated, tally.embedded, tally.images_rejected, after.title) == (1, 0, 1, "new")
    np.testing.assert_array_equal(after.vectors, before.vectors)
    assert [name for *_, name in told(world)] == [f"{WEB}/back.jpg"]


async def test_a_product_whose_main_image_cannot_be_had_is_rejected_whatever_the_others_are(world: World) -> None:
    tally = await world.run(row("A", b"broken", images=shirt(SIDE).images))
    assert (tally.rejected, tally.imported, world.catalogue.products, world.catalogue.pictures) == (1, 0, {}, {})


async def test_a_picture_that_cannot_be_stored_is_told_and_the_product_comes_in_without_it(world: World) -> None:
    world.catalogue.faults.refused[picture_id("A", sha256(SIDE))] = "it is too large"
    tally = await world.run(shirt(SIDE, LABEL))
    assert images(world.catalogue.products["A"]) == [(None, sha256(LABEL))]
    assert (tally.imported, tally.images_rejected) == (1, 1)
    assert told(world) == [(3, "A", "it is too large", "side.jpg")]


async def test_a_value_that_is_not_understood_is_counted_and_named_and_its_product_comes_in(world: World) -> None:
    problem = ValueProblem("price", "ask", "is not an amount of money")
    tally = await world.run(replace(shirt(SIDE), problems=(problem,)))
    assert (tally.imported, tally.rejected, tally.values_not_understood) == (1, 0, 1)
    assert told(world) == [(3, "A", "price 'ask' is not an amount of money", "price")]


async def test_an_image_that_its_product_has_lost_since_is_fetched_whole(world: World) -> None:
    await world.run(shirt(f"{WEB}/back.jpg"))
    fingerprints = await world.catalogue.products.fingerprints(["A"])
    product = world.catalogue.products["A"]

    async def as_before(_: object) -> Mapping[str, Fingerprint]:
        return fingerprints

    world.catalogue.products.fingerprints = as_before  # type: ignore[assignment,method-assign]
    world.catalogue.products["A"] = make_product(
        "A", 1, product.vector, product.model, image_sha256=sha256(FRONT), prediction=product.embedding.prediction
    )
    await world.run(shirt(f"{WEB}/back.jpg", title="new"))
    np.testing.assert_array_equal(world.catalogue.products["A"].vectors, [seen(FRONT), seen(BACK)])
    assert world.web.sent == [f"{WEB}/back.jpg"] * 2


async def test_a_product_that_gets_another_main_image_during_an_import_is_embedded_again(world: World) -> None:
    await world.run(shirt(f"{WEB}/back.jpg"))
    fingerprints = await world.catalogue.products.fingerprints(["A"])
    product = world.catalogue.products["A"]

    async def as_before(_: object) -> Mapping[str, Fingerprint]:
        return fingerprints

    world.catalogue.products.fingerprints = as_before  # type: ignore[assignment,method-assign]
    world.catalogue.products["A"] = make_product(
        "A", 1, seen(LABEL), product.model, image_sha256=sha256(LABEL), prediction=product.embedding.prediction
    )
    tally = await world.run(shirt(f"{WEB}/back.jpg", title="new"))
    np.testing.assert_array_equal(world.catalogue.products["A"].vectors, [seen(FRONT), seen(BACK)])
    assert (tally.updated, tally.embedded) == (1, 2)


async def test_while_there_is_a_candidate_it_sees_every_image_too(world: World) -> None:
    world.catalogue.models.current = ModelNote(candidate="fashion/2")
    await world.run(shirt(f"{WEB}/back.jpg"))
    tally = await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    product = world.catalogue.products["A"]
    np.testing.assert_array_equal(product.vectors, [seen(FRONT), seen(BACK), seen(SIDE)])
    other = product.embedded_by("fashion/2")
    assert other is not None and images(other) == images(product)
    np.testing.assert_array_equal(other.vectors, [seen(each, "fashion/2") for each in (FRONT, BACK, SIDE)])
    assert (tally.updated, tally.embedded) == (1, 1)


async def test_a_candidate_that_does_not_answer_holds_nothing_up(world: World) -> None:
    world.catalogue.models.current = ModelNote(candidate="fashion/2")
    await world.run(shirt(f"{WEB}/back.jpg"))
    world.embedding.silent.add("fashion/2")
    await world.run(shirt(f"{WEB}/back.jpg", SIDE))
    product = world.catalogue.products["A"]
    other = product.embedded_by("fashion/2")
    assert (len(product.images), other and images(other)) == (3, images(product)[:1])


async def test_after_a_promotion_new_images_are_seen_by_the_model_that_searches_use(world: World) -> None:
    world.catalogue.models.current = ModelNote(candidate="fashion/2")
    await world.run(shirt(f"{WEB}/back.jpg"))
    world.catalogue.models.current = ModelNote(active="fashion/2", previous="fashion/1")
    tally = await world.run(shirt(f"{WEB}/back.jpg"))
    assert (tally.unchanged, tally.embedded) == (1, 0)
    world.web.pages[f"{WEB}/moved.jpg"] = BACK
    tally = await world.run(shirt(f"{WEB}/moved.jpg"))
    assert (tally.updated, tally.embedded) == (1, 0)
    assert images(world.catalogue.products["A"]) == [(f"{WEB}/moved.jpg", sha256(BACK))]
    tally = await world.run(shirt(f"{WEB}/moved.jpg", SIDE))
    product = world.catalogue.products["A"]
    assert (tally.updated, tally.embedded, product.model) == (1, 2, "fashion/2")
    for model in ("fashion/1", "fashion/2"):
        embedding = product.embedded_by(model)
        assert embedding is not None
        np.testing.assert_array_equal(embedding.vectors, [seen(each, model) for each in (FRONT, BACK, SIDE)])


async def test_a_row_whose_images_are_loaded_when_we_are_told_to_stop_is_left_for_the_next_time(world: World) -> None:
    async def stopped(url: str, known: Validators) -> FetchedImage:
        world.stopping.set()
        raise ImageServerUnavailable("it is busy", wait_s=30)

    world.web.get = stopped  # type: ignore[method-assign]
    tally = await world.run(shirt(f"{WEB}/back.jpg", SIDE), row("B", LABEL))
    assert set(world.catalogue.products) == {"B"}
    assert (tally.imported, tally.rejected, tally.images_rejected, told(world)) == (1, 0, 0, [])


async def test_large_images_are_handled_a_few_at_a_time(world: World) -> None:
    third = b"\x01" * (GROUP_BYTES // 3)
    rows = [row(f"{n}", b"%d" % n, images=tuple(file(third + b"%d%d" % (n, m)) for m in range(2))) for n in range(40)]
    loaded = await world.run(*rows[:5])
    assert (loaded.imported, loaded.embedded) == (5, 15)
    assert max(world.embedding.batches) <= 5 and world.embedding.images == 15


async def test_pictures_from_files_are_stored_without_their_metadata(world: World) -> None:
    comment = b"\xff\xfe\x00\x0aJane Doe"
    jpeg = b"\xff\xd8%b\xff\xda\x00\x02pixels\xff\xd9"
    main, side = (jpeg % (comment + extra) for extra in (b"", b"\xff\xdb\x00\x03a"))
    await world.run(row("A", main + b"<script>", images=(RowImage("side.jpg", lambda: side),), line=3))
    product = world.catalogue.products["A"]
    clean = jpeg % b""
    assert product.images[0].sha256 == sha256(clean)
    assert world.catalogue.pictures["A"].data == clean
    assert all(b"Jane" not in picture.data for picture in world.catalogue.pictures.values())
    assert len(world.catalogue.pictures) == 2


async def test_a_product_whose_picture_is_on_the_web_and_that_the_database_refuses_is_rejected(world: World) -> None:
    world.catalogue.faults.refused["A"] = "it is too large"
    tally = await world.run(row("A", f"{WEB}/front.jpg", line=3), row("B", f"{WEB}/back.jpg", line=4))
    assert (tally.rejected, tally.imported) == (1, 1)
    assert [(entry[0], entry[1], entry[2]) for entry in told(world)] == [(3, "A", "it is too large")]
    assert list(world.catalogue.products) == ["B"]
