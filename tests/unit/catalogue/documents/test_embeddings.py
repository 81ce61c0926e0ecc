"""Embeddings in a product's document: both forms, when they count, and broken ones."""

from typing import Any

import bson
import numpy as np
import pytest

from services.catalogue.documents.embeddings import read_embeddings, stored_embedding
from services.catalogue.documents.product_document import from_document, to_document
from services.catalogue.product import Prediction, Product, ProductImage
from tests.support.values.products import additional_image, embedding, make_product

UNIT = np.eye(64, dtype=np.float32)
TWO = embedding(UNIT[7], "aa", prediction=Prediction(3, 0.75), additional={"bb": UNIT[8]})


def product(**changes: Any) -> Product:
    facts = {"model": "fashion/1", "prediction": Prediction(0, 0.9), "image_sha256": "aa", "title": "Shirt", **changes}
    return make_product("1", 0, UNIT[0], **facts)


PRODUCT = product()


def stored(**changes: Any) -> dict[str, Any]:
    """An entry in today's form."""
    return {**bson.decode(bson.encode(stored_embedding(TWO))), **changes}


def former(**changes: Any) -> dict[str, Any]:
    """An entry as it was before schema 2."""
    entry = {
        "vector": UNIT[7].tolist(),
        "prediction": {"category": 3, "probability": 0.75},
        "image_sha256": "aa",
        "images": [{"sha256": "bb", "vector": UNIT[8].tolist()}],
    }
    return {**entry, **changes}


def test_the_embeddings_of_all_models_come_back_as_they_were() -> None:
    document = bson.decode(bson.encode(to_document(product(embeddings={"fashion/2": TWO}))))
    assert document["embeddings"]["fashion/1"] == {
        "prediction": {"category": 0, "probability": 0.9},
        "images": [{"sha256": "aa"}],  # its vector is the document's
    }
    embeddings = from_document(document).product.embeddings
    assert set(embeddings) == {"fashion/1", "fashion/2"}
    np.testing.assert_array_equal([image.vector for image in embeddings["fashion/2"].images], UNIT[7:9])
    assert [image.sha256 for image in embeddings["fashion/2"].images] == ["aa", "bb"]
    assert embeddings["fashion/2"].prediction == TWO.prediction
    np.testing.assert_array_equal(embeddings["fashion/1"].vector, UNIT[0])
    assert embeddings["fashion/1"].prediction == Prediction(0, 0.9)


@pytest.mark.parametrize("entry", [stored(), former()], ids=["schema 2", "before"])
def test_an_entry_of_either_form_is_read(entry: dict[str, Any]) -> None:
    embeddings = read_embeddings({"fashion/2": entry})
    assert list(embeddings) == ["fashion/2"]
    np.testing.assert_array_equal([image.vector for image in embeddings["fashion/2"].images], UNIT[7:9])
    assert [image.sha256 for image in embeddings["fashion/2"].images] == ["aa", "bb"]
    assert embeddings["fashion/2"].prediction == TWO.prediction


def test_a_model_whose_name_is_no_field_name_keeps_its_embedding() -> None:
    odd = product(model="own.model", embeddings={"$other.model": TWO})
    document = bson.decode(bson.encode(to_document(odd)))
    assert not any("." in name or name.startswith("$") for name in document["embeddings"])
    assert set(from_document(document).product.embeddings) == {"own.model", "$other.model"}


def test_a_product_can_be_had_with_the_vectors_category_and_prediction_of_another_model() -> None:
    both = product(category_source="network", embeddings={"fashion/2": TWO})
    assert both.embedded_by("fashion/1") is both
    other = both.embedded_by("fashion/2")
    assert other is not None
    np.testing.assert_array_equal(other.vector, UNIT[7])
    assert (other.model, other.category, other.title) == ("fashion/2", 3, "Shirt")
    assert other.embedding.prediction == Prediction(3, 0.75)
    assert both.embedded_by("fashion/3") is None


def test_images_without_a_vector_of_the_other_model_are_left_out() -> None:
    images = (
        additional_image(UNIT[1], sha256="cc"),
        additional_image(UNIT[2], "u", "bb"),
        additional_image(UNIT[3]),
    )
    other = product(images=images, embeddings={"fashion/2": TWO}).embedded_by("fashion/2")
    assert other is not None
    assert other.images == (ProductImage(None, "aa"), ProductImage("u", "bb"))
    np.testing.assert_array_equal(other.vectors, [UNIT[7], UNIT[8]])


@pytest.mark.parametrize(("source", "category"), [("feed", 0), ("mapping", 0), ("network", 3), ("unknown", 3)])
def test_a_category_that_the_shop_has_said_is_the_same_for_every_model(source: Any, category: int) -> None:
    other = product(category_source=source, embeddings={"fashion/2": TWO}).embedded_by("fashion/2")
    assert other is not None and other.category == category


@pytest.mark.parametrize("sha256", ["cc", None])
def test_a_vector_of_an_earlier_picture_does_not_count(sha256: str | None) -> None:
    changed = product(image_sha256=sha256, embeddings={"fashion/2": TWO})
    assert changed.embedded_by("fashion/2") is None
    assert changed.embedded_by("fashion/1") is changed


def test_a_legacy_document_which_knows_no_hash_can_have_them_too() -> None:
    without_hash = embedding(UNIT[7], None, prediction=Prediction(3, 0.75))
    legacy = product(model=None, image_sha256=None, embeddings={"fashion/2": without_hash})
    assert legacy.embedded_by("fashion/2") is not None


BAD_VECTORS = [None, [float("nan")] * 64, [0.0] * 64, "text"]


@pytest.mark.parametrize(
    "broken",
    [
        *(former(vector=vector) for vector in BAD_VECTORS),
        *(stored(images=[{"sha256": "aa", "vector": vector}]) for vector in BAD_VECTORS),
        former(images=[{"sha256": "bb", "vector": [1.0] * 63}]),
        stored(images=[{"sha256": "aa", "vector": [1.0] * 64}, {"sha256": "bb", "vector": [1.0] * 63}]),
        stored(images=[]),
        stored(images=[{"sha256": "aa"}]),
        stored(prediction=None),
        stored(prediction={"category": -1, "probability": 0.5}),
        stored(prediction={"category": "a", "probability": 0.5}),
        "text",
        None,
        [],
    ],
)
def test_what_cannot_be_read_is_missing_and_harms_nothing_else(broken: Any) -> None:
    document = to_document(PRODUCT)
    document["embeddings"] |= {"fashion/2": broken, "fashion/3": stored()}
    assert set(from_document(document).product.embeddings) == {"fashion/1", "fashion/3"}


@pytest.mark.parametrize("value", [None, "text", [], 5, {}])
def test_a_field_that_holds_something_else_is_none(value: Any) -> None:
    assert read_embeddings(value) == {}
