"""Requests that are refused, at the edge of each limit: the status, and what the error says."""

import base64
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from services.gateway.ranking.options import RankingOptions
from services.gateway.search.options import filter_from_text
from tests.support.fakes.gateway_fakes import Gateway, running_gateway

SHOE = b"\x01 a photo"
RAW = {"Content-Type": "image/jpeg"}
PHOTO = {"image_base64": base64.b64encode(SHOE).decode()}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with running_gateway() as gateway:
        yield gateway


def filter_of(size: int) -> str:
    """Return a filter as text of this number of characters."""
    text = orjson.dumps({"colour": ""}).decode()
    return text.replace('""', f'"{"x" * (size - len(text))}"')


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"filter": "{"}, "the filter is not a JSON object"),
        ({"rules": "["}, "the rules are not a JSON object"),
        ({"k": "0"}, "k"),
        ({"k": "101"}, "k"),
        ({"offset": "500"}, "offset"),
        ({"min_score": "1.1"}, "min_score"),
        ({"diversity": "-0.1"}, "diversity"),
        ({"box": "0,0,2,1"}, "box"),
        ({"like": [f"p{number}" for number in range(11)]}, "like"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_an_option_that_is_not_valid_is_named(gateway: Gateway, options: dict[str, Any], words: str) -> None:
    form = {name: (None, value) for name, value in options.items() if isinstance(value, str)}
    files: list[tuple[str, Any]] = [("image", ("a.jpg", SHOE, "image/jpeg")), *form.items()]
    files += [(name, (None, text)) for name, value in options.items() if isinstance(value, list) for text in value]
    response = gateway.client.post("/v1/search", files=files)
    assert response.status_code == 422, response.text
    assert words in response.text


def test_a_text_that_is_too_long_for_an_option_is_refused() -> None:
    with pytest.raises(ValueError, match="the filter has 65,537 characters: at most 65,536 are accepted"):
        filter_from_text(filter_of(65_537))
    with pytest.raises(ValueError, match="the rules have 65,537 characters: at most 65,536 are accepted"):
        RankingOptions.model_validate({"rules": "[" + " " * 65_535 + "]"})


def test_an_unknown_category_is_not_found(gateway: Gateway) -> None:
    response = gateway.client.post("/v1/search", content=SHOE, headers=RAW, params={"category": "Hats"})
    assert (response.status_code, "Hats" in response.json()["detail"]) == (404, True)


def test_a_filter_of_the_greatest_length_is_read(gateway: Gateway) -> None:
    files = [("image", ("a.jpg", SHOE, "image/jpeg")), ("filter", (None, filter_of(65_536)))]
    assert gateway.client.post("/v1/search", files=files).status_code == 200


def test_ten_products_to_like_are_accepted_and_eleven_are_not(gateway: Gateway) -> None:
    ids = [f"p{number}" for number in range(11)]
    for taken in (10, 11):
        response = gateway.client.post("/v1/search", json={"like": ids[:taken]})
        is_refused = response.status_code == 422 and "at most 10" in response.text
        assert is_refused == (taken == 11), response.text


def test_nothing_to_like_and_no_photo_is_refused(gateway: Gateway) -> None:
    response = gateway.client.post("/v1/search", json={})
    assert (response.status_code, response.json()["type"].rpartition("/")[2]) == (422, "invalid-request")


def test_an_image_is_given_once(gateway: Gateway) -> None:
    files: list[tuple[str, Any]] = [("image", ("a.jpg", SHOE, "image/jpeg"))]
    files += [("image_base64", (None, PHOTO["image_base64"]))]
    response = gateway.client.post("/v1/search", files=files)
    assert (response.status_code, "give the image once" in response.json()["detail"]) == (422, True)


def test_a_form_may_have_its_image_as_text(gateway: Gateway) -> None:
    response = gateway.client.post("/v1/search", files=[("image_base64", (None, PHOTO["image_base64"]))])
    assert (response.status_code, response.json()["results"][0]["id"]) == (200, "s1")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("url", "/a b\x00", "url"),
        ("url", "https://shop.example/" + "ü" * 1000, "has more than 2048 characters when it is percent-encoded"),
        ("image_url", "ftp://shop.example/a.jpg", "the address"),
        ("image_url", "/a.jpg", "the address"),
        ("title", "x" * 1001, "title"),
        ("group", "g" * 257, "group"),
        ("attributes", {f"a{number}": 1 for number in range(101)}, "attributes"),
        ("attributes", {"colour": "x" * 1001}, "attributes"),
        ("attributes", {"colours": ["x"] * 101}, "attributes"),
        ("attributes", {"a.b": 1}, "attributes"),
        ("attributes", {"x" * 129: 1}, "attributes"),
        ("images", [{"url": "https://shop.example/a.jpg"}] * 20, "images"),
        ("colour", "red", "colour"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else "",
)
def test_a_product_with_a_value_that_is_not_valid_is_refused(
    gateway: Gateway, field: str, value: object, words: str
) -> None:
    response = gateway.client.put("/v1/products/a", json={**PHOTO, field: value})
    assert response.status_code == 422, response.text
    assert words in response.text
    assert gateway.client.get("/v1/products/a").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "x" * 1000),
        ("group", "g" * 256),
        ("attributes", {f"a{number}": 1 for number in range(100)}),
        ("attributes", {"colour": "x" * 1000}),
        ("attributes", {"colours": [f"c{number}" for number in range(100)]}),
        ("attributes", {"x" * 128: 1}),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else "",
)
def test_a_product_at_the_limit_is_stored(gateway: Gateway, field: str, value: object) -> None:
    path = "/v1/products/at-the-limit"
    assert gateway.client.put(path, json={**PHOTO, field: value}).status_code in (200, 201)
    assert gateway.client.get(path).json()[field] == value
    gateway.client.delete(path)


def test_a_product_s_json_in_a_form_is_small_without_its_images(gateway: Gateway) -> None:
    files: list[tuple[str, Any]] = [("image", ("a.jpg", SHOE, "image/jpeg"))]
    files += [("product", (None, orjson.dumps({"title": "x" * 65_537}).decode()))]
    response = gateway.client.put("/v1/products/a", files=files)
    assert (response.status_code, "product has more than 65,536 bytes" in response.text) == (413, True)


def test_a_field_that_is_a_large_file_should_be_text(gateway: Gateway) -> None:
    files: list[tuple[str, Any]] = [("image", ("a.jpg", SHOE, "image/jpeg"))]
    files += [("filter", ("f.json", b" " * 65_537, "application/json"))]
    response = gateway.client.post("/v1/search", files=files)
    assert response.status_code == 422
    assert "'filter' is a file (application/json) of 65,537 bytes, and should be text" in response.json()["detail"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"currency": "gold"}, "it is not a currency"),
        ({"encoding": "utf-99"}, "it is not an encoding"),
        ({"image_base_url": "a b"}, "is not a web address"),
        ({"mapping": "{"}, "the mapping is not a JSON object"),
        ({"sync_limit": "1.5"}, "sync_limit"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_an_import_with_an_option_that_is_not_valid_is_refused(
    gateway: Gateway, parameters: dict[str, str], words: str
) -> None:
    response = gateway.client.post(
        "/v1/products:import", content=b"id,image\n", headers={"Content-Type": "text/csv"}, params=parameters
    )
    assert (response.status_code, words in response.text) == (422, True), response.text


def test_a_cursor_that_is_not_one_is_refused(gateway: Gateway) -> None:
    response = gateway.client.get("/v1/products", params={"cursor": "x"})
    assert (response.status_code, "cursor" in response.text) == (422, True)
