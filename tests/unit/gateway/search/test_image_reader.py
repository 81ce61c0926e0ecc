import base64
import tracemalloc

import pytest

from services.contracts.domain.errors import ImageTooLarge, ImageUrlRefused, InvalidImage, InvalidRequest
from services.gateway.search.image_reader import LARGE_BYTES, PIECE, ImageReader

READER = ImageReader(max_bytes=100, fetcher=None)


def test_base64_is_decoded() -> None:
    assert READER.from_base64(base64.b64encode(b"abc").decode()) == b"abc"


def test_a_data_url_is_decoded() -> None:
    assert READER.from_base64("data:image/png;base64," + base64.b64encode(b"abc").decode()) == b"abc"


@pytest.mark.parametrize("head", ["data:image/png", "data:", "DATA:image/png;charset=utf-8"])
def test_a_data_url_without_base64_is_not_read_as_base64(head: str) -> None:
    with pytest.raises(InvalidImage, match="without base64"):
        READER.from_base64(f"{head},{base64.b64encode(b'abc').decode()}")


@pytest.mark.parametrize("text", ["a", "not base64!", "ä", "data:image/png;base64,%%"])
def test_other_text_is_an_invalid_image(text: str) -> None:
    with pytest.raises(InvalidImage, match="not valid base64"):
        READER.from_base64(text)


def test_an_empty_image_is_invalid() -> None:
    with pytest.raises(InvalidImage, match="0 bytes"):
        READER.checked(b"")
    with pytest.raises(InvalidImage, match="0 bytes"):
        READER.from_base64("")


def test_an_image_may_be_as_large_as_the_bound_and_no_larger() -> None:
    assert READER.checked(b"x" * 100) == b"x" * 100
    with pytest.raises(ImageTooLarge, match="101 bytes: at most 100 are accepted"):
        READER.checked(b"x" * 101)


async def test_an_image_url_is_refused_where_fetching_is_off() -> None:
    with pytest.raises(ImageUrlRefused, match="GATEWAY_FETCH_ENABLED"):
        await READER.from_url("https://shop.example/a.jpg")


@pytest.mark.parametrize(("url", "text"), [(None, None), ("https://shop.example/a.jpg", "YWJj")])
async def test_an_image_has_exactly_one_source(url: str | None, text: str | None) -> None:
    with pytest.raises(InvalidRequest, match="exactly one of image_url and image_base64"):
        await READER.one_of(url, text)


async def test_an_image_comes_from_its_source() -> None:
    assert await READER.one_of(None, "YWJj") == b"abc"
    with pytest.raises(ImageUrlRefused):
        await READER.one_of("https://shop.example/a.jpg", None)


LARGE = ImageReader(max_bytes=10**8, fetcher=None)


@pytest.mark.parametrize("size", [PIECE // 4 * 3 - 1, PIECE // 4 * 3, PIECE // 4 * 3 + 1, 2_000_003])
async def test_large_base64_is_decoded_in_pieces(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    text = base64.b64encode(data).decode()
    assert await LARGE.one_of(None, text) == data
    assert await LARGE.one_of(None, text.rstrip("=")) == data
    assert await LARGE.one_of(None, base64.urlsafe_b64encode(data).decode()) == data
    assert await LARGE.one_of(None, "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))) == data


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5])
async def test_padding_may_begin_in_one_piece_and_end_in_the_next(cut: int) -> None:
    data = bytes(PIECE // 4 * 3 + 1)
    text = base64.b64encode(data).decode()
    lines = text[:-cut] + "\n" * (PIECE - len(text) % PIECE + cut) + text[-cut:]
    assert await LARGE.one_of(None, lines) == data


@pytest.mark.parametrize("text", ["QQ==AA", "QQ==AAAA", "Q=Q=", "QQ=A", "A", "AAAAA"])
async def test_what_is_not_base64_is_invalid_in_every_way_of_decoding(text: str) -> None:
    with pytest.raises(InvalidImage, match="not valid base64"):
        LARGE.from_base64(text)
    with pytest.raises(InvalidImage, match="not valid base64"):
        await LARGE.from_large_base64(text)


def test_padding_between_two_pieces_is_invalid() -> None:
    text = "A" * (PIECE - 4) + "QQ==" + "AAAA"
    with pytest.raises(InvalidImage, match="not valid base64"):
        LARGE.from_base64(text)


def test_white_space_between_all_characters_costs_no_more_memory_than_the_text() -> None:
    text = "AB " * 500_000
    tracemalloc.start()
    try:
        assert len(LARGE.from_base64(text)) == 750_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(text)


JPEG_OF_COMMENTS = b"\xff\xd8" + b"\xff\xfe\x00\x02" * (LARGE_BYTES // 4 + 1)


def test_a_large_file_of_far_too_many_parts_is_not_passed_on() -> None:
    reader = ImageReader(max_bytes=len(JPEG_OF_COMMENTS), fetcher=None)
    with pytest.raises(InvalidImage, match="more than 1,000 segments"):
        reader.checked(JPEG_OF_COMMENTS)


@pytest.mark.parametrize("data", [JPEG_OF_COMMENTS[:LARGE_BYTES], bytes(LARGE_BYTES + 1)])
def test_the_embedding_service_judges_small_files_and_unknown_ones(data: bytes) -> None:
    assert ImageReader(max_bytes=2 * LARGE_BYTES, fetcher=None).checked(data) is data


@pytest.mark.parametrize("text", ["AAAA*AAA", "A*AA" + "AAAA" * 9, "AAAAA*A", "AA=A", "A==="])
async def test_one_wrong_character_anywhere_is_invalid(text: str) -> None:
    with pytest.raises(InvalidImage, match="not valid base64"):
        await LARGE.from_large_base64(text)


def test_a_file_of_one_mebibyte_is_passed_on_and_a_larger_one_checked() -> None:
    comments = b"\xff\xd8" + b"\xff\xfe\x00\x02" * (1 << 18)
    reader = ImageReader(max_bytes=1 << 21, fetcher=None)
    assert len(reader.checked(comments[: 1 << 20])) == 1 << 20
    with pytest.raises(InvalidImage):
        reader.checked(comments[: (1 << 20) + 1])
