"""Results by group."""

from typing import Any

import pytest

from services.contracts.domain import grouping
from services.contracts.domain.grouping import first_of_each, grouped

Item = dict[str, Any]


def itself(item: Item) -> Item:
    return item


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["a", "b", "a", "c", "b"], [0, 1, 3]),
        ([None, None, "a", None, "a"], [0, 1, 2, 3]),
        ([1, True, 1.0, "1", 1], [0, 1, 3]),
        ([["a", "b"], ["a"], ["a", "b"], "a"], [0, 1, 3]),
        ([], []),
    ],
)
def test_the_first_of_each_value_is_kept(values: list[Any], kept: list[int]) -> None:
    items = [{} if value is None else {"style": value} for value in values]
    result = first_of_each(items, "style", itself)
    assert [next(place for place, item in enumerate(items) if item is each) for each in result] == kept


@pytest.mark.parametrize("count", [1, 3, 7, 8])
def test_groups_are_found_however_many_products_each_has(count: int) -> None:
    items: list[Item] = [{"style": number // 40, "id": number} for number in range(300)]
    asked: list[int] = []

    def search(k: int) -> list[Item]:
        asked.append(k)
        return items[:k]

    result = grouped(search, count, "style", itself)
    assert [item["id"] for item in result] == [40 * number for number in range(count)]
    assert asked == sorted(set(asked))


def test_groups_are_made_of_a_bounded_number_of_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MAX_GROUPED", 50)
    items: list[Item] = [{"style": 1}] * 200
    asked: list[int] = []

    def search(k: int) -> list[Item]:
        asked.append(k)
        return items[:k]

    assert grouped(search, 5, "style", itself) == [{"style": 1}]
    assert max(asked) == 50


@pytest.mark.parametrize(("held", "asked"), [(5, [6]), (6, [6, 24]), (24, [6, 24, 96]), (0, [6])])
def test_more_products_are_asked_for_until_there_are_no_more(held: int, asked: list[int]) -> None:
    """The first search is for twice as many products as groups, each further one for four times as many."""
    reaches: list[int] = []

    def search(k: int) -> list[Item]:
        reaches.append(k)
        return [{"style": 1}] * min(k, held)

    assert grouped(search, 3, "style", itself) == [{"style": 1}] * min(1, held)
    assert reaches == asked


def test_no_more_products_are_asked_for_than_groups_need() -> None:
    reaches: list[int] = []

    def search(k: int) -> list[Item]:
        reaches.append(k)
        return [{"style": number} for number in range(k)]

    assert grouped(search, 3, "style", itself) == [{"style": number} for number in range(3)]
    assert reaches == [6]
