"""Puts a bulk re-embedding together: the scan, the work of its workers, and the engine that runs them."""

from collections.abc import Callable

from services.bulk.block_reembedder import MissingReader, ReembedWork
from services.bulk.bulk_reembedder import BulkReembedder
from services.bulk.options import BulkOptions
from services.bulk.ray_engine import RayEngine
from services.catalogue.importing.report import RejectedFile
from services.cli.bulk.options import worker_services
from services.cli.models.reembed_run import ReembedRequest
from services.contracts.wire.embedding import ModelFacts


def reembedder(options: BulkOptions, rejected: RejectedFile, on_progress: Callable[[], None]) -> BulkReembedder:
    """Return a run of workers."""
    return BulkReembedder(lambda: RayEngine(options), rejected, on_progress=on_progress)


def reembedding(request: ReembedRequest, options: BulkOptions, facts: ModelFacts) -> tuple[MissingReader, ReembedWork]:
    """Return how the products are found, and what the workers do with them."""
    services = worker_services(request, options)
    read = MissingReader(services, facts, request.unversioned_model, request.part)
    return read, ReembedWork(services, facts, request.unversioned_model, request.image_url_template, request.rate)
