"""Fakes at the importer's ports: an embedding service, a catalogue and a web that live in memory."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from services.catalogue.documents.fingerprint import Fingerprint
from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.importing.description import Placer
from services.catalogue.importing.importer import Importer, ImportHooks, ImportOptions, ImportServices
from services.catalogue.importing.report import Outcome, RejectedFile, Tally
from services.catalogue.product import Product, StoredImage
from services.catalogue.retry import Retry
from services.catalogue.sources.records.mapping import FeedMapping
from services.catalogue.sources.records.rows import RejectedRow, SourceRow
from services.catalogue.store.http_cache import CachedImage
from services.catalogue.store.model_note import ModelNote
from services.catalogue.store.mongo.bulk_write import PutReport, Refused
from services.catalogue.store.pictures import picture_id
from services.contracts.domain.errors import ImageUrlFailed, LookalikeError
from services.contracts.images.fetch import FetchedImage, Validators
from services.contracts.wire.embedding import BatchEmbedding, BatchError, BatchItem, BatchResponse, Category

CATEGORIES = ("Topwear", "Shoes", "Bags")


class ListSource:
    """A source of given rows."""

    kind = "list"

    def __init__(self, rows: Iterable[SourceRow | RejectedRow]) -> None:
        self._rows = rows
        self.given = 0

    def rows(self) -> Iterator[SourceRow | RejectedRow]:
        for row in self._rows:
            self.given += 1
            yield row

    def progress(self) -> tuple[int, int]:
        return self.given, 0

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class FakeEmbedding:
    """Sees the category in an image's first byte; refuses images that say `broken`; fails as often as told."""

    model: str = "fashion/1"
    failures: list[LookalikeError] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)  # models that do not answer

    async def embed_batch(
        self, images: Sequence[bytes], model: str | None = None, secondary_model: str | None = None
    ) -> BatchResponse:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(len(images))
        return BatchResponse(
            items=[self._item(image, model or self.model, secondary_model) for image in images], timings_ms={}
        )

    def _item(self, image: bytes, model: str, secondary_model: str | None) -> BatchItem:
        if image == b"broken":
            return BatchItem(error=BatchError(type="/problems/invalid-image", status=422, detail="it is broken"))
        model_copy = self._embedding(image, model)
        if secondary_model is not None and secondary_model not in self.silent:
            model_copy = model_copy.model_copy(update={"secondary": self._embedding(image, secondary_model)})
        return BatchItem(embedding=model_copy)

    def _embedding(self, image: bytes, model: str) -> BatchEmbedding:
        count_before = image[0] % len(CATEGORIES)
        digest = hashlib.sha256(image + model.encode()).digest()
        return BatchEmbedding(
            category=Category(id=count_before, name=CATEGORIES[count_before], probability=0.9),
            probabilities={CATEGORIES[count_before]: 0.9},
            vector=np.array([1.0 + byte for byte in digest[:4]], "<f4").tobytes(),
            model=model,
        )

    @property
    def images(self) -> int:
        """How many images have been embedded."""
        return sum(self.batches)


@dataclass
class Faults:
    """What goes wrong in a fake catalogue, and the order in which it took products and pictures."""

    refused: dict[str, str] = field(default_factory=dict)
    failures: list[LookalikeError] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)

    def fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


class FakeProducts(dict[str, Product]):
    """Products by key."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    async def fingerprints(self, keys: Sequence[str]) -> dict[str, Fingerprint]:
        self._faults.fail()
        return {key: fingerprint_of(self[key]) for key in keys if key in self}

    async def read(self, document_ids: Sequence[str]) -> list[Record | BrokenDocument]:
        return [Record(key, self[key]) for key in document_ids if key in self]

    async def put_many(self, products: Sequence[Product], *, probably_new: bool = False) -> PutReport:
        self._faults.fail()
        refused = self._faults.refused
        failures = [Refused(p.key, refused[p.key]) for p in products if p.key in refused]
        written = [p for p in products if p.key not in refused]
        for p in written:  # embeddings of models that the product does not have stay
            old = self.get(p.key, p)
            self[p.key] = replace(p, embeddings={**old.embeddings, **p.embeddings})
        self._faults.events += [("product", p.key) for p in written]
        return PutReport(len(written), tuple(failures))


class FakePictures(dict[str, StoredImage]):
    """Pictures by key or `picture_id`."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    async def put_many(self, images: Sequence[tuple[str, StoredImage]], *, probably_new: bool = False) -> PutReport:
        self._faults.fail()
        refused = self._faults.refused
        accepted = [(key, image) for key, image in images if key not in refused]
        self.update(accepted)
        self._faults.events += [("picture", key) for key, _ in accepted]
        failures = [Refused(key, refused[key]) for key, _ in images if key in refused]
        return PutReport(len(accepted), tuple(failures))

    async def keep_only(self, hashes: Mapping[str, Sequence[str]]) -> None:
        for key, kept in hashes.items():
            ids = {picture_id(key, sha256) for sha256 in kept}
            for name in [name for name in self if name.startswith(key + "\n") and name not in ids]:
                del self[name]


class FakeCache(dict[str, CachedImage]):
    """What web servers said of images."""

    async def get_many(self, names: Sequence[str]) -> dict[str, CachedImage]:
        return {name: self[name] for name in names if name in self}

    async def put_many(self, images: Mapping[str, CachedImage]) -> None:
        self.update(images)


@dataclass
class FakeModels:
    """The note of the models."""

    current: ModelNote = field(default_factory=ModelNote)

    async def note(self) -> ModelNote:
        return self.current


class FakeCatalogue:
    """A catalogue in dictionaries."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.products = FakeProducts(self.faults)
        self.pictures = FakePictures(self.faults)
        self.models = FakeModels()
        self.http_cache = FakeCache()


def fingerprint_of(product: Product) -> Fingerprint:
    """Return the fingerprint that a catalogue has of a product."""
    models = frozenset(name for name, embedding in product.embeddings.items() if embedding.is_of(product.images[0]))
    return Fingerprint(product.images, product.feed_sha256, product.model, models, product.category_source)


@dataclass
class FakeWeb:
    """Pages by URL, each with an ETag."""

    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    async def get(self, url: str, known: Validators) -> FetchedImage:
        self.asked.append(url)
        if url not in self.pages:
            raise ImageUrlFailed("the image URL answered 404 Not Found")
        tag = hashlib.sha256(self.pages[url]).hexdigest()
        if known.etag == tag:
            return FetchedImage(None, known)
        self.sent.append(url)
        return FetchedImage(self.pages[url], Validators(tag))


@dataclass
class World:
    """What imports in one test share."""

    folder: Path
    embedding: FakeEmbedding = field(default_factory=FakeEmbedding)
    catalogue: FakeCatalogue = field(default_factory=FakeCatalogue)
    web: FakeWeb = field(default_factory=FakeWeb)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    said: list[str | None] = field(default_factory=list)

    @property
    def rejected_file(self) -> Path:
        return self.folder / "rejected.ndjson"

    async def run(
        self,
        *rows: SourceRow | RejectedRow,
        mapping: FeedMapping | None = None,
        options: ImportOptions | None = None,
        wait_s: float = 5.0,
        source: Iterable[SourceRow | RejectedRow] | None = None,
        room: Callable[[], Awaitable[Any]] | None = None,
        on_progress: Callable[[Tally], None] = lambda _: None,
        on_outcome: Callable[[Outcome], None] = lambda _: None,
    ) -> Tally:
        rejected = RejectedFile(self.rejected_file)
        services = ImportServices(
            self.embedding, self.catalogue, self.web, Retry(wait_s, self.stopping, self.said.append)
        )
        placer = Placer(CATEGORIES, mapping or FeedMapping())
        hooks = ImportHooks(on_progress, on_outcome)
        hooks = hooks if room is None else replace(hooks, room=room)
        importer = Importer(ListSource(source or rows), placer, services, rejected, options, hooks)
        try:
            await importer.run(self.embedding.model, self.stopping)
        finally:
            rejected.close()
        return importer.tally


def row(key: str, image: bytes | str = b"\x00picture", **facts: object) -> SourceRow:
    """Return a source's row; an image of bytes is a file, one of text a URL."""
    return SourceRow(key=key, image=image if isinstance(image, str) else lambda: image, **facts)  # type: ignore[arg-type]
