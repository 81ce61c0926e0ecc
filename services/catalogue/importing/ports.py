"""What an import needs of the embedding service, the catalogue and the web.

Each is also played by a fake in the tests.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.importing.report import Tally
from services.catalogue.product import Product, StoredImage
from services.catalogue.store.http_cache import CachedImage
from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.mongo.bulk_write import PutReport
from services.contracts.images.fetch import FetchedImage, Validators
from services.contracts.wire.embedding import BatchResponse


class BatchEmbedder(Protocol):
    """`EmbeddingClient`."""

    async def embed_batch(
        self, images: Sequence[bytes], model: str | None = None, secondary_model: str | None = None
    ) -> BatchResponse: ...


class ProductPort(Protocol):
    """`ProductCollection`."""

    async def fingerprints(self, keys: Sequence[str]) -> Mapping[str, Fingerprint]: ...
    async def read(self, document_ids: Sequence[str]) -> Sequence[Record | BrokenDocument]: ...
    async def put_many(self, products: Sequence[Product], *, probably_new: bool = False) -> PutReport: ...


class PicturePort(Protocol):
    """`PictureCollection`."""

    async def put_many(self, images: Sequence[tuple[str, StoredImage]], *, probably_new: bool = False) -> PutReport: ...
    async def keep_only(self, hashes: Mapping[str, Sequence[str]]) -> None: ...


class ModelPort(Protocol):
    """`CatalogueModels`."""

    async def note(self) -> ModelNote: ...


class CachePort(Protocol):
    """`HttpCache`."""

    async def get_many(self, names: Sequence[str]) -> Mapping[str, CachedImage]: ...
    async def put_many(self, images: Mapping[str, CachedImage]) -> None: ...


class Catalogue(Protocol):
    """`CatalogueDatabase`."""

    @property
    def products(self) -> ProductPort: ...
    @property
    def pictures(self) -> PicturePort: ...
    @property
    def models(self) -> ModelPort: ...
    @property
    def http_cache(self) -> CachePort: ...


class ImporterError(Exception):
    """The importer itself has failed, not a row. The text says why and what to do."""


class SourceImporter(Protocol):
    """`Importer`, or `BulkImporter`, whose workers are other processes."""

    @property
    def tally(self) -> Tally: ...
    async def run(self, first: str, stopping: asyncio.Event) -> None: ...


class Fetcher(Protocol):
    """`ImageFetcher`."""

    async def get(self, url: str, known: Validators) -> FetchedImage: ...
