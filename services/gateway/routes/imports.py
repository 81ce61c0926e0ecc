"""Routes of imports."""

import contextlib
from collections.abc import AsyncIterator
from email.message import Message
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from services.contracts.domain import errors
from services.contracts.domain.catalogues import path_of
from services.contracts.domain.errors import InvalidRequest, LookalikeError
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.web.bodies.forms import DISCONNECTED
from services.contracts.web.problems import responses
from services.contracts.web.public_address import current_base
from services.gateway.imports.jobs import ImportJob
from services.gateway.imports.options import ImportParameters
from services.gateway.imports.responses import ImportResponse, ImportsResponse
from services.gateway.imports.upload import NDJSON, SUFFIXES, UNKNOWN, too_large
from services.gateway.routes.openapi.photo_body import BYTES
from services.gateway.search.request import content_type, parse
from services.gateway.state import GatewayState, State

router = APIRouter(prefix="/v1", tags=["imports"])
Id = Annotated[str, Path(description="the import's id", examples=["20260501-120000-250-1f0c9a7b"])]
ASYNC = "respond-async"
WAIT = "send the last line when searches see the products, or after GATEWAY_WAIT_S seconds"
EXAMPLE = b"\n".join(
    map(
        orjson.dumps,
        [
            {
                "id": "15970",
                "title": "Navy shirt",
                "url": "https://shop.example/p/15970",
                "image_url": "https://shop.example/i/15970.jpg",
                "category": "Topwear",
                "price": "29.90 EUR",
            },
            {"id": "39386", "title": "Blue jeans", "image_url": "https://shop.example/i/39386.jpg", "gender": "Men"},
        ],
    )
).decode()
RESULTS = "\n".join(
    [
        '{"import": {"id": "20260501-120000-250-1f0c9a7b", "state": "running", "…": "…"}}',
        '{"line": 1, "id": "15970", "outcome": "imported"}',
        '{"line": 2, "id": "39386", "outcome": "rejected", "reason": "the image URL answered 404 Not Found"}',
        '{"import": {"id": "20260501-120000-250-1f0c9a7b", "state": "done", "imported": 1, "rejected": 1, "…": "…"}}',
    ]
)
_READ = (errors.InvalidRequest, errors.Unauthorised, errors.UnknownImport, errors.CatalogueUnavailable)


class _WaitOption(FrozenModel):
    wait: bool = False


def _parameters() -> list[dict[str, Any]]:
    schema = ImportParameters.model_json_schema()["properties"]
    text = {"type": "string", "description": "a mapping as JSON in text: see docs/import.md"}
    prefer = {"type": "string", "enum": [ASYNC]}
    effect = f"`{ASYNC}`: respond with 202 and the import's address as soon as the feed has arrived"
    return [
        {"name": "wait", "in": "query", "required": False, "description": WAIT, "schema": {"type": "boolean"}},
        {"name": "Prefer", "in": "header", "required": False, "description": effect, "schema": prefer},
        *(
            {"name": name, "in": "query", "required": False, "schema": text if name == "mapping" else schema[name]}
            for name in schema
        ),
    ]


def _feed_body() -> dict[str, Any]:
    kinds = ", ".join(SUFFIXES)
    text = f"The feed. Its type may be one of {kinds}; without one of them, the feed is recognised by its first bytes."
    feed = {"type": "string", "format": "binary"}
    return {"required": True, "description": text, "content": {BYTES: {"schema": feed, "example": EXAMPLE}}}


@router.post(
    "/products:import",
    summary="Import a feed",
    response_class=Response,
    openapi_extra={"requestBody": _feed_body(), "parameters": _parameters()},
    responses={
        200: {
            "description": f"The outcome of each row, as lines of JSON (`{NDJSON}`):\n\n```\n{RESULTS}\n```",
        },
        202: {"model": ImportResponse, "description": "The import has begun; `Location` is its address."},
        **responses(
            errors.InvalidRequest,
            errors.InvalidFeed,
            errors.FeedTooLarge,
            errors.ImageUrlRefused,
            errors.ImportConflict,
            errors.Unauthorised,
            errors.EmbeddingUnavailable,
            errors.CatalogueUnavailable,
            errors.UpstreamTimeout,
            errors.NoRoom,
        ),
    },
)
async def import_products(request: Request, state: State) -> Response:
    """The body is the feed: NDJSON, or another feed that `lookalike import` reads, by its content type.

    It may have `Content-Encoding: gzip`. Images are fetched from the web addresses in the feed. The response has a line
    of JSON for each row, in the order in which the rows are completed, between a first and a last line about the
    import. With `Prefer: respond-async` it is the import's address. One import runs at a time. If the client
    disconnects, the import stops; products already written stay. An import can be repeated: rows that have not changed
    are not written again.
    """
    is_sync = ASYNC not in request.headers.get("prefer", "").lower()
    job = await _begin(request, state, is_sync=is_sync)
    try:
        gzipped = request.headers.get("content-encoding", "").strip().lower() == "gzip"
        await job.receive(_body(request, state), SUFFIXES.get(content_type(request), UNKNOWN), gzipped=gzipped)
    except BaseException as error:
        await state.imports.give_up(job, error)
        raise
    level = state.is_level if _waits(request) else None
    record = state.imports.start(job, with_results=is_sync, level=level)
    if is_sync:
        return StreamingResponse(_lines(job, record), media_type=NDJSON)
    headers = {
        "Location": f"{current_base()}{path_of(state.catalogue)}/v1/imports/{job.record.id}",
        "Preference-Applied": ASYNC,
    }
    return Response(ImportResponse.of(record).model_dump_json(), 202, headers, "application/json")


@router.get("/imports", response_model=ImportsResponse, summary="List the last imports",
            responses=responses(errors.Unauthorised, errors.CatalogueUnavailable))  # fmt: skip
async def list_imports(state: State) -> ImportsResponse:
    """The latest first, without their rejected rows."""
    records = await state.imports.last()
    return ImportsResponse(imports=[ImportResponse.of({**record, "rejected_rows": []}) for record in records])


@router.get("/imports/{id}", response_model=ImportResponse, summary="Get an import", responses=responses(*_READ))
async def get_import(id: Id, state: State) -> ImportResponse:
    """Its state, its counts and its first rejected rows."""
    return ImportResponse.of(await state.imports.get(id))


@router.post(
    "/imports/{id}:cancel",
    response_model=ImportResponse,
    summary="Cancel an import",
    responses=responses(*_READ),
)
async def cancel_import(id: Id, state: State) -> ImportResponse:
    """Products already written stay. An import that has ended stays as it is."""
    return ImportResponse.of(await state.imports.cancel(id))


def parameters_of(request: Request) -> ImportParameters:
    """Return the options of an import; the body's encoding may also stand in its content type.

    Many clients send `charset=utf-8` with any text, so this alone names no encoding.
    """
    query = {name: value for name, value in request.query_params.items() if name != "wait"}
    options = parse(ImportParameters, {}, query)
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    charset = header.get_content_charset()
    if options.encoding is not None or charset is None or charset.lower() in ("utf-8", "utf8"):
        return options
    return parse(ImportParameters, {"encoding": charset}, request.query_params)


def _waits(request: Request) -> bool:
    """Return whether the last line is to come when searches see the products.

    Raises:
        InvalidRequest: `wait` is neither true nor false.
    """
    return parse(_WaitOption, {}, {"wait": request.query_params.get("wait", "false")}).wait


async def _begin(request: Request, state: GatewayState, *, is_sync: bool) -> ImportJob:
    """Return a new import. Before a refusal, read the body: a client that still sends would miss the response."""
    try:
        if content_type(request) not in (*SUFFIXES, BYTES, ""):
            raise InvalidRequest(f"send the feed as {BYTES}, or as one of {', '.join(SUFFIXES)}")
        if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity", "gzip"):
            raise InvalidRequest("send the feed as it is, or with Content-Encoding: gzip")
        if _waits(request) and not is_sync:
            raise InvalidRequest(f"wait is for imports whose outcome is the response: leave out Prefer: {ASYNC}")
        return await state.imports.begin(parameters_of(request))
    except LookalikeError:
        with contextlib.suppress(ClientDisconnect, HTTPException):
            async for _ in request.stream():
                pass
        raise


async def _body(request: Request, state: GatewayState) -> AsyncIterator[bytes]:
    """Yield the request's body; raises InvalidRequest and FeedTooLarge for what can go wrong with it."""
    try:
        async for part in request.stream():
            yield part
    except ClientDisconnect:
        raise InvalidRequest(DISCONNECTED) from None
    except HTTPException as error:
        if error.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        raise too_large(state.settings.max_import_bytes) from None


async def _lines(job: ImportJob, record: dict[str, Any]) -> AsyncIterator[bytes]:
    try:
        yield orjson.dumps({"import": ImportResponse.of(record).model_dump()}) + b"\n"
        async for lines in job.results.follow():
            yield lines
    finally:
        job.stopping.set()  # the import has ended, or the client has disconnected
