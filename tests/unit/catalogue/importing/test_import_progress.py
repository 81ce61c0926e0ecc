"""What an import reports while it runs, and how its batches and requests are cut."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from services.catalogue.importing.description import Placement, describe
from services.catalogue.importing.embedding import NO_EMBEDDING, in_requests, refusal
from services.catalogue.importing.images import LoadedImage, LoadedRow, stored_picture
from services.catalogue.importing.importer import ImportOptions
from services.catalogue.importing.report import Outcome, Tally
from services.catalogue.product import ProductImage
from services.catalogue.sources.records.rows import RejectedRow, RowImage, SourceRow, hidden_row
from services.contracts.domain.errors import ImageServerUnavailable
from services.contracts.images.fetch import FetchedImage, Validators
from services.contracts.wire.embedding import BatchError, BatchItem
from tests.support.fakes.import_fakes import ListSource, World, row

MIB = 1024 * 1024


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_the_counts_are_reported_when_rows_were_read_and_when_they_were_written(world: World) -> None:
    reported: list[tuple[int, int]] = []
    rows = [row(f"{n}", b"\x00%d" % n) for n in range(5)]
    options = ImportOptions(together=2, in_flight=1)
    await world.run(*rows, options=options, on_progress=lambda tally: reported.append((tally.read, tally.imported)))
    assert reported[0] == (2, 0)
    assert sorted(reported)[-1] == (5, 5)
    assert {read for read, _ in reported} == {2, 4, 5}
    assert {imported for _, imported in reported} == {0, 2, 4, 5}


async def test_rows_that_are_not_taken_are_reported_in_portions(world: World) -> None:
    reported: list[int] = []
    rows = [RejectedRow(n, None, "why") if n % 2 else hidden_row(f"{n}", n) for n in range(3000)]
    tally = await world.run(*rows, on_progress=lambda tally: reported.append(tally.read))
    assert reported == [1280, 2560, 3000]
    assert (tally.rejected, tally.hidden, tally.imported) == (1500, 1500, 0)


async def test_what_became_of_each_row_is_passed_on(world: World) -> None:
    await world.run(row("same", b"\x00a"), row("changed", b"\x00b"))
    outcomes: list[Outcome] = []
    await world.run(
        *(row("same", b"\x00a", line=1), row("changed", b"\x01c", line=2), row("new", b"\x00d", line=3)),
        *(row("outside", category_required=True, category_words=("Hats",), line=4), hidden_row("hidden", 5)),
        RejectedRow(6, None, "not UTF-8"),
        on_outcome=outcomes.append,
    )
    assert sorted((outcome.line or 0, outcome.fate) for outcome in outcomes) == [
        *((1, "unchanged"), (2, "updated"), (3, "imported"), (4, "skipped"), (5, "hidden"), (6, "rejected"))
    ]


@pytest.mark.parametrize(("limit", "given"), [(0, 0), (1, 1), (2, 2), (3, 3), (5, 5), (9, 5)])
async def test_no_more_products_are_taken_than_the_limit_over_all_batches(world: World, limit: int, given: int) -> None:
    source = ListSource(row(f"{n}", b"\x00%d" % n) for n in range(5))
    tally = await world.run(source=source.rows(), options=ImportOptions(limit=limit, together=2))
    assert (tally.read, tally.imported, source.given) == (given, given, given)


async def test_the_notes_that_a_source_has_after_its_last_row_are_in_the_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(source: ListSource) -> Iterator[SourceRow | RejectedRow]:
        yield row("a")
        monkeypatch.setattr(ListSource, "notes", ("the last line is blank",), raising=False)

    monkeypatch.setattr(ListSource, "rows", rows)
    assert (await world.run()).notes == ["the last line is blank"]


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([], []),
        ([8, 8, 1], [[8, 8], [1]]),
        ([8, 8, 8, 8], [[8, 8], [8, 8]]),
        ([15, 2, 1], [[15], [2, 1]]),
        ([17, 1], [[17], [1]]),
        ([1, 17, 1], [[1], [17], [1]]),
        ([0] * 5, [[0] * 3, [0] * 2]),
    ],
)
def test_a_request_has_at_most_sixteen_megabytes_and_so_many_images(sizes: list[int], parts: list[list[int]]) -> None:
    assert list(in_requests(sizes, lambda size: size * MIB, most=3)) == parts


def test_a_byte_more_than_sixteen_megabytes_takes_another_request() -> None:
    assert len(list(in_requests([8 * MIB, 8 * MIB + 1], int))) == 2
    assert len(list(in_requests([16 * MIB, 8 * MIB, 8 * MIB + 1], int))) == 3


def test_an_image_without_an_embedding_has_a_reason() -> None:
    assert refusal(BatchItem(error=BatchError(type="/problems/x", status=422, detail="it is broken"))) == "it is broken"
    assert refusal(BatchItem.model_construct(embedding=None, error=None)) == NO_EMBEDDING


@pytest.mark.parametrize(("more", "groups"), [(-1, [33]), (0, [32, 1]), (1, [32, 1])])
async def test_images_of_sixteen_megabytes_are_handled_together(world: World, more: int, groups: list[int]) -> None:
    written: list[int] = []
    rows = [row(f"{n}", bytes([n]) * (MIB // 2 + (more if n == 0 else 0))) for n in range(32)]

    def report(tally: Tally) -> None:
        written.append(tally.imported)

    await world.run(*rows, row("last"), on_progress=report)
    assert [after - before for before, after in pairwise(written) if after > before] == groups


def test_an_image_that_was_not_sent_takes_no_memory() -> None:
    sent, unsent = (LoadedImage("a", None, data, "hash") for data in (b"abc", None))
    assert (sent.size, unsent.size) == (3, 0)
    item = describe(row("A"), Placement(None, "network"))
    assert LoadedRow(item, (sent, unsent, sent)).size == 6
    assert (LoadedRow(item, (sent, unsent)).main, LoadedRow(item, (sent,)).key) == (sent, "A")
    assert LoadedRow(item, (sent, unsent)).product_images == (ProductImage(None, "hash"),) * 2
    assert stored_picture(b"\x89PNG\r\n\x1a\nxx").content_type == "image/png"
    assert stored_picture(b"no picture").content_type == "image/octet-stream"


async def test_an_import_that_is_stopped_while_it_fetches_writes_what_it_has(world: World) -> None:
    async def stopped(url: str, known: Validators) -> FetchedImage:
        world.stopping.set()
        raise ImageServerUnavailable("it is busy", wait_s=30)

    world.web.get = stopped  # type: ignore[method-assign]
    tally = await world.run(row("web", "https://a.test/1.png"), row("file"))
    assert (tally.imported, tally.rejected, set(world.catalogue.products)) == (1, 0, {"file"})


async def test_a_row_whose_additional_images_are_not_loaded_when_an_import_is_stopped_is_left_out(
    world: World,
) -> None:
    async def last(url: str, known: Validators) -> FetchedImage:
        world.stopping.set()
        return FetchedImage(b"\x00web", Validators("1"))

    world.web.get = last  # type: ignore[method-assign]
    more = (RowImage("b.jpg", lambda: b"\x01back"),)
    tally = await world.run(row("A", "https://a.test/1.png", images=more), row("B"))
    assert (tally.imported, tally.rejected, tally.images_rejected) == (1, 0, 0)
    assert set(world.catalogue.products) == {"B"}


async def test_a_fault_of_the_program_in_an_additional_image_ends_the_import(world: World) -> None:
    def broken() -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await world.run(row("A", images=(RowImage("b.jpg", broken),)))
