"""Requests with a photo, in each form: which values count, and which places of the request an error names."""

import base64
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.types import Message

from services.contracts.domain.errors import ImageTooLarge, InvalidImage, InvalidRequest, UnsupportedImage
from services.gateway.search.image_reader import ImageReader
from services.gateway.search.options import PhotoOptions
from services.gateway.search.request import JSON, parse, read_explanation, read_photo, read_preview, read_search

READER = ImageReader(max_bytes=1000, fetcher=None)
PHOTO = b"\xff a photo"
BASE64 = base64.b64encode(PHOTO).decode()


def request(kind: str, body: bytes, query: str = "") -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": "POST",
        "headers": [(b"content-type", kind.encode())],
        "query_string": query.encode(),
    }
    return Request(scope, receive)


def form(**fields: str | bytes) -> Request:
    """Return a multipart request; bytes are files."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"'.encode()
        + (b'; filename="a.jpg"\r\n\r\n' + value if isinstance(value, bytes) else b"\r\n\r\n" + value.encode())
        + b"\r\n"
        for name, value in fields.items()
    ]
    return request("multipart/form-data; boundary=b", b"".join(parts) + b"--b--\r\n", "k=4&offset=20")


def in_json(query: str = "", **values: Any) -> Request:
    return request("application/json; charset=utf-8", orjson.dumps(values), query)


async def read(request: Request) -> tuple[bytes, int, int]:
    query, options = await read_search(request, READER)
    assert query.photo is not None
    assert (query.liked, query.unliked) == ((), ())
    return query.photo, options.k, options.offset


@pytest.mark.parametrize("kind", ["image/jpeg", "IMAGE/PNG", "application/octet-stream", ""])
async def test_a_raw_body_is_the_photo_with_the_options_in_the_query_string(kind: str) -> None:
    assert await read(request(kind, PHOTO, "k=4&offset=20")) == (PHOTO, 4, 20)


async def test_options_in_the_body_come_before_those_in_the_query_string() -> None:
    assert await read(form(image=PHOTO, k="5")) == (PHOTO, 5, 20)
    assert await read(in_json("k=4&offset=20", image_base64=BASE64, k=5)) == (PHOTO, 5, 20)


async def test_the_bound_on_the_size_holds_in_each_form() -> None:
    large = b"\xff" * 1001
    for sent in (
        request("image/png", large),
        form(image=large),
        in_json(image_base64=base64.b64encode(large).decode()),
    ):
        with pytest.raises(ImageTooLarge):
            await read(sent)


async def test_a_request_needs_a_photo() -> None:
    for sent in (in_json(k=5), in_json(image_url="https://shop.example/a.jpg", image_base64=BASE64), form(k="5")):
        with pytest.raises(InvalidRequest):
            await read(sent)
    with pytest.raises(InvalidRequest, match="'image' is the text 'text'"):
        await read(form(image="text"))
    with pytest.raises(InvalidImage):
        await read(request("image/png", b""))


async def test_a_request_without_options_ignores_the_query_string_and_refuses_members() -> None:
    assert await read_photo(request("image/png", PHOTO, "k=0"), READER) == PHOTO
    assert await read_photo(in_json("k=0", image_base64=BASE64), READER) == PHOTO
    with pytest.raises(InvalidRequest, match="k: "):
        await read_photo(in_json(image_base64=BASE64, k=10), READER)


async def test_another_type_of_body_is_unsupported() -> None:
    with pytest.raises(UnsupportedImage, match="text/plain"):
        await read(request("text/plain", PHOTO))


@pytest.mark.parametrize("body", [b"{", b"[]", b'"a"', b""])
async def test_a_json_body_is_an_object(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="the body"):
        await read(request(JSON, body))


def errors(body: dict[str, Any], query: dict[str, Any], **options: Any) -> list[dict[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        parse(PhotoOptions, body, query, **options)
    places: list[dict[str, str]] = caught.value.extra["errors"]
    return places


def test_an_error_points_into_the_body_or_the_query_string() -> None:
    source = '{"$or": [{"a b/c": "Men"}, {"price": {"below": 3}}]}'
    detail = "unknown bound: the bounds are gte, gt, lte, lt"
    for place, values in (("#", ({"filter": source}, {})), ("#/query", ({}, {"filter": source}))):
        assert errors(*values) == [{"pointer": f"{place}/filter/$or/1/price/below", "detail": detail}]
    assert [error["pointer"] for error in errors({"k": 0}, {"k": 5, "offset": -1})] == ["#/k", "#/query/offset"]
    assert [error["pointer"] for error in errors({"k": 0}, {}, within=("product",))] == ["#/product/k"]


def test_the_detail_names_the_first_five_places() -> None:
    wrong = {"k": 0, "offset": -1, "min_score": 2, "facets": "x", "box": 3, "more": 1}
    with pytest.raises(InvalidRequest) as caught:
        parse(PhotoOptions, wrong)
    assert len(caught.value.extra["errors"]) == 6
    assert [text.partition(":")[0] for text in caught.value.detail.split("; ")][:2] == ["k", "offset"]
    assert "more: " not in caught.value.detail


def parts(*named: tuple[str, str | bytes]) -> Request:
    """Return a multipart request with these parts; bytes are files."""
    body = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"'.encode()
        + (b'; filename="a.jpg"\r\n\r\n' + value if isinstance(value, bytes) else b"\r\n\r\n" + value.encode())
        + b"\r\n"
        for name, value in named
    )
    return request("multipart/form-data; boundary=b", body + b"--b--\r\n")


IMAGE, LIKED, UNLIKED = ("image", PHOTO), ("like", PHOTO), ("unlike", PHOTO)


@pytest.mark.parametrize(
    ("images", "ids", "refused"),
    [(10, 0, False), (0, 10, False), (5, 5, False), (6, 5, True), (11, 0, True), (1, 10, True)],
)
async def test_images_and_products_together_are_ten_examples_at_most(images: int, ids: int, refused: bool) -> None:
    for name in ("like", "unlike"):
        products = [f"p{number}" for number in range(ids)]
        examples: dict[str, Any] = {name: [*[{"image_base64": BASE64}] * images, *products]}
        in_form = parts(IMAGE, *[(name, PHOTO)] * images, *((name, product) for product in products))
        for sent in (in_form, in_json(image_base64=BASE64, **examples)):
            if refused:
                with pytest.raises(InvalidRequest, match=f"{name}: a search takes at most 10 examples"):
                    await read_search(sent, READER)
            else:
                query, options = await read_search(sent, READER)
                assert (query.liked if name == "like" else query.unliked) == (PHOTO,) * images
                assert getattr(options, name) == products


async def test_a_form_has_forty_files_and_forty_fields_at_most() -> None:
    with pytest.raises(InvalidRequest, match="at most 10 examples"):
        await read_search(parts(IMAGE, *[LIKED] * 20, *[UNLIKED] * 19), READER)
    with pytest.raises(InvalidRequest, match=r"(?i)files"):
        await read_search(parts(IMAGE, *[LIKED] * 20, *[UNLIKED] * 20), READER)
    _, options = await read_search(parts(IMAGE, *[("k", str(number + 1)) for number in range(40)]), READER)
    assert options.k == 40
    with pytest.raises(InvalidRequest, match=r"(?i)fields"):
        await read_search(parts(IMAGE, *[("k", "5")] * 41), READER)


async def test_an_image_is_given_once() -> None:
    for source in ({"image_url": "https://a.example"}, {"image_base64": BASE64}):
        with pytest.raises(InvalidRequest, match="give the image once"):
            await read(form(image=PHOTO, **source))
    assert (await read(form(image_base64=BASE64)))[0] == PHOTO


async def test_only_searches_take_examples() -> None:
    for sent in (in_json(image_base64=BASE64, like=[{"image_base64": BASE64}]), parts(IMAGE, UNLIKED)):
        with pytest.raises(InvalidRequest, match="like"):
            await read_photo(sent, READER)


async def test_a_product_stands_in_the_place_of_a_photo() -> None:
    assert (await read_preview(in_json(product="p"), READER))[0] is None
    assert (await read_explanation(in_json(query_product="p"), READER))[0] is None
    assert (await read_preview(in_json(image_base64=BASE64), READER))[0] == PHOTO
    for sent in (in_json(product="p", image_base64=BASE64), request("image/png", PHOTO, "product=p")):
        with pytest.raises(InvalidRequest, match="give the query once: as a photo, or as product"):
            await read_preview(sent, READER)
