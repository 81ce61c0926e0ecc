"""Vectors at unit length, and pictures by their hash."""

import hashlib

import numpy as np
import pytest

from services.catalogue.product import InvalidVector, StoredImage, unit_vector
from tests.support.values.products import additional_image, make_product

AXIS = np.array([1, 0], np.float32)


def test_a_vector_is_brought_to_unit_length_and_keeps_its_direction() -> None:
    vector = unit_vector(np.array([3, 4], np.float32))
    np.testing.assert_allclose(vector, [0.6, 0.8])
    assert vector.dtype == np.float32


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_very_small_and_very_large_numbers_are_vectors_too(scale: float) -> None:
    assert np.linalg.norm(unit_vector(np.array([scale, scale], np.float32))) == pytest.approx(1)


@pytest.mark.parametrize("values", [[0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0], [[1.0, 2.0]], []], ids=str)
def test_what_has_no_direction_is_refused(values: list[float]) -> None:
    with pytest.raises(InvalidVector):
        unit_vector(np.array(values, np.float32))


def test_a_vector_of_another_length_than_asked_for_is_refused() -> None:
    with pytest.raises(InvalidVector, match=r"\(3,\), not \(2,\)"):
        unit_vector(np.ones(3, np.float32), 2)


def test_a_stored_image_is_known_by_the_hash_of_its_bytes() -> None:
    assert StoredImage("image/png", b"abc").sha256 == hashlib.sha256(b"abc").hexdigest()


def test_a_further_picture_is_linked_where_the_shop_shows_it_and_where_we_keep_it_else() -> None:
    images = (
        additional_image(-AXIS, url="https://s.example/2.jpg", sha256="b" * 64),
        additional_image(AXIS, sha256="c" * 64),
    )
    product = make_product("a/b", 0, AXIS, images=(*images, additional_image(AXIS)))
    kept = "/v1/products/a%2Fb/image?picture=cccccccccccccccc"
    assert product.picture_urls == [None, "https://s.example/2.jpg", kept, None]


def test_a_product_s_vectors_begin_with_that_of_its_main_image() -> None:
    vectors = make_product("1", 0, AXIS, images=(additional_image(-AXIS),)).vectors
    np.testing.assert_array_equal(vectors, [AXIS, -AXIS])
    assert make_product("1", 0, AXIS).vectors.shape == (1, 2)
    assert vectors.dtype == np.float32
