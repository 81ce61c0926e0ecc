"""What would change with another model, from one look through the catalogue."""

from typing import Any

import numpy as np
import pytest

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.model_switch.comparison import ModelExamination, ModelReport, Overlap
from services.catalogue.product import Prediction
from services.contracts.wire.embedding import ModelFacts
from tests.support.values.products import embedding, make_product

ONE, TWO = "fashion/1", "fashion/2"
UNIT = np.eye(4, dtype=np.float32)


def facts(model: str, dimension: int = 4) -> ModelFacts:
    return ModelFacts(
        model=model,
        categories=["Topwear", "Shoes", "Bags"],
        dimension=dimension,
        input={"height": 8, "width": 8},
        thresholds={},
    )


def record(key: str, category: int = 0, then: int | None = 0, **changes: Any) -> Record:
    """Return a product in one category now, and in another, or none, by the other model."""
    secondary = {} if then is None else {TWO: embedding(UNIT[1], "aa", prediction=Prediction(then, 0.9))}
    known: dict[str, Any] = {"model": ONE, "category_source": "network", "image_sha256": "aa", "embeddings": secondary}
    return Record(key, make_product(key, category, UNIT[0], **{**known, **changes}))


def examined(*entries: Record | BrokenDocument, other: ModelFacts | None = None, **options: Any) -> ModelExamination:
    examination = ModelExamination(facts(ONE), other or facts(TWO), ONE, **options)
    examination.add(entries)
    return examination


def report(*entries: Record | BrokenDocument, **options: Any) -> ModelReport:
    return examined(*entries, **options).report


def test_products_are_counted_by_what_both_models_see_of_them() -> None:
    actual = report(record("a"), record("b", 0, 1), record("c", 0, 1), record("d", 1, 1), record("e", 2, None))
    assert (actual.products, actual.covered, actual.coverage, actual.missing) == (5, 4, 0.8, ["e"])
    assert actual.counts == [[3, 1], [1, 3], [1, 0]]
    assert (actual.moved, dict(actual.moves), actual.examples[0, 1]) == (2, {(0, 1): 2}, ["b", "c"])
    document = actual.document()
    assert document["categories"] == {
        "Topwear": {"now": 3, "then": 1},
        "Shoes": {"now": 1, "then": 3},
        "Bags": {"now": 1, "then": 0},
    }
    assert document["moves"] == [{"from": "Topwear", "to": "Shoes", "products": 2, "examples": ["b", "c"]}]


def test_what_cannot_be_searched_now_is_not_missed_then() -> None:
    actual = report(
        BrokenDocument("x", "the vector is missing"),
        record("elsewhere", model="fashion/9", then=None),
        record("unknown", category=7),
        record("only then", model="fashion/9", then=1),
    )
    assert (actual.products, actual.gained, actual.coverage) == (0, 2, 1.0)


def test_documents_that_name_no_model_are_of_the_unversioned_one() -> None:
    old = record("old", model=None, image_sha256=None, then=None, category_source="unknown")
    assert (report(old).products, report(old).missing) == (1, ["old"])


@pytest.mark.parametrize("broken", [{"image_sha256": "bb"}, {"category_source": "network", "then": 9}])
def test_a_vector_that_will_not_serve_is_missing(broken: dict[str, Any]) -> None:
    assert report(record("a", **broken)).missing == ["a"]


def test_a_vector_of_another_length_than_the_models_is_missing() -> None:
    assert report(record("a"), other=facts(TWO, dimension=5)).missing == ["a"]


def test_no_more_ids_are_kept_than_are_shown() -> None:
    entries = [record(f"{number}", then=None) for number in range(50)] + [record(f"m{n}", 0, 2) for n in range(50)]
    actual = report(*entries, shown=3)
    assert (len(actual.missing), len(actual.examples[0, 2]), actual.moves[0, 2]) == (3, 3, 50)


def test_queries_are_chosen_by_chance_among_products_that_both_models_see_and_the_same_ones_each_time() -> None:
    entries = [record(f"{number}", then=None if number % 2 else 0) for number in range(400)]
    chosen = examined(*entries, queries=40).chosen
    assert len(set(chosen)) == 40 and all(int(key) % 2 == 0 for _, key in chosen)
    assert max(int(key) for _, key in chosen) > 200
    assert examined(*entries, queries=40).chosen == chosen
    assert examined(*entries, queries=40, seed=8).chosen != chosen
    assert examined(*entries, queries=0).chosen == []
    assert len(examined(*entries, queries=1000).chosen) == 200


def test_the_overlap_of_results_is_a_mean_and_its_extremes() -> None:
    assert Overlap.of([1.0, 0.5, 0.0, 1.0], 10) == Overlap(queries=4, results=10, mean=0.625, same=2, none=1)
    assert Overlap.of([], 10).mean == 0.0


def test_of_several_catalogues_the_least_covered_one_tells_and_products_are_named_with_theirs() -> None:
    examination = ModelExamination(facts(ONE), facts(TWO), ONE)
    examination.add([record(str(number)) for number in range(98)])
    examination.add([record("a"), record("b", 0, None)], "shoes")
    report = examination.report
    assert (report.products, report.covered, report.coverage) == (100, 99, 0.5)
    assert report.missing == ["shoes: b"]
    assert report.document()["catalogues"] == {
        "default": {"products": 98, "covered": 98},
        "shoes": {"products": 2, "covered": 1},
    }
    assert ("shoes", "a") in examination.chosen
