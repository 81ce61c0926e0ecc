"""For whom garments are, by their attribute `gender`."""

from typing import Any

import pytest

from services.contracts.domain.filtering.filter_match import matches
from services.gateway.look.people import GROUPS, group_of, of_others, shared_group

WOMEN, MEN, GIRLS, BOYS = range(4)


@pytest.mark.parametrize(
    ("gender", "group"),
    [
        ("women", WOMEN),
        (" Ladies ", WOMEN),
        ("MALE", MEN),
        ("Girl", GIRLS),
        ("boys", BOYS),
        ("unisex", None),
        ("", None),
        (["Women"], None),
        (1, None),
        (None, None),
    ],
)
def test_a_garment_is_for_the_group_that_its_attribute_names(gender: Any, group: int | None) -> None:
    assert group_of({} if gender is None else {"gender": gender}) == group


@pytest.mark.parametrize(
    ("women", "others", "group"),
    [(7, 3, WOMEN), (6, 4, None), (10, 0, WOMEN), (1, 0, WOMEN), (1, 1, None), (0, 3, None), (0, 0, None)],
)
def test_a_group_is_shared_if_seven_of_ten_are_for_it(women: int, others: int, group: int | None) -> None:
    assert shared_group([{"gender": "Women"}] * women + [{"gender": "Unisex"}] * others) == group


@pytest.mark.parametrize("group", range(4))
def test_garments_for_others_are_those_of_every_other_group(group: int) -> None:
    condition = of_others(group)
    for number, words in enumerate(GROUPS):
        for word in words:
            for form in (word, word.capitalize(), word.upper()):
                assert matches(condition, {"gender": form}) is (number != group)
    assert not matches(condition, {"gender": "unisex"})
    assert not matches(condition, {})
