"""A worker's part of a re-embedding: that of `lookalike reembed`, run over the documents of one block."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.bulk.block_importer import RejectedRows
from services.bulk.worker_services import OpenServices, WorkerLoop, WorkerServices
from services.catalogue.model_switch.reembedding import IMAGES_A_REQUEST, Reembedder
from services.catalogue.model_switch.reembedding_report import ReembedTally
from services.catalogue.product import ProductEmbedding
from services.catalogue.retry import RetriesExhausted
from services.catalogue.sources.records.rows import RejectedRow
from services.catalogue.store.models import CatalogueModels, Entry
from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.wire.embedding import MAX_BATCH, ModelFacts

BLOCK_DOCUMENTS = 2 * MAX_BATCH
DocumentIds = tuple[Any, ...]


@dataclass(frozen=True)
class MissingReader:
    """Reads the `_id`s of the documents without a model's vectors, in blocks. It can be pickled.

    Attributes:
        services: the database.
        facts: the model.
        unversioned: the model of documents that do not name one.
        part: the products to read.
        skipped: documents that cannot be embedded.
    """

    services: WorkerServices
    facts: ModelFacts
    unversioned: str
    part: Part = WHOLE
    skipped: frozenset[Any] = frozenset()

    def __call__(self) -> Iterator[DocumentIds]:
        """Yield the blocks."""
        loop = WorkerLoop(self.services)
        scan = loop.services.database.models.missing_vectors(self.facts.model, self.facts.dimension, self.unversioned)

        async def following() -> list[Any] | None:
            return await anext(scan, None)

        rest: list[Any] = []
        try:
            while (ids := loop.run(lambda services: services.retry.call(following))) is not None:
                rest += [each for each in ids if self.part.holds(str(each)) and each not in self.skipped]
                while len(rest) >= BLOCK_DOCUMENTS:
                    yield tuple(rest[:BLOCK_DOCUMENTS])
                    del rest[:BLOCK_DOCUMENTS]
            if rest:
                yield tuple(rest)
        finally:
            loop.close()


@dataclass(frozen=True)
class ReembedResult:
    """The result of a block: its counts, rejected products and their `_id`s, and why it failed, if it did."""

    tally: ReembedTally = field(default_factory=ReembedTally)
    rejected: tuple[RejectedRow, ...] = ()
    skipped: frozenset[Any] = frozenset()
    failure: str | None = None


@dataclass(frozen=True)
class ReembedWork:
    """Opens a worker of a re-embedding. It can be pickled.

    Attributes:
        services: what the worker calls.
        facts: the model.
        unversioned: the model of documents that do not name one.
        url_template: a picture's address with `{id}` in it, for products without one.
        rate: the most products a second of this worker.
    """

    services: WorkerServices
    facts: ModelFacts
    unversioned: str
    url_template: str | None = None
    rate: float | None = None

    def __call__(self) -> "BlockReembedder":
        """Open the services of a worker."""
        return BlockReembedder(self, WorkerLoop(self.services))


class BlockReembedder:
    """Embeds the products of blocks, one after the other. A block may come twice: complete products are skipped."""

    def __init__(self, work: ReembedWork, loop: WorkerLoop) -> None:
        self._work = work
        self._loop = loop

    def __call__(self, block: DocumentIds) -> ReembedResult:
        """Embed the products of a block."""
        return self._loop.run(lambda services: reembed_block(block, self._work, services))


async def reembed_block(block: DocumentIds, work: ReembedWork, services: OpenServices) -> ReembedResult:
    """Embed the products of a block and return the result."""
    rejected = RejectedRows()
    job = Reembedder(
        _Block(services.database.models, block),
        services.embedding,
        work.services.pictures(services, work.url_template),
        rejected,
        services.retry,
        rate=work.rate,
        images_a_request=IMAGES_A_REQUEST if work.services.model_dir is None else MAX_BATCH,
    )
    failure = None
    try:
        await job.run(work.facts, work.unversioned, services.stopping)
    except (RetriesExhausted, LookalikeError) as error:
        failure = str(error)
    return ReembedResult(job.tally, tuple(rejected.rows), frozenset(job.skipped), failure)


class _Block:
    """The documents of a block as the ones without vectors: once, since the next scan is that of the run."""

    def __init__(self, models: CatalogueModels, document_ids: DocumentIds) -> None:
        self._models = models
        self._left = [list(document_ids)]

    async def missing_vectors(
        self, model: str, dimension: int, unversioned: str, batch: int = 1000
    ) -> AsyncIterator[list[Any]]:
        while self._left:
            yield self._left.pop()

    async def entries(self, document_ids: Sequence[Any]) -> list[Entry]:
        return await self._models.entries(document_ids)

    async def put_embeddings(self, model: str, embeddings: Sequence[tuple[Any, ProductEmbedding]]) -> int:
        return await self._models.put_embeddings(model, embeddings)
