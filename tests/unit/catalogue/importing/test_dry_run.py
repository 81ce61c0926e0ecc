"""A dry run: what it counts, writes down and reports, without any service."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from services.catalogue.importing.description import Placer
from services.catalogue.importing.dry_run import check
from services.catalogue.importing.report import RejectedFile, Tally
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import (
    RejectedRow,
    RowImage,
    SourceError,
    SourceImageError,
    SourceRow,
    ValueProblem,
    hidden_row,
)
from services.contracts.domain.manifest import InputSize
from tests.support.fakes.import_fakes import CATEGORIES, ListSource, row
from tests.support.web.http import picture

PICTURE = picture()
LINK = "https://a.test/1.png"


def missing() -> bytes:
    raise SourceImageError("there is no image 3.jpg")


class Checked:
    """A dry run of these rows."""

    def __init__(self, *rows: SourceRow | RejectedRow, limit: int | None = None, source: Any = None) -> None:
        self.source = source or ListSource(rows)
        self.tally = Tally()
        self.rejected = RejectedFile(None)
        self.reported: list[int] = []
        placer = Placer(CATEGORIES, FeedMapping())
        check(
            self.source,
            placer,
            InputSize(height=80, width=80),
            self.rejected,
            self.tally,
            limit,
            lambda: self.reported.append(self.tally.read),
        )

    @property
    def counts(self) -> dict[str, int]:
        return {name: count for name, count in vars(self.tally).items() if isinstance(count, int) and count}

    def lines(self) -> Sequence[tuple[int, str, str | None, str | None]]:
        return [
            (entry["line"], entry["reason"], entry.get("image"), entry.get("column")) for entry in self.rejected.first
        ]


def test_rows_without_a_problem_are_counted_and_urls_are_not_fetched() -> None:
    checked = Checked(row("file", PICTURE), row("web", LINK))
    assert checked.counts == {"read": 2, "checked": 2}
    assert (checked.tally.products, checked.lines()) == (2, [])


def test_each_kind_of_fault_is_counted_and_written_down() -> None:
    images = (RowImage("a.png", lambda: PICTURE), RowImage("b.png", lambda: b"broken"), RowImage("c.png", missing))
    problem = ValueProblem("price", "ask", "is not an amount of money")
    checked = Checked(
        RejectedRow(1, None, "not UTF-8"),
        row("broken", b"broken", line=2),
        SourceRow(key="missing", image=missing, line=3),
        hidden_row("hidden", 4),
        row("outside", LINK, category_words=("Hats",), category_required=True, line=5),
        row("good", PICTURE, images=(*images, RowImage(LINK)), problems=(problem, problem), left_out=("x",), line=6),
    )
    assert checked.counts == {
        "read": 6,
        "rejected": 3,
        "hidden": 1,
        "skipped": 1,
        "checked": 1,
        "images_rejected": 2,
        "values_not_understood": 2,
    }
    assert checked.tally.left_out == {"x": 1}
    lines = checked.lines()
    assert lines[0] == (1, "not UTF-8", None, None)
    assert (lines[1][0], lines[2]) == (2, (3, "there is no image 3.jpg", None, None))
    assert [line[2] for line in lines[3:5]] == ["b.png", "c.png"]
    assert lines[4] == (6, "there is no image 3.jpg", "c.png", None)
    assert lines[5:] == [(6, "price 'ask' is not an amount of money", None, "price")] * 2


@pytest.mark.parametrize(("limit", "given"), [(None, 5), (5, 5), (2, 4), (0, 1)])
def test_the_limit_counts_products_and_nothing_more_is_read(limit: int | None, given: int) -> None:
    rows = [row(str(n), LINK, category_words=("Hats",), category_required=n == 1) for n in range(5)]
    checked = Checked(*rows, limit=limit)
    assert checked.source.given == given
    assert checked.tally.checked == min(4, 4 if limit is None else limit)


def test_progress_is_reported_every_hundred_rows() -> None:
    assert Checked(*(row(str(n), LINK) for n in range(250))).reported == [100, 200]


def test_the_notes_of_a_source_count_even_if_it_breaks_off() -> None:
    class Broken(ListSource):
        notes = ("the first line is blank",)

        def rows(self) -> Iterator[SourceRow | RejectedRow]:
            yield row("a", LINK)
            raise SourceError("the feed breaks off")

    class Whole(ListSource):
        notes: tuple[str, ...] = ()

        def rows(self) -> Iterator[SourceRow | RejectedRow]:
            yield from super().rows()
            self.notes = ("the last line is blank",)

    tally = Tally()
    with pytest.raises(SourceError, match="breaks off"):
        check(Broken([]), Placer(CATEGORIES, FeedMapping()), InputSize(height=80, width=80), RejectedFile(None), tally)
    assert (tally.notes, tally.checked) == (["the first line is blank"], 1)
    assert Checked(source=Whole([row("a", LINK)])).tally.notes == ["the last line is blank"]


def test_rejected_rows_are_in_the_file(tmp_path: Path) -> None:
    rejected = RejectedFile(tmp_path / "rejected.ndjson")
    rows = ListSource([row("a", b"broken", line=1)])
    check(rows, Placer(CATEGORIES, FeedMapping()), InputSize(height=80, width=80), rejected, Tally())
    assert rejected.close() == tmp_path / "rejected.ndjson"
    assert b'"line":1,"id":"a"' in (tmp_path / "rejected.ndjson").read_bytes()
