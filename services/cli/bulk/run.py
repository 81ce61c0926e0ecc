"""Puts a bulk import together: the feed's reader, the work of its workers, and the engine that runs them."""

from services.bulk.block_importer import ImportWork
from services.bulk.bulk_importer import BulkImporter, BulkParts, RemoteSource
from services.bulk.checkpoint import CheckpointNote
from services.bulk.feed_blocks import FeedReader
from services.bulk.options import BulkOptions
from services.bulk.own_models import OwnModels
from services.bulk.ray_engine import RayEngine
from services.catalogue.importing.description import Placer
from services.catalogue.importing.ports import SourceImporter
from services.catalogue.importing.removal import FeedKeys
from services.catalogue.model_switch.switch import EmbeddingModels
from services.catalogue.sources.records.rows import Source, SourceError
from services.cli.bulk.options import worker_services
from services.cli.imports.run import ImportParts, ImportRequest


class BulkRun:
    """The workers of one import; see `Workers`."""

    def __init__(self, request: ImportRequest, options: BulkOptions, *, restarts: bool = False) -> None:
        """Set what to import, where the workers run, and whether to begin at the first row."""
        self._request = request
        self._options = options
        self._restarts = restarts
        self._remote = RemoteSource(request.source)
        self.source: Source = self._remote
        own = options.model_dir
        self.models: EmbeddingModels | None = None if own is None else OwnModels(own)

    def importer(self, run: ImportParts, placer: Placer, feed: FeedKeys | None) -> SourceImporter:
        """Return the importer."""
        request = self._request
        images = None if request.images is None else request.images.resolve()
        source = request.source.resolve()
        if not source.exists():  # Ray takes seconds to start
            raise SourceError(f"{request.source} does not exist")
        reader = FeedReader(source, run.mapping, placer.categories, images, request.part, request.limit)
        workers = worker_services(request, self._options)
        work = ImportWork(workers, placer.categories, run.mapping, "", request.url_template)
        what = (placer.categories, run.mapping, images, request.limit, request.url_template)
        note = CheckpointNote(run.services.catalogue.notes, source, request.part, what)
        parts = BulkParts(reader, work, self._remote, note, self._restarts)
        return BulkImporter(
            parts, lambda: RayEngine(self._options), run.services.retry, run.rejected, feed, run.on_progress
        )
