"""The numbers at which a category changes its ways, with as many products, texts or attributes as they say."""

from itertools import repeat
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest

from services.contracts.domain.filtering.filters import EVERYTHING
from services.contracts.wire.filter_json import parse_filter
from services.engine import partition as partition_module
from services.engine import similarity
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.engine.packed.rows import PackedRows
from services.engine.packed.texts import PackedTexts
from services.engine.partition import Partition
from services.engine.segment import Tail
from services.engine.similarity import calibrate, fit_scale

EAST = np.array([1, 0], np.float32)


def towards(angles: Any) -> np.ndarray:
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


def filled(count: int, *, merge_rows: int = 2048, base: int = 0) -> Partition:
    """Return a partition into which `count` products were put, after a base of others."""
    partition = Partition(2, FaissFlat, merge_rows)
    if base:
        keys = PackedTexts.of(b"base%d" % number for number in range(base))
        images = np.zeros(base, np.uint8)
        rows = PackedRows.of_texts(keys, PackedTexts.of(repeat(b"", base)), images)
        partition.restore(towards(np.linspace(0, 1, base)), images, rows)
    for number in range(count):
        partition.put(f"p{number}", EAST, None)
    partition.publish()
    return partition


@pytest.mark.parametrize(("count", "in_base"), [(2048, 0), (2049, 2049)])
def test_a_small_category_is_merged_after_2048_rows(count: int, in_base: int) -> None:
    partition = Partition(2, FaissFlat)
    for number in range(count):
        partition.put(f"p{number}", EAST, None)
    partition.publish()
    assert len(partition.view.base.keys) == in_base


@pytest.mark.parametrize(("count", "in_base"), [(10, 160), (11, 171)])
def test_a_large_category_is_merged_after_a_sixteenth_of_its_rows(count: int, in_base: int) -> None:
    assert len(filled(count, merge_rows=1, base=160).view.base.keys) == in_base


@pytest.mark.parametrize(("count", "releases"), [(625, 0), (626, 1)])
def test_memory_is_released_after_a_merge_of_ten_thousand_rows(
    monkeypatch: pytest.MonkeyPatch, count: int, releases: int
) -> None:
    released: list[None] = []
    monkeypatch.setattr(partition_module, "release_freed_memory", lambda: released.append(None))
    partition = filled(count, merge_rows=1, base=9374)
    assert len(partition.view.base.keys) == 9374 + count
    assert len(released) == releases


@pytest.mark.parametrize(("count", "is_compressed"), [(49_999, False), (50_000, True)])
def test_payloads_are_compressed_from_fifty_thousand_on(count: int, is_compressed: bool) -> None:
    texts = PackedTexts(b"", np.zeros(count, np.uint32))
    rows = PackedRows(texts, texts, None, np.zeros(count, np.uint32), None)
    assert (rows.payloads.codec is not None) is is_compressed


@pytest.mark.parametrize(("texts", "kept"), [(10_000, ["colour", "sku"]), (10_001, ["colour"])])
def test_a_column_of_more_than_ten_thousand_texts_is_not_kept_for_facets(texts: int, kept: list[str]) -> None:
    rows = Tail()
    for number in range(texts):
        rows.append(str(number), b'{"attributes":{"sku":"A%d","colour":"%d"}}' % (number, number % 2))
    assert list(rows.count_values(EVERYTHING, np.ones(texts, np.bool_))) == ["colour"]
    assert sorted(rows.columns.kept) == kept


def test_two_hundred_attributes_are_counted_and_a_hundred_others_kept_for_filters() -> None:
    rows = Tail()
    often = {f"often{number:03}": number for number in range(200)}
    rarely = {f"rarely{number:03}": number for number in range(101)}
    for number in range(2):
        rows.append(str(number), orjson.dumps({"attributes": often}))
    rows.append("2", orjson.dumps({"attributes": rarely}))
    assert sorted(rows.count_values(EVERYTHING, np.ones(3, np.bool_))) == sorted(often)
    for name, value in rarely.items():
        assert rows.matching(parse_filter({name: value}), 3).tolist() == [False, False, True]
    assert sorted(rows.columns.kept) == sorted([*often, *list(rarely)[1:]])


def test_a_search_returns_ten_products_unless_another_number_is_wanted() -> None:
    gallery = Gallery(1, 2, FaissFlat)
    for number in range(12):
        gallery.put(0, f"p{number:02}", towards(number / 12), None)
    gallery.publish()
    assert [match.key for match in gallery.search(0, EAST, Query())] == [f"p{number:02}" for number in range(10)]


def spread_scores(count: int) -> np.ndarray:
    return np.linspace(0.5, 0.9, count)


@pytest.mark.parametrize(("count", "has_scale"), [(49, False), (50, True)])
def test_a_scale_is_fitted_to_at_least_fifty_products(count: int, has_scale: bool) -> None:
    assert (fit_scale(spread_scores(count), np.linspace(-0.5, 0.5, 101)) is not None) is has_scale
    assert (calibrate(sampled(count, count)) is not None) is has_scale


def test_a_scale_has_the_scores_of_each_twentieth_of_the_neighbours() -> None:
    scale = fit_scale(spread_scores(401), np.linspace(-0.5, 0.5, 1001))
    assert scale is not None
    assert len(scale.scores) == 2 + 20 + 1


def sampled(products: int, rows: int, searched: list[int] | None = None, compared: list[int] | None = None) -> Any:
    """Return a view of a category that records how many products are searched for, and how many are compared."""
    rng = np.random.default_rng(2)

    def search(*_: Any) -> list[Any]:
        if searched is not None:
            searched.append(1)
        return [SimpleNamespace(score=1.0), SimpleNamespace(score=float(rng.uniform(0.5, 0.9)))]

    def vectors(places: np.ndarray) -> np.ndarray:
        if compared is not None:
            compared.append(len(places))
        return towards(rng.uniform(0, np.pi, len(places)))

    return SimpleNamespace(
        size=products,
        live=range(rows),
        rows=lambda: np.arange(products),
        key=str,
        vector=lambda _: EAST,
        vectors=vectors,
        search=search,
    )


@pytest.mark.parametrize(
    ("products", "rows", "sample"),
    [
        (60, 60, 60),
        (2100, 2100, 2000),
        (2100, 100_000, 2000),
        (2100, 200_000, 1000),  # 200 million vectors are read
        (2100, 300_000, 666),
        (2100, 1_000_000, 500),
    ],
)
def test_so_many_products_of_a_category_are_searched_for(products: int, rows: int, sample: int) -> None:
    searched: list[int] = []
    compared: list[int] = []
    assert calibrate(sampled(products, rows, searched, compared)) is not None
    assert (len(searched), compared) == (sample, [min(400, sample)])


def test_a_calibration_that_is_cancelled_searches_no_more() -> None:
    searched: list[int] = []
    calibrate(sampled(60, 60, searched), lambda: len(searched) >= 3)
    assert len(searched) == 3


@pytest.mark.parametrize(
    ("scores", "neighbour"), [([1.0, 1 - 1e-5, 0.7], 0.7), ([1.0, 0.99998, 0.7], 0.99998), ([1.0], 1.0)]
)
def test_a_neighbour_that_is_the_same_picture_up_to_rounding_does_not_count(
    scores: list[float], neighbour: float
) -> None:
    matches = [SimpleNamespace(score=score) for score in scores]
    view: Any = SimpleNamespace(vector=lambda _: EAST, search=lambda *_: matches)
    assert similarity._neighbour_score(view, 0) == neighbour


@pytest.mark.parametrize(("copies", "score"), [(7, 0.5), (8, 1.0)])
def test_the_nearest_neighbour_is_looked_for_among_eight_products(copies: int, score: float) -> None:
    partition = Partition(2, FaissFlat)
    for number in range(copies):
        partition.put(f"copy{number}", EAST, None)
    partition.put("other", towards(np.pi / 3), None)
    partition.publish()
    assert similarity._neighbour_score(partition.view, 0) == pytest.approx(score, abs=1e-6)
