"""The parts that every service's app has: errors, request ids, metrics, liveness and readiness."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import Field
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.web import problems
from services.contracts.web.bodies.body_limit import BodyLimitMiddleware, BodyRate
from services.contracts.web.bodies.json_size import MAX_JSON_BYTES
from services.contracts.web.direct_routes import DirectRoutes
from services.contracts.web.free_memory import returning_memory
from services.contracts.web.observability import tracing
from services.contracts.web.observability.telemetry import Metrics, TelemetryMiddleware
from services.contracts.web.requests.compression import CompressionMiddleware
from services.contracts.web.requests.head import HeadMiddleware
from services.contracts.web.requests.in_flight import BytesInFlight

VERSION = "0.2.0.dev0"


class Readiness(FrozenModel):
    """Whether the service can do its work, with the reasons if it cannot."""

    ready: bool
    reasons: tuple[str, ...] = ()
    degraded: tuple[str, ...] = Field(
        (),
        exclude_if=lambda value: not value,
        description="the parts of the service that cannot do their work; missing if there are none",
        examples=[["searches by photo"]],
    )


ReadinessCheck = Callable[[Request], Awaitable[Readiness]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


def make_app(
    *,
    service: str,
    description: str,
    routers: Sequence[APIRouter],
    lifespan: Lifespan,
    readiness: ReadinessCheck,
    metrics: Metrics,
    max_body_bytes: int,
    body_bytes_of: Mapping[str, int] | None = None,
    compress: bool = False,
    max_json_bytes: int = MAX_JSON_BYTES,
    body_rate: BodyRate | None = None,
    in_flight: BytesInFlight | None = None,
    inner_middleware: Sequence[Middleware] = (),
    **options: Any,
) -> FastAPI:
    """Return a service's app: its routers and the common parts.

    Args:
        service: the service's name, for logs and the title.
        description: the description in the OpenAPI document.
        routers: the service's own routes.
        lifespan: opens and closes the service's state.
        readiness: checks whether the service can do its work.
        metrics: the service's metrics.
        max_body_bytes: the largest request body in bytes.
        body_bytes_of: path → the largest request body of this path, if it is not `max_body_bytes`.
        compress: whether to compress responses for clients that accept gzip.
        max_json_bytes: the most bytes of a body in JSON, without the text of images in base64.
        body_rate: the least rate at which a body arrives. Default: BodyRate.
        in_flight: bounds the bodies in memory. Default: they are not bounded together.
        inner_middleware: what requests pass after telemetry; its responses have request ids and log lines.
        options: other arguments of `FastAPI`.
    """
    metrics.process.describe(service, VERSION)

    @asynccontextmanager
    async def watched(app: FastAPI) -> AsyncIterator[Any]:
        async with metrics.process.watching_loop(), returning_memory(), lifespan(app) as state:
            yield state

    app = FastAPI(
        title=f"Lookalike {service}",
        description=description,
        version=VERSION,
        separate_input_output_schemas=False,  # generators of clients refuse two models of one title
        lifespan=watched,
        middleware=[
            Middleware(TelemetryMiddleware, service=service, metrics=metrics),
            Middleware(HeadMiddleware),
            *([Middleware(CompressionMiddleware)] if compress else []),
            *inner_middleware,
            Middleware(
                BodyLimitMiddleware,
                max_bytes=max_body_bytes,
                paths=body_bytes_of,
                max_json_bytes=max_json_bytes,
                rate=body_rate,
                in_flight=in_flight,
            ),
            *([] if tracing.is_on() else [Middleware(DirectRoutes)]),  # FastAPI itself names the routes of spans
        ],
        telemetry=tracing.fastapi_options(),
        redirect_slashes=False,  # behind a proxy a redirect would lose the scheme, and with some clients the body
        **options,
    )
    problems.install(app)
    app.state.metrics = metrics
    app.include_router(_health(readiness))
    for router in routers:
        app.include_router(router)
    app.router.routes.append(Route("/metrics", metrics.endpoint, name="metrics", include_in_schema=False))
    return app


def _health(readiness: ReadinessCheck) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/livez", summary="Check whether the process is alive")
    async def livez() -> dict[str, bool]:
        return {"alive": True}

    @router.get(
        "/readyz",
        response_model=Readiness,
        summary="Check whether the service is ready",
        responses={503: {"model": Readiness, "description": "The service is not ready; `reasons` says why."}},
    )
    async def readyz(request: Request) -> Response:
        state = await readiness(request)
        headers = {} if state.ready else {"Retry-After": "2"}
        return JSONResponse(state.model_dump(), 200 if state.ready else 503, headers)

    return router
