"""What counts as a wrong result in a fault run."""

import time
from typing import Any

import pytest

from tests.faults.availability import Availability
from tests.faults.journal import Journal
from tests.faults.plan import GONE, Write, category_of, vector_of
from tests.faults.searcher import Search, Searcher

NOW = 100.0


def hit(revision: int, **changes: Any) -> dict[str, Any]:
    shelf = category_of(revision)
    return {"id": "a", "score": 1.0, "category": shelf, "attributes": {"revision": revision, "shelf": shelf}, **changes}


def looking_for(revision: int, available_since: float | None = 0.0) -> Search:
    return Search(category_of(revision), vector_of(revision), "a", NOW, available_since)


@pytest.fixture
def searcher() -> Searcher:
    """A searcher whose journal has a product at revision 1 for long."""
    journal = Journal()
    journal.begin([Write("a", 1)])
    journal.acknowledge([Write("a", 1)], 1.0)
    return Searcher("http://index", Availability(), journal, late_s=2.0)


def change(searcher: Searcher, revision: int, at: float) -> None:
    searcher._journal.begin([Write("a", revision)])
    searcher._journal.acknowledge([Write("a", revision)], at)


def wrong(searcher: Searcher, result: dict[str, Any], search: Search) -> list[str]:
    searcher.wrong.clear()
    searcher._check(result, search)
    return sorted(searcher.wrong)


def test_the_present_revision_is_right(searcher: Searcher) -> None:
    assert wrong(searcher, hit(1), looking_for(1)) == []


def test_another_category_another_vector_and_an_unknown_revision_are_wrong(searcher: Searcher) -> None:
    elsewhere = hit(1, attributes={"revision": 1, "shelf": category_of(1) + 1})
    assert wrong(searcher, elsewhere, looking_for(1)) == ["a result from another category"]
    assert wrong(searcher, hit(1, score=0.9), looking_for(1)) == ["a score of another vector"]
    assert wrong(searcher, hit(7), looking_for(7)) == ["a result that was never written"]


@pytest.mark.parametrize(
    ("then", "what"), [(GONE, "a result deleted long before"), (2, "a result replaced long before")]
)
def test_an_earlier_revision_is_wrong_two_seconds_later_while_all_is_available(
    searcher: Searcher, then: int, what: str
) -> None:
    change(searcher, then, at=NOW - 3)
    assert wrong(searcher, hit(1), looking_for(1)) == [what]
    assert wrong(searcher, hit(1), looking_for(1, available_since=NOW - 1)) == []
    assert wrong(searcher, hit(1), looking_for(1, available_since=None)) == []


def test_a_revision_that_was_replaced_just_now_may_still_be_found(searcher: Searcher) -> None:
    change(searcher, GONE, at=NOW - 1)
    assert wrong(searcher, hit(1), looking_for(1)) == []


def test_a_product_must_be_found_by_its_own_vector(searcher: Searcher) -> None:
    searcher._check_first([hit(1)], looking_for(1), since=1.0)
    assert not searcher.wrong
    searcher._check_first([], looking_for(1), since=NOW - 1)
    assert not searcher.wrong
    searcher._check_first([hit(1, id="b")], looking_for(1), since=1.0)
    assert list(searcher.wrong) == ["a product missing"]


def test_all_is_available_when_nothing_is_down_and_the_index_is_not_stale() -> None:
    availability = Availability()
    before = time.monotonic()
    availability.stopped("index")
    assert availability.since() is None
    availability.started("index")
    availability.index_reports(stale=True)
    assert availability.since() is None
    availability.index_reports(stale=False)
    assert (availability.since() or 0) >= before
