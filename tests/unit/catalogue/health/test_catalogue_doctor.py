"""The problems that the doctor finds in products, and their report."""

import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.catalogue.health.doctor import Examination
from services.catalogue.product import Prediction, Product
from services.cli.imports.run import SHIPPED
from tests.support.values.products import make_product

VECTOR = np.ones(64, np.float32)
FACTS = SHIPPED.model_copy(update={"model": "fashion/1"})


def examined(*products: Product, shown: int = 20, model: str = "fashion/1") -> Examination:
    examination = Examination(FACTS.model_copy(update={"model": model}), shown)
    examination.add([Record(each.key, each) for each in products])
    return examination


def of(
    category: int, key: str = "a", source: str = "feed", predicted: int | None = None, model: str = "fashion/1"
) -> Product:
    prediction = None if predicted is None else Prediction(predicted, 0.87)
    return make_product(key, category, VECTOR, model, prediction=prediction, category_source=source, image_sha256=key)


@pytest.mark.parametrize(
    ("given", "example"),
    [
        (of(1, predicted=2), "a: Shoes, predicted Bags (87%)"),
        (of(1, source="mapping", predicted=2), "a: Shoes, predicted Bags (87%)"),
        (of(8, predicted=9), "a: Socks, predicted 9 (87%)"),
        (of(0, predicted=8), "a: Topwear, predicted Socks (87%)"),
        (of(1, predicted=1), None),
        (of(1, source="network", predicted=2), None),
        (of(1), None),
    ],
)
def test_a_category_that_the_shop_gave_is_compared_with_the_predicted_one(given: Product, example: str | None) -> None:
    finding = examined(given).report().findings["category_conflicts"]
    assert finding.examples == ([] if example is None else [example])


@pytest.mark.parametrize(("category", "is_known"), [(8, True), (9, False)])
def test_the_categories_end_with_the_model_s_last(category: int, is_known: bool) -> None:
    findings = examined(of(category)).report().findings
    assert findings["unknown_category"].count == (0 if is_known else 1)
    assert findings["empty_categories"].count == (8 if is_known else 9)


def test_without_a_name_the_model_of_most_products_counts() -> None:
    products = [of(0, key, model=f"fashion/{key[0]}") for key in ("1a", "2a", "2b", "3a", "3b", "3c")]
    report = examined(*products, model="", shown=2).report()
    assert (report.model, report.models) == ("fashion/3", {"fashion/1": 1, "fashion/2": 2, "fashion/3": 3})
    finding = report.findings["other_model"]
    assert (finding.count, finding.examples) == (3, ["1a: fashion/1", "2a: fashion/2"])
    assert examined().report().model == "fashion/1"
    assert examined(model="").report().model is None


def test_images_of_several_products_are_found_with_the_first_examples() -> None:
    def same(key: str, sha256: str) -> Product:
        return make_product(key, 0, VECTOR, "fashion/1", image_sha256=sha256)

    six = [same(f"p{number}", "s1") for number in range(6)]
    products = [
        *six,
        same("p0", "s1"),
        same("a", "s2"),
        same("b", "s2"),
        same("c", "s3"),
        same("d", "s4"),
        same("e", "s4"),
    ]
    finding = examined(*products, shown=2).report().findings["duplicates"]
    assert (finding.count, sorted(finding.examples)) == (3, ["a, b", "p0, p1, p2, p3, p4 and 1 more"])
    five = examined(*six[:5]).report().findings["duplicates"]
    assert five.examples == ["p0, p1, p2, p3, p4"]


@pytest.mark.parametrize("count", [0, 1])
def test_a_report_is_healthy_without_findings(count: int) -> None:
    examination = examined(*(of(number, str(number)) for number in range(9)))
    for _ in range(count):
        examination.add_finding("broken", "x")
    report = examination.report()
    assert report.healthy is (count == 0)
    document = report.document()
    assert (document["healthy"], document["products"], document["model"]) == (count == 0, 9, "fashion/1")
    assert document["findings"]["broken"] == {"count": count, "examples": ["x"] * count}
    assert (document["urls_checked"], document["urls_unchecked"], document["models"]) == (0, 0, {"fashion/1": 9})
    assert document["categories"] == dict.fromkeys(SHIPPED.categories, 1)


def test_twenty_examples_are_kept_unless_another_number_is_given() -> None:
    examination = Examination(FACTS)
    for number in range(21):
        examination.add_finding("broken", str(number))
    finding = examination.report().findings["broken"]
    assert (finding.count, len(finding.examples)) == (21, 20)
