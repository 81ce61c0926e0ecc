"""The vectors of a model for a catalogue that has those of another: computed product by product while the other one serves.

A product that has the vector already is passed over, so the job can be interrupted anywhere and run again. Products that
are written meanwhile get their vectors from whoever writes them; those that do not are found when the catalogue is looked
through once more at the end.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.catalogue.documents.product_document import BrokenDocument
from services.catalogue.importing.images import GROUP_BYTES, in_requests
from services.catalogue.importing.report import RejectedFile
from services.catalogue.model_switch.product_pictures import NoPicture, Pictures, ProductPictures
from services.catalogue.model_switch.reembedding_report import ReembedTally
from services.catalogue.product import Embedded, Float32Array, Prediction, Product
from services.catalogue.retry import Patience, pause
from services.catalogue.sources.records.rows import RejectedRow
from services.catalogue.store.models import Entry
from services.contracts.wire.embedding import MAX_BATCH, BatchResponse, ModelFacts
from services.contracts.wire.embedding import BatchItem as Outcome

READ_AT_ONCE = 32  # products, between two looks at how many bytes are in memory
IN_FLIGHT = 2  # groups under way: pictures are read while the network works
# A search waits for what the network has before it: one request of few images, where two of 128 took seconds.
IMAGES_A_REQUEST = 16


class Vectors(Protocol):
    """The part of `CatalogueModels` that re-embedding needs."""

    def missing_vectors(
        self, model: str, dimension: int, unversioned: str, batch: int = 1000
    ) -> AsyncIterator[list[Any]]: ...
    async def entries(self, document_ids: Sequence[Any]) -> list[Entry]: ...
    async def put_embeddings(self, model: str, seen: Sequence[tuple[Any, Embedded]]) -> int: ...


class Embedding(Protocol):
    """`EmbeddingClient`."""

    async def embed_batch(self, images: Sequence[bytes], model: str | None = None) -> BatchResponse: ...


@dataclass(slots=True)
class _Pending:
    """A product with its pictures, on the way to the network; `faults` say which further pictures get no vector."""

    document_id: Any
    product: Product
    pictures: Pictures
    faults: list[str]


@dataclass(frozen=True, slots=True)
class _Image:
    """One of the images: the main one, or the further one of a hash."""

    owner: _Pending
    sha256: str | None
    data: bytes


class Pace:
    """Lets so many products a second through, evenly."""

    def __init__(self, rate: float | None) -> None:
        self.at_once = READ_AT_ONCE if rate is None else max(1, min(READ_AT_ONCE, int(rate)))
        self._seconds_each = 0.0 if rate is None else 1.0 / rate
        self._next_at = 0.0

    async def wait(self, count: int, stopping: asyncio.Event) -> None:
        """Wait until as many more may go.

        Raises:
            Stopped: we are told to stop.
        """
        starts_at = max(time.monotonic(), self._next_at)
        self._next_at = starts_at + count * self._seconds_each
        if (wait_s := starts_at - time.monotonic()) > 0:
            await pause(wait_s, stopping)


class Reembedder:
    """One run. `tally` can be read at any time."""

    def __init__(
        self,
        store: Vectors,
        embedding: Embedding,
        pictures: ProductPictures,
        rejected_file: RejectedFile,
        patience: Patience,
        *,
        rate: float | None = None,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Put the parts together; no more than `rate` products a second, and `on_progress` after each group of them."""
        self.tally = ReembedTally()
        self._store = store
        self._embedding = embedding
        self._pictures = pictures
        self._rejected_file = rejected_file
        self._patience = patience
        self._pace = Pace(rate)
        self._on_progress = on_progress
        self._network = asyncio.Lock()  # one request at a time
        self._embedded: set[Any] = set()
        self._passed_over: set[Any] = set()  # in later looks of this run

    async def run(self, facts: ModelFacts, unversioned: str, stopping: asyncio.Event) -> None:
        """Compute what is missing until nothing is, or `stopping` is set; what is under way then is brought to its end.

        Args:
            facts: the model.
            unversioned: the model that documents without one are of.
            stopping: set to end early.

        Raises:
            GivenUp, Stopped: a service stays away; we were told to stop while waiting for one.
            RejectedFileError: rejected products cannot be written down.
            LookalikeError: a service says something that waiting does not mend.
        """
        while not stopping.is_set():
            missing = await self._patience.call(lambda: self._missing(facts, unversioned))
            if not missing:
                return
            self.tally.found = self.tally.done + len(missing)
            before = len(self._embedded)
            await self._all(missing, facts, stopping)
            if len(self._embedded) == before:
                return

    async def _missing(self, facts: ModelFacts, unversioned: str) -> list[Any]:
        found = self._store.missing_vectors(facts.model, facts.dimension, unversioned)
        return [one async for ids in found for one in ids if one not in self._passed_over]

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
            entries = await self._patience.call(lambda part=part: self._store.entries(part))  # type: ignore[misc]
            self.tally.overtaken += len(part) - len(entries)
            pending += await self._with_pictures(self._products(entries, facts))
            if sum(one.pictures.size for one in pending) >= GROUP_BYTES:
                await self._embed(pending, facts.model)
                pending = []
        await self._embed(pending, facts.model)

    def _products(self, entries: Sequence[Entry], facts: ModelFacts) -> Iterator[tuple[Any, Product]]:
        for entry in entries:
            if isinstance(entry.found, BrokenDocument):
                self._reject(entry.document_id, str(entry.document_id), entry.found.reason)
                continue
            if _is_complete(entry.found.product, facts):
                self.tally.overtaken += 1
            else:
                yield entry.document_id, entry.found.product

    async def _with_pictures(self, products: Iterator[tuple[Any, Product]]) -> list[_Pending]:
        wanted = list(products)
        found = await self._patience.call(lambda: self._pictures.get([product for _, product in wanted]))
        pending: list[_Pending] = []
        for (document_id, product), pictures in zip(wanted, found, strict=True):
            if isinstance(pictures, NoPicture):
                self._reject(document_id, product.key, str(pictures))
            else:
                pending.append(_Pending(document_id, product, pictures, list(pictures.faults)))
        return pending

    async def _embed(self, pending: Sequence[_Pending], model: str) -> None:
        seen: list[tuple[_Image, Outcome]] = []
        for part in in_requests(_images(pending), lambda image: len(image.data), IMAGES_A_REQUEST):
            files = [image.data for image in part]
            async with self._network:
                answer = await self._patience.call(lambda files=files: self._embedding.embed_batch(files, model))  # type: ignore[misc]
            seen += zip(part, answer.items, strict=True)
        await self._put(self._assembled(pending, seen), model)

    def _assembled(
        self, pending: Sequence[_Pending], seen: Sequence[tuple[_Image, Outcome]]
    ) -> list[tuple[Any, Embedded]]:
        """Return what the model makes of each product whose main image it takes."""
        main = {id(image.owner): outcome for image, outcome in seen if image.sha256 is None}
        further: dict[int, dict[str, Float32Array]] = {id(one): {} for one in pending}
        for image, outcome in seen:
            if image.sha256 is not None and outcome.embedding is not None:
                further[id(image.owner)][image.sha256] = outcome.embedding.array
            elif image.sha256 is not None:
                image.owner.faults.append(f"its further picture {image.sha256[:12]}: {_refusal(outcome)}")
        found: list[tuple[Any, Embedded]] = []
        for one in pending:
            outcome = main[id(one)]
            if outcome.embedding is None:
                self._reject(one.document_id, one.product.key, _refusal(outcome))
                continue
            category = Prediction(outcome.embedding.category.id, outcome.embedding.category.probability)
            vector, sha256 = outcome.embedding.array, one.product.image_sha256
            found.append((one.document_id, Embedded(vector, category, sha256, further[id(one)])))
            self.tally.other_pictures += not one.pictures.as_before
            self._note_faults(one)
        return found

    async def _put(self, seen: Sequence[tuple[Any, Embedded]], model: str) -> None:
        taken = await self._patience.call(lambda: self._store.put_embeddings(model, seen))
        self.tally.embedded += taken
        self.tally.overtaken += len(seen) - taken
        if taken:
            self._embedded.update(document_id for document_id, _ in seen)
        self._on_progress()

    def _note_faults(self, one: _Pending) -> None:
        """Write down further pictures without a vector. The product is found by its others, and not tried again."""
        for reason in one.faults:
            self._rejected_file.add(RejectedRow(None, one.product.key, reason))
            self._passed_over.add(one.document_id)
            self.tally.images_rejected += 1

    def _reject(self, document_id: Any, key: str, reason: str) -> None:
        self._passed_over.add(document_id)
        self._rejected_file.add(RejectedRow(None, key, reason))
        self.tally.rejected += 1


def _is_complete(product: Product, facts: ModelFacts) -> bool:
    seen = product.seen_by(facts.model)
    known = [image for image in product.images if image.sha256 is not None]
    return seen is not None and len(seen.vector) == facts.dimension and len(seen.images) == len(known)


def _images(pending: Sequence[_Pending]) -> Iterator[_Image]:
    for one in pending:
        yield _Image(one, None, one.pictures.main)
        for sha256, data in one.pictures.further.items():
            yield _Image(one, sha256, data)


def _refusal(outcome: Outcome) -> str:
    return "no embedding came back" if outcome.error is None else outcome.error.detail
