"""The shipped models against the drawn catalogue: the networks must see what the drawings are meant to show."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.sample_shop.catalogue import sample_products
from services.sample_shop.check import check_model
from services.sample_shop.product import SampleProduct

MODELS = Path(__file__).parents[3] / "models" / "fashion"


@pytest.fixture(scope="module")
def products() -> Iterator[list[SampleProduct]]:
    """The drawn catalogue, drawn once for all models."""
    products = list(sample_products())
    drawn = {product.id: product.jpeg() for product in products}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SampleProduct, "jpeg", lambda product: drawn[product.id])
        yield products


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_a_shipped_model_puts_at_least_nine_in_ten_in_the_right_category(
    products: list[SampleProduct], version: str
) -> None:
    report = check_model(MODELS / version, products)

    assert report["products"] == 360
    assert report["accuracy"] >= 0.9, report["disagreements"]
    assert min(report["per_category"].values()) >= 0.75, report["per_category"]
