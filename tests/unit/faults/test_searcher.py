"""What the fault run takes for a wrong answer."""

import time
from typing import Any

import pytest

from tests.faults.journal import Journal
from tests.faults.plan import GONE, Write, category_of, vector_of
from tests.faults.searcher import Search, Searcher
from tests.faults.weather import Weather

NOW = 100.0


def hit(revision: int, **changes: Any) -> dict[str, Any]:
    shelf = category_of(revision)
    return {"id": "a", "score": 1.0, "category": shelf, "attributes": {"revision": revision, "shelf": shelf}, **changes}


def looking_for(revision: int, well_since: float | None = 0.0) -> Search:
    return Search(category_of(revision), vector_of(revision), "a", NOW, well_since)


@pytest.fixture
def searcher() -> Searcher:
    """One that knows of a product that stands at revision 1 since long ago."""
    journal = Journal()
    journal.begin([Write("a", 1)])
    journal.acknowledge([Write("a", 1)], 1.0)
    return Searcher("http://index", Weather(), journal, late_s=2.0)


def change(searcher: Searcher, revision: int, at: float) -> None:
    searcher._journal.begin([Write("a", revision)])
    searcher._journal.acknowledge([Write("a", revision)], at)


def wrong(searcher: Searcher, found: dict[str, Any], search: Search) -> list[str]:
    searcher.wrong.clear()
    searcher._judge(found, search)
    return sorted(searcher.wrong)


def test_what_stands_is_right(searcher: Searcher) -> None:
    assert wrong(searcher, hit(1), looking_for(1)) == []


def test_another_category_another_vector_and_what_nobody_wrote_are_wrong(searcher: Searcher) -> None:
    elsewhere = hit(1, attributes={"revision": 1, "shelf": category_of(1) + 1})
    assert wrong(searcher, elsewhere, looking_for(1)) == ["a result from another category"]
    assert wrong(searcher, hit(1, score=0.9), looking_for(1)) == ["a score of another vector"]
    assert wrong(searcher, hit(7), looking_for(7)) == ["a result that nobody has written"]


@pytest.mark.parametrize(
    ("then", "what"), [(GONE, "a result deleted long before"), (2, "a result replaced long before")]
)
def test_what_is_no_more_is_wrong_two_seconds_later_while_all_is_well(searcher: Searcher, then: int, what: str) -> None:
    change(searcher, then, at=NOW - 3)
    assert wrong(searcher, hit(1), looking_for(1)) == [what]
    assert wrong(searcher, hit(1), looking_for(1, well_since=NOW - 1)) == []
    assert wrong(searcher, hit(1), looking_for(1, well_since=None)) == []


def test_what_was_changed_just_now_may_still_be_found(searcher: Searcher) -> None:
    change(searcher, GONE, at=NOW - 1)
    assert wrong(searcher, hit(1), looking_for(1)) == []


def test_a_product_has_to_be_found_by_its_own_vector(searcher: Searcher) -> None:
    searcher._judge_first([hit(1)], looking_for(1), since=1.0)
    assert not searcher.wrong
    searcher._judge_first([], looking_for(1), since=NOW - 1)
    assert not searcher.wrong
    searcher._judge_first([hit(1, id="b")], looking_for(1), since=1.0)
    assert list(searcher.wrong) == ["a product missing"]


def test_all_is_well_when_nothing_is_away_and_the_index_is_level() -> None:
    weather = Weather()
    before = time.monotonic()
    weather.goes("index")
    assert weather.well_since() is None
    weather.comes("index")
    weather.told(behind=True)
    assert weather.well_since() is None
    weather.told(behind=False)
    assert (weather.well_since() or 0) >= before
