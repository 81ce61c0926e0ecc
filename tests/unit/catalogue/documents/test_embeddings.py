"""Vectors of a further model in a product's document: when they count, and what is made of broken ones."""

from dataclasses import replace
from typing import Any

import bson
import numpy as np
import pytest

from services.catalogue.documents.embeddings import read_embeddings, stored_embeddings
from services.catalogue.documents.product_document import from_document, to_document
from services.catalogue.product import Embedded, FurtherImage, Prediction, Product

UNIT = np.eye(64, dtype=np.float32)
PRODUCT = Product("1", 0, UNIT[0], "fashion/1", prediction=Prediction(0, 0.9), image_sha256="aa", title="Shirt")
SEEN = Embedded(UNIT[7], Prediction(3, 0.75), "aa", {"bb": UNIT[8]})


def stored(**changes: Any) -> dict[str, Any]:
    return {**bson.decode(bson.encode(stored_embeddings({"fashion/2": SEEN})))["fashion/2"], **changes}


def test_they_come_back_as_they_were_and_a_document_without_any_has_no_field_for_them() -> None:
    whole = replace(PRODUCT, embeddings={"fashion/2": SEEN})
    read = from_document(bson.decode(bson.encode(to_document(whole)))).product.embeddings["fashion/2"]
    np.testing.assert_array_equal(read.vector, UNIT[7])
    np.testing.assert_array_equal(read.images["bb"], UNIT[8])
    assert (read.prediction, read.image_sha256) == (SEEN.prediction, "aa")
    assert "embeddings" not in to_document(PRODUCT)
    assert from_document(to_document(PRODUCT)).product.embeddings == {}


def test_a_model_sees_the_product_with_its_own_vector_category_and_prediction() -> None:
    product = replace(PRODUCT, category_source="network", embeddings={"fashion/2": SEEN})
    assert product.seen_by("fashion/1") is product
    seen = product.seen_by("fashion/2")
    assert seen is not None
    np.testing.assert_array_equal(seen.vector, UNIT[7])
    assert (seen.model, seen.category, seen.prediction, seen.title) == ("fashion/2", 3, Prediction(3, 0.75), "Shirt")
    assert product.seen_by("fashion/3") is None


def test_a_model_sees_those_of_the_further_images_that_it_has_vectors_of() -> None:
    images = (FurtherImage(UNIT[1], sha256="cc"), FurtherImage(UNIT[2], "u", "bb"), FurtherImage(UNIT[3]))
    seen = replace(PRODUCT, images=images, embeddings={"fashion/2": SEEN}).seen_by("fashion/2")
    assert seen is not None
    assert [(image.url, image.sha256) for image in seen.images] == [("u", "bb")]
    np.testing.assert_array_equal(seen.vectors, [UNIT[7], UNIT[8]])


@pytest.mark.parametrize(("source", "category"), [("feed", 0), ("mapping", 0), ("network", 3), ("unknown", 3)])
def test_a_category_that_the_shop_has_said_is_the_same_for_every_model(source: Any, category: int) -> None:
    seen = replace(PRODUCT, category_source=source, embeddings={"fashion/2": SEEN}).seen_by("fashion/2")
    assert seen is not None and seen.category == category


@pytest.mark.parametrize("sha256", ["cc", None])
def test_a_vector_of_an_earlier_picture_does_not_count(sha256: str | None) -> None:
    changed = replace(PRODUCT, image_sha256=sha256, embeddings={"fashion/2": SEEN})
    assert changed.seen_by("fashion/2") is None
    assert changed.seen_by("fashion/1") is changed


def test_a_document_of_the_older_form_which_knows_no_hash_can_have_them_too() -> None:
    product = replace(
        PRODUCT, model=None, image_sha256=None, embeddings={"fashion/2": replace(SEEN, image_sha256=None)}
    )
    assert product.seen_by("fashion/2") is not None


@pytest.mark.parametrize(
    "broken",
    [
        stored(vector=None),
        stored(vector=[float("nan")] * 64),
        stored(vector=[0.0] * 64),
        stored(vector="text"),
        stored(prediction=None),
        stored(prediction={"category": -1, "probability": 0.5}),
        stored(prediction={"category": "a", "probability": 0.5}),
        stored(images=[{"sha256": "bb", "vector": [1.0] * 63}]),
        "text",
        None,
        [],
    ],
)
def test_what_cannot_be_read_is_missing_and_harms_nothing_else(broken: Any) -> None:
    found = from_document({**to_document(PRODUCT), "embeddings": {"fashion/2": broken, "fashion/3": stored()}}).product
    assert list(found.embeddings) == ["fashion/3"]


@pytest.mark.parametrize("value", [None, "text", [], 5, {}])
def test_a_field_that_holds_something_else_is_none(value: Any) -> None:
    assert read_embeddings(value) == {}
