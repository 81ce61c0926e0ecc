"""Categories by name and by id."""

import pytest

from services.contracts.domain.categories import held_categories, resolve_category
from services.contracts.domain.errors import UnknownCategory

NAMES = ["Topwear", "Shoes", "Bags"]


@pytest.mark.parametrize("asked", ["Shoes", "shoes", " SHOES ", "1"])
def test_a_category_is_found_by_its_name_in_any_case_or_by_its_id(asked: str) -> None:
    assert resolve_category(asked, NAMES) == 1


@pytest.mark.parametrize("asked", ["Hats", "3", "-1", ""])
def test_an_unknown_category_is_named_with_what_there_is(asked: str) -> None:
    with pytest.raises(UnknownCategory, match="Topwear, Shoes, Bags"):
        resolve_category(asked, NAMES)


def test_a_node_holds_what_it_is_told_and_everything_when_it_is_told_nothing() -> None:
    assert held_categories(("bags", "0", "Bags"), NAMES) == {0, 2}
    assert held_categories((), NAMES) == {0, 1, 2}


def test_a_node_is_not_told_to_hold_what_there_is_not() -> None:
    with pytest.raises(UnknownCategory, match="'Hats': take one of Topwear, Shoes, Bags"):
        held_categories(("Shoes", "Hats"), NAMES)
