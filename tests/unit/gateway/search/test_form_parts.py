"""The parts of a form: read by their content, and named if they are something else."""

import io
from typing import Any

import pytest
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.requests import Request
from starlette.types import Message

from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.bodies.forms import read_form
from services.gateway.search.form_parts import image_of, images_of, text_of, texts_and_images_of

JPEG = b"\xff\xd8\xff\xe0 a photo \x00\x01"


def file(data: bytes, kind: str = "image/jpeg", name: str = "a.jpg") -> UploadFile:
    return UploadFile(io.BytesIO(data), filename=name, headers=Headers({"content-type": kind}))


def form(*parts: tuple[str, Any]) -> FormData:
    return FormData(list(parts))


async def test_images_are_files() -> None:
    assert await image_of(form(("image", file(JPEG))), "image") == JPEG
    assert await images_of(form(("images", file(JPEG)), ("images", file(b"\x00"))), "images") == [JPEG, b"\x00"]
    assert await image_of(form(("image", file(b""))), "image") == b""


async def test_json_may_have_a_file_name() -> None:
    parts = form(("product", file(b'\xef\xbb\xbf{"title": "\xc3\xa4"}', "application/json", "blob")), ("k", "4"))
    assert await text_of(parts, "image") == {"product": '{"title": "ä"}', "k": "4"}


@pytest.mark.parametrize("part", ["https://shop.example/a.jpg", file(b"https://shop.example/a.jpg"), "undefined"])
async def test_text_in_the_place_of_an_image_is_quoted(part: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"'image' is the text '(https://shop\.example/a\.jpg|undefined)'"):
        await image_of(form(("image", part)), "image")


async def test_long_text_is_quoted_in_part() -> None:
    with pytest.raises(InvalidRequest, match=f"'{'x' * 60}…'"):
        await image_of(form(("image", "x" * 2000)), "image")


async def test_an_image_in_the_place_of_text_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"'product' is a file \(image/jpeg\), and should be text"):
        await text_of(form(("product", file(JPEG))))


async def test_a_missing_image_and_a_second_one_are_named() -> None:
    with pytest.raises(InvalidRequest, match="no file 'image', but photo, k: send"):
        await image_of(form(("photo", file(JPEG)), ("k", "4")), "image")
    with pytest.raises(InvalidRequest, match="no file 'image', but no parts"):
        await image_of(form(), "image")
    with pytest.raises(InvalidRequest, match="2 parts 'image'"):
        await image_of(form(("image", file(JPEG)), ("image", file(JPEG))), "image")


async def test_an_image_without_a_file_name_is_read_unharmed() -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="image"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = head + JPEG * 100_000 + b'\r\n--b\r\nContent-Disposition: form-data; name="k"\r\n\r\n4\r\n--b--\r\n'

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    kind = (b"content-type", b"multipart/form-data; boundary=b")
    request = Request({"type": "http", "method": "POST", "headers": [kind]}, receive)
    parts = await read_form(request, max_files=1, max_fields=1, binary=("image",))
    assert await image_of(parts, "image") == JPEG * 100_000
    assert await text_of(parts, "image") == {"k": "4"}


@pytest.mark.parametrize(("length", "quoted"), [(60, "x" * 60 + "'"), (61, "x" * 60 + "…'")])
async def test_a_text_is_quoted_up_to_sixty_characters(length: int, quoted: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await image_of(form(("image", "x" * length)), "image")
    assert f"is the text '{quoted}" in caught.value.detail


async def test_a_file_of_text_is_an_image_if_it_is_long_or_cannot_be_printed() -> None:
    with pytest.raises(InvalidRequest, match="is the text"):
        await image_of(form(("image", file(b"x" * 2048))), "image")
    for data in (b"x" * 2049, b"a\x00", b"\xff"):
        assert await image_of(form(("image", file(data))), "image") == data
    with pytest.raises(InvalidRequest, match="is the text"):
        await image_of(form(("image", file("ä\tb\r\n".encode()))), "image")
    with pytest.raises(InvalidRequest, match="is the text ''"):
        await image_of(form(("image", "")), "image")


async def test_ids_and_images_may_stand_under_one_name() -> None:
    parts = form(
        *(("like", part) for part in (" t1 ", file(JPEG), file(b" t2\n", "text/plain"), "", file(b""), "t1")),
        ("unlike", "t9"),
    )
    assert await texts_and_images_of(parts, "like") == (["t1", "t2", "t1"], [JPEG])
    assert await texts_and_images_of(parts, "photo") == ([], [])


def sized(data: bytes) -> UploadFile:
    return UploadFile(io.BytesIO(data), size=len(data), filename="a")


async def test_text_in_a_file_has_a_bound() -> None:
    parts = form(("product", sized(b"12345")), ("image", file(JPEG)), ("other", file(JPEG)))
    assert await text_of(parts, "image", "other", max_bytes=5) == {"product": "12345"}
    with pytest.raises(InvalidRequest, match=r"'product' is a file \(of an unknown type\) of 5 bytes, and should be"):
        await text_of(parts, "image", "other", max_bytes=4)
    with pytest.raises(InvalidRequest, match="'other' is a file"):
        await text_of(parts, "image")
