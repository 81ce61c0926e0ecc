import zlib
from typing import Any

import numpy as np
import orjson
import pytest

from services.catalogue.learning.candidates import LoggedCandidate
from services.catalogue.learning.learned_order import InvalidLearnedOrder, LearnedOrder
from services.catalogue.learning.signals import SIGNALS
from tests.support.values.learning import DAY, candidate, order_by

ROWS: list[LoggedCandidate] = [candidate("a", 0.9), candidate("c", 0.85), candidate("b", 0.8)]


def test_a_clicked_product_comes_first_within_the_bound() -> None:
    order = order_by("click_rate")
    assert order.order(ROWS, "Topwear", DAY, bound=0.1) == [2, 0, 1]
    assert order.order(ROWS, "Topwear", DAY, bound=0.06) == [0, 2, 1]
    assert order.order(ROWS, "Topwear", DAY, bound=0.0) == [0, 1, 2]
    assert order.order([], "Topwear", DAY, bound=0.1) == []


def test_an_order_is_the_same_when_it_is_read_again() -> None:
    order = order_by("click_rate")
    stored = LearnedOrder.from_bytes(order.to_bytes())
    assert stored.to_bytes() == order.to_bytes()
    assert stored.order(ROWS, "Topwear", DAY, bound=0.1) == [2, 0, 1]
    assert np.array_equal(stored.trees(np.ones((2, len(SIGNALS)))), order.trees(np.ones((2, len(SIGNALS)))))


def changed(**fields: Any) -> bytes:
    document = orjson.loads(zlib.decompress(order_by("age").to_bytes()))
    return zlib.compress(orjson.dumps(document | fields))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not compressed",
        zlib.compress(b"[1]"),
        zlib.compress(b"{}"),
        order_by("age").to_bytes()[:-20],
        changed(trees={}),
        changed(table={}),
        changed(table={"total": [1, 2, 3]}),
        changed(table=None),
    ],
)
def test_a_damaged_order_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidLearnedOrder, match="train again"):
        LearnedOrder.from_bytes(data)


@pytest.mark.parametrize("fields", [{"format": 2}, {"signals": ["similarity"]}])
def test_an_order_of_another_version_of_lookalike_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidLearnedOrder, match=r"^the learned order was trained by another version of Lookalike"):
        LearnedOrder.from_bytes(changed(**fields))
