"""Which rows are embedded, which stored products are looked up for that, and what they keep."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.importing.description import Placement, describe
from services.catalogue.importing.images import ImageLoader, LoadedImage, LoadedRow, sha256_of
from services.catalogue.importing.report import OutcomeLog, RejectedFile
from services.catalogue.importing.web_images import WebImages
from services.catalogue.sources.records.rows import RowImage, SourceRow
from services.catalogue.store.model_note import ModelNote
from tests.support.fakes.import_fakes import World, row

FRONT, BACK, SIDE, NEW = b"\x01front", b"\x02back", b"\x00side", b"\x02new"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def looked_up(world: World) -> list[list[str]]:
    """Return the list in which the keys of products that are read appear."""
    keys: list[list[str]] = []
    read = world.catalogue.products.read

    async def recorded(document_ids: Sequence[str]) -> list[Record | BrokenDocument]:
        keys.append(sorted(document_ids))
        return await read(document_ids)

    world.catalogue.products.read = recorded  # type: ignore[method-assign, assignment]
    return keys


def file(data: bytes) -> RowImage:
    return RowImage(f"{data[1:].decode()}.jpg", lambda: data)


def shirt(key: str, main: bytes, *others: bytes) -> SourceRow:
    return row(key, main, images=tuple(map(file, others)))


async def test_one_product_that_is_not_whole_does_not_hold_up_the_others(world: World) -> None:
    await world.run(row("A", FRONT), row("B", BACK), row("C", SIDE))
    product = world.catalogue.products["A"]
    without = replace(product.embedding, prediction=None)
    world.catalogue.products["A"] = replace(product, embeddings={product.model: without})
    tally = await world.run(
        *(row(key, data, title="New") for key, data in zip("ABC", (FRONT, BACK, SIDE), strict=True))
    )
    assert (tally.updated, tally.embedded) == (3, 1)
    assert [world.catalogue.products[key].title for key in "ABC"] == ["New"] * 3


@pytest.mark.parametrize(
    ("before", "after", "candidate", "expected"),
    [
        ((FRONT,), (NEW, BACK), None, []),  # the product has no other image
        ((FRONT, BACK), (NEW,), None, []),  # no vector is missing
        ((FRONT, BACK), (NEW, BACK), None, [["A"]]),
        ((FRONT,), (NEW, BACK), "fashion/2", [["A"]]),  # it may have vectors of the other model
    ],
)
async def test_a_stored_product_is_looked_up_only_if_it_may_have_a_vector_that_is_missing(
    world: World, before: Sequence[bytes], after: Sequence[bytes], candidate: str | None, expected: list[list[str]]
) -> None:
    await world.run(shirt("A", *before), shirt("B", SIDE))
    world.catalogue.models.current = ModelNote(candidate=candidate)
    keys = looked_up(world)
    tally = await world.run(shirt("A", *after), shirt("B", SIDE))
    assert keys == expected
    assert (tally.updated, tally.unchanged) == (1, 1)
    assert len(world.catalogue.products["A"].images) == len(after)


async def test_images_that_are_embedded_are_counted_one_by_one(world: World) -> None:
    tally = await world.run(shirt("A", FRONT, BACK, b"broken"), shirt("B", b"broken", SIDE), shirt("C", NEW))
    assert (tally.embedded, tally.rejected, tally.images_rejected) == (3, 1, 1)


async def test_a_product_keeps_its_time_and_its_description_is_that_of_the_row(world: World) -> None:
    facts = {"title": "T", "url": "https://a.test/", "group": "G", "attributes": {"price": 5}}
    await world.run(row("A", FRONT, **facts))
    first = world.catalogue.products["A"]
    assert first.created_at == first.updated_at is not None
    assert (first.title, first.url, first.group, first.attributes) == ("T", "https://a.test/", "G", {"price": 5})
    await world.run(row("A", FRONT))
    second = world.catalogue.products["A"]
    assert second.created_at == first.created_at
    assert second.updated_at is not None and first.updated_at is not None and second.updated_at > first.updated_at
    assert (second.title, second.url, second.group, second.attributes) == (None, None, None, {})


async def test_a_main_image_that_was_not_sent_is_fetched_and_takes_the_place_of_the_one_before(world: World) -> None:
    url, gone = "https://a.test/1.png", "https://a.test/gone.png"
    world.web.pages[url] = NEW
    outcomes = OutcomeLog(RejectedFile(None), lambda _: None)
    loader = ImageLoader(WebImages(world.web, world.stopping), outcomes, world.stopping)
    network = Placement(None, "network")
    side = LoadedImage("side", None, SIDE, sha256_of(SIDE))
    twice = LoadedImage("twice", None, NEW, sha256_of(NEW))
    unsent = LoadedRow(describe(row("A", url), network), (LoadedImage(url, url, None, "before"), side, twice))
    lost = LoadedRow(describe(row("B", gone), network), (LoadedImage(gone, gone, None, "before"),))
    sent = LoadedRow(describe(row("C", url), network), (side,))
    rows = await loader.with_main_bytes([unsent, lost, sent])
    assert [each.key for each in rows] == ["A", "C"]
    assert [image.data for image in rows[0].images] == [NEW, SIDE]
    assert rows[1] is sent
    assert (world.web.asked, outcomes.tally.rejected) == ([url, gone], 1)
    assert await loader.with_bytes(sent, side) is side
    unsent_side = LoadedImage(url, url, None, "before")
    fetched = await loader.with_bytes(sent, unsent_side)
    assert fetched is not None and fetched.data == NEW
    assert await loader.with_bytes(sent, LoadedImage(gone, gone, None, "before")) is None
