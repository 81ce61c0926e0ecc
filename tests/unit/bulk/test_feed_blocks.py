"""A feed in blocks: what is read again after an interruption, and what is not."""

import pickle
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from services.bulk import feed_blocks
from services.bulk.checkpoint import Checkpoint, RowDigest
from services.bulk.feed_blocks import FeedBlock, FeedReader, Row
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, RowImage, SourceError, SourceImageError, SourceRow
from services.contracts.domain.parts import Part
from tests.support.fakes.import_fakes import CATEGORIES, ListSource, row


def reader(rows: Iterable[Row], **changes: object) -> FeedReader:
    listed = list(rows)
    made = FeedReader(Path("feed.csv"), FeedMapping(), CATEGORIES, open=lambda *_: ListSource(listed))
    return replace(made, **changes)  # type: ignore[arg-type]


def positions(blocks: Iterable[FeedBlock]) -> list[list[int]]:
    return [[number for number, _ in block.rows] for block in blocks]


def digest(rows: Iterable[Row]) -> str:
    made = RowDigest()
    for each in rows:
        made.add(each)
    return made.text()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_blocks, "BLOCK_ROWS", 4)
    monkeypatch.setattr(feed_blocks, "MAX_BATCH", 2)


ROWS = [row(str(number), line=number) for number in range(10)]


def test_every_row_is_in_one_block_and_each_block_says_what_is_done() -> None:
    blocks = list(reader(ROWS)())
    assert positions(blocks) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [block.done for block in blocks] == [(end, digest(ROWS[:end])) for end in (4, 8, 10)]


def test_blocks_hold_the_files_of_local_images_and_can_be_pickled() -> None:
    def missing() -> bytes:
        raise SourceImageError("there is no image b.jpg")

    rows = [row("a", b"main", images=(RowImage("b.jpg", missing), RowImage("https://a.test/c.jpg")))]
    (block,) = pickle.loads(pickle.dumps(list(reader(rows)())))
    _, loaded = block.rows[0]
    assert loaded.image() == b"main"
    assert loaded.images[1].load is None
    with pytest.raises(SourceImageError, match=r"there is no image b\.jpg"):
        loaded.images[0].load()


def test_a_block_ends_before_its_images_take_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_blocks, "BLOCK_BYTES", 10)
    assert positions(reader([row("a", b"123456"), row("b", b"123456"), row("c", b"1")])()) == [[0, 1], [2]]


REJECTED = RejectedRow(0, None, "the id is missing")


@pytest.mark.parametrize(
    ("sizes", "blocks"),
    [
        ([5, 5, 5, 5], [[0, 1], [2, 3], []]),
        ([5, 5, 9, 1, 9], [[0, 1], [2, 3], [4]]),
        ([None, 9, 1], [[0, 1, 2], []]),
        ([None, 8, 1], [[0, 1, 2]]),
    ],
)
def test_each_block_has_the_same_room_for_images(
    sizes: list[int | None], blocks: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_blocks, "BLOCK_BYTES", 10)
    rows = [REJECTED if size is None else row("a", b"x" * size) for size in sizes]
    assert positions(reader(rows)()) == blocks


def test_a_source_is_closed_when_it_is_read_or_given_up() -> None:
    closed: list[str] = []

    class Closing(ListSource):
        def close(self) -> None:
            closed.append("closed")

    made = reader(ROWS, open=lambda *_: Closing(ROWS))
    list(made())
    assert closed == ["closed"]
    blocks = made()
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    assert closed == ["closed"] * 2


def test_blocks_of_images_on_the_web_are_smaller() -> None:
    assert positions(reader([row(key, f"https://a.test/{key}.jpg") for key in "abc"])()) == [[0, 1], [2]]


def test_reading_continues_after_the_rows_that_are_done_and_tries_the_rejected_ones_again() -> None:
    start = Checkpoint(5, digest(ROWS[:5]), again=(1, 3))
    blocks = list(reader(ROWS, start=start)())
    assert positions(blocks) == [[1, 3, 5, 6], [7, 8, 9]]
    assert blocks[-1].done == (10, digest(ROWS))
    assert not any(block.restarts for block in blocks)


def test_a_source_that_ended_before_its_checkpoint_was_removed_has_nothing_left() -> None:
    assert positions(reader(ROWS, start=Checkpoint(10, digest(ROWS)))()) == [[]]


@pytest.mark.parametrize(
    "changed",
    [
        [row("new"), *ROWS],
        ROWS[1:],
        ROWS[:3],
        [replace(ROWS[0], title="Renamed"), *ROWS[1:]],
        [replace(ROWS[0], attributes={"price": 5}), *ROWS[1:]],
        [replace(ROWS[0], image="https://a.test/0.jpg"), *ROWS[1:]],
        [RejectedRow(0, "0", "the id is missing"), *ROWS[1:]],
    ],
    ids=["a row more", "a row less", "cut", "title", "attribute", "image", "rejected"],
)
def test_a_source_with_other_rows_is_read_from_the_beginning(changed: list[Row]) -> None:
    start = Checkpoint(5, digest(ROWS[:5]), again=(1,))
    first, *rest = reader(changed, start=start)()
    assert first == FeedBlock(restarts=True)
    assert (first.rows, first.progress, first.unreadable, first.done) == ((), (0, 0), 0, None)
    assert positions(rest) == positions(reader(changed)())


def test_rows_before_the_checkpoint_are_among_the_keys_that_a_sync_keeps() -> None:
    rows: list[Row] = [*ROWS, RejectedRow(11, None, "the id is missing"), RejectedRow(12, "12", "no image")]
    outside = row("13", category_words=("Hats",), category_required=True)
    start = Checkpoint(9, digest(ROWS[:9]))
    blocks = list(reader([*rows, outside], start=start, records_keys=True)())
    assert {key for block in blocks for key in block.keys} == {*(str(number) for number in range(10)), "12"}
    assert sum(block.unreadable for block in blocks) == 1
    assert [block.done for block in blocks if block.keys and not block.rows][:2] == [None, None]


def test_other_rows_are_not_taken_for_those_of_the_checkpoint_when_keys_fill_a_block_there() -> None:
    start = Checkpoint(4, digest(ROWS[:4]))
    first, second, *_ = reader([row("new"), *ROWS], start=start, records_keys=True)()
    assert (len(first.keys), first.done, first.restarts) == (4, None, False)
    assert second.restarts


def test_a_limit_counts_products_only() -> None:
    rows: list[Row] = [RejectedRow(0, None, "the id is missing"), *ROWS]
    assert positions(reader(rows, limit=3)()) == [[0, 1, 2, 3], []]


def test_a_part_of_a_source_has_its_own_positions() -> None:
    parts = [list(reader(ROWS, part=Part(number, 2))()) for number in (1, 2)]
    keys = [sorted(each.key or "" for block in blocks for _, each in block.rows) for blocks in parts]
    assert sorted(keys[0] + keys[1]) == [str(number) for number in range(10)]
    assert parts[0][-1].done is not None
    assert parts[0][-1].done[0] == len(keys[0])


def test_a_source_that_breaks_off_gives_its_rows_and_the_reason() -> None:
    def rows() -> Iterable[Row]:
        yield from ROWS[:2]
        raise SourceError("feed.csv is cut short")

    blocks = list(FeedReader(Path("feed.csv"), FeedMapping(), CATEGORIES, open=lambda *_: ListSource(rows()))())
    assert positions(blocks) == [[0, 1]]
    assert blocks[0].broken == "feed.csv is cut short"


def test_a_source_that_cannot_be_opened_is_a_block_with_the_reason(tmp_path: Path) -> None:
    (block,) = FeedReader(tmp_path / "none.csv", FeedMapping(), CATEGORIES)()
    assert block.broken is not None
    assert "does not exist" in block.broken
    again = FeedReader(tmp_path / "none.csv", FeedMapping(), CATEGORIES, start=Checkpoint(1, "a"))
    assert [each.broken for each in again()] == [block.broken]


def test_the_digest_knows_every_field_of_a_row() -> None:
    plain = SourceRow("a", "https://a.test/a.jpg", line=1)
    changes: list[dict[str, object]] = [
        {"key": "b"},
        {"line": 2},
        {"image": "https://a.test/b.jpg"},
        {"title": "A"},
        {"url": "/a"},
        {"image_url": "/a.jpg"},
        {"category_words": ("Shoes",)},
        {"attributes": {"a": 1}},
        {"group": "g"},
        {"images": (RowImage("b.jpg"),)},
        {"hidden": True},
    ]
    others = [replace(plain, **change) for change in changes]  # type: ignore[arg-type]
    assert len({digest([each]) for each in (plain, *others)}) == len(others) + 1
