"""The bounds of a comparison of models, its report as JSON, and the pace of a re-embedding."""

import asyncio
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.catalogue.model_switch import reembedding
from services.catalogue.model_switch.comparison import ModelExamination, ModelReport, Overlap
from services.catalogue.model_switch.reembedding import READ_AT_ONCE, Pace, _is_complete
from services.catalogue.product import Prediction, Product
from services.contracts.wire.embedding import ModelFacts
from tests.support.values.products import additional_image, embedding, make_product

ONE, TWO = "fashion/1", "fashion/2"
UNIT = np.eye(4, dtype=np.float32)


def facts(model: str) -> ModelFacts:
    return ModelFacts(model=model, categories=["Topwear", "Shoes", "Bags"], dimension=4, input={}, thresholds={})


def record(key: str, now: int = 0, then: int | None = 0, **changes: Any) -> Record:
    other = {} if then is None else {TWO: embedding(UNIT[1], "aa", prediction=Prediction(then, 0.9))}
    given = {"category_source": "network", "image_sha256": "aa", "embeddings": other, **changes}
    return Record(key, make_product(key, now, UNIT[0], ONE, **given))


def report(*entries: Record, catalogue: str = "default", **options: Any) -> ModelReport:
    examination = ModelExamination(facts(ONE), facts(TWO), ONE, **options)
    examination.add(entries, catalogue)
    return examination.report


@pytest.mark.parametrize(("now", "products"), [(0, 1), (2, 1), (3, 0)])
def test_a_product_of_a_category_that_the_model_has_can_be_found(now: int, products: int) -> None:
    assert report(record("a", now)).products == products


@pytest.mark.parametrize(("then", "covered"), [(2, 1), (3, 0), (None, 0)])
def test_a_product_of_a_category_that_the_other_model_has_is_covered(then: int | None, covered: int) -> None:
    actual = report(record("a", 0, then))
    assert (actual.covered, actual.missing) == (covered, [] if covered else ["a"])
    assert actual.catalogues == {"default": [1, covered]}


def test_what_only_the_other_model_finds_is_gained() -> None:
    actual = report(record("a", 3, 0), record("b", 3, None))
    assert (actual.gained, actual.products, actual.catalogues) == (1, 0, {"default": [0, 0]})


def test_twenty_ids_of_each_finding_are_kept_unless_another_number_is_given() -> None:
    entries = [*(record(f"m{n}", 0, None) for n in range(21)), *(record(f"v{n}", 0, 1) for n in range(21))]
    actual = report(*entries)
    assert (len(actual.missing), len(actual.examples[0, 1])) == (20, 20)
    few = report(*entries, shown=1)
    assert (few.missing, few.examples[0, 1]) == (["m0"], ["v0"])


def test_ids_of_another_catalogue_are_named_with_it() -> None:
    actual = report(record("m", 0, None), record("v", 0, 1), catalogue="shoes")
    assert (actual.missing, actual.examples[0, 1]) == (["shoes: m"], ["shoes: v"])


@pytest.mark.parametrize(
    ("catalogues", "coverage"),
    [({}, 1.0), ({"a": [0, 0]}, 1.0), ({"a": [0, 0], "b": [4, 1]}, 0.25), ({"a": [4, 3], "b": [2, 1]}, 0.5)],
)
def test_the_coverage_is_that_of_the_least_covered_catalogue(catalogues: dict[str, list[int]], coverage: float) -> None:
    assert ModelReport(ONE, TWO, [], catalogues=catalogues).coverage == coverage


def test_the_report_as_json() -> None:
    moved = [record("a0", 0, 1), record("a1", 0, 1), record("b", 1, 2)]
    actual = report(*moved, record("c", 2, 2), record("m0", 2, None), record("m1", 2, None))
    actual.overlap = Overlap.of([1.0, 1 / 3], 10)
    assert actual.document() == {
        "serving": ONE,
        "model": TWO,
        "products": 6,
        "covered": 4,
        "coverage": 0.666667,
        "missing": ["m0", "m1"],
        "gained": 0,
        "categories": {
            "Topwear": {"now": 2, "then": 0},
            "Shoes": {"now": 1, "then": 2},
            "Bags": {"now": 3, "then": 2},
        },
        "moved": 3,
        "moves": [
            {"from": "Topwear", "to": "Shoes", "products": 2, "examples": ["a0", "a1"]},
            {"from": "Shoes", "to": "Bags", "products": 1, "examples": ["b"]},
        ],
        "overlap": {"queries": 2, "results": 10, "mean": 0.6667, "same": 1, "none": 0},
    }
    assert ModelReport(ONE, TWO, []).document()["overlap"] is None


@pytest.mark.parametrize(
    ("rate", "at_once"),
    [(None, READ_AT_ONCE), (0.01, 1), (1.0, 1), (5.9, 5), (31.0, 31), (1000.0, READ_AT_ONCE)],
)
def test_no_more_products_are_read_at_once_than_a_second_allows(rate: float | None, at_once: int) -> None:
    assert Pace(rate).at_once == at_once


@pytest.mark.parametrize(("rate", "pauses"), [(None, []), (10.0, [0.5, 1.0]), (100.0, [0.05, 0.1])])
async def test_products_wait_for_those_before_them(
    rate: float | None, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, waited = [100.0], list[float]()

    async def pause(seconds: float, _: asyncio.Event) -> None:
        waited.append(seconds)

    monkeypatch.setattr(reembedding, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(reembedding, "pause", pause)
    pace, stopping = Pace(rate), asyncio.Event()
    for count in (5, 5, 1):
        await pace.wait(count, stopping)
    assert waited == pytest.approx(pauses)
    now[0] += 60.0
    await pace.wait(5, stopping)
    assert waited == pytest.approx(pauses)


def of_two(*hashes: str, dimension: int = 4, main: str = "aa") -> Product:
    vectors = np.ones(dimension, np.float32)
    other = embedding(vectors, main, additional=dict.fromkeys(hashes, vectors))
    images = (additional_image(UNIT[1], sha256="bb"), additional_image(UNIT[2], sha256=None))
    return make_product("a", 0, UNIT[0], ONE, image_sha256="aa", images=images, embeddings={TWO: other})


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        (of_two("bb"), True),
        (of_two("bb", "old"), True),
        (of_two(), False),
        (of_two("bb", dimension=5), False),
        (of_two("bb", main="cc"), False),
    ],
)
def test_a_product_is_complete_with_a_vector_of_each_image(product: Product, expected: bool) -> None:
    assert _is_complete(product, facts(TWO)) is expected
    assert _is_complete(product, facts("fashion/3")) is False
