"""Re-embedding: computes the vectors of another model for a catalogue, product by product, while searches go on.

Products that have the vectors are skipped, so the job can be interrupted anywhere and run again. Products that are
written meanwhile get their vectors from their writer; the others are found by another scan at the end.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.catalogue.documents.product_document import BrokenDocument
from services.catalogue.importing.embedding import in_requests, refusal
from services.catalogue.importing.images import GROUP_BYTES
from services.catalogue.importing.ports import BatchEmbedder
from services.catalogue.importing.report import RejectedFile
from services.catalogue.model_switch.product_pictures import NoPicture, Picture, ProductFiles, ProductPictures
from services.catalogue.model_switch.reembedding_report import ReembedTally
from services.catalogue.product import ImageVector, Prediction, Product, ProductEmbedding
from services.catalogue.retry import Retry, pause
from services.catalogue.sources.records.rows import RejectedRow
from services.catalogue.store.models import Entry
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.embedding import MAX_BATCH, BatchItem, ModelFacts

READ_AT_ONCE = 32  # products, between two checks of the bytes in memory
IN_FLIGHT = 2  # groups under way: pictures are read while the network works
# A search waits for the requests before it: one request of few images; two requests of 128 took seconds.
IMAGES_A_REQUEST = 16


class MissingVectors(Protocol):
    """The part of `CatalogueModels` that re-embedding needs."""

    def missing_vectors(
        self, model: str, dimension: int, unversioned: str, batch: int = 1000
    ) -> AsyncIterator[list[Any]]: ...
    async def entries(self, document_ids: Sequence[Any]) -> list[Entry]: ...
    async def put_embeddings(self, model: str, embeddings: Sequence[tuple[Any, ProductEmbedding]]) -> int: ...


@dataclass(slots=True)
class _Pending:
    """A product with its pictures, on the way to the network; `faults` say which additional pictures get no vector."""

    document_id: Any
    product: Product
    files: ProductFiles
    faults: list[str]


@dataclass(frozen=True, slots=True)
class _Part:
    """One picture of a pending product, and its place among the product's pictures: 0 is the main one."""

    owner: _Pending
    place: int
    picture: Picture


class Pace:
    """Limits the number of products a second."""

    def __init__(self, rate: float | None) -> None:
        self.at_once = READ_AT_ONCE if rate is None else max(1, min(READ_AT_ONCE, int(rate)))
        self._seconds_each = 0.0 if rate is None else 1.0 / rate
        self._next_at = 0.0

    async def wait(self, count: int, stopping: asyncio.Event) -> None:
        """Wait until that many more products may be processed.

        Raises:
            Stopped: `stopping` is set.
        """
        starts_at = max(time.monotonic(), self._next_at)
        self._next_at = starts_at + count * self._seconds_each
        if (wait_s := starts_at - time.monotonic()) > 0:
            await pause(wait_s, stopping)


class Reembedder:
    """One run. `tally`, and the `_id`s of rejected products, `skipped`, can be read at any time."""

    def __init__(
        self,
        catalogue: MissingVectors,
        embedding: BatchEmbedder,
        pictures: ProductPictures,
        rejected_file: RejectedFile,
        retry: Retry,
        *,
        part: Part = WHOLE,
        rate: float | None = None,
        images_a_request: int = IMAGES_A_REQUEST,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Set the parts.

        Args:
            catalogue, embedding, pictures, rejected_file, retry: what the run calls.
            part: the products to process; others may run for the other parts at the same time.
            rate: the most products a second.
            images_a_request: the most images in a request, behind which a search would have to wait.
            on_progress: called after each group.
        """
        self.tally = ReembedTally()
        self._catalogue = catalogue
        self._embedding = embedding
        self._pictures = pictures
        self._rejected_file = rejected_file
        self._retry = retry
        self._part = part
        self._pace = Pace(rate)
        self._images_a_request = images_a_request
        self._on_progress = on_progress
        self._network = asyncio.Lock()  # one request at a time
        self._embedded: set[Any] = set()
        self.skipped: set[Any] = set()  # by later scans of this run

    async def run(self, facts: ModelFacts, unversioned: str, stopping: asyncio.Event) -> None:
        """Compute missing vectors until none is missing, or `stopping` is set; groups under way are then finished.

        Args:
            facts: the model.
            unversioned: the model of documents that do not name one.
            stopping: set to end early.

        Raises:
            RetriesExhausted, Stopped: a service stays unavailable; `stopping` is set while waiting for one.
            RejectedFileError: rejected products cannot be written down.
            LookalikeError: a service fails in a way that waiting does not mend.
        """
        while not stopping.is_set():
            missing = await self._retry.call(lambda: self._missing(facts, unversioned))
            if not missing:
                return
            self.tally.found = self.tally.done + len(missing)
            before = len(self._embedded)
            await self._all(missing, facts, stopping)
            if len(self._embedded) == before:
                return

    async def _missing(self, facts: ModelFacts, unversioned: str) -> list[Any]:
        scan = self._catalogue.missing_vectors(facts.model, facts.dimension, unversioned)
        return [
            document_id
            async for ids in scan
            for document_id in ids
            if self._part.holds(str(document_id)) and document_id not in self.skipped
        ]

    async def _all(self, document_ids: Sequence[Any], facts: ModelFacts, stopping: asyncio.Event) -> None:
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def one(part: Sequence[Any]) -> None:
            try:
                await self._some(part, facts, stopping)
            finally:
                slots.release()

        try:
            async with asyncio.TaskGroup() as group:
                for begin in range(0, len(document_ids), MAX_BATCH):
                    await slots.acquire()
                    if stopping.is_set():
                        return
                    group.create_task(one(document_ids[begin : begin + MAX_BATCH]))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _some(self, document_ids: Sequence[Any], facts: ModelFacts, stopping: asyncio.Event) -> None:
        pending: list[_Pending] = []
        for begin in range(0, len(document_ids), self._pace.at_once):
            if stopping.is_set():
                break
            part = document_ids[begin : begin + self._pace.at_once]
            await self._pace.wait(len(part), stopping)
            entries = await self._retry.call(lambda part=part: self._catalogue.entries(part))  # type: ignore[misc]
            self.tally.overtaken += len(part) - len(entries)
            pending += await self._with_pictures(self._products(entries, facts))
            if sum(product.files.size for product in pending) >= GROUP_BYTES:
                await self._embed(pending, facts.model)
                pending = []
        await self._embed(pending, facts.model)

    def _products(self, entries: Sequence[Entry], facts: ModelFacts) -> Iterator[tuple[Any, Product]]:
        for entry in entries:
            if isinstance(entry.content, BrokenDocument):
                self._reject(entry.document_id, str(entry.document_id), entry.content.reason)
                continue
            if _is_complete(entry.content.product, facts):
                self.tally.overtaken += 1
            else:
                yield entry.document_id, entry.content.product

    async def _with_pictures(self, products: Iterator[tuple[Any, Product]]) -> list[_Pending]:
        wanted = list(products)
        files = await self._retry.call(lambda: self._pictures.get([product for _, product in wanted]))
        pending: list[_Pending] = []
        for (document_id, product), pictures in zip(wanted, files, strict=True):
            if isinstance(pictures, NoPicture):
                self._reject(document_id, product.key, str(pictures))
            else:
                pending.append(_Pending(document_id, product, pictures, list(pictures.faults)))
        return pending

    async def _embed(self, pending: Sequence[_Pending], model: str) -> None:
        outcomes: list[tuple[_Part, BatchItem]] = []
        for parts in in_requests(_parts(pending), lambda part: len(part.picture.data), self._images_a_request):
            files = [part.picture.data for part in parts]
            async with self._network:
                response = await self._retry.call(lambda files=files: self._embedding.embed_batch(files, model))  # type: ignore[misc]
            outcomes += zip(parts, response.items, strict=True)
        await self._put(self._assembled(pending, outcomes), model)

    def _assembled(
        self, pending: Sequence[_Pending], outcomes: Sequence[tuple[_Part, BatchItem]]
    ) -> list[tuple[Any, ProductEmbedding]]:
        """Return the embeddings of the products whose main image the model accepts."""
        by_owner: dict[int, list[tuple[_Part, BatchItem]]] = {id(product): [] for product in pending}
        for part, item in outcomes:
            by_owner[id(part.owner)].append((part, item))
        embeddings: list[tuple[Any, ProductEmbedding]] = []
        for product in pending:
            embedding = self._embedding_of(product, by_owner[id(product)])
            if embedding is not None:
                embeddings.append((product.document_id, embedding))
                self.tally.other_pictures += not product.files.pictures[0].is_unchanged
                self._note_faults(product)
        return embeddings

    def _embedding_of(self, pending: _Pending, outcomes: Sequence[tuple[_Part, BatchItem]]) -> ProductEmbedding | None:
        images: list[ImageVector] = []
        prediction: Prediction | None = None
        for part, item in outcomes:
            sha256 = part.picture.image.sha256
            if item.embedding is not None:
                images.append(ImageVector(sha256, item.embedding.array))
            elif part.place == 0:
                self._reject(pending.document_id, pending.product.key, refusal(item))
                return None
            else:
                pending.faults.append(f"its additional picture {str(sha256)[:12]}: {refusal(item)}")
            if part.place == 0 and item.embedding is not None:
                prediction = Prediction(item.embedding.category.id, item.embedding.category.probability)
        return ProductEmbedding(tuple(images), prediction)

    async def _put(self, embeddings: Sequence[tuple[Any, ProductEmbedding]], model: str) -> None:
        written = await self._retry.call(lambda: self._catalogue.put_embeddings(model, embeddings))
        self.tally.embedded += written
        self.tally.overtaken += len(embeddings) - written
        if written:
            self._embedded.update(document_id for document_id, _ in embeddings)
        self._on_progress()

    def _note_faults(self, product: _Pending) -> None:
        """Write down additional pictures without a vector. The product is found by its others, and not tried again."""
        for reason in product.faults:
            self._rejected_file.add(RejectedRow(None, product.product.key, reason))
            self.skipped.add(product.document_id)
            self.tally.images_rejected += 1

    def _reject(self, document_id: Any, key: str, reason: str) -> None:
        self.skipped.add(document_id)
        self._rejected_file.add(RejectedRow(None, key, reason))
        self.tally.rejected += 1


def _is_complete(product: Product, facts: ModelFacts) -> bool:
    embedded = product.embedded_by(facts.model)
    if embedded is None or len(embedded.vector) != facts.dimension:
        return False
    known = {image.sha256 for image in product.images if image.sha256 is not None}
    return known <= {image.sha256 for image in embedded.images}


def _parts(pending: Sequence[_Pending]) -> Iterator[_Part]:
    for product in pending:
        for place, picture in enumerate(product.files.pictures):
            yield _Part(product, place, picture)
