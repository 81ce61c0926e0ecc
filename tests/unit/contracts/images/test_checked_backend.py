"""Connections only to public addresses and allowed servers."""

import pytest

from services.contracts.domain.errors import (
    ImageUrlFailed,
    ImageUrlRefused,
)
from services.contracts.images.fetch import ImageFetcher
from tests.support.fakes.fetching import FakeResolver, opened
from tests.support.web.http import ImageServer, picture

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"]
)
async def test_no_form_of_the_local_host_is_fetched(server: ImageServer, host: str) -> None:
    before = len(server.requests)
    async with opened() as default_fetcher:
        with pytest.raises((ImageUrlRefused, ImageUrlFailed)):
            await default_fetcher.fetch(f"http://{host}:{server.port}/ok.png")
    assert len(server.requests) == before


async def test_a_refusal_does_not_reveal_the_private_address() -> None:
    async with opened(resolver=FakeResolver(intern_test=[["10.11.12.13"]])) as fetcher:
        with pytest.raises(ImageUrlRefused, match=r"intern\.test is not a public host") as caught:
            await fetcher.fetch("http://intern.test/a.jpg")
    assert "10.11" not in caught.value.detail


async def test_a_name_with_a_private_address_among_public_ones_is_refused() -> None:
    names = FakeResolver(mixed_test=[[PUBLIC, "192.168.0.1"]])
    async with opened(resolver=names) as fetcher:
        with pytest.raises(ImageUrlRefused):
            await fetcher.fetch("http://mixed.test/a.jpg")


async def test_an_allowed_host_is_allowed_only_with_its_port(server: ImageServer) -> None:
    names = FakeResolver(shop_test=[["127.0.0.1"]])
    async with opened([f"Shop.Test:{server.port}"], names) as fetcher:
        assert await fetcher.fetch(f"http://SHOP.test:{server.port}/ok.png") == picture()
        with pytest.raises(ImageUrlRefused):
            await fetcher.fetch("http://shop.test:1/ok.png")


async def test_the_host_header_is_the_name_and_no_cookie_is_sent(server: ImageServer) -> None:
    host = f"shop.test:{server.port}"
    async with opened([host], FakeResolver(shop_test=[["127.0.0.1"]])) as fetcher:
        with pytest.raises(ImageUrlFailed):
            await fetcher.fetch(f"http://{host}/status/500")  # sets a cookie
        await fetcher.fetch(f"http://{host}/ok.png")
    _, headers = server.requests[-1]
    assert headers["Host"] == host
    assert headers["User-Agent"].startswith("Lookalike/")
    assert "Cookie" not in headers


async def test_a_name_is_resolved_once_for_a_connection(
    server: ImageServer,
) -> None:
    """This prevents DNS rebinding: the connection goes to the checked address."""
    host = f"shop.test:{server.port}"
    names = FakeResolver(shop_test=[["127.0.0.1"], ["10.0.0.1"]])
    async with opened([host], names) as fetcher:
        await fetcher.fetch(f"http://{host}/ok.png")
    assert names.queries == ["shop.test"]


async def test_the_next_address_is_tried_after_a_refused_connection(server: ImageServer) -> None:
    host = f"shop.test:{server.port}"
    names = FakeResolver(shop_test=[["127.0.0.99", "127.0.0.1"]])
    async with opened([host], names) as fetcher:
        assert await fetcher.fetch(f"http://{host}/ok.png") == picture()


async def test_an_unknown_name_and_a_closed_port_are_failures() -> None:
    names = FakeResolver(closed_test=[["127.0.0.1"]], none_test=[[]])
    async with opened(["closed.test:9"], names) as fetcher:
        with pytest.raises(ImageUrlFailed, match="cannot be resolved"):
            await fetcher.fetch("http://nowhere.test/a.jpg")
        with pytest.raises(ImageUrlFailed, match="server failed: All connection attempts failed"):
            await fetcher.fetch("http://closed.test:9/a.jpg")
        with pytest.raises(ImageUrlFailed, match="no address"):
            await fetcher.fetch("http://none.test/a.jpg")


@pytest.mark.parametrize("entry", ["shop.test", "shop.test:", ":80", "shop.test:http", ""])
def test_an_allowed_host_without_a_port_is_an_error_at_the_start(entry: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        ImageFetcher(allowed_hosts=[entry])
