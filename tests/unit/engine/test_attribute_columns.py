"""Columns of attributes: which are kept, when rows are read, and that searches do not wait while columns are built."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import orjson
import pytest

from services.contracts.domain.errors import UpstreamTimeout
from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.engine import attribute_columns
from services.engine.attribute_columns import MAX_COUNTED, MAX_FILTERED
from services.engine.deadline import NO_DEADLINE, Deadline
from services.engine.packed.rows import PackedRows
from services.engine.payload import attributes_of
from services.engine.segment import Segment, Tail, merge_segments
from tests.support.waiting import WITHIN_S


def segment(*rows: Mapping[str, Any]) -> Tail:
    result = Tail()
    for number, attributes in enumerate(rows):
        append(result, str(number), attributes)
    return result


def append(rows: Tail, key: str, attributes: Mapping[str, Any]) -> None:
    rows.append(key, orjson.dumps({"attributes": dict(attributes)}))


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[bytes | None]:
    """The payloads that are parsed, in order."""
    parsed: list[bytes | None] = []

    def counted(payload: bytes | None) -> Any:
        if payload is not None:
            parsed.append(payload)
        return attributes_of(payload)

    monkeypatch.setattr(attribute_columns, "attributes_of", counted)
    return parsed


def matching(rows: Segment, source: dict[str, Any]) -> list[bool]:
    result: list[bool] = rows.matching(parse_filter(source), len(rows.keys)).tolist()
    return result


def test_an_attribute_that_no_row_has_costs_no_reading_and_leaves_nothing(readings: list[bytes | None]) -> None:
    rows = segment({"colour": "red"}, {"colour": "blue"})
    assert matching(rows, {"colour": "red"}) == [True, False]
    readings.clear()
    unknown = {f"unknown{number}": 1 for number in range(100)}
    assert matching(rows, unknown) == [False, False]
    assert matching(rows, {"$not": {"unknown": 1}}) == [True, True]
    assert (readings, rows.columns.kept) == ([], ("colour",))


def test_the_columns_of_a_filter_are_built_in_one_reading(readings: list[bytes | None]) -> None:
    rows = segment(*({f"a{number}": number for number in range(50)} | {"row": row} for row in range(3)))
    matching(rows, {"a0": 0})
    readings.clear()
    assert matching(rows, {f"a{number}": number for number in range(50)}) == [True] * 3
    assert len(readings) == 3


def test_new_rows_are_read_once_for_all_columns(readings: list[bytes | None]) -> None:
    rows = segment({"a": 1, "b": 2})
    matching(rows, {"a": 1, "b": 2})
    readings.clear()
    append(rows, "1", {"a": 1, "b": 3, "c": 4})
    assert matching(rows, {"a": 1, "b": 3}) == [False, True]
    assert matching(rows, {"b": 2}) == [True, False]
    assert len(readings) == 1
    assert matching(rows, {"c": 4}) == [False, True]


def test_a_payload_that_consecutive_rows_share_is_parsed_once(readings: list[bytes | None]) -> None:
    rows = segment()
    for key, colour in (("a", "red"), ("a", "red"), ("b", "blue"), ("b", "blue"), ("c", "red")):
        append(rows, key, {"colour": colour})
    assert matching(rows, {"colour": "red"}) == [True, True, False, False, True]
    assert len(readings) == 2 * 3  # once for the names, and once for the column


def test_rows_without_a_payload_have_no_attributes(readings: list[bytes | None]) -> None:
    rows = segment({"colour": "red"})
    rows.append("b", None)
    append(rows, "c", {"colour": "red"})
    assert matching(rows, {"colour": "red"}) == [True, False, True]
    assert matching(rows, {"$not": {"colour": "red"}}) == [False, True, False]


def test_the_least_recently_used_columns_are_dropped() -> None:
    count = MAX_FILTERED + 20
    rows = segment({f"a{number}": number for number in range(count)})
    for number in range(count):
        assert matching(rows, {f"a{number}": number}) == [True]
        assert matching(rows, {"a0": 0}) == [True]
    assert len(rows.columns.kept) == MAX_FILTERED
    assert {"a0", f"a{count - 1}"} <= set(rows.columns.kept)
    assert "a1" not in rows.columns.kept
    assert matching(rows, {"a1": 1}) == [True]


def test_a_filter_that_finds_its_column_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_columns, "MAX_FILTERED", 2)
    rows = segment({"a": 1, "b": 1, "c": 1})
    for name in ("a", "b", "a", "c"):
        assert matching(rows, {name: 1}) == [True]
    assert sorted(rows.columns.kept) == ["a", "c"]


def test_a_column_for_facets_that_a_filter_names_is_kept_for_the_filter_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in {"MAX_VALUES": 2, "MAX_KEPT_TEXTS": 3}.items():
        monkeypatch.setattr(attribute_columns, name, number)
    rows = segment(*({"title": "t", "sku": "s"} for _ in range(3)))
    assert sorted(rows.count_values(EVERYTHING, np.ones(3, np.bool_))) == ["sku", "title"]
    assert matching(rows, {"title": "t"}) == [True] * 3
    for number in range(5):
        append(rows, f"many{number}", {"title": f"t{number}", "sku": f"s{number}"})
    assert rows.count_values(EVERYTHING, np.ones(8, np.bool_)) == {}
    assert rows.columns.uncounted == {"title", "sku"}
    assert rows.columns.kept == ("title",)


def test_of_very_many_attributes_those_that_most_rows_have_are_counted() -> None:
    rare = [{f"rare{number}": 1} for number in range(2 * MAX_COUNTED)]
    rows = segment(*rare, {"colour": "red"}, {"colour": "blue"})
    counts = rows.count_values(EVERYTHING, np.ones(len(rows.keys), np.bool_))
    assert len(counts) == MAX_COUNTED
    assert counts["colour"].texts == {"red": 1, "blue": 1}


def test_a_column_that_a_filter_names_is_kept_when_facets_are_counted(
    readings: list[bytes | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attribute_columns, "MAX_VALUES", 2)
    monkeypatch.setattr(attribute_columns, "MAX_KEPT_TEXTS", 3)
    rows = segment(*({"title": f"t{number}", "colour": "red"} for number in range(5)))
    everything = np.ones(5, np.bool_)
    columns = rows.columns.get(["title"], 5, counted=True)
    assert (sorted(columns), rows.columns.uncounted) == (["colour", "title"], frozenset({"title"}))
    readings.clear()
    assert rows.count_values(parse_filter({"title": "t3"}), everything)["colour"].texts == {"red": 1}
    assert readings == []


def test_a_column_that_a_filter_named_long_ago_is_not_kept_for_its_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in {"MAX_FILTERED": 1, "MAX_COUNTED": 1, "MAX_VALUES": 2, "MAX_KEPT_TEXTS": 3}.items():
        monkeypatch.setattr(attribute_columns, name, number)
    rows = segment({"title": "t", "size": 1}, {"colour": "red"}, {"colour": "red"})

    def count() -> list[str]:
        return sorted(rows.count_values(EVERYTHING, np.ones(len(rows.keys), np.bool_)))

    assert count() == ["colour"]
    matching(rows, {"title": "t"})
    matching(rows, {"size": 1})
    assert sorted(rows.columns.kept) == ["colour", "size"]  # the title is the least recently used
    for number in range(2):
        append(rows, f"few{number}", {"title": "t"})
    assert count() == ["title"]  # it is counted now, because most rows have it
    for number in range(5):
        append(rows, f"many{number}", {"title": f"t{number}"})
    count()
    assert rows.columns.uncounted == {"title"}
    assert "title" not in rows.columns.kept


def test_names_of_rows_that_are_gone_are_forgotten_by_a_merge() -> None:
    base, tail = segment({"colour": "red"}, {"size": 38}), segment({"brand": "A"})
    everything = parse_filter({"$or": [{"colour": "red"}, {"size": 38}, {"brand": "A"}]})
    base.matching(everything, 2)
    new_rows = np.array([0, -1, 1])
    rows = PackedRows.of(["0", "2"], [base.payloads[0], tail.payloads[0]], np.zeros(2, np.uint8))
    merged = merge_segments(base, tail, new_rows, rows)
    assert matching(merged, {"colour": "red"}) == [True, False]
    assert matching(merged, {"brand": "A"}) == [False, True]
    assert matching(merged, {"size": 38}) == [False, False]
    assert sorted(merged.columns.kept) == ["brand", "colour"]


class Gate:
    """Blocks the thread that reads a payload until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def attributes_of(self, payload: bytes | None) -> Any:
        self.reached.set()
        assert self.opened.wait(WITHIN_S)
        return attributes_of(payload)


def test_a_search_does_not_wait_while_columns_for_another_one_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = segment({"colour": "red", "size": 38})
    matching(rows, {"colour": "red"})
    gate = Gate()
    monkeypatch.setattr(attribute_columns, "attributes_of", gate.attributes_of)
    with ThreadPoolExecutor(2) as pool:
        building = pool.submit(matching, rows, {"size": 38})
        assert gate.reached.wait(WITHIN_S)
        try:
            assert pool.submit(matching, rows, {"colour": "red", "unknown": 1}).result(WITHIN_S) == [False]
            assert pool.submit(matching, rows, {"colour": "red"}).result(WITHIN_S) == [True]
            with pytest.raises(UpstreamTimeout):  # it needs the column that is being built
                rows.matching(parse_filter({"size": 38}), 1, Deadline.after(0.0))
        finally:
            gate.opened.set()
        assert building.result(WITHIN_S) == [True]


def test_a_filter_and_a_count_are_given_up_at_their_deadline() -> None:
    rows = segment({"colour": "red"})
    matching(rows, {"colour": "red"})
    over = Deadline(at=10.0, seconds=1.5, clock=lambda: 10.0)
    with pytest.raises(UpstreamTimeout, match=r"longer than 1\.5 s"):
        rows.matching(parse_filter({"colour": "red"}), 1, over)
    rows.count_values(EVERYTHING, np.ones(1, np.bool_))
    with pytest.raises(UpstreamTimeout):
        rows.count_values(EVERYTHING, np.ones(1, np.bool_), over)


def test_a_search_that_waits_for_columns_is_given_up_at_its_deadline_and_not_before() -> None:
    rows = segment({"colour": "red"})
    times = iter([9.9999, 9.9999, 9.9999, 9.9999, 10.0, 10.0])  # the lock may give up before the time is over
    waiting = Deadline(at=10.0, seconds=1.0, clock=lambda: next(times))
    with rows.columns._building, pytest.raises(UpstreamTimeout):
        rows.columns.get(["colour"], 1, deadline=waiting)
    assert next(times, None) is None
    assert rows.columns.get(["colour"], 1, deadline=NO_DEADLINE).keys() == {"colour"}
