import math

import numpy as np
import pytest

from services.catalogue.attributes import available, price_of, words
from services.catalogue.learning.candidates import cluster_of, nearest
from services.catalogue.learning.click_table import ClickTable
from services.catalogue.learning.signals import MAX_AGE_DAYS, SIGNALS, signals
from tests.support.values.learning import DAY, candidate, search

NAMES = list(SIGNALS)


def column(name: str, *candidates: object, table: ClickTable | None = None, day: int = DAY) -> list[float]:
    matrix = signals(candidates, table or ClickTable(), "Topwear", day)  # type: ignore[arg-type]
    assert matrix.shape == (len(candidates), len(SIGNALS))
    return [float(value) for value in matrix[:, NAMES.index(name)]]


def test_similarity_is_the_score_and_its_distance_from_the_best() -> None:
    near, far = candidate("a", 0.9), candidate("b", 0.7)
    assert column("similarity", far, near) == [0.7, 0.9]
    assert column("below_best", far, near) == pytest.approx([0.2, 0.0])


def test_the_price_is_relative_to_that_of_the_nearest_products() -> None:
    rows = [candidate("a", 0.9, price=20), candidate("b", 0.8, price=10.0), candidate("c", 0.7, price=40)]
    assert column("price", *rows, candidate("d", 0.6)) == pytest.approx(
        [0.0, math.log(0.5), math.log(2), math.nan], nan_ok=True
    )


def test_without_prices_and_attributes_the_signals_are_missing() -> None:
    assert np.isnan(
        [column(name, candidate("a"), candidate("b"))[0] for name in ("price", "agreement", "available")]
    ).all()


def test_agreement_is_the_share_of_the_nearest_products_with_the_same_value() -> None:
    rows = [candidate(str(row), 0.9, color="Red" if row else "blue", gender="men") for row in range(4)]
    assert column("agreement", *rows, candidate("x", 0.5, color=["red", "green"])) == pytest.approx(
        [(0.2 + 1) / 2, *[(0.8 + 1) / 2] * 3, 0.8]
    )


def test_clicks_raise_the_rate_of_a_product() -> None:
    table = ClickTable()
    for _ in range(50):
        table.add(search(["a", "b"], ["b"]), (1.0,))
    first, second = column("click_rate", candidate("a"), candidate("b"), table=table)
    assert first < 0 < second


def test_the_age_has_a_bound() -> None:
    table = ClickTable()
    table.add(search(["a"]), (1.0,))
    assert column("age", candidate("a"), candidate("b"), table=table, day=DAY + 1000) == [MAX_AGE_DAYS, 0]


@pytest.mark.parametrize("price", [None, True, "12", 0, -1, math.inf, math.nan])
def test_a_value_that_is_no_price_is_unknown(price: object) -> None:
    assert math.isnan(price_of({"price": price}))


@pytest.mark.parametrize(
    ("attributes", "value"),
    [
        ({"availability": "in_stock"}, 1.0),
        ({"availability": "preorder"}, 1.0),
        ({"availability": "out_of_stock"}, 0.0),
        ({"in_stock": False}, 0.0),
        ({"in_stock": True}, 1.0),
        ({"availability": "perhaps"}, math.nan),
        ({}, math.nan),
    ],
)
def test_availability_is_that_of_the_feed(attributes: dict[str, object], value: float) -> None:
    assert available(attributes) == pytest.approx(value, nan_ok=True)


def test_words_are_the_values_of_the_first_attribute_that_there_is() -> None:
    assert words({"color": [], "colour": " Red "}, ("color", "colour")) == {"red"}
    assert words({"color": ["Red", "Blue"]}, ("color",)) == {"red", "blue"}
    assert words({}, ("color",)) == frozenset()


def test_a_neighbourhood_has_the_usual_type_colour_and_gender_of_the_nearest_products() -> None:
    rows = [
        candidate("a", 0.9, articleType="Shirts", baseColour="Blue", gender="Men"),
        candidate("b", 0.8, product_type="shirts", color="Red", gender="Men"),
        candidate("c", 0.7, articleType="Tops", color=["Red"], gender="Women"),
    ]
    assert cluster_of("Topwear", rows) == "Topwear/shirts/red/men"
    assert cluster_of("Topwear", [candidate("a")]) == "Topwear///"
    assert cluster_of("Topwear", nearest([*rows, *[candidate(str(n), 0.95) for n in range(20)]])) == "Topwear///"


@pytest.mark.parametrize(("days", "age"), [(0, 0), (89, 89), (90, 90), (91, 90)])
def test_the_age_counts_up_to_ninety_days(days: int, age: int) -> None:
    table = ClickTable()
    table.add(search(["a"]), (1.0,))
    assert column("age", candidate("a"), table=table, day=DAY + days) == [age]


def test_looks_are_counted_by_their_logarithm() -> None:
    table = ClickTable()
    for cluster in ("Topwear", "Topwear", "shoes"):
        table.add(search(["a", "b"], ["b"], cluster=cluster), (1.0, 0.5))
    rows = [candidate("a"), candidate("b"), candidate("new")]
    assert column("examinations", *rows, table=table) == pytest.approx([math.log(4), math.log(2.5), 0])
    assert column("near_examinations", *rows, table=table) == pytest.approx([math.log(3), math.log(2), 0])
    rates = column("click_rate", *rows, table=table), column("near_click_rate", *rows, table=table)
    for of_a, of_b, of_new in rates:
        assert of_a < 0 < of_b and of_new == 0


def test_more_similarity_agreement_clicks_and_stock_can_only_raise_a_product() -> None:
    assert {name for name, direction in SIGNALS.items() if direction == 1} == {
        *("similarity", "agreement", "click_rate", "near_click_rate", "available")
    }
    assert [name for name, direction in SIGNALS.items() if direction not in (0, 1)] == ["below_best"]
    assert SIGNALS["below_best"] == -1


def test_the_ten_nearest_products_say_what_is_usual() -> None:
    rows = [candidate(str(n), 0.9 - n / 100, gender="men", price=20) for n in range(10)]
    rows += [candidate(f"far{n}", 0.5, gender="women", price=80) for n in range(9)]
    assert [near.id for near in nearest(rows[::-1])] == [str(n) for n in range(10)]
    assert column("agreement", *rows) == [1.0] * 10 + [0.0] * 9
    assert column("price", *rows)[0] == 0


def test_of_several_values_the_most_frequent_counts_and_none_is_no_agreement() -> None:
    rows = [candidate("a", color="red"), candidate("b", color=["red", "blue"]), candidate("c")]
    asked = candidate("x", 0.1, color=["blue", "red", "green"])
    assert column("agreement", *rows, asked)[:2] == pytest.approx([1.0, 1.0])
    assert column("agreement", *rows, *[candidate(str(n)) for n in range(9)], candidate("x", 0.1, color="green"))[
        -1
    ] == pytest.approx(0.0)
    assert cluster_of("Topwear", [candidate("a", color=["red", "blue"])]) == "Topwear//blue/"
