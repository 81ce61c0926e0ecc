"""Fetchers of images for tests, with scripted name resolution."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from services.contracts.images.checked_backend import Resolver, resolve
from services.contracts.images.fetch import ImageFetcher
from tests.support.waiting import WITHIN_S


@asynccontextmanager
async def opened(
    allowed_hosts: Iterable[str] = (), resolver: Resolver = resolve, timeout_s: float = WITHIN_S
) -> AsyncIterator[ImageFetcher]:
    """Open a fetcher of at most 100,000 bytes for the block."""
    fetcher = ImageFetcher(100_000, timeout_s, allowed_hosts, resolver=resolver)
    try:
        yield fetcher
    finally:
        await fetcher.close()


class FakeResolver:
    """A resolver with a list of answers for each name. The last answer repeats."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(addresses) for name, addresses in answers.items()}
        self.queries: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.queries.append(host)
        if host not in self.answers:
            raise OSError("Name or service not known")
        addresses = self.answers[host]
        return addresses.pop(0) if len(addresses) > 1 else addresses[0]
