from typing import Any

import orjson

from services.index.facets import MOST_VALUES, Offer, Summaries, offers


def payload(attributes: dict[str, Any]) -> bytes:
    return orjson.dumps({"attributes": attributes})


def summarised(*attributes: dict[str, Any]) -> list[Offer]:
    payloads = [payload(one) for one in attributes]
    return offers([Summaries().read(payloads, len(payloads)), {}], len(payloads))


def test_an_attribute_with_a_few_values_is_offered() -> None:
    assert summarised({"colour": "Red"}, {"colour": "Blue"}) == [Offer("colour", None)]


def test_one_value_is_no_choice() -> None:
    assert summarised({"colour": "Red"}, {"colour": "Red"}) == []


def test_numbers_are_offered_as_a_range() -> None:
    assert summarised({"price": 9.5}, {"price": 20}) == [Offer("price", (9.5, 20.0))]


def test_an_attribute_with_a_value_for_each_product_is_not_offered() -> None:
    assert summarised(*({"sku": f"A{n}"} for n in range(MOST_VALUES + 1))) == []


def test_an_attribute_that_hardly_any_product_has_is_not_offered() -> None:
    rows = [{"colour": "Red"}, {"colour": "Blue"}, *({"x": "y"} for _ in range(60))]
    assert Offer("colour", None) not in summarised(*rows)


def test_true_and_one_are_two_values() -> None:
    assert summarised({"sale": True}, {"sale": 1}) == [Offer("sale", None)]


def test_rows_that_come_later_are_read_then() -> None:
    payloads: list[bytes | None] = [payload({"colour": "Red"})]
    summaries = Summaries()
    assert offers([summaries.read(payloads, 1)], 1) == []
    payloads.append(payload({"colour": "Blue"}))
    assert offers([summaries.read(payloads, 2)], 2) == [Offer("colour", None)]
