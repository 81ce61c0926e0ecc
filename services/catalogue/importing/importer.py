"""Source → catalogue: read, skip what has not changed, embed the rest in batches, write in bulk.

Several batches are under way at once, so that files are read while the network works and the database writes. Every
write is the whole product under its key, after its picture: an import that was killed anywhere can just be run again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from services.catalogue.documents.embeddings import embedded
from services.catalogue.importing.additional_images import FurtherImages, further_pictures
from services.catalogue.importing.description import Described, Placer, describe
from services.catalogue.importing.image_memory import ImageMemory
from services.catalogue.importing.images import ImageLoader, Loaded, rejected, requests
from services.catalogue.importing.ports import Catalogue, Embedding, Fetcher, Known
from services.catalogue.importing.report import Fate, Outcome, RejectedFile, Tally
from services.catalogue.importing.sorting import new_and_known, sort_out
from services.catalogue.importing.web_images import PER_HOST, WebImages
from services.catalogue.product import Prediction, Product
from services.catalogue.retry import Patience
from services.catalogue.sources.records.rows import RejectedRow, Source, SourceError, SourceRow
from services.contracts.wire.embedding import MAX_BATCH
from services.contracts.wire.embedding import BatchEmbedding as Seen

# Products that are written together: a round trip to the database costs as much for four times as many. Those with images
# on the web are MAX_BATCH: they come slowly, and should soon be in the catalogue.
TOGETHER = 4 * MAX_BATCH
MAX_NOT_TAKEN = 10 * MAX_BATCH  # rejected rows and rows outside, before the counts are told again


@dataclass(frozen=True)
class ImportOptions:
    """How to import.

    Attributes:
        url_template: a product page's address with `{id}` in it, for rows without one.
        limit: the most products taken from the source; all when None.
        in_flight: batches under way at once.
        per_host: images that are fetched from one web server at once.
    """

    url_template: str | None = None
    limit: int | None = None
    in_flight: int = 4
    per_host: int = PER_HOST


@dataclass
class _Taken:
    """Rows of the source: products, complaints, rows outside the categories; whether the source has ended, or broken off."""

    batch: list[Described] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    outside: list[SourceRow] = field(default_factory=list)
    ended: bool = False
    broken: SourceError | None = None


class Importer:
    """One import of one source. `tally` can be read at any time."""

    def __init__(
        self,
        source: Source,
        placer: Placer,
        embedding: Embedding,
        catalogue: Catalogue,
        fetcher: Fetcher,
        rejected_file: RejectedFile,
        patience: Patience,
        options: ImportOptions,
        on_progress: Callable[[], None] = lambda: None,
        on_outcome: Callable[[Outcome], None] = lambda _: None,
        room: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Put the parts together.

        `on_progress` is called after each group of products, `on_outcome` for each row; `room` is awaited before rows are
        read, so that whoever takes the outcomes can slow the import down.
        """
        self.tally = Tally()
        self._source = source
        self._placer = placer
        self._embedding = embedding
        self._catalogue = catalogue
        self._fetcher = fetcher
        self._rejected_file = rejected_file
        self._patience = patience
        self._memory = ImageMemory(catalogue, patience)
        self._further = FurtherImages(embedding, catalogue, patience, self.tally, self._reject_image)
        self._options = options
        self._on_progress = on_progress
        self._on_outcome = on_outcome
        self._room = room
        self._broken: SourceError | None = None

    async def run(self, first: str, stopping: asyncio.Event) -> None:
        """Import until the source ends or `stopping` is set; what the network has under way then is written.

        Products without a vector of the model that searches use are embedded anew. The note of the models is read with
        every batch: an import may last longer than a change of models.

        Args:
            first: the model that searches use where none has been promoted.
            stopping: set to end early.

        Raises:
            SourceError: the source breaks off.
            GivenUp, Stopped: a service stays away; we were told to stop while waiting for one.
            RejectedFileError: rejected rows cannot be written down.
            LookalikeError: a service says something that waiting does not mend.
        """
        slots = asyncio.Semaphore(self._options.in_flight)
        web = WebImages(self._fetcher, stopping, self._options.per_host)
        loader = ImageLoader(web, self._reject, stopping)

        async def one(batch: list[Described]) -> None:
            try:
                await self._batch(batch, loader, first)
            finally:
                slots.release()

        try:
            async with asyncio.TaskGroup() as group:
                async for batch in self._batches(stopping):
                    await slots.acquire()
                    group.create_task(one(batch))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if self._broken is not None:
            raise self._broken

    async def _batches(self, stopping: asyncio.Event) -> AsyncIterator[list[Described]]:
        rows = self._source.rows()
        left = self._options.limit
        while not stopping.is_set() and left != 0:
            if self._room is not None:
                await self._room()
            taken = await asyncio.to_thread(self._take, rows, TOGETHER if left is None else min(TOGETHER, left))
            self.tally.read += len(taken.batch) + len(taken.rejected) + len(taken.outside)
            self.tally.outside += len(taken.outside)
            for row in taken.outside:
                self._tell(row, "outside")
            for complaint in taken.rejected:
                self._reject(complaint)
            left = None if left is None else left - len(taken.batch)
            self._on_progress()
            if taken.batch:
                yield taken.batch
            if taken.ended:
                self._broken = taken.broken  # what came before it is brought to its end first
                return

    def _take(self, rows: Iterator[SourceRow | RejectedRow], size: int) -> _Taken:
        """Read at most `size` products. It runs in a thread, and changes nothing of ours."""
        taken = _Taken()
        while len(taken.batch) < size and len(taken.rejected) + len(taken.outside) < MAX_NOT_TAKEN:
            try:
                row = next(rows, None)
            except SourceError as error:
                taken.broken, row = error, None
            if row is None:
                taken.ended = True
                break
            if isinstance(row, RejectedRow):
                taken.rejected.append(row)
            elif (placement := self._placer.place(row)) is None:
                taken.outside.append(row)
            else:
                taken.batch.append(describe(row, placement, self._options.url_template))
                size = min(size, MAX_BATCH) if isinstance(row.image, str) else size
        return taken

    async def _batch(self, batch: list[Described], loader: ImageLoader, first: str) -> None:
        model, beside = (await self._patience.call(self._catalogue.models.note)).written(first)
        keys = [item.row.key for item in batch]
        known = await self._patience.call(lambda: self._catalogue.products.fingerprints(keys))
        for item in batch:
            self.tally.left_out.update(item.row.left_out)
        recalled = await self._memory.recall(batch, known, model)
        async for group in self._further.load(loader, loader.load(batch, recalled), known, model):
            found = sort_out(group, known, model)
            self.tally.unchanged += len(found.unchanged)
            for loaded in found.unchanged:
                self._tell(loaded.item.row, "unchanged")
            self.tally.not_modified += sum(loaded.not_modified for loaded in group)
            products, again = await self._redescribed(found.redescribed)
            for number, part in enumerate(requests(await loader.whole(found.fresh + again))):
                if number and loader.stopping.is_set():
                    break  # the rest is as if it had not been read
                products += await self._embedded(part, model, beside)
            products = await self._further.embed(loader, products, known, model, beside)
            for some in new_and_known(products, known):
                await self._write(some, known)
            await self._memory.remember(group, recalled)
            await self._further.remember(group)
            self._on_progress()

    async def _redescribed(self, group: list[Loaded]) -> tuple[list[tuple[Loaded, Product]], list[Loaded]]:
        """Return products with their new description and their old vector; and those that have to be embedded after all."""
        if not group:
            return [], []
        keys = [loaded.key for loaded in group]
        records = await self._patience.call(lambda: self._catalogue.products.read(keys))
        old = {record.product.key: record.product for record in records if not isinstance(record, Exception)}
        products: list[tuple[Loaded, Product]] = []
        again: list[Loaded] = []
        for loaded in group:
            product = old.get(loaded.key)
            if product is None or product.prediction is None:
                again.append(loaded)
            else:
                # Vectors of a further model stay where they are: somebody may be writing newer ones.
                old_one = replace(product, embeddings={})
                products.append((loaded, _described(old_one, loaded.item, product.prediction)))
        return products, again

    async def _embedded(self, group: list[Loaded], model: str, beside: str | None) -> list[tuple[Loaded, Product]]:
        images = [loaded.data for loaded in group]
        answer = await self._patience.call(lambda: self._embedding.embed_batch(images, model, beside))
        products: list[tuple[Loaded, Product]] = []
        for loaded, outcome in zip(group, answer.items, strict=True):
            if outcome.embedding is not None:
                products.append((loaded, _product(loaded, outcome.embedding)))
                self.tally.embedded += 1
            else:
                reason = outcome.error.detail if outcome.error is not None else "no embedding came back"
                self._reject(rejected(loaded.item, reason))
        return products

    async def _write(self, products: list[tuple[Loaded, Product]], known: Mapping[str, Known]) -> None:
        """Write pictures, then products: no product is ever there without its picture."""
        refused: dict[str, str] = {}
        new = not any(loaded.key in known for loaded, _ in products)
        pictures = [(loaded.key, loaded.picture) for loaded, _ in products if loaded.item.stores_image]
        pictures += further_pictures(products, known)
        if pictures:
            report = await self._patience.call(lambda: self._catalogue.pictures.put_many(pictures, probably_new=new))
            refused = {failure.key: failure.reason for failure in report.failures}
            products = self._further.without(products, refused)
        wanted = [product for loaded, product in products if loaded.key not in refused]
        if wanted:
            report = await self._patience.call(lambda: self._catalogue.products.put_many(wanted, probably_new=new))
            refused |= {failure.key: failure.reason for failure in report.failures}
        await self._further.clear([one for one in products if one[0].key not in refused], known)
        for loaded, product in products:
            if loaded.key in refused:
                self._reject(rejected(loaded.item, refused[loaded.key]))
            else:
                self.tally.count(product, is_new=loaded.key not in known)
                self._tell(loaded.item.row, "updated" if loaded.key in known else "imported")

    def _reject(self, row: RejectedRow) -> None:
        self._rejected_file.add(row)
        self.tally.rejected += 1
        self._on_outcome(Outcome(row.line, row.key, "rejected", row.reason))

    def _tell(self, row: SourceRow, fate: Fate) -> None:
        self._on_outcome(Outcome(row.line, row.key, fate))

    def _reject_image(self, row: RejectedRow) -> None:
        self._rejected_file.add(row)
        self.tally.images_rejected += 1
        self._on_outcome(Outcome(row.line, row.key, "image_rejected", row.reason, row.image))


def _product(loaded: Loaded, seen: Seen) -> Product:
    product = Product(
        key=loaded.key,
        category=seen.category.id,
        vector=seen.array,
        model=seen.model,
        image_sha256=loaded.sha256,
        embeddings={} if seen.beside is None else {seen.beside.model: embedded(seen.beside, loaded.sha256)},
    )
    return _described(product, loaded.item, Prediction(seen.category.id, seen.category.probability))


def _described(product: Product, item: Described, prediction: Prediction) -> Product:
    placed = item.placement.category
    return replace(
        product,
        category=prediction.category if placed is None else placed,
        category_source=item.placement.source,
        prediction=prediction,
        url=item.url,
        image_url=item.row.image_url,
        title=item.row.title,
        attributes=item.attributes,
        feed_sha256=item.feed_sha256,
        updated_at=datetime.now(UTC),
    )
