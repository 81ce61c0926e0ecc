"""A web server and a fetcher that may use it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from services.contracts.images.fetch import ImageFetcher
from tests.support.fakes.fetching import opened
from tests.support.web.http import ImageServer


@pytest.fixture(scope="module")
def server() -> Iterator[ImageServer]:
    with ImageServer() as running:
        yield running


@pytest.fixture
async def fetcher(server: ImageServer) -> AsyncIterator[ImageFetcher]:
    async with opened([server.host]) as fetcher:
        yield fetcher
