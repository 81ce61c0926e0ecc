import numpy as np

from services.contracts.wire.index import Hit
from services.gateway.search.links import Links
from tests.support.products import make_product

VECTOR = np.ones(2, dtype=np.float32)


def hit(**more: object) -> Hit:
    return Hit.model_validate({"id": "a/b c", "score": 1.0, "category": 0, **more})


def test_a_products_own_url_comes_before_the_template() -> None:
    links = Links(product_template="https://t.example/{id}")
    assert links.product(hit(url="https://own.example/")) == "https://own.example/"


def test_the_template_takes_the_id_percent_encoded() -> None:
    assert Links(product_template="https://t.example/{id}.html").product(hit()) == "https://t.example/a%2Fb%20c.html"


def test_without_either_there_is_no_url() -> None:
    assert Links().product(hit()) is None
    assert Links().image(hit()) is None


def test_a_stored_picture_is_at_the_gateways_public_address() -> None:
    product = make_product("a", 0, VECTOR, image_sha256="f" * 64)
    assert Links().image(product) == "/v1/products/a/image?v=ffffffffffff"
    assert (
        Links(public_url="https://api.example/").image(product)
        == "https://api.example/v1/products/a/image?v=ffffffffffff"
    )


def test_a_linked_picture_stays_as_it_is() -> None:
    product = make_product("a", 0, VECTOR, image_url="https://img.example/a.jpg", image_sha256="f" * 64)
    assert Links(public_url="https://api.example").image(product) == "https://img.example/a.jpg"


def test_a_stored_picture_of_another_catalogue_is_below_its_address() -> None:
    stored = hit(image_url="/v1/products/a/image?v=ffffffffffff", catalogue="shoes")
    links = Links(public_url="https://api.example")
    assert links.of("shoes").image(stored) == "https://api.example/catalogues/shoes/v1/products/a/image?v=ffffffffffff"
    assert Links().of("shoes").image(stored) == "/catalogues/shoes/v1/products/a/image?v=ffffffffffff"
    assert links.of("default").image(stored) == "https://api.example/v1/products/a/image?v=ffffffffffff"


def test_a_picture_of_the_shops_own_is_below_no_catalogue() -> None:
    assert Links().of("shoes").image(hit(image_url="/media/a.jpg")) == "/media/a.jpg"


def test_a_template_may_name_the_catalogue() -> None:
    links = Links(product_template="https://{catalogue}.example/{id}")
    assert links.product(hit()) == "https://default.example/a%2Fb%20c"
    assert links.of("shoes").product(hit()) == "https://shoes.example/a%2Fb%20c"
