"""Filters over attributes, by column."""

from typing import Any

import numpy as np
import pytest

from services.catalogue.product import Product
from services.contracts.wire import Range
from services.index.payload import pack
from services.index.segment import Segment

ATTRIBUTES: list[dict[str, Any]] = [
    {"colour": "blue", "price": 10, "new": True},
    {"colour": ["blue", "red"], "price": 20.5, "sizes": [38, 40, 42]},
    {"colour": "Blue", "price": "10", "new": 1},
    {},
    {"colour": [], "price": 30, "new": False},
]


def segment() -> Segment:
    products = [Product(str(row), 0, np.ones(2, np.float32), attributes=a) for row, a in enumerate(ATTRIBUTES)]
    return Segment([product.key for product in products], [pack(product) for product in products])


@pytest.mark.parametrize(
    ("conditions", "rows"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"colour": "blue"}, [0, 1]),
        ({"colour": ["red", "Blue"]}, [1, 2]),
        ({"colour": []}, []),
        ({"colour": "green"}, []),
        ({"material": "wool"}, []),
        ({"price": 10}, [0]),
        ({"price": 10.0}, [0]),
        ({"price": "10"}, [2]),
        ({"new": True}, [0]),
        ({"new": 1}, [2]),
        ({"new": False}, [4]),
        ({"sizes": 40}, [1]),
        ({"price": Range(gte=10, lte=20.5)}, [0, 1]),
        ({"price": Range(gt=10, lt=30)}, [1]),
        ({"price": Range()}, [0, 1, 4]),
        ({"new": Range(gte=0)}, [2]),
        ({"sizes": Range(gt=41)}, [1]),
        ({"colour": Range(gte=0)}, []),
        ({"colour": "blue", "price": Range(lt=20)}, [0]),
        ({"colour": "blue", "material": "wool"}, []),
    ],
)
def test_a_filter_finds_the_rows_that_meet_all_its_conditions(conditions: dict[str, Any], rows: list[int]) -> None:
    assert np.flatnonzero(segment().matching(conditions, len(ATTRIBUTES))).tolist() == rows


def test_a_column_grows_with_the_rows_and_a_reader_sees_those_it_knows_of() -> None:
    rows = segment()
    condition = {"colour": "blue"}
    assert rows.matching(condition, 1).tolist() == [True]
    rows.append("5", pack(Product("5", 0, np.ones(2, np.float32), attributes={"colour": "blue"})))
    assert np.flatnonzero(rows.matching(condition, 6)).tolist() == [0, 1, 5]
    assert rows.matching(condition, 2).tolist() == [True, True]
