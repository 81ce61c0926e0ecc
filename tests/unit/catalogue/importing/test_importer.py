import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.importing.description import Placement, Placer, UnknownTarget, describe
from services.catalogue.importing.images import GROUP_BYTES
from services.catalogue.importing.importer import TOGETHER, Importer, ImportOptions
from services.catalogue.importing.report import RejectedFileError
from services.catalogue.product import Prediction
from services.catalogue.retry import RetriesExhausted, Stopped
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceError, SourceImageError, SourceRow, hidden_row
from services.catalogue.store.model_note import ModelNote
from services.contracts.domain.errors import CatalogueUnavailable, EmbeddingUnavailable, InvalidRequest, UpstreamTimeout
from services.contracts.wire.embedding import MAX_BATCH
from tests.support.fakes.import_fakes import CATEGORIES, ListSource, World, fingerprint_of, row
from tests.support.values.products import embedding, make_product
from tests.support.waiting import eventually


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def rejected(world: World) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in world.rejected_file.read_bytes().splitlines()]


async def test_a_row_becomes_a_product_with_vector_prediction_and_both_hashes(world: World) -> None:
    tally = await world.run(row("A", b"\x01shoe", title="Shoe", url="https://a.test/", attributes={"price": 5}))
    product = world.catalogue.products["A"]
    assert (product.category, product.category_source, product.model) == (1, "network", "fashion/1")
    assert product.embedding.prediction == Prediction(1, 0.9)
    assert (product.title, product.url, product.attributes) == ("Shoe", "https://a.test/", {"price": 5})
    assert product.images[0].sha256 is not None
    assert product.feed_sha256 is not None
    assert product.vector.shape == (4,)
    assert (tally.read, tally.imported, tally.embedded, tally.rejected) == (1, 1, 1, 0)
    assert not world.rejected_file.exists()


@pytest.mark.parametrize(
    ("words", "required", "placement"),
    [
        (("Shoes",), False, Placement(1, "feed")),
        ((" shOES ",), True, Placement(1, "feed")),
        (("summer", "Bags"), False, Placement(2, "feed")),
        (("T-Shirts",), False, Placement(0, "mapping")),
        (("BAGS", "T-Shirts"), False, Placement(2, "feed")),
        (("Perfume",), False, None),
        (("Perfume",), True, None),
        (("Hats",), False, Placement(None, "network")),
        (("Hats",), True, None),
        ((), False, Placement(None, "network")),
        ((), True, None),
    ],
)
def test_a_category_is_the_feeds_or_the_mappings_or_the_networks(
    words: tuple[str, ...], required: bool, placement: Placement | None
) -> None:
    mapping = FeedMapping(categories={"t-shirts": "topwear", "Perfume": None})
    assert Placer(CATEGORIES, mapping).place(row("A", category_words=words, category_required=required)) == placement


def test_a_mapping_is_asked_before_the_models_own_names() -> None:
    placer = Placer(CATEGORIES, FeedMapping(categories={"Shoes": "Bags"}))
    assert placer.place(row("A", category_words=("shoes",))) == Placement(2, "mapping")


def test_a_mapping_to_no_category_of_the_model_is_an_error_that_names_them() -> None:
    with pytest.raises(UnknownTarget, match=r"'Headwear' for 'hats'.*Topwear, Shoes, Bags"):
        Placer(CATEGORIES, FeedMapping(categories={"hats": "Headwear"}))


async def test_the_feeds_category_counts_and_the_prediction_is_kept_beside_it(world: World) -> None:
    tally = await world.run(row("A", b"\x01shoe", category_words=("Bags",)))
    product = world.catalogue.products["A"]
    assert (product.category, product.category_source, product.embedding.prediction) == (2, "feed", Prediction(1, 0.9))
    assert tally.category_conflicts == 1


async def test_rows_outside_the_categories_are_counted_and_are_no_complaints(world: World) -> None:
    tally = await world.run(row("A", category_words=("Sandal",), category_required=True), row("B"))
    assert (tally.read, tally.skipped, tally.imported, tally.rejected) == (2, 1, 1, 0)
    assert set(world.catalogue.products) == {"B"}


async def test_a_second_import_of_the_same_rows_embeds_and_writes_nothing(world: World) -> None:
    rows = [row(f"{n}", bytes([n]) + b"x") for n in range(200)]
    await world.run(*rows)
    world.catalogue.faults.events.clear()
    tally = await world.run(*rows)
    assert (tally.unchanged, tally.imported, tally.updated, tally.embedded) == (200, 0, 0, 0)
    assert world.catalogue.faults.events == []
    assert world.embedding.images == 200


@pytest.mark.parametrize(
    "change",
    [
        {"title": "New"},
        {"url": "https://new.test/"},
        {"attributes": {"price": 6}},
        {"category_words": ("Bags",)},
    ],
)
async def test_a_changed_description_is_written_without_embedding_again(
    world: World, change: dict[str, object]
) -> None:
    facts = {"title": "Old", "attributes": {"price": 5}}
    await world.run(row("A", b"\x01shoe", **facts))
    before = world.catalogue.products["A"]
    tally = await world.run(row("A", b"\x01shoe", **{**facts, **change}))
    after = world.catalogue.products["A"]
    assert (tally.updated, tally.embedded, world.embedding.images) == (1, 0, 1)
    assert (after.vector == before.vector).all()
    assert after.images == before.images
    assert after.feed_sha256 != before.feed_sha256
    assert after.embedding.prediction == before.embedding.prediction
    assert after.category == (2 if "category_words" in change else 1)


async def test_a_category_that_the_feed_no_longer_says_falls_back_to_the_prediction(world: World) -> None:
    await world.run(row("A", b"\x01shoe", category_words=("Bags",)))
    tally = await world.run(row("A", b"\x01shoe"))
    product = world.catalogue.products["A"]
    assert (product.category, product.category_source, tally.embedded) == (1, "network", 0)


async def test_a_changed_image_is_embedded_again(world: World) -> None:
    await world.run(row("A", b"\x01old"))
    tally = await world.run(row("A", b"\x02new"))
    assert (tally.imported, tally.updated, tally.embedded) == (0, 1, 1)
    assert world.catalogue.products["A"].category == 2
    assert world.catalogue.pictures["A"].data == b"\x02new"


async def test_another_model_embeds_everything_again(world: World) -> None:
    await world.run(row("A"))
    world.embedding.model = "fashion/2"
    tally = await world.run(row("A"))
    assert (tally.updated, tally.embedded) == (1, 1)
    assert world.catalogue.products["A"].model == "fashion/2"


async def test_a_product_that_is_not_whole_in_the_catalogue_is_embedded_again(world: World) -> None:
    await world.run(row("A", title="Old"))
    fingerprint = replace(fingerprint_of(world.catalogue.products["A"]), feed_sha256=None)

    async def fingerprints(keys: object) -> dict[str, Fingerprint]:
        return {"A": fingerprint}

    world.catalogue.products.fingerprints = fingerprints  # type: ignore[method-assign, assignment]
    del world.catalogue.products["A"]
    tally = await world.run(row("A", title="New"))
    assert (tally.updated, tally.embedded) == (1, 1)


async def test_a_local_image_is_stored_before_its_product_and_a_linked_one_is_not(world: World) -> None:
    world.web.pages["https://a.test/1.png"] = b"\x00web"
    await world.run(
        row("local", b"\x89PNG\r\n\x1a\nxx"),
        row("linked", b"\x00file", image_url="https://a.test/2.png"),
        row("web", "https://a.test/1.png", image_url="https://a.test/1.png"),
    )
    assert set(world.catalogue.pictures) == {"local"}
    assert world.catalogue.pictures["local"].content_type == "image/png"
    assert world.catalogue.faults.events.index(("picture", "local")) < world.catalogue.faults.events.index(
        ("product", "local")
    )
    assert world.catalogue.products["local"].images[0].url is None
    assert world.catalogue.products["linked"].images[0].url == "https://a.test/2.png"


async def test_a_picture_that_is_linked_no_longer_is_stored_without_embedding_again(world: World) -> None:
    await world.run(row("A", b"\x00file", image_url="https://a.test/2.png"))
    tally = await world.run(row("A", b"\x00file"))
    assert (tally.updated, tally.embedded) == (1, 0)
    assert world.catalogue.pictures["A"].data == b"\x00file"


async def test_what_cannot_be_taken_is_written_down_with_line_id_and_reason_and_the_rest_goes_on(world: World) -> None:
    def missing() -> bytes:
        raise SourceImageError("there is no image 3.jpg")

    world.catalogue.faults.refused["refused"] = "it is too large"
    tally = await world.run(
        RejectedRow(2, None, "not UTF-8"),
        row("broken", b"broken", line=3),
        SourceRow(key="missing", image=missing, line=4),
        row("gone", "https://a.test/none.jpg", line=5),
        row("refused", line=6),
        row("good", line=7),
    )
    assert (tally.read, tally.rejected, tally.imported) == (6, 5, 1)
    assert set(world.catalogue.products) == {"good"}
    actual = sorted(rejected(world), key=lambda entry: str(entry["line"]))
    assert actual == [
        {"line": 2, "id": None, "reason": "not UTF-8"},
        {"line": 3, "id": "broken", "reason": "it is broken"},
        {"line": 4, "id": "missing", "reason": "there is no image 3.jpg"},
        {"line": 5, "id": "gone", "reason": "the image URL answered 404 Not Found"},
        {"line": 6, "id": "refused", "reason": "it is too large"},
    ]


async def test_without_rejected_rows_the_file_of_an_earlier_import_goes(world: World) -> None:
    await world.run(row("A", b"broken"))
    assert len(rejected(world)) == 1
    await world.run(row("A", b"fine"))
    assert not world.rejected_file.exists()
    assert list(world.folder.iterdir()) == []


async def test_a_file_for_rejected_rows_that_cannot_be_written_ends_the_import(world: World) -> None:
    world.folder = world.folder / "missing"
    with pytest.raises(RejectedFileError, match="cannot be written"):
        await world.run(row("A", b"broken"))


async def test_batches_are_as_large_as_the_service_takes(world: World) -> None:
    await world.run(*(row(f"{n}", bytes([n % 250]) + b"x%d" % n) for n in range(3 * MAX_BATCH + 1)))
    assert sorted(world.embedding.batches) == [1, MAX_BATCH, MAX_BATCH, MAX_BATCH]


async def test_large_images_go_in_smaller_requests(world: World) -> None:
    third = b"\x01" * (GROUP_BYTES // 3)
    await world.run(*(row(f"{n}", third + bytes([n])) for n in range(5)))
    assert world.embedding.batches == [2, 2, 1]


async def test_the_limit_counts_products(world: World) -> None:
    rows = [row(f"{n}", category_words=("Sandal",), category_required=n % 2 == 0) for n in range(20)]
    tally = await world.run(*rows, options=ImportOptions(limit=3))
    assert (tally.imported, tally.skipped) == (3, 3)


async def test_the_url_template_fills_in_addresses_that_are_missing(world: World) -> None:
    options = ImportOptions(url_template="https://a.test/p/{id}?x")
    await world.run(row("a/ü"), row("B", b"\x01", url="https://own.test/"), options=options)
    assert world.catalogue.products["a/ü"].url == "https://a.test/p/a%2F%C3%BC?x"
    assert world.catalogue.products["B"].url == "https://own.test/"


async def test_a_service_that_is_away_for_a_while_is_waited_for(world: World) -> None:
    world.embedding.failures = [EmbeddingUnavailable("no network"), UpstreamTimeout("slow")]
    world.catalogue.faults.failures = [CatalogueUnavailable("no database")]
    tally = await world.run(row("A"))
    assert tally.imported == 1
    assert world.said == ["no database", None, "no network", "slow", None]


async def test_a_service_that_stays_away_ends_the_import_with_its_words_and_what_is_written_stays(world: World) -> None:
    await world.run(row("A"))
    world.embedding.failures = [EmbeddingUnavailable("no network")] * 100
    with pytest.raises(RetriesExhausted, match=r"no network \(waited 0\.5 s\)"):
        await world.run(row("A"), row("B", b"\x01"), wait_s=0.5)
    assert set(world.catalogue.products) == {"A"}


async def test_an_error_that_waiting_does_not_mend_ends_the_import_at_once(world: World) -> None:
    world.embedding.failures = [InvalidRequest("another version")]
    with pytest.raises(InvalidRequest, match="another version"):
        await world.run(row("A"))
    assert world.said == []


async def test_when_told_to_stop_nothing_more_is_read_and_what_is_under_way_is_written(world: World) -> None:
    rows = [row(f"{n}", bytes([n % 250]) + b"x%d" % n) for n in range(20 * TOGETHER)]
    put_many = world.catalogue.products.put_many

    async def stop_after_the_first(products: Any, **how: Any) -> object:
        world.stopping.set()
        return await put_many(products, **how)

    world.catalogue.products.put_many = stop_after_the_first  # type: ignore[method-assign, assignment]
    tally = await world.run(*rows)
    assert 0 < tally.imported < 10 * TOGETHER
    assert tally.imported == len(world.catalogue.products)


async def test_waiting_for_a_service_ends_when_told_to_stop(world: World) -> None:
    world.embedding.failures = [EmbeddingUnavailable("no network")] * 100
    asyncio.get_running_loop().call_later(0.05, world.stopping.set)
    with pytest.raises(Stopped):
        await world.run(row("A"), wait_s=60)


def test_the_feeds_hash_changes_with_every_part_of_the_description_and_not_with_the_order_of_attributes() -> None:
    base: dict[str, Any] = {
        "title": "T",
        "url": "https://a/",
        "image_url": "https://a/1",
        "attributes": {"a": 1, "b": 2},
    }
    network, feed = Placement(None, "network"), Placement(1, "feed")
    plain = describe(row("A", **base), network).feed_sha256
    assert describe(row("A", **{**base, "attributes": {"b": 2, "a": 1}}), network).feed_sha256 == plain
    others = [
        describe(row("A", **{**base, "title": None}), network),
        describe(row("A", **{**base, "url": None}), network),
        describe(row("A", **{**base, "image_url": None}), network),
        describe(row("A", **{**base, "attributes": {"a": 1}}), network),
        describe(row("A", **base), feed),
        describe(row("A", **{**base, "url": None}), network, "https://t/{id}"),
    ]
    assert len({plain, *(other.feed_sha256 for other in others)}) == 7


async def test_fields_that_are_no_attributes_are_counted_by_name(world: World) -> None:
    tally = await world.run(row("A", left_out=("description",)), row("B", b"\x01", left_out=("description", "x")))
    assert tally.left_out == {"description": 2, "x": 1}


async def test_the_notes_of_a_source_are_in_the_counts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ListSource, "notes", ("the first line is blank",), raising=False)
    assert (await world.run(row("A"))).notes == ["the first line is blank"]


@pytest.mark.parametrize("count", [1, MAX_BATCH - 1, MAX_BATCH, 3 * MAX_BATCH + 1])
async def test_a_source_that_breaks_off_ends_the_import_with_its_own_words_once_all_before_is_in(
    world: World, count: int
) -> None:
    def rows() -> Iterator[SourceRow]:
        yield from (row(f"{n}", b"\x00%d" % n) for n in range(count))
        raise SourceError("the feed breaks off after line 2")

    with pytest.raises(SourceError, match="breaks off"):
        await world.run(source=rows())
    assert len(world.catalogue.products) == count


async def test_an_image_that_its_server_knows_to_be_unchanged_is_neither_sent_nor_embedded_again(world: World) -> None:
    url = "https://a.test/1.png"
    world.web.pages[url] = b"\x01shoe"
    await world.run(row("A", url))
    same = await world.run(row("A", url))
    assert (same.unchanged, same.not_modified, world.web.sent) == (1, 1, [url])
    actual = await world.run(row("A", url, title="New"))
    assert (actual.updated, actual.not_modified, actual.embedded, world.web.sent) == (1, 1, 0, [url])
    assert world.catalogue.products["A"].title == "New"
    world.web.pages[url] = b"\x02bag"
    changed = await world.run(row("A", url, title="New"))
    assert (changed.updated, changed.not_modified, changed.embedded) == (1, 0, 1)
    assert world.catalogue.products["A"].category == 2


@pytest.mark.parametrize("change", ["url", "model", "image", "product"])
async def test_an_image_is_fetched_whole_where_the_product_is_not_made_of_what_is_remembered(
    world: World, change: str
) -> None:
    url = other = "https://a.test/1.png"
    world.web.pages[url] = b"\x01shoe"
    await world.run(row("A", url))
    if change == "url":
        other = "https://a.test/2.png"
        world.web.pages[other] = b"\x01shoe"
    elif change == "model":
        world.embedding.model = "fashion/2"
    elif change == "image":
        other_image = make_product("A", 1, np.ones(4, np.float32), "fashion/1", image_sha256="put by another way")
        world.catalogue.products["A"] = other_image
    else:  # broken in the database: it has to be embedded after all
        product = world.catalogue.products["A"]
        without = replace(product.embedding, prediction=None)
        world.catalogue.products["A"] = replace(product, embeddings={product.model: without})
    tally = await world.run(row("A", other, title="New"))
    assert (tally.updated, tally.rejected) == (1, 0)
    assert len(world.web.sent) == 2
    assert tally.embedded == (0 if change == "url" else 1)
    assert world.catalogue.http_cache["A"].url == other


async def test_what_is_remembered_of_an_image_is_brought_up_to_date_without_writing_the_product(world: World) -> None:
    url = "https://a.test/1.png"
    world.web.pages[url] = b"\x01shoe"
    await world.run(row("A", url))
    world.catalogue.http_cache.clear()
    world.catalogue.faults.events.clear()
    tally = await world.run(row("A", url))
    assert (tally.unchanged, tally.not_modified) == (1, 0)
    assert (world.catalogue.faults.events, set(world.catalogue.http_cache)) == ([], {"A"})


async def test_while_there_is_a_candidate_what_is_embedded_gets_both_vectors(world: World) -> None:
    world.catalogue.models.current = ModelNote(candidate="fashion/2")
    await world.run(row("A", b"\x01a"))
    product = world.catalogue.products["A"]
    embedded_by = product.embedded_by("fashion/2")
    assert embedded_by is not None and product.model == "fashion/1"
    assert product.embeddings["fashion/2"].images[0].sha256 == product.images[0].sha256
    assert embedded_by.category == product.category == 1
    assert not np.array_equal(embedded_by.vector, product.vector)


async def test_a_candidate_that_does_not_answer_holds_nothing_up(world: World) -> None:
    world.catalogue.models.current = ModelNote(candidate="fashion/2")
    world.embedding.silent.add("fashion/2")
    tally = await world.run(row("A"))
    assert (tally.imported, tally.rejected) == (1, 0)
    assert list(world.catalogue.products["A"].embeddings) == ["fashion/1"]


async def test_what_has_not_changed_is_left_to_reembed_and_keeps_what_it_has_got(world: World) -> None:
    await world.run(row("A"), row("B"))
    product = world.catalogue.products["A"]
    collected = embedding(np.ones(4, np.float32), product.images[0].sha256, prediction=Prediction(2, 0.5))
    world.catalogue.products["A"] = replace(product, embeddings={**product.embeddings, "fashion/2": collected})
    world.catalogue.models.current = ModelNote(candidate="fashion/2")
    tally = await world.run(row("A", title="Renamed"), row("B"))
    assert (tally.updated, tally.unchanged, tally.embedded) == (1, 1, 0)
    assert world.catalogue.products["A"].title == "Renamed"
    assert world.catalogue.products["A"].embeddings["fashion/2"] == collected
    assert list(world.catalogue.products["B"].embeddings) == ["fashion/1"]


async def test_after_a_promotion_products_with_a_vector_beside_are_not_embedded_again(world: World) -> None:
    world.catalogue.models.current = ModelNote(candidate="fashion/2")
    await world.run(row("A"))
    world.catalogue.models.current = ModelNote(active="fashion/2", previous="fashion/1")
    tally = await world.run(row("A"), row("B"))
    assert (tally.imported, tally.unchanged, tally.embedded) == (1, 1, 1)
    product = world.catalogue.products["B"]
    assert product.model == "fashion/2"
    assert set(product.embeddings) == {"fashion/1", "fashion/2"}


async def test_a_product_without_a_vector_of_the_active_model_is_embedded_again(world: World) -> None:
    await world.run(row("A"))
    world.catalogue.models.current = ModelNote(active="fashion/2")
    tally = await world.run(row("A"))
    assert (tally.updated, tally.embedded) == (1, 1)
    assert world.catalogue.products["A"].model == "fashion/2"


async def test_a_change_of_models_in_the_middle_of_an_import_is_followed(world: World) -> None:
    def rows() -> Iterator[SourceRow]:
        for number in range(TOGETHER + 200):
            if number == TOGETHER + 100:
                eventually(lambda: world.catalogue.products)  # rows are read in a thread, ahead of what is written
                world.catalogue.models.current = ModelNote(candidate="fashion/2")
            yield row(f"p{number}")

    await world.run(source=rows(), options=ImportOptions(in_flight=1))
    secondary = [key for key, product in world.catalogue.products.items() if len(product.embeddings) > 1]
    assert f"p{TOGETHER + 199}" in secondary and "p0" not in secondary


async def test_whoever_takes_the_outcomes_can_hold_the_import_back(world: World) -> None:
    source = ListSource(row(f"{n}", b"\x00%d" % n) for n in range(MAX_BATCH + 1))
    read_before: list[int] = []

    async def room() -> None:
        read_before.append(source.given)

    assert (await world.run(source=source.rows(), room=room)).imported == MAX_BATCH + 1
    assert read_before[0] == 0  # asked for room before the first row is read


@pytest.mark.parametrize("in_flight", [1, 2])
async def test_no_more_batches_are_under_way_than_the_option_allows(
    world: World, monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    under_way: list[int] = []
    count, rows_read, was_read = 0, 3 * TOGETHER, asyncio.Event()
    batch, report = Importer._batch, Importer._report

    def reported(importer: Importer, reading: Any) -> None:
        report(importer, reading)
        was_read.set()

    async def watched(importer: Importer, *given: Any) -> None:
        nonlocal count
        count += 1
        under_way.append(count)
        # The next batch is read ahead. If it were allowed to, it would begin now.
        while importer.tally.read < min(rows_read, (len(under_way) + 1) * TOGETHER):
            was_read.clear()
            await was_read.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        await batch(importer, *given)
        count -= 1

    monkeypatch.setattr(Importer, "_report", reported)
    monkeypatch.setattr(Importer, "_batch", watched)
    rows = (row(f"{n}", b"\x00picture") for n in range(rows_read))
    tally = await world.run(*rows, options=ImportOptions(in_flight=in_flight))
    assert tally.imported == rows_read
    assert (len(under_way), max(under_way)) == (3, in_flight)


async def test_products_from_files_are_written_together_and_those_from_the_web_sooner(world: World) -> None:
    written: list[int] = []
    put_many = world.catalogue.products.put_many

    async def put(products: Any, **how: Any) -> object:
        written.append(len(products))
        return await put_many(products, **how)

    world.catalogue.products.put_many = put  # type: ignore[method-assign, assignment]
    await world.run(*(row(f"{n}", b"\x00%d" % n) for n in range(TOGETHER + 5)))
    assert sorted(written) == [5, TOGETHER]
    written.clear()
    world.web.pages = {f"https://a.test/{n}": b"\x00web%d" % n for n in range(TOGETHER)}
    await world.run(*(row(f"web{n}", f"https://a.test/{n}") for n in range(TOGETHER)))
    assert written == [MAX_BATCH] * 4


async def test_new_products_and_known_ones_are_written_apart(world: World) -> None:
    await world.run(row("A"), row("B"))
    collected: list[tuple[int, bool]] = []
    put_many = world.catalogue.products.put_many

    async def put(products: Any, *, probably_new: bool = False) -> object:
        collected.append((len(products), probably_new))
        return await put_many(products, probably_new=probably_new)

    world.catalogue.products.put_many = put  # type: ignore[method-assign, assignment]
    tally = await world.run(row("A", b"\x01new"), row("B"), row("C"), row("D"))
    assert collected == [(2, True), (1, False)]
    assert (tally.imported, tally.updated, tally.unchanged) == (2, 1, 1)


async def test_when_told_to_stop_the_rest_of_a_group_waits_for_the_next_import(world: World) -> None:
    embed_batch = world.embedding.embed_batch

    async def stop(*given: Any, **named: Any) -> Any:
        world.stopping.set()
        return await embed_batch(*given, **named)

    world.embedding.embed_batch = stop  # type: ignore[method-assign]
    rows = [row(f"{n}", b"\x00%d" % n) for n in range(TOGETHER)]
    first = await world.run(*rows)
    assert first.imported == len(world.catalogue.products) == MAX_BATCH
    world.embedding.embed_batch = embed_batch  # type: ignore[method-assign]
    world.stopping.clear()
    second = await world.run(*rows)
    assert (second.imported, second.unchanged) == (TOGETHER - MAX_BATCH, MAX_BATCH)


async def test_a_hidden_product_is_counted_apart_from_the_skipped_rows(world: World) -> None:
    tally = await world.run(hidden_row("A", 2), row("B", category_words=("Hats",), category_required=True), row("C"))
    assert (tally.read, tally.imported, tally.hidden, tally.skipped) == (3, 1, 1, 1)
