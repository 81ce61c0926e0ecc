import pytest

from services.contracts.errors import UnknownCategory
from services.gateway.search import judge, resolve_category

NAMES = ["Topwear", "Shoes", "Bags"]


@pytest.mark.parametrize("asked", ["Shoes", "shoes", " SHOES ", "1"])
def test_a_category_is_found_by_its_name_in_any_case_or_by_its_id(asked: str) -> None:
    assert resolve_category(asked, NAMES) == 1


@pytest.mark.parametrize("asked", ["Hats", "3", "-1", ""])
def test_an_unknown_category_is_named_with_what_there_is(asked: str) -> None:
    with pytest.raises(UnknownCategory, match="Topwear, Shoes, Bags"):
        resolve_category(asked, NAMES)


def test_without_thresholds_any_result_is_ok() -> None:
    assert judge({}, 0.2, -0.3) == "ok"


def test_no_result_is_no_close_match() -> None:
    assert judge({}, 0.9, None) == "no_close_match"


def test_an_unsure_prediction_is_no_clothing() -> None:
    assert judge({"no_clothing": 0.5}, 0.4, 0.99) == "no_clothing"


def test_a_category_that_the_caller_chose_is_not_doubted() -> None:
    assert judge({"no_clothing": 0.5}, None, 0.99) == "ok"


def test_a_best_result_below_the_threshold_is_no_close_match() -> None:
    assert judge({"no_close_match": 0.8}, 0.9, 0.7) == "no_close_match"
