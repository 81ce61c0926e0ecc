"""Fetching for an import, from real web servers on this machine."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from services.catalogue.importing import web_images
from services.catalogue.importing.web_images import ATTEMPTS, WebImages
from services.catalogue.retry import Stopped
from services.contracts.domain.errors import ImageServerUnavailable, ImageUrlFailed, ImageUrlRefused, UpstreamTimeout
from services.contracts.images.fetch import NO_VALIDATORS, FetchedImage, ImageFetcher, Validators
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.http import ImageServer, picture


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_images, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(web_images, "MAX_DELAY_S", 0.02)


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with ImageServer() as running:
        yield running


@pytest.fixture
def stopping() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def images(server: ImageServer, stopping: asyncio.Event) -> AsyncIterator[WebImages]:
    fetcher = ImageFetcher(timeout_s=WITHIN_S, allowed_hosts=[server.host])
    yield WebImages(fetcher, stopping, per_host=3)
    await fetcher.close()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_failure_that_passes_is_asked_again(server: ImageServer, images: WebImages, status: int) -> None:
    server.troubles["/ok.png"] = [status] * (ATTEMPTS - 1)
    assert (await images.get(server.url("/ok.png"))).data == picture()
    assert server.request_count("/ok.png") == ATTEMPTS


async def test_after_so_many_attempts_the_last_words_of_the_server_are_told(
    server: ImageServer, images: WebImages
) -> None:
    server.troubles["/ok.png"] = [503] * 10
    with pytest.raises(ImageServerUnavailable, match="answered 503"):
        await images.get(server.url("/ok.png"))
    assert server.request_count("/ok.png") == ATTEMPTS


class HangingServers:
    """A fetcher whose every request reaches its deadline."""

    def __init__(self) -> None:
        self.requests: list[str] = []

    async def get(self, url: str, known: Validators = NO_VALIDATORS) -> FetchedImage:
        self.requests.append(url)
        raise UpstreamTimeout("the server did not return its image in time")


async def test_a_server_that_hangs_is_asked_again(stopping: asyncio.Event) -> None:
    servers = HangingServers()
    with pytest.raises(UpstreamTimeout):
        await WebImages(servers, stopping).get("https://shop.example/a.jpg")
    assert servers.requests == ["https://shop.example/a.jpg"] * ATTEMPTS


@pytest.mark.parametrize("path", ["/status/404", "/status/403", "/empty", "/packed", "/loop"])
async def test_a_failure_that_stays_is_asked_once(server: ImageServer, images: WebImages, path: str) -> None:
    with pytest.raises(ImageUrlFailed):
        await images.get(server.url(path))
    assert server.request_count(path) == (6 if path == "/loop" else 1)


async def test_a_redirect_to_the_inside_is_refused_and_not_asked_again(server: ImageServer, images: WebImages) -> None:
    path = "/redirect?to=http://127.0.0.2:1/a.png"
    with pytest.raises(ImageUrlRefused, match="not a public host"):
        await images.get(server.url(path))
    assert server.request_count(path) == 1


async def test_a_server_that_says_when_to_come_back_is_left_alone_until_then_by_everybody(
    server: ImageServer, images: WebImages
) -> None:
    server.troubles["/ok.png"] = [(429, "1")]
    began = time.monotonic()
    first = asyncio.create_task(images.get(server.url("/ok.png")))
    await asyncio.to_thread(eventually, lambda: server.requests)
    await asyncio.sleep(0.1)
    fetched = await asyncio.gather(first, *(images.get(server.url("/ok.png")) for _ in range(3)))
    assert all(each.data == picture() for each in fetched)
    assert time.monotonic() - began >= 1.0
    assert server.request_count("/ok.png") == 5


async def test_being_put_off_does_not_use_up_the_attempts(server: ImageServer, images: WebImages) -> None:
    server.troubles["/ok.png"] = [(429, "0")] * (3 * ATTEMPTS)
    assert (await images.get(server.url("/ok.png"))).data == picture()


async def test_a_server_that_asks_for_an_hour_is_not_waited_for(server: ImageServer, images: WebImages) -> None:
    server.troubles["/ok.png"] = [(503, "3600")]
    with pytest.raises(ImageServerUnavailable, match="answered 503"):
        await images.get(server.url("/ok.png"))


async def test_so_many_requests_go_to_one_server_at_a_time_and_others_are_not_held_up(
    server: ImageServer, images: WebImages, stopping: asyncio.Event
) -> None:
    server.gathers = 3
    with ImageServer() as second:
        second.gathers = 3
        fetcher = ImageFetcher(timeout_s=WITHIN_S, allowed_hosts=[server.host, second.host])
        both = WebImages(fetcher, stopping, per_host=3)
        await asyncio.gather(*(both.get(each.url("/ok.png")) for each in (server, second) for _ in range(12)))
        await fetcher.close()
    assert (server.most_at_once, second.most_at_once) == (3, 3)


async def test_a_server_that_mostly_fails_gets_one_attempt_an_image_until_it_recovers(
    server: ImageServer, images: WebImages
) -> None:
    for _ in range(10):
        with pytest.raises(ImageServerUnavailable):
            await images.get(server.url("/status/500"))
    before = server.request_count("/status/500")
    assert before < 10 * ATTEMPTS
    with pytest.raises(ImageServerUnavailable):
        await images.get(server.url("/status/500"))
    assert server.request_count("/status/500") == before + 1
    for _ in range(110):
        await images.get(server.url("/ok.png"))
    with pytest.raises(ImageServerUnavailable):
        await images.get(server.url("/status/500"))
    assert server.request_count("/status/500") == before + 1 + ATTEMPTS


async def test_waiting_ends_when_told_to_stop(server: ImageServer, images: WebImages, stopping: asyncio.Event) -> None:
    server.troubles["/ok.png"] = [(503, "50")]
    asyncio.get_running_loop().call_later(0.2, stopping.set)
    with pytest.raises(Stopped):
        await images.get(server.url("/ok.png"))


async def test_servers_that_are_done_with_are_forgotten(
    images: WebImages, server: ImageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_images, "MAX_SERVERS", 5)
    for number in range(20):
        with pytest.raises(ImageUrlRefused):
            await images.get(f"http://127.0.0.1:{number + 1}/a.png")
    assert len(images._servers) == 5


async def test_what_is_no_address_is_refused_here_too(images: WebImages) -> None:
    with pytest.raises(ImageUrlRefused):
        await images.get("http://[::1/a.png")
