"""Which columns of attributes are built before a filter needs them."""

from types import SimpleNamespace

import numpy as np
import orjson
import pytest

from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.index.replica import column_keeper
from services.index.replica.column_keeper import ColumnKeeper

PRODUCTS = 20


@pytest.fixture(autouse=True)
def small_categories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_keeper, "MIN_PRODUCTS", PRODUCTS)


def gallery_of(products: int) -> Gallery:
    gallery = Gallery(2, 2, FaissFlat, merge_rows=0)
    for number in range(products):
        attributes = {"colour": "ab"[number % 2], "price": number}
        gallery.put(0, str(number), np.array([1, 0], np.float32), orjson.dumps({"attributes": attributes}))
    gallery.publish()
    return gallery


def test_a_first_filter_finds_the_columns_of_a_large_category() -> None:
    gallery = gallery_of(PRODUCTS)
    assert not gallery.is_prepared(0, EVERYTHING, facets=True)
    ColumnKeeper(lambda: gallery).build()
    wanted = parse_filter({"colour": "a", "price": {"gte": 16}})
    assert gallery.is_prepared(0, wanted, facets=True)
    assert [match.key for match in gallery.search(0, np.ones(2, np.float32), Query(5, wanted))] == ["16", "18"]


def test_the_columns_stay_when_the_category_changes() -> None:
    gallery = gallery_of(PRODUCTS)
    ColumnKeeper(lambda: gallery).build()
    gallery.put(0, "new", np.array([0, 1], np.float32), orjson.dumps({"attributes": {"colour": "c"}}))
    gallery.publish()
    assert gallery.is_prepared(0, parse_filter({"colour": "c"}), facets=True)


def test_a_small_category_has_no_columns_before_a_filter() -> None:
    gallery = gallery_of(PRODUCTS - 1)
    ColumnKeeper(lambda: gallery).build()
    assert not gallery.is_prepared(0, EVERYTHING, facets=True)


@pytest.mark.parametrize(("size", "is_built"), [(4999, False), (5000, True)])
def test_a_category_is_large_from_five_thousand_products_on(
    monkeypatch: pytest.MonkeyPatch, size: int, is_built: bool
) -> None:
    monkeypatch.undo()
    built: list[bool] = []
    view = SimpleNamespace(
        size=size,
        is_prepared=lambda query_filter, facets: not facets or bool(built),
        prepare=lambda query_filter, facets: built.append(facets),
    )
    keeper = ColumnKeeper(lambda: SimpleNamespace(views=[view]))  # type: ignore[arg-type,return-value]
    keeper.build()
    keeper.build()
    assert built == [True] * is_built


def test_nothing_is_built_before_the_first_load() -> None:
    ColumnKeeper(lambda: None).build()
