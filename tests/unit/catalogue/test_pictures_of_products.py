"""Where a product's pictures are, which vectors its images have, and when an embedding counts."""

import numpy as np
import pytest

from services.catalogue.product import (
    ImageVector,
    Prediction,
    ProductEmbedding,
    ProductImage,
    StoredImage,
    picture_name,
    unit_vector,
)
from tests.support.values.products import additional_image, embedding, make_product

UNIT = np.eye(4, dtype=np.float32)
SHA, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4


def test_a_stored_picture_has_an_address_that_changes_with_it() -> None:
    product = make_product("a/b", 0, UNIT[0], image_sha256=SHA, images=(additional_image(UNIT[1], sha256=OTHER),))
    assert product.picture_urls == [
        "/v1/products/a%2Fb/image?v=0123456789ab",
        "/v1/products/a%2Fb/image?picture=fedcba9876543210",
    ]
    assert picture_name(OTHER) == "fedcba9876543210"


@pytest.mark.parametrize(
    ("url", "sha256", "shown"), [("/a.jpg", SHA, "/a.jpg"), ("/a.jpg", None, "/a.jpg"), (None, None, None)]
)
def test_a_picture_of_the_shop_has_the_shop_s_address(url: str | None, sha256: str | None, shown: str | None) -> None:
    assert make_product("a", 0, UNIT[0], image_url=url, image_sha256=sha256).picture_urls == [shown]


def test_images_have_vectors_by_their_hash_or_their_order() -> None:
    own = ProductEmbedding(
        (ImageVector("aa", UNIT[0]), ImageVector(None, UNIT[1]), ImageVector("bb", UNIT[2]), ImageVector(None, UNIT[3]))
    )
    images = [ProductImage(None, name) for name in ("bb", None, "aa", "cc", None, None)]
    found = [None if vector is None else int(vector.argmax()) for vector in own.vectors_of(images)]
    assert found == [2, 1, 0, None, 3, None]
    assert own.vector is own.images[0].vector


@pytest.mark.parametrize(("sha256", "expected"), [("aa", True), ("bb", False), (None, False)])
def test_an_embedding_is_of_its_main_image(sha256: str | None, expected: bool) -> None:
    assert embedding(UNIT[0], "aa", additional={"bb": UNIT[1]}).is_of(ProductImage(None, sha256)) is expected


@pytest.mark.parametrize(
    ("source", "prediction", "category"),
    [("network", Prediction(3, 0.9), 3), ("network", None, 1), ("feed", Prediction(3, 0.9), 1)],
)
def test_the_category_by_another_model_is_its_prediction_unless_the_shop_gave_one(
    source: str, prediction: Prediction | None, category: int
) -> None:
    others: dict[str | None, ProductEmbedding] = {"fashion/2": embedding(UNIT[1], "aa", prediction=prediction)}
    product = make_product("a", 1, UNIT[0], "fashion/1", image_sha256="aa", embeddings=others, category_source=source)
    other = product.embedded_by("fashion/2")
    assert other is not None
    assert (other.category, other.model, int(other.vector.argmax())) == (category, "fashion/2", 1)
    assert product.embedded_by("fashion/1") is product


def test_a_vector_of_any_dimension_is_brought_to_unit_length_unless_one_is_asked_for() -> None:
    np.testing.assert_allclose(unit_vector(np.array([0, 5], np.float32)), [0, 1])
    np.testing.assert_allclose(unit_vector(np.array([0, 5], np.float32), 2), [0, 1])
    assert unit_vector([3.0, 4.0]).tolist() == pytest.approx([0.6, 0.8])  # type: ignore[arg-type]
    assert len(StoredImage("image/png", b"").sha256) == 64
