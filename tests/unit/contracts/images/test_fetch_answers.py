"""Fetching images by URL: what each status, header and length of an answer means."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.contracts.domain.errors import ImageServerUnavailable, ImageTooLarge, ImageUrlFailed, ImageUrlRefused
from services.contracts.images.fetch import NO_VALIDATORS, ImageFetcher, Validators
from tests.support.fakes.fetching import opened
from tests.support.waiting import WITHIN_S
from tests.support.web.http import ImageServer, picture

REDIRECTS = {301, 302, 303, 307, 308}
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}


@asynccontextmanager
async def answering(*parts: bytes) -> AsyncIterator[tuple[ImageFetcher, str, list[bytes]]]:
    """Start a server that answers every request with these bytes; yield a fetcher, the URL, and the requests."""
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + b"".join(parts))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    fetcher = ImageFetcher(timeout_s=WITHIN_S, allowed_hosts=[host])
    try:
        yield fetcher, f"http://{host}/a.png", requests
    finally:
        await fetcher.close()
        server.close()


async def test_only_statuses_of_redirects_are_followed(server: ImageServer, fetcher: ImageFetcher) -> None:
    for status in range(300, 310):
        address = server.url(f"/redirect/{status}?to=/ok.png")
        if status in REDIRECTS:
            assert await fetcher.fetch(address) == picture()
        else:
            with pytest.raises(ImageUrlFailed, match=f"answered {status}"):
                await fetcher.fetch(address)


async def test_only_temporary_statuses_may_be_tried_again(server: ImageServer, fetcher: ImageFetcher) -> None:
    for status in {status + more for status in TEMPORARY for more in (-1, 0, 1)}:
        with pytest.raises(ImageUrlFailed, match=f"answered {status}") as raised:
            await fetcher.fetch(server.url(f"/status/{status}"))
        assert isinstance(raised.value, ImageServerUnavailable) is (status in TEMPORARY), status


async def test_the_seconds_to_wait_are_a_number_in_digits(server: ImageServer, fetcher: ImageFetcher) -> None:
    values = {" 12 ": 12, "0": 0, "12345678901": 123_456_789, "\xb2": None, "-1": None, "1.5": None}
    for retry_after, wait_s in values.items():
        server.troubles["/ok.png"] = [(503, retry_after)]
        with pytest.raises(ImageServerUnavailable) as raised:
            await fetcher.fetch(server.url("/ok.png"))
        assert raised.value.wait_s == wait_s, retry_after


async def test_an_address_has_at_most_4096_characters(server: ImageServer, fetcher: ImageFetcher) -> None:
    longest = server.url("/ok.png?")
    longest += "a" * (4096 - len(longest))
    assert await fetcher.fetch(longest) == picture()
    with pytest.raises(ImageUrlRefused, match="longer than 4096 characters"):
        await fetcher.fetch(longest + "a")


async def test_the_default_limit_of_an_image_is_ten_megabytes() -> None:
    async with answering(b"Content-Length: 10485760\r\n\r\nx") as (fetcher, url, _):
        with pytest.raises(ImageUrlFailed, match="connection"):
            await fetcher.fetch(url)
    async with answering(b"Content-Length: 10485761\r\n\r\nx") as (fetcher, url, _):
        with pytest.raises(ImageTooLarge, match="10,485,760 bytes"):
            await fetcher.fetch(url)


async def test_a_probe_returns_the_first_64_bytes_and_asks_for_pages_too(server: ImageServer) -> None:
    server.pages |= {"/long": bytes(range(250)) * 800, "/short": b"short"}
    async with opened([server.host]) as fetcher:
        assert await fetcher.probe(server.url("/long")) == bytes(range(64))
        assert await fetcher.probe(server.url("/short")) == b"short"
        assert server.requests[-1][1]["Accept"] == "*/*"
        with pytest.raises(ImageUrlFailed, match="is empty"):
            await fetcher.probe(server.url("/empty"))


async def test_only_known_validators_are_sent_with_what_an_image_needs(
    server: ImageServer, fetcher: ImageFetcher
) -> None:
    cases: list[tuple[Validators, dict[str, str]]] = [
        (NO_VALIDATORS, {}),
        (Validators(etag='"1"'), {"If-None-Match": '"1"'}),
        (Validators(last_modified="today"), {"If-Modified-Since": "today"}),
        (Validators('"1"', "today"), {"If-None-Match": '"1"', "If-Modified-Since": "today"}),
    ]
    for known, sent in cases:
        assert bool(known) is bool(sent)
        await fetcher.get(server.url("/ok.png"), known)
        _, headers = server.requests[-1]
        assert {name: value for name, value in headers.items() if name.startswith("If-")} == sent
        assert (headers["Accept"], headers["Accept-Encoding"]) == ("image/*", "identity")


@pytest.mark.parametrize(
    ("etag", "last_modified", "kept"),
    [
        ('"1"', "today", ('"1"', "today")),
        ('"1"', "", ('"1"', None)),
        ("a" * 255, "b" * 256, ("a" * 255, None)),
        ("\xfc", "today", (None, "today")),
    ],
)
async def test_validators_that_cannot_be_sent_back_are_left_out(
    etag: str, last_modified: str, kept: tuple[str | None, str | None]
) -> None:
    fields = f"ETag: {etag}\r\nLast-Modified: {last_modified}\r\nContent-Length: 1\r\n\r\nx".encode("latin-1")
    async with answering(fields) as (fetcher, url, _):
        image = await fetcher.get(url)
    assert (image.data, image.validators) == (b"x", Validators(*kept))


@pytest.mark.parametrize(("encoding", "is_read"), [("", True), (" Identity", True), ("gzip", False), ("br", False)])
async def test_a_body_that_is_encoded_is_refused(encoding: str, is_read: bool) -> None:
    async with answering(f"Content-Encoding: {encoding}\r\nContent-Length: 1\r\n\r\nx".encode()) as (fetcher, url, _):
        if is_read:
            assert await fetcher.fetch(url) == b"x"
        else:
            with pytest.raises(ImageUrlFailed, match="compressed"):
                await fetcher.fetch(url)


async def test_a_connection_that_breaks_twice_is_an_error_after_the_second_request() -> None:
    async with answering(b"Content-Length: 9\r\n\r\nx") as (fetcher, url, requests):
        with pytest.raises(ImageServerUnavailable, match="the connection to the image URL's server failed"):
            await fetcher.fetch(url)
        assert len(requests) == 2
