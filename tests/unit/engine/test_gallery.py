"""The gallery's answers to ordinary and odd questions."""

from typing import Any

import numpy as np
import pytest

from services.catalogue.product import unit_vector
from services.contracts.domain.errors import DimensionMismatch, UnknownCategory, UnknownProduct
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.engine.payload import pack, unpack
from tests.support.values.products import additional_image, make_product

AXES = np.eye(4, dtype=np.float32)


@pytest.fixture
def gallery() -> Gallery:
    """Three products in category 0, one in 1, none in 2."""
    gallery = Gallery(3, 4, FaissFlat)
    for number, (category, vector) in enumerate([(0, AXES[0]), (0, AXES[0] + AXES[1]), (0, AXES[1]), (1, AXES[0])]):
        gallery.put(category, f"p{number}", unit_vector(vector), None)
    gallery.publish()
    return gallery


def test_only_the_category_asked_for_is_searched(gallery: Gallery) -> None:
    assert [match.key for match in gallery.search(0, AXES[0], Query(10))] == ["p0", "p1", "p2"]
    assert [match.key for match in gallery.search(1, AXES[0], Query(10))] == ["p3"]


def test_scores_are_cosines(gallery: Gallery) -> None:
    scores = [match.score for match in gallery.search(0, 7 * AXES[0], Query(10))]
    np.testing.assert_allclose(scores, [1, np.sqrt(0.5), 0], atol=1e-7)


def test_an_empty_category_has_no_matches(gallery: Gallery) -> None:
    assert gallery.search(2, AXES[0], Query(10)) == []


@pytest.mark.parametrize("category", [-1, 3])
def test_an_unknown_category_is_an_error(gallery: Gallery, category: int) -> None:
    with pytest.raises(UnknownCategory, match="0 to 2"):
        gallery.search(category, AXES[0], Query(10))


@pytest.mark.parametrize("vector", [np.ones(3), np.ones(5), np.zeros(4), np.full(4, np.nan)])
def test_a_vector_that_is_none_is_an_error(gallery: Gallery, vector: np.ndarray) -> None:
    with pytest.raises(DimensionMismatch):
        gallery.search(0, vector.astype(np.float32), Query(10))


def test_the_least_score_is_kept_to(gallery: Gallery) -> None:
    assert [match.key for match in gallery.search(0, AXES[0], Query(10, min_score=0.5))] == ["p0", "p1"]


def test_excluded_products_make_room_for_others(gallery: Gallery) -> None:
    matches = gallery.search(0, AXES[0], Query(2, exclude=frozenset({"p0", "p3", "unknown"})))
    assert [match.key for match in matches] == ["p1", "p2"]


def test_a_product_is_left_out_of_what_is_similar_to_it(gallery: Gallery) -> None:
    category, matches = gallery.similar("p0", Query(1))
    assert (category, [match.key for match in matches]) == (0, ["p1"])


def test_a_product_that_is_not_indexed_is_unknown(gallery: Gallery) -> None:
    with pytest.raises(UnknownProduct, match="'p9'"):
        gallery.similar("p9", Query(1))


def test_a_product_that_moves_is_in_one_category_only(gallery: Gallery) -> None:
    gallery.put(2, "p0", AXES[3], None)
    gallery.publish()
    assert gallery.counts() == [2, 1, 1]
    assert [match.key for match in gallery.search(0, AXES[0], Query(10))] == ["p1", "p2"]
    assert len(gallery) == 4


def test_the_rows_of_a_category_count_deleted_products(gallery: Gallery) -> None:
    assert [gallery.rows(category) for category in (-1, 0, 1, 2, 3)] == [0, 3, 1, 0, 0]
    gallery.discard("p0")
    gallery.publish()
    assert (gallery.counts(), gallery.rows(0)) == ([2, 1, 0], 3)


def test_a_payload_holds_what_a_result_shows_and_nothing_that_is_not_there() -> None:
    attributes: dict[str, Any] = {"colour": ["blue"], "price": 1.5, "new": True}
    full = make_product("1", 0, AXES[0], url="u", image_url="i", title="ü", attributes=attributes)
    assert unpack(pack(full)) == {"url": "u", "image_url": "i", "title": "ü", "attributes": attributes}
    assert pack(make_product("1", 0, AXES[0])) is None
    assert unpack(None) == {}


def test_a_payload_says_where_each_image_is() -> None:
    images = (
        additional_image(AXES[1], url="back"),
        additional_image(AXES[2], sha256="ab" * 32),
        additional_image(AXES[3]),
    )
    payload = pack(make_product("1", 0, AXES[0], image_url="front", images=images))
    shown = [unpack(payload, image) for image in range(4)]
    urls = ["front", "back", "/v1/products/1/image?picture=abababababababab", "front"]
    assert shown == [{"image_url": url} for url in urls]


def test_what_is_similar_is_near_to_the_main_image_by_whatever_image(gallery: Gallery) -> None:
    gallery.put(0, "p0", np.stack([AXES[0], AXES[3]]), None)
    gallery.put(0, "chart", np.stack([AXES[2], AXES[3]]), None)
    gallery.put(0, "back", np.stack([AXES[2], AXES[0]]), None)
    gallery.publish()
    _, matches = gallery.similar("p0", Query(2))
    assert [(match.key, match.image_index) for match in matches] == [("back", 1), ("p1", 0)]
