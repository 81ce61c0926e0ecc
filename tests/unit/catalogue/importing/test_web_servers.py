"""How an import treats web servers: its memory of their failures and pauses, with servers that live in memory."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from services.catalogue.importing import web_images
from services.catalogue.importing.web_images import WebImages
from services.catalogue.retry import Stopped
from services.contracts.domain.errors import ImageServerUnavailable, ImageUrlFailed, LookalikeError
from services.contracts.images.fetch import NO_VALIDATORS, FetchedImage, Validators

SHOP = "https://shop.example"
IMAGE = FetchedImage(b"image", NO_VALIDATORS)


class Servers:
    """A fetcher whose requests fail as told by a function of the URL, and the pauses between them on a clock."""

    def __init__(self, error: Callable[[str], LookalikeError | None] = lambda _: None) -> None:
        self.error = error
        self.requests: list[str] = []
        self.known: list[Validators] = []
        self.pauses: list[float] = []
        self.now = 1000.0
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.gates: dict[str, asyncio.Event] = {}

    async def get(self, url: str, known: Validators = NO_VALIDATORS) -> FetchedImage:
        host = urlsplit(url).netloc
        self.requests.append(url)
        self.known.append(known)
        self.under_way[host] += 1
        self.most[host] = max(self.most[host], self.under_way[host])
        try:
            await (self.gates[url].wait() if url in self.gates else asyncio.sleep(0))
        finally:
            self.under_way[host] -= 1
        if error := self.error(url):
            raise error
        return IMAGE

    async def pause(self, seconds: float, stopping: asyncio.Event) -> None:
        if stopping.is_set():
            raise Stopped
        self.pauses.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    servers = Servers()
    monkeypatch.setattr(web_images, "pause", servers.pause)
    monkeypatch.setattr(web_images, "time", SimpleNamespace(monotonic=servers.monotonic))
    return servers


def failing(url: str) -> LookalikeError | None:
    if "ok" in url:
        return None
    wait_s = dict(part.split("=") for part in urlsplit(url).query.split("&") if part).get("wait")
    return ImageServerUnavailable("it answered 503", None if wait_s is None else float(wait_s))


async def attempts(images: WebImages, servers: Servers, url: str = f"{SHOP}/503") -> int:
    """Return how many requests an image takes."""
    servers.error = failing
    before = len(servers.requests)
    with contextlib.suppress(ImageUrlFailed):
        await images.get(url)
    return len(servers.requests) - before


async def test_a_server_that_fails_gets_fewer_and_fewer_attempts_and_each_server_has_its_own(servers: Servers) -> None:
    images = WebImages(servers, asyncio.Event())
    assert [await attempts(images, servers) for _ in range(6)] == [3, 2, 1, 1, 1, 1]
    assert await attempts(images, servers, "https://other.example/503") == 3
    assert await attempts(images, servers, "https://shop.example:8443/503") == 3
    assert await attempts(images, servers, "HTTPS://Shop.Example/other") == 1


@pytest.mark.parametrize(("successes", "expected"), [(59, 1), (62, 2), (75, 3), (500, 3)])
async def test_a_server_that_recovers_gets_its_attempts_back(servers: Servers, successes: int, expected: int) -> None:
    images = WebImages(servers, asyncio.Event())
    for _ in range(20):
        await attempts(images, servers)
    for number in range(successes):
        assert await images.get(f"{SHOP}/ok/{number}") == IMAGE
    assert await attempts(images, servers) == expected
    if successes == 500:  # no more than it had at first
        assert [await attempts(images, servers) for _ in range(2)] == [2, 1]


async def test_an_image_that_is_not_there_says_nothing_of_its_server(servers: Servers) -> None:
    images = WebImages(servers, asyncio.Event())
    servers.error = lambda _: ImageUrlFailed("it answered 404")
    for _ in range(20):
        with pytest.raises(ImageUrlFailed):
            await images.get(f"{SHOP}/404")
    assert len(servers.requests) == 20
    assert await attempts(images, servers) == 3


@pytest.mark.parametrize(("wait_s", "requests"), [(60, 2), (61, 1)])
async def test_a_pause_of_a_minute_is_kept_and_a_longer_one_is_a_failure(
    servers: Servers, wait_s: int, requests: int
) -> None:
    images = WebImages(servers, asyncio.Event())
    errors = [ImageServerUnavailable("busy", wait_s)]
    servers.error = lambda _: errors.pop() if errors else None
    if requests == 1:
        with pytest.raises(ImageServerUnavailable):
            await images.get(f"{SHOP}/a")
        assert servers.pauses == []
    else:
        assert await images.get(f"{SHOP}/a") == IMAGE
        assert sum(servers.pauses) == pytest.approx(60)
    assert len(servers.requests) == requests
    before = [await attempts(images, servers) for _ in range(2)]
    assert before == ([3, 2] if requests == 2 else [3, 1])  # the credit that a failure costs


async def test_of_two_pauses_the_longer_one_counts(servers: Servers) -> None:
    images = WebImages(servers, asyncio.Event())
    errors = [ImageServerUnavailable("busy", 5.0), ImageServerUnavailable("busy", 50.0)]
    servers.error = lambda url: errors.pop() if errors else None
    await asyncio.gather(images.get(f"{SHOP}/a"), images.get(f"{SHOP}/b"))
    assert servers.now >= 1050
    assert len(servers.requests) == 4


async def test_pauses_without_a_time_grow_at_random_up_to_a_bound(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_images, "ATTEMPTS", 100)
    monkeypatch.setattr(web_images, "FULL_CREDIT", 1000.0)
    images = WebImages(servers, asyncio.Event())
    await attempts(images, servers)
    assert len(servers.pauses) == 99
    assert 4 < max(servers.pauses) <= 8
    assert servers.pauses[0] <= 0.5


async def test_what_is_known_of_an_image_goes_with_the_request(servers: Servers) -> None:
    images = WebImages(servers, asyncio.Event())
    await images.get(f"{SHOP}/a", Validators('"1"'))
    await images.get(f"{SHOP}/a")
    assert servers.known == [Validators('"1"'), NO_VALIDATORS]


async def test_one_server_gets_so_many_requests_at_once_and_others_their_own(servers: Servers) -> None:
    images = WebImages(servers, asyncio.Event(), per_host=2)
    urls = [f"https://{host}/{number}" for number in range(6) for host in ("a.example", "A.example", "b.example")]
    await asyncio.gather(*(images.get(url) for url in urls))
    assert len(servers.requests) == 18
    assert servers.most["b.example"] == 2
    assert servers.most["a.example"] + servers.most["A.example"] <= 3


async def test_a_thousand_servers_are_remembered_but_none_is_forgotten_in_use(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = WebImages(servers, asyncio.Event())
    for number in range(1002):
        await images.get(f"https://{number}.example/a")
    assert len(images._servers) == 1000
    assert next(iter(images._servers)) == "https://2.example"
    monkeypatch.setattr(web_images, "MAX_SERVERS", 2)
    few = WebImages(servers, asyncio.Event())
    servers.gates[f"{SHOP}/slow"] = asyncio.Event()
    slow = asyncio.create_task(few.get(f"{SHOP}/slow"))
    await asyncio.sleep(0)
    for number in range(5):
        await few.get(f"https://{number}.example/a")
    assert next(iter(few._servers)) == SHOP
    servers.gates[f"{SHOP}/slow"].set()
    await slow
    assert [*few._servers] == ["https://3.example", "https://4.example"]


async def test_a_server_that_is_asked_again_is_remembered_longer(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_images, "MAX_SERVERS", 2)
    images = WebImages(servers, asyncio.Event())
    for name in ("a", "b", "a", "c"):
        await images.get(f"https://{name}.example/x")
    assert [*images._servers] == ["https://a.example", "https://c.example"]


async def test_nothing_more_is_requested_once_the_import_is_stopped(servers: Servers) -> None:
    stopping = asyncio.Event()
    images = WebImages(servers, stopping)
    servers.error = lambda _: stopping.set() or ImageServerUnavailable("busy")  # type: ignore[func-returns-value]
    with pytest.raises(Stopped):
        await images.get(f"{SHOP}/a")
    assert len(servers.requests) == 1
