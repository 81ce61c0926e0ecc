"""The counts of an import, its summary, and the file of rejected rows."""

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest

from services.catalogue.importing import report
from services.catalogue.importing.description import Placement, describe
from services.catalogue.importing.report import (
    MAX_LEFT_OUT,
    OTHER_FIELDS,
    Outcome,
    OutcomeLog,
    RejectedFile,
    RejectedFileError,
    Summary,
    Tally,
)
from services.catalogue.product import Prediction
from services.catalogue.sources.records.rows import RejectedRow, ValueProblem, hidden_row
from tests.support.fakes.import_fakes import row
from tests.support.values.products import make_product

COUNTS = (
    *("read", "imported", "updated", "unchanged", "embedded", "not_modified", "skipped", "hidden", "rejected"),
    *("images_rejected", "values_not_understood", "checked", "removed", "would_remove", "category_conflicts"),
)


def test_names_of_fields_that_differ_in_every_row_are_counted_together_after_a_bound() -> None:
    tally = Tally()
    for number in range(5000):
        tally.leave_out(["description", f"field{number}"])
    assert len(tally.left_out) == MAX_LEFT_OUT + 1
    assert tally.left_out["description"] == 5000
    assert tally.left_out.total() == 10_000
    assert tally.left_out[OTHER_FIELDS] == 5000 - (MAX_LEFT_OUT - 1)


def numbered(times: int) -> Tally:
    """Return a tally whose counts are 1, 2, 3 and so on, times a number."""
    tally = Tally()
    for number, name in enumerate(COUNTS, 1):
        setattr(tally, name, times * number)
    return tally


def test_an_import_begins_with_nothing_counted() -> None:
    document = Summary(Tally(), "done", None, 1.0).document()
    assert [document[name] for name in COUNTS] == [0] * len(COUNTS)
    assert (document["left_out"], document["notes"], document["category_sources"]) == ({}, [], {})


def test_a_summary_says_how_the_import_ended(tmp_path: Path) -> None:
    document = Summary(numbered(1), "failed", "fashion/1", 2.40067, "why", tmp_path, dry_run=True).document()
    assert {name: document[name] for name in COUNTS} == {name: number for number, name in enumerate(COUNTS, 1)}
    about = {name: value for name, value in document.items() if name not in COUNTS}
    assert about == {
        "status": "failed",
        "dry_run": True,
        "reason": "why",
        "model": "fashion/1",
        "category_sources": {},
        "left_out": {},
        "notes": [],
        "seconds": 2.401,
        "rate": 8.7,  # imported, updated, unchanged and checked products: 2 + 3 + 4 + 12 in 2.4 seconds
        "rejected_file": str(tmp_path),
    }
    plain = Summary(Tally(imported=1), "done", "fashion/1", 0.0).document()
    assert (plain["rate"], plain["dry_run"], plain["rejected_file"]) == (0, False, None)


def test_the_time_of_an_import_is_that_since_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(report, "time", SimpleNamespace(monotonic=lambda: clock.now))
    tally = Tally(started=clock.now)
    clock.now += 5
    assert tally.seconds == 5


def test_the_counts_of_two_parts_are_added() -> None:
    tally, other = numbered(1), numbered(10)
    tally.leave_out(["x"])
    tally.add_notes(["a", "b"])
    tally.sources["feed"] += 1
    other.leave_out(["x", "y"])
    other.add_notes(["b", "c", "c"])
    other.sources.update({"feed": 1, "network": 2})
    tally.merge(other)
    assert [getattr(tally, name) for name in COUNTS] == [11 * number for number in range(1, len(COUNTS) + 1)]
    assert (tally.left_out, tally.sources) == ({"x": 2, "y": 1}, {"feed": 2, "network": 2})
    assert tally.notes == ["a", "b", "c"]


@pytest.mark.parametrize(("prediction", "conflicts"), [(Prediction(1, 0.9), 0), (Prediction(2, 0.9), 1), (None, 0)])
def test_a_category_that_is_not_the_networks_is_a_conflict(prediction: Prediction | None, conflicts: int) -> None:
    tally = Tally()
    product = make_product("a", 1, np.ones(4, np.float32), "fashion/1", category_source="feed", prediction=prediction)
    tally.count(product, is_new=True)
    tally.count(product, is_new=True)
    tally.count(replace(product, category_source="mapping"), is_new=False)
    assert (tally.imported, tally.updated, tally.category_conflicts) == (2, 1, 3 * conflicts)
    assert tally.sources == {"feed": 2, "mapping": 1}


def test_a_row_that_becomes_no_product_is_hidden_or_outside_the_categories() -> None:
    tally = Tally()
    assert [tally.count_left_out(each) for each in (hidden_row("a", 1), row("b"), row("c"))] == [
        *("hidden", "skipped", "skipped")
    ]
    assert (tally.hidden, tally.skipped) == (1, 2)


def test_the_first_two_hundred_rejected_rows_are_shown_of_which_a_hundred_are_values() -> None:
    rejected = RejectedFile(None)
    for line in range(150):
        rejected.add(RejectedRow(line, "a", "is no price", column="price"))
    for line in range(150, 300):
        rejected.add(RejectedRow(line, "a", "it is broken"))
    assert [entry["line"] for entry in rejected.first] == [*range(100), *range(150, 250)]
    assert rejected.first[0] == {"line": 0, "id": "a", "reason": "is no price", "column": "price"}
    assert rejected.first[-1] == {"line": 249, "id": "a", "reason": "it is broken"}
    assert rejected.close() is None


def test_the_file_has_every_row_and_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rejected.ndjson"
    written: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: written.append(os.fstat(file).st_size))
    rejected = RejectedFile(path)
    for line in range(300):
        rejected.add(RejectedRow(line, None, "why", image="b.png" if line == 7 else None))
    assert not path.exists()
    assert [each.name.startswith(".rejected.ndjson.") for each in tmp_path.iterdir()] == [True]
    assert rejected.close() == path
    assert written == [path.stat().st_size]
    assert path.stat().st_mode & 0o777 == 0o644
    entries = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert [entry["line"] for entry in entries] == list(range(300))
    assert entries[7] == {"line": 7, "id": None, "reason": "why", "image": "b.png"}
    assert list(tmp_path.iterdir()) == [path]


def test_without_rejected_rows_there_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "rejected.ndjson"
    assert RejectedFile(path).close() is None
    path.write_text("of an earlier import")
    assert RejectedFile(path).close() is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_moved_to_its_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    for add in (True, False):
        rejected = RejectedFile(path)
        if add:
            rejected.add(RejectedRow(1, None, "why"))
        with pytest.raises(RejectedFileError, match=r"cannot be written to .*folder: Is a directory"):
            rejected.close()


def test_a_file_that_cannot_be_begun_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RejectedFileError, match=r"cannot be written to .*missing/rejected\.ndjson: No such file"):
        RejectedFile(tmp_path / "missing" / "rejected.ndjson").add(RejectedRow(1, None, "why"))


def test_every_outcome_is_counted_written_down_and_passed_on() -> None:
    outcomes: list[Outcome] = []
    rejected = RejectedFile(None)
    log = OutcomeLog(rejected, outcomes.append)
    given = row("a", line=3, problems=(ValueProblem("price", "ask", "is no price"),) * 2)
    item = describe(given, Placement(None, "network"))
    log.done(given, "imported")
    log.rejected(RejectedRow(4, None, "not UTF-8"))
    log.product_rejected(item, "it is broken")
    log.values_not_understood(given)
    log.image_rejected(item, "b.png", "it is gone")
    value: tuple[Any, ...] = (3, "a", "value_not_understood", "price 'ask' is no price", None, "price")
    assert outcomes == [
        Outcome(3, "a", "imported"),
        Outcome(4, None, "rejected", "not UTF-8"),
        Outcome(3, "a", "rejected", "it is broken"),
        Outcome(*value),
        Outcome(*value),
        Outcome(3, "a", "image_rejected", "it is gone", "b.png"),
    ]
    tally = log.tally
    assert (tally.rejected, tally.values_not_understood, tally.images_rejected) == (2, 2, 1)
    assert [entry["line"] for entry in rejected.first] == [4, 3, 3, 3, 3]
