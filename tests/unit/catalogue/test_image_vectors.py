"""The vectors of products' images by image and model, and the embeddings that they become."""

from typing import Any

import numpy as np

from services.catalogue.image_vectors import known_vectors, with_images, with_urls
from services.catalogue.product import Product, ProductImage
from tests.support.values.products import additional_image, embedding, make_product

ONE, TWO = "fashion/1", "fashion/2"
UNIT = np.eye(8, dtype=np.float32)


def product(key: str = "p", main: str | None = "aa", **changes: Any) -> Product:
    return make_product(key, 0, UNIT[0], ONE, image_sha256=main, **changes)


BOTH = product(
    images=(additional_image(UNIT[1], sha256="bb"), additional_image(UNIT[2])),
    embeddings={TWO: embedding(UNIT[3], "aa", additional={"bb": UNIT[4], "old": UNIT[5]})},
)


def numbers(vectors: Any) -> dict[Any, int]:
    """Return which unit vector each one is."""
    return {name: int(np.argmax(vector)) for name, vector in vectors.items()}


def test_vectors_are_known_by_product_image_and_model() -> None:
    vectors = known_vectors([BOTH, product("q", None)], [ONE, TWO, None, "fashion/3"])
    assert numbers(vectors) == {
        ("p", "aa", ONE): 0,
        ("p", "bb", ONE): 1,
        ("p", "aa", TWO): 3,
        ("p", "bb", TWO): 4,
        ("p", "old", TWO): 5,
    }
    assert numbers(known_vectors([BOTH], [TWO])).keys() == {("p", name, TWO) for name in ("aa", "bb", "old")}
    assert known_vectors([BOTH], []) == {}


def shown(result: Product) -> dict[Any, dict[Any, int]]:
    """Return, by model, which vector each image has."""
    return {
        model: numbers({image.sha256: image.vector for image in own.images}) for model, own in result.embeddings.items()
    }


MAIN, BACK, OLD, NEW = (ProductImage(f"/{name}.jpg", name) for name in ("aa", "bb", "old", "new"))


def test_a_product_gets_the_images_of_which_its_model_has_vectors() -> None:
    vectors = known_vectors([BOTH], [ONE, TWO])
    result = with_images(product(), [MAIN, BACK, NEW], BOTH, vectors)
    assert result.images == (MAIN, BACK)
    assert shown(result) == {ONE: {"aa": 0, "bb": 1}, TWO: {"aa": 3, "bb": 4}}


def test_another_model_has_the_vectors_that_it_has() -> None:
    vectors = {**known_vectors([BOTH], [ONE, TWO]), ("p", "new", ONE): UNIT[6]}
    result = with_images(product(), [MAIN, NEW, BACK], BOTH, vectors)
    assert result.images == (MAIN, NEW, BACK)
    assert shown(result) == {ONE: {"aa": 0, "new": 6, "bb": 1}, TWO: {"aa": 3, "bb": 4}}


def test_without_the_stored_product_only_its_own_embeddings_count() -> None:
    assert shown(with_images(product(), [MAIN], None, {})) == {ONE: {"aa": 0}}


def test_embeddings_of_another_main_image_are_dropped() -> None:
    result = with_images(product(main="new"), [NEW, BACK], BOTH, known_vectors([BOTH], [ONE, TWO]))
    assert shown(result) == {ONE: {"new": 0, "bb": 1}}


def test_a_new_embedding_takes_the_place_of_the_stored_one() -> None:
    changed = product(embeddings={TWO: embedding(UNIT[7], "aa")})
    assert shown(with_images(changed, [MAIN], BOTH, {})) == {ONE: {"aa": 0}, TWO: {"aa": 7}}


def test_additional_images_get_the_urls_that_they_have_now() -> None:
    given = product(
        images=(
            additional_image(UNIT[1], "/b.jpg", "bb"),
            additional_image(UNIT[2], "/c.jpg", "cc"),
            additional_image(UNIT[3], "/d.jpg", "dd"),
        )
    )
    moved = [ProductImage("/new.jpg", "bb"), ProductImage(None, "cc"), ProductImage("/main.jpg", "aa")]
    assert [image.url for image in with_urls(given, moved).images] == [None, "/new.jpg", None, "/d.jpg"]
