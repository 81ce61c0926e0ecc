"""The index service: the products' vectors in memory, level with MongoDB, searched without it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request

from services.catalogue.store import PRODUCTS, ProductStore
from services.contracts.app import Readiness, make_app
from services.contracts.categories import held_categories
from services.contracts.manifest import Manifest, load_manifest
from services.index.calibrator import Calibrator
from services.index.flat import FaissFlat
from services.index.gallery import Gallery
from services.index.keeper import Keeper
from services.index.metrics import IndexMetrics
from services.index.mirror import Mirror
from services.index.routes import router
from services.index.settings import IndexSettings
from services.index.snapshot import Origin
from services.index.state import IndexState, index_state
from services.index.sync import Follower

DESCRIPTION = """Finds the products whose vectors are nearest to one, exactly, inside a category. For Lookalike's own services:
it stands behind the gateway. A search never asks the database. Errors are problem documents (RFC 9457)."""


def create_app(settings: IndexSettings) -> FastAPI:
    """Return the service's app. The database is reached for in its lifespan, and may be away."""
    metrics = IndexMetrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        manifest = load_manifest(settings.model_dir)
        async with _following(settings, manifest) as follower, _calibrating(manifest, follower) as calibrator:
            metrics.show(follower, manifest.categories)
            with ThreadPoolExecutor(settings.search_threads, thread_name_prefix="search") as threads:
                held = held_categories(settings.categories, manifest.categories)
                yield {"index": IndexState(manifest, held, follower, calibrator, threads, metrics)}

    return make_app(
        service="index",
        description=DESCRIPTION,
        routers=[router],
        lifespan=lifespan,
        readiness=readiness,
        metrics=metrics,
        max_body_bytes=settings.max_body_bytes,
    )


@asynccontextmanager
async def _following(settings: IndexSettings, manifest: Manifest) -> AsyncIterator[Follower]:
    store = ProductStore(
        settings.mongo_url.get_secret_value(),
        settings.mongo_database,
        timeout_s=settings.mongo_timeout_s,
        scan_timeout_s=settings.mongo_scan_timeout_s,
    )

    held = held_categories(settings.categories, manifest.categories)

    def empty() -> Mirror:
        gallery = Gallery(len(manifest.categories), manifest.dimension, FaissFlat, held=held)
        return Mirror(gallery, manifest.model_id, settings.unversioned_model)

    times = {"gather_s": settings.gather_s, "poll_s": settings.poll_s, "longest_pause_s": settings.retry_s}
    async with store:
        follower = Follower(store, empty, _keeper(settings, manifest), **times)
        async with _running(follower.run(), "follow the database"):
            yield follower


@asynccontextmanager
async def _calibrating(manifest: Manifest, follower: Follower) -> AsyncIterator[Calibrator]:
    calibrator = Calibrator(manifest, lambda: follower.mirror.gallery if follower.mirror else None)
    async with _running(calibrator.run(), "fit the scales of likeness"):
        yield calibrator


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Have work done in the background for as long as the block."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _keeper(settings: IndexSettings, manifest: Manifest) -> Keeper | None:
    if settings.snapshot_dir is None:
        return None
    origin = Origin(
        catalogue=f"{settings.mongo_database}.{PRODUCTS}",
        model=manifest.model_id,
        unversioned_model=settings.unversioned_model,
        categories=len(manifest.categories),
        dimension=manifest.dimension,
        held_categories=_listed(held_categories(settings.categories, manifest.categories), manifest),
    )
    return Keeper(settings.snapshot_dir, origin, settings.snapshot_s)


def _listed(held: frozenset[int], manifest: Manifest) -> str:
    return "all" if len(held) == len(manifest.categories) else ",".join(map(str, sorted(held)))


async def readiness(request: Request) -> Readiness:
    """Ready once the products have been loaded, and from then on: a search needs no database.

    While the index may be behind the database, a reason says so.
    """
    state = index_state(request)
    status = state.follower.status()
    if state.follower.mirror is None:
        return Readiness(ready=False, reasons=(state.obstacle,))
    behind = f"what is searched may be behind the database: {status.last_error or status.state}"
    return Readiness(ready=True, reasons=(behind,) if status.stale else ())
