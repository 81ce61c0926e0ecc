"""Categories by name and by id."""

import pytest

from services.contracts.domain.categories import held_categories, resolve_category
from services.contracts.domain.errors import UnknownCategory

NAMES = ["Topwear", "Shoes", "Bags"]


@pytest.mark.parametrize("text", ["Shoes", "shoes", " SHOES ", "1"])
def test_a_category_is_resolved_by_its_name_in_any_case_or_by_its_id(text: str) -> None:
    assert resolve_category(text, NAMES) == 1


@pytest.mark.parametrize("text", ["Hats", "3", "-1", ""])
def test_the_error_of_an_unknown_category_lists_the_categories(text: str) -> None:
    with pytest.raises(UnknownCategory, match="Topwear, Shoes, Bags"):
        resolve_category(text, NAMES)


def test_a_node_holds_the_chosen_categories_or_all() -> None:
    assert held_categories(("bags", "0", "Bags"), NAMES) == {0, 2}
    assert held_categories((), NAMES) == {0, 1, 2}


def test_an_unknown_category_of_a_node_is_an_error() -> None:
    with pytest.raises(UnknownCategory, match="'Hats': use one of Topwear, Shoes, Bags"):
        held_categories(("Shoes", "Hats"), NAMES)
