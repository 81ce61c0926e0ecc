"""Which picture of a product an explanation compares: its own, a stored one, or that of the template."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.catalogue.product import Product, ProductImage, StoredImage
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import InvalidRequest, UnknownProduct
from services.gateway.products.explanation import Explainer
from services.gateway.search.links import Links
from services.gateway.search.options import ExplainOptions
from tests.support.values.products import additional_image, embedding, make_product

ONE, TWO = "m/1", "m/2"
VECTOR = np.array([1, 0], np.float32)


def explainer(product: Product, template: str | None = None, active: str = ONE) -> Any:
    """Return an explainer whose pictures say where they come from."""

    async def model() -> str:
        return active

    async def known(key: str) -> Product:
        return product

    async def stored(name: str) -> StoredImage | None:
        return None if "gone" in name else StoredImage("image/jpeg", f"stored {name}".encode())

    async def fetched(url: str) -> bytes:
        return f"fetched {url}".encode()

    async def explained(query: bytes, picture: bytes, model: str, box: Any) -> tuple[bytes, bytes, str]:
        return query, picture, model

    products = SimpleNamespace(
        binding=SimpleNamespace(active=model),
        known=known,
        embedding=SimpleNamespace(explain=explained),
        links=Links(image_template=template),
        store=SimpleNamespace(catalogue="default", pictures=SimpleNamespace(get=stored)),
    )
    parts: tuple[Any, Any] = products, SimpleNamespace(from_url=fetched)
    return Explainer(*parts)


def product(*images: ProductImage, key: str = "a") -> Product:
    made = make_product(key, 0, VECTOR, ONE, images=[additional_image(VECTOR) for _ in images[1:]])
    return replace(made, images=images)


@pytest.mark.parametrize(
    ("images", "number", "template", "picture"),
    [
        ([ProductImage("https://a/1.jpg", "f" * 64)], 0, None, "fetched https://a/1.jpg"),
        ([ProductImage("http://a/1.jpg")], 0, "https://t/{id}.jpg", "fetched http://a/1.jpg"),
        ([ProductImage(None, "f" * 64)], 0, "https://t/{id}.jpg", "stored a"),
        ([ProductImage()], 0, "https://t/{id}.jpg", "fetched https://t/a.jpg"),
        ([ProductImage()], 0, None, "stored a"),
        ([ProductImage("https://a/1.jpg"), ProductImage("https://a/2.jpg")], 1, None, "fetched https://a/2.jpg"),
        (
            [ProductImage(), ProductImage(None, "e" * 64)],
            1,
            "https://t/{id}.jpg",
            f"stored {picture_id('a', 'e' * 64)}",
        ),
    ],
)
async def test_a_picture_is_the_products_own_or_a_stored_one_or_the_templates(
    images: list[ProductImage], number: int, template: str | None, picture: str
) -> None:
    work = explainer(product(*images), template)
    explanation = await work.explain("a", b"photo", ExplainOptions(image_index=number))
    assert explanation == (b"photo", picture.encode(), ONE)


async def test_a_picture_that_is_not_stored_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownProduct) as caught:
        await explainer(product(ProductImage(None, "f" * 64), key="gone")).explain("gone", b"photo", ExplainOptions())
    assert caught.value.detail.startswith("the picture of the product 'gone': it is not stored here")


async def test_the_images_are_those_of_the_active_model() -> None:
    two = embedding(VECTOR, "f" * 64)
    both = replace(
        product(ProductImage("https://a/1.jpg", "f" * 64), ProductImage("https://a/2.jpg", "e" * 64)),
        embeddings={ONE: embedding(VECTOR, "f" * 64, additional={"e" * 64: VECTOR}), TWO: two},
    )
    assert (await explainer(both).explain("a", b"q", ExplainOptions(image_index=1)))[1] == b"fetched https://a/2.jpg"
    with pytest.raises(InvalidRequest, match="has 1 images, counted from 0"):  # the other has no vector of it
        await explainer(both, active=TWO).explain("a", b"q", ExplainOptions(image_index=1))
    unknown = await explainer(both, active="m/3").explain("a", b"q", ExplainOptions(image_index=1))
    assert unknown == (b"q", b"fetched https://a/2.jpg", "m/3")


async def test_the_query_may_be_the_main_image_of_a_product() -> None:
    work = explainer(product(ProductImage("https://a/1.jpg"), ProductImage("https://a/2.jpg")))
    explanation = await work.explain("a", None, ExplainOptions(query_product="b", image_index=1))
    assert explanation[:2] == (b"fetched https://a/1.jpg", b"fetched https://a/2.jpg")
