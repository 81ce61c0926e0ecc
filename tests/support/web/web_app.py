"""An app with the frame of a service and the routes of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request

from services.contracts.web.app import Readiness, make_app
from services.contracts.web.observability.telemetry import Metrics


def app_of(*routers: APIRouter, max_body_bytes: int, **options: Any) -> FastAPI:
    """Return an app that is always ready; `options` are those of `make_app`."""
    options.setdefault("metrics", Metrics())
    return make_app(
        service="test",
        description="",
        routers=routers,
        lifespan=_lifespan,
        readiness=_ready,
        max_body_bytes=max_body_bytes,
        **options,
    )


async def _ready(_: Request) -> Readiness:
    return Readiness(ready=True)


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
