"""The shipped model against the drawn catalogue: the network must see what the drawings are meant to show."""

from pathlib import Path

import pytest

from services.local.sample.catalogue import sample_products
from services.local.sample.check import check_model

MODEL = Path(__file__).parents[2] / "models" / "fashion" / "1"
pytestmark = pytest.mark.skipif(not MODEL.is_dir(), reason="there is no models/fashion/1: train it first (make train)")


def test_the_shipped_model_puts_at_least_nine_in_ten_in_the_right_category() -> None:
    report = check_model(MODEL, sample_products())

    assert report["products"] == 360
    assert report["accuracy"] >= 0.9, report["disagreements"]
    assert min(report["per_category"].values()) >= 0.75, report["per_category"]
