import numpy as np

from services.contracts.wire.index import Hit
from services.gateway.search.links import Links
from tests.support.values.products import make_product

VECTOR = np.ones(2, dtype=np.float32)


def hit(**more: object) -> Hit:
    return Hit.model_validate({"id": "a/b c", "catalogue": "default", "score": 1.0, "category": 0, **more})


def test_a_products_own_url_comes_before_the_template() -> None:
    links = Links(product_template="https://t.example/{id}")
    assert links.product(hit(url="https://own.example/"), "default") == "https://own.example/"


def test_the_template_takes_the_id_percent_encoded() -> None:
    assert (
        Links(product_template="https://t.example/{id}.html").product(hit(), "default")
        == "https://t.example/a%2Fb%20c.html"
    )


def test_without_either_there_is_no_url() -> None:
    assert Links().product(hit(), "default") is None
    assert Links().image(hit(), "default") is None


def test_a_stored_picture_is_at_the_gateways_public_address() -> None:
    product = make_product("a", 0, VECTOR, image_sha256="f" * 64)
    assert Links().image(product, "default") == "/v1/products/a/image?v=ffffffffffff"
    assert (
        Links(public_url="https://api.example/").image(product, "default")
        == "https://api.example/v1/products/a/image?v=ffffffffffff"
    )


def test_a_linked_picture_stays_as_it_is() -> None:
    product = make_product("a", 0, VECTOR, image_url="https://img.example/a.jpg", image_sha256="f" * 64)
    assert Links(public_url="https://api.example").image(product, "default") == "https://img.example/a.jpg"


def test_a_stored_picture_of_another_catalogue_is_below_its_address() -> None:
    stored = hit(image_url="/v1/products/a/image?v=ffffffffffff", catalogue="shoes")
    links = Links(public_url="https://api.example")
    assert links.image(stored, "shoes") == "https://api.example/catalogues/shoes/v1/products/a/image?v=ffffffffffff"
    assert Links().image(stored, "shoes") == "/catalogues/shoes/v1/products/a/image?v=ffffffffffff"
    assert links.image(stored, "default") == "https://api.example/v1/products/a/image?v=ffffffffffff"


def test_a_picture_of_the_shops_own_is_below_no_catalogue() -> None:
    assert Links().image(hit(image_url="/media/a.jpg"), "shoes") == "/media/a.jpg"


def test_a_template_may_name_the_catalogue() -> None:
    links = Links(product_template="https://{catalogue}.example/{id}")
    assert links.product(hit(), "default") == "https://default.example/a%2Fb%20c"
    assert links.product(hit(), "shoes") == "https://shoes.example/a%2Fb%20c"
