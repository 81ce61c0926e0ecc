"""Fetching images by URL: statuses, limits and redirects."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from services.contracts.domain.errors import (
    ImageServerUnavailable,
    ImageTooLarge,
    ImageUrlFailed,
    ImageUrlRefused,
    UpstreamTimeout,
)
from services.contracts.images.fetch import ImageFetcher, Validators
from tests.support.fakes.fetching import opened
from tests.support.waiting import WITHIN_S
from tests.support.web.http import ImageServer, picture


async def test_the_bytes_of_an_image_url_are_returned_unchanged(server: ImageServer, fetcher: ImageFetcher) -> None:
    assert await fetcher.fetch(server.url("/ok.png")) == picture()


async def test_bytes_that_are_not_an_image_are_returned_too(server: ImageServer, fetcher: ImageFetcher) -> None:
    assert await fetcher.fetch(server.url("/text.jpg")) == b"this is not a picture"


@pytest.mark.parametrize("status", [201, 204, 304, 403, 404, 410, 500, 503])
async def test_a_status_other_than_200_is_a_failure(server: ImageServer, fetcher: ImageFetcher, status: int) -> None:
    with pytest.raises(ImageUrlFailed, match=f"answered {status}"):
        await fetcher.fetch(server.url(f"/status/{status}"))


@pytest.mark.parametrize(
    ("trouble", "wait_s"),
    [
        (503, None),
        ((429, "7"), 7),
        ((503, "Wed, 21 Oct 2015 07:28:00 GMT"), 0),
        ((503, "Wed, 21 Oct 2015 07:28:00 -0000"), 0),
        ((503, "soon"), None),
        ((500, ""), None),
    ],
)
async def test_a_temporary_failure_has_the_seconds_of_its_retry_after(
    server: ImageServer, fetcher: ImageFetcher, trouble: int | tuple[int, str], wait_s: float | None
) -> None:
    server.troubles["/ok.png"] = [trouble]
    with pytest.raises(ImageServerUnavailable, match="answered") as caught:
        await fetcher.fetch(server.url("/ok.png"))
    assert caught.value.wait_s == wait_s


async def test_a_retry_after_date_becomes_seconds(server: ImageServer, fetcher: ImageFetcher) -> None:
    later = datetime.now(UTC) + timedelta(days=100)
    server.troubles["/ok.png"] = [(503, format_datetime(later, usegmt=True))]
    with pytest.raises(ImageServerUnavailable) as caught:
        await fetcher.fetch(server.url("/ok.png"))
    assert caught.value.wait_s == pytest.approx(100 * 86_400, abs=3600)


async def test_an_unchanged_image_is_not_sent_again() -> None:
    with ImageServer() as server:
        server.tags = True
        async with opened([server.host]) as fetcher:
            first = await fetcher.get(server.url("/ok.png"))
            assert (first.data, bool(first.validators)) == (picture(), True)
            again = await fetcher.get(server.url("/redirect?to=/ok.png"), first.validators)
            assert (again.data, again.validators) == (None, first.validators)
            server.pages["/ok.png"] = picture((1, 2, 3))
            changed = await fetcher.get(server.url("/ok.png"), first.validators)
            assert changed.data == picture((1, 2, 3))
            assert changed.validators != first.validators


async def test_a_304_without_validators_is_a_failure(server: ImageServer, fetcher: ImageFetcher) -> None:
    with pytest.raises(ImageUrlFailed, match="answered 304"):
        await fetcher.get(server.url("/status/304"), Validators())
    assert (await fetcher.get(server.url("/status/304"), Validators(last_modified="yesterday"))).data is None


@pytest.mark.parametrize("path", ["/hang", "/drip"])
async def test_one_deadline_covers_a_hanging_and_a_slow_server(server: ImageServer, path: str) -> None:
    async with opened([server.host], timeout_s=0.5) as fetcher:
        with pytest.raises(UpstreamTimeout, match=r"within 0\.5 s"):
            await fetcher.fetch(server.url(path))


@pytest.mark.parametrize("path", ["/huge", "/endless"])
async def test_a_body_over_the_limit_is_too_large_with_or_without_content_length(
    server: ImageServer, fetcher: ImageFetcher, path: str
) -> None:
    with pytest.raises(ImageTooLarge, match="100,000"):
        await fetcher.fetch(server.url(path))


async def test_a_body_of_the_limit_is_accepted_and_a_larger_one_is_not(server: ImageServer) -> None:
    server.pages |= {"/limit": bytes(100_000), "/over": bytes(100_001)}
    async with opened([server.host]) as fetcher:
        assert await fetcher.fetch(server.url("/limit")) == bytes(100_000)
        with pytest.raises(ImageTooLarge):
            await fetcher.fetch(server.url("/over"))


@pytest.mark.parametrize("path", ["/cut", "/empty", "/packed"])
async def test_a_truncated_an_empty_and_a_compressed_body_are_failures(
    server: ImageServer, fetcher: ImageFetcher, path: str
) -> None:
    with pytest.raises(ImageUrlFailed):
        await fetcher.fetch(server.url(path))


async def test_relative_redirects_are_followed(server: ImageServer, fetcher: ImageFetcher) -> None:
    assert await fetcher.fetch(server.url("/redirect?to=/redirect?to=/ok.png")) == picture()


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_a_redirect_to_an_address_that_is_not_ascii_is_followed(encoding: str) -> None:
    with ImageServer({"/rotes%20Kleid%20Gr%C3%B6%C3%9Fe.png": picture()}) as server:
        server.location = server.url("/rotes Kleid Größe.png").encode(encoding)
        async with opened([server.host]) as fetcher:
            assert await fetcher.fetch(server.url("/redirect-raw")) == picture()


async def test_spaces_and_other_characters_of_an_image_url_are_encoded(
    fetcher: ImageFetcher, server: ImageServer
) -> None:
    server.pages["/a%20b%C3%A9.png"] = picture()
    assert await fetcher.fetch(server.url("/a bé.png") + "?w=1 2#part") == picture()
    assert server.requests[-1][0] == "/a%20b%C3%A9.png?w=1%202"


async def test_at_most_five_redirects_are_followed(server: ImageServer, fetcher: ImageFetcher) -> None:
    assert await fetcher.fetch(server.url("/redirect?to=" * 5 + "/ok.png")) == picture()
    with pytest.raises(ImageUrlFailed, match="more than 5 times"):
        await fetcher.fetch(server.url("/loop"))


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/a.png",
        "http://[::1]/a.png",
        "file:///etc/passwd",
        "http://u:p@127.0.0.1/",
        "//[::1]/",
        "http://[::1/",
    ],
)
async def test_a_redirect_to_a_private_or_invalid_address_is_refused(
    server: ImageServer, fetcher: ImageFetcher, target: str
) -> None:
    with pytest.raises(ImageUrlRefused):
        await fetcher.fetch(server.url(f"/redirect?to={target}"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/a.jpg",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "example.com/a.jpg",
        "http://",
        "http:///a.jpg",
        "",
        "http://user@example.com/a.jpg",
        "http://user:secret@example.com/a.jpg",
        "http://example.com:port/",
        "http://example.com/\x00",
        "http://exa mple.com/",
        "http://example.com/" + "a" * 5000,
        "http://[::1/",
    ],
)
async def test_a_url_that_is_not_a_plain_web_address_is_refused(fetcher: ImageFetcher, url: str) -> None:
    with pytest.raises(ImageUrlRefused):
        await fetcher.fetch(url)


async def test_proxies_of_the_environment_are_not_used(
    server: ImageServer, fetcher: ImageFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert await fetcher.fetch(server.url("/ok.png")) == picture()


async def test_fetching_continues_after_failures(server: ImageServer) -> None:
    async with opened([server.host], timeout_s=1) as fetcher:
        for path in ("/hang", "/status/404", "/endless", "/cut"):
            with pytest.raises((UpstreamTimeout, ImageUrlFailed, ImageTooLarge)):
                await fetcher.fetch(server.url(path))
    async with opened([server.host]) as fetcher:
        assert await fetcher.fetch(server.url("/ok.png")) == picture()


async def test_a_request_on_a_connection_that_the_server_closes_is_retried() -> None:
    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage")
        await reader.read(1)  # the next request on this connection starts and gets no response
        writer.close()

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    fetcher = ImageFetcher(timeout_s=WITHIN_S, allowed_hosts=[host])
    try:
        assert [await fetcher.fetch(f"http://{host}/a.png") for _ in range(3)] == [b"image"] * 3
    finally:
        await fetcher.close()
        server.close()


async def test_closing_the_fetcher_closes_its_connections(server: ImageServer) -> None:
    fetcher = ImageFetcher(timeout_s=WITHIN_S, allowed_hosts=[server.host])
    async with fetcher._pool.stream("GET", server.url("/ok.png")) as response:
        await response.aread()
        assert len(fetcher._pool.connections) == 1
        (connection,) = fetcher._pool.connections
    await fetcher.close()
    assert connection.is_closed()
    assert fetcher._pool.connections == []
