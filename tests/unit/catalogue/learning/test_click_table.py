import orjson
import pytest

from services.catalogue.learning import click_table as module
from services.catalogue.learning.click_table import PAIR_PRIOR, PRODUCT_PRIOR, ClickTable, Evidence
from tests.support.values.learning import DAY, search

EQUAL = (1.0,)
FALLING = (1.0, 0.5, 0.25)


def table(*pages: object, propensities: tuple[float, ...] = EQUAL, half_life_days: float = 1e9) -> ClickTable:
    result = ClickTable(half_life_days)
    for page in pages:
        result.add(page, propensities)  # type: ignore[arg-type]
    return result


def test_a_click_where_few_look_counts_more_than_one_at_the_top() -> None:
    pages = [search(["a", "b", "c"], ["a"]), search(["a", "b", "c"], ["c"], day=DAY + 1)]
    known = table(*pages, propensities=FALLING)
    top, low = (known.of(key, "Topwear", DAY + 1) for key in "ac")
    assert (top[1], low[1]) == pytest.approx((2.0, 0.5))
    assert low[0] > top[0]


def test_positions_behind_the_last_propensity_have_its_value() -> None:
    known = table(search(["a", "b", "c", "d", "e"]), propensities=FALLING)
    assert [known.of(key, "Topwear", DAY)[1] for key in "cde"] == [0.25] * 3


def test_a_product_without_evidence_has_the_mean_rate() -> None:
    known = table(search(["a", "b"], ["a"]))
    assert known.of("new", "Topwear", DAY) == (1.0, 0.0, 1.0, 0.0, 0)


def test_rates_are_drawn_to_the_mean_and_the_neighbourhoods_to_the_products() -> None:
    known = table(search(["a"], ["a"], cluster="shirts"), search(["b"], cluster="shoes"))
    mean = 0.5
    rate, examinations, near, near_examinations, _ = known.of("a", "shirts", DAY)
    product = (1 + mean * PRODUCT_PRIOR) / (1 + PRODUCT_PRIOR)
    assert [rate, examinations] == pytest.approx([product / mean, 1.0])
    assert [near, near_examinations] == pytest.approx([(1 + product * PAIR_PRIOR) / (1 + PAIR_PRIOR) / mean, 1.0])
    assert [*known.of("a", "shoes", DAY)[2:4]] == pytest.approx([rate, 0.0])


def test_evidence_counts_half_after_its_half_life() -> None:
    known = table(search(["a"], ["a"]), search(["b"], day=DAY + 14), half_life_days=14)
    assert known.of("a", "Topwear", DAY + 14)[1] == pytest.approx(0.5)
    assert known.of("b", "Topwear", DAY + 14)[1] == pytest.approx(1.0)


def test_the_age_is_the_time_since_shoppers_first_saw_a_product() -> None:
    known = table(search(["a"]), search(["a", "b"], day=DAY + 3))
    assert [known.of(key, "Topwear", DAY + 5)[4] for key in ("a", "b", "new")] == [5, 2, 0]


def test_a_table_is_the_same_after_json() -> None:
    known = table(search(["ü/1", "b"], ["b"]), search(["b"], ["b"], day=DAY + 9), half_life_days=14)
    stored = ClickTable.from_dict(orjson.loads(orjson.dumps(known.to_dict())))
    for key in ("ü/1", "b", "new"):
        assert stored.of(key, "Topwear", DAY + 9) == pytest.approx(known.of(key, "Topwear", DAY + 9), abs=1e-4)


def test_a_stored_table_keeps_the_products_with_the_most_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PRODUCTS", 1)
    monkeypatch.setattr(module, "MAX_PAIRS", 1)
    document = table(search(["a", "b"]), search(["b"], cluster="shoes")).to_dict()
    assert list(document["products"]) == ["b"]
    assert len(document["pairs"]) == 1


def test_an_empty_table_knows_nothing() -> None:
    assert ClickTable().of("a", "Topwear", DAY) == (1.0, 0.0, 1.0, 0.0, 0)


@pytest.mark.parametrize(("clicks", "rate"), [(0, 0.5), (20, 1.0), (40, 1.5)])
def test_twenty_looks_at_a_product_weigh_as_much_as_all_the_others(clicks: int, rate: float) -> None:
    """Of all products, every look is a click here, so `clicks` of 20 looks would be a rate of clicks / 20."""
    known = ClickTable(total=Evidence(100, 100), products={"a": Evidence(clicks, 20)}, first_shown={"a": 0})
    assert known.of("a", "shirts", 0)[0] == rate


def test_ten_looks_in_a_neighbourhood_weigh_as_much_as_all_those_at_the_product() -> None:
    pairs = {("shirts", "new"): Evidence(0, 10)}
    assert ClickTable(total=Evidence(100, 100), pairs=pairs).of("new", "shirts", 0)[2:4] == (0.5, 10)


def test_a_log_without_clicks_leaves_every_product_alike() -> None:
    known = table(search(["a", "b"]))
    assert known.mean_rate == 1e-4
    assert known.of("new", "Topwear", DAY)[:3:2] == (1.0, 1.0)
    assert 0 < known.of("a", "Topwear", DAY)[0] < 1


def test_a_product_has_no_age_before_the_day_on_which_shoppers_first_saw_it() -> None:
    assert table(search(["a"])).of("a", "Topwear", DAY - 2)[4] == 0


def test_evidence_ages_up_to_the_last_day_of_the_log_only() -> None:
    known = table(search(["a"], ["a"]), search(["b"], day=DAY + 14), search(["c"], day=DAY + 7), half_life_days=14)
    assert (known.first_day, known.last_day) == (DAY, DAY + 14)
    assert known.of("a", "Topwear", DAY + 14) == (*known.of("a", "Topwear", DAY + 400)[:4], 14)


def test_a_stored_table_has_four_digits_of_each_count_and_all_that_it_was_made_with() -> None:
    document = table(search(["a", "b"], ["b"]), propensities=(1 / 3,), half_life_days=14).to_dict()
    assert document == {
        "half_life_days": 14,
        "first_day": DAY,
        "last_day": DAY,
        "total": [1.0, 0.6667],
        "products": {"b": [1.0, 0.3333, DAY], "a": [0.0, 0.3333, DAY]},
        "pairs": [["Topwear", "b", 1.0, 0.3333], ["Topwear", "a", 0.0, 0.3333]],
    }
