"""The index service: searches the products' vectors in memory, and follows MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from starlette.middleware import Middleware

from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.initial_model import InitialModel
from services.catalogue.store.products import PRODUCTS
from services.contracts.domain.categories import held_categories
from services.contracts.domain.engines import FAISS
from services.contracts.domain.machine import available_processors
from services.contracts.domain.manifest import Manifest, load_manifest, load_version
from services.contracts.web.app import Readiness, make_app
from services.contracts.web.background import in_background
from services.contracts.web.internal import internal
from services.contracts.wire.index import SyncStatus
from services.engine.revision import Revision
from services.index.engines import FaissEngine, IndexEngine, engine_of
from services.index.follow.follower import Follower, FollowOptions
from services.index.metrics import IndexMetrics
from services.index.models.model_indexes import ModelIndexes
from services.index.models.note_file import ModelNoteFile
from services.index.revision_field import RevisionMiddleware
from services.index.routes import router
from services.index.settings import IndexSettings
from services.index.state import IndexState, index_state

DESCRIPTION = """Finds the products of a category whose vectors are nearest to a vector, exactly.

It is for Lookalike's own services, behind the gateway. A search never reads the database. Errors are problem documents
(RFC 9457)."""


def create_app(settings: IndexSettings) -> FastAPI:
    """Return the service's app. Its lifespan connects to the database, which may be unavailable."""
    metrics, revision = IndexMetrics(), Revision() if settings.engine == FAISS else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        if len(settings.catalogues) > 1:
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_threads(settings)))
        async with _following(settings, load_manifest(settings.model_dir), revision) as models:
            metrics.show(models)
            with (
                ThreadPoolExecutor(settings.search_threads, thread_name_prefix="search") as threads,
                ThreadPoolExecutor(1, thread_name_prefix="columns") as builder,
            ):
                held = held_categories(settings.categories, models.active.manifest.categories)
                yield {
                    "index": IndexState(
                        models,
                        held,
                        threads,
                        builder,
                        settings.search_timeout_s,
                        metrics,
                        settings.part,
                        engine_of(settings),
                        revision,
                    )
                }

    return make_app(
        service="index",
        description=DESCRIPTION,
        routers=[router],
        lifespan=lifespan,
        readiness=readiness,
        inner_middleware=[
            *internal(settings.service_token),
            *([] if revision is None else [Middleware(RevisionMiddleware, revision=revision)]),
        ],
        metrics=metrics,
        max_body_bytes=settings.max_body_bytes,
        max_json_bytes=settings.max_body_bytes,
    )


def _threads(settings: IndexSettings) -> int:
    """Return the number of threads: the change stream of each catalogue and model occupies one."""
    return min(32, available_processors() + 4) + 3 * (len(settings.catalogues) - 1)


@asynccontextmanager
async def _following(
    settings: IndexSettings, first: Manifest, revision: Revision | None
) -> AsyncIterator[ModelIndexes]:
    store = CatalogueDatabase(
        settings.mongo_url.get_secret_value(),
        settings.mongo_database,
        timeout_s=settings.mongo_timeout_s,
        scan_timeout_s=settings.mongo_scan_timeout_s,
    )

    def forget(manifest: Manifest) -> None:
        for name in settings.catalogues:
            engine.forget(manifest, name)

    engine = _engine(settings, revision)

    models = ModelIndexes(
        first,
        lambda model: load_version(settings.model_dir.parent, model),
        lambda manifest: {
            name: _follower(settings, engine, store.of(name), manifest, revision) for name in settings.catalogues
        },
        ModelNoteFile(settings.snapshot_dir, f"{settings.mongo_database}.{PRODUCTS}"),  # one note for all catalogues
        forget=forget,
        announce=engine.announce,
        revision=revision,
    )
    async with store:
        others = [store.of(name).models for name in settings.catalogues[1:]]
        note = InitialModel(store.models, first.model_id, models.is_usable, settings.unversioned_model, others)
        await models.open(note)
        try:
            async with in_background(models.run(note), "follow the note of the models"):
                yield models
        finally:
            await models.close()


def _follower(
    settings: IndexSettings,
    engine: IndexEngine,
    store: CatalogueDatabase,
    manifest: Manifest,
    revision: Revision | None,
) -> Follower:
    options = FollowOptions(
        mode=settings.follow,
        gather_s=settings.gather_s,
        poll_s=settings.poll_s,
        polling_s=settings.polling_s,
        reconcile_s=settings.reconcile_s,
        longest_pause_s=settings.retry_s,
    )
    name = store.catalogue
    keeper = engine.keeper(manifest, name)
    return Follower(store.products, lambda: engine.replica(manifest, name), keeper, options, revision)


def _engine(settings: IndexSettings, revision: Revision | None) -> IndexEngine:
    if settings.engine == FAISS:
        return FaissEngine(settings, revision)
    from services.index.milvus.engine import MilvusEngine

    return MilvusEngine(settings)


def _lag(status: SyncStatus) -> str | None:
    """Return how late the index is; None if it does not follow the database."""
    return (
        f"changes of the last {status.lag_seconds:.1f} s are not applied yet" if status.state == "following" else None
    )


async def readiness(request: Request) -> Readiness:
    """Return whether the index can be searched: from the first load on, also without the database.

    The reasons say whether the index may be behind the database.
    """
    models = index_state(request).models
    problems = tuple(f"{model} cannot be indexed: {reason}" for model, reason in models.problems.items())
    if not models.active.is_complete:
        return Readiness(ready=False, reasons=(models.active.not_ready_reason, *problems))
    behind = []
    for catalogue in models.active.catalogues.values():
        status = catalogue.follower.status()
        if status.stale:
            reason = status.last_error or _lag(status) or status.state
            behind.append(catalogue.with_name(f"the index may be behind the database: {reason}"))
    return Readiness(ready=True, reasons=(*behind, *problems))
