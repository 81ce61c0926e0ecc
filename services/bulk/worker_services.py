"""What the workers call: the database, the embedding service or a network of their own, and web servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

from services.bulk.own_models import OwnModels
from services.catalogue.importing.ports import BatchEmbedder
from services.catalogue.importing.web_images import WebImages
from services.catalogue.model_switch.product_pictures import ProductPictures
from services.catalogue.retry import Retry
from services.catalogue.store.database import CatalogueDatabase
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.images.fetch import ImageFetcher

EMBEDDING_TIMEOUT_S = 60.0
T = TypeVar("T")


@dataclass(frozen=True)
class OpenServices:
    """The services of one worker."""

    embedding: BatchEmbedder
    database: CatalogueDatabase
    fetcher: ImageFetcher
    retry: Retry
    stopping: asyncio.Event


@dataclass(frozen=True)
class WorkerServices:
    """Addresses and limits, from which each worker opens its own connections. It can be pickled.

    Attributes:
        mongo_url, mongo_database, catalogue, timeout_s: the database, the catalogue, and the deadline of a call.
        embedding_url, service_token: the embedding service.
        model_dir: the directory of the model that each worker runs itself; None to call the embedding service.
        allow_hosts: web servers that are not public.
        per_host: images that a worker fetches from one web server at a time.
        wait_s: how long a service may be unavailable.
    """

    mongo_url: str
    mongo_database: str
    catalogue: str
    embedding_url: str
    service_token: str | None = None
    model_dir: Path | None = None
    allow_hosts: tuple[str, ...] = ()
    per_host: int = 8
    wait_s: float = 60.0
    timeout_s: float = 10.0

    def shared_by(self, workers: int) -> Self:
        """Return the services of one of several workers, with its share of the requests to a web server."""
        return replace(self, per_host=max(1, self.per_host // workers))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[OpenServices]:
        """Open the connections for as long as the block.

        Raises:
            ValueError: an address is not valid.
        """
        async with AsyncExitStack() as stack:
            embedding = self.embedder()
            stack.push_async_callback(embedding.close)
            store = CatalogueDatabase(
                self.mongo_url, self.mongo_database, catalogue=self.catalogue, timeout_s=self.timeout_s
            )
            fetcher = ImageFetcher(allowed_hosts=self.allow_hosts)
            stack.push_async_callback(fetcher.close)
            stopping = asyncio.Event()  # never set: who stops a run ends the workers
            retry = Retry(self.wait_s, stopping, lambda _: None)
            database = await stack.enter_async_context(store)
            yield OpenServices(embedding, database, fetcher, retry, stopping)

    def embedder(self) -> EmbeddingClient | OwnModels:
        """Return the client of the embedding service, or the worker's own network.

        Raises:
            ValueError: the address is not valid.
        """
        if self.model_dir is not None:
            return OwnModels(self.model_dir)
        return EmbeddingClient(self.embedding_url, EMBEDDING_TIMEOUT_S, token=self.service_token)

    def pictures(self, services: OpenServices, url_template: str | None) -> ProductPictures:
        """Return the pictures of stored products, for re-embedding."""
        web = WebImages(services.fetcher, services.stopping, self.per_host)

        async def fetch(url: str) -> bytes:
            return (await web.get(url)).data or b""

        return ProductPictures(services.database.pictures, fetch, url_template)


class WorkerLoop:
    """The event loop of a worker, with its services, which stay open between blocks."""

    def __init__(self, services: WorkerServices) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.services = self._runner.run(self._stack.enter_async_context(services.open()))

    def run(self, work: Callable[[OpenServices], Awaitable[T]]) -> T:
        """Run a coroutine to its end."""

        async def main() -> T:
            return await work(self.services)

        return self._runner.run(main())

    def close(self) -> None:
        """Close the services. A worker of an engine ends without it."""
        self._runner.run(self._stack.aclose())
        self._runner.close()
