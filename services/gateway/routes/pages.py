"""Routes for people: the pages and their files, the widget, the API's documentation and the problem types."""

import html
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from services.contracts.domain.catalogues import ALL, DEFAULT_CATALOGUE, PATHS
from services.contracts.domain.errors import LookalikeError, NotFound, error_types
from services.contracts.web.etags import is_current
from services.contracts.web.problems import PREFIX
from services.contracts.web.public_address import current_prefix
from services.contracts.web.requests.compression import accepts_gzip
from services.gateway.languages import base, direction, preferred
from services.gateway.pages.assets import FOREVER, ROOT, Asset, Assets
from services.gateway.pages.problem_page import problem_page
from services.gateway.shop_page import ShopPage
from services.gateway.state import GatewayState, State

router = APIRouter(include_in_schema=False)
ExceptionHandler = Callable[[Request, Exception], Any]
# This package brings Swagger UI's files, so the documentation needs no other host.
SWAGGER = Path(str(files("fastapi_offline") / "static"))
ASSETS = Assets.load(Path(str(files("services.gateway") / "static")))
# Images may come from any host of the shop; everything else comes from the gateway. No script may turn text into HTML.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: https: http:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# Swagger UI sets styles on elements, submits forms and turns Markdown into HTML.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
# Files that pages of any origin may load: the widget's modules.
SHARED_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


# OpenAPI's servers say that each route serves each catalogue.
SERVERS: list[dict[str, Any]] = [
    {"url": "/", "description": "The default catalogue"},
    {
        "url": f"{PATHS}{{catalogue}}",
        "description": "One of several catalogues; `all` for a search through all of them",
        "variables": {"catalogue": {"default": ALL, "description": "a name in the setting CATALOGUES, or all"}},
    },
]


def mount_static(app: FastAPI) -> None:
    """Serve Swagger UI's files."""
    app.mount("/static/swagger", StaticFiles(directory=SWAGGER), name="swagger")


def asset_response(request: Request, asset: Asset, headers: dict[str, str]) -> Response:
    """Return the asset, compressed if the client accepts gzip; 304 if the client has it."""
    vary = ", ".join(filter(None, ["Accept-Encoding", headers.get("Vary")]))
    common = {**headers, "ETag": asset.etag, "Vary": vary}
    if is_current(request.headers.get("if-none-match"), asset.etag):
        return Response(status_code=304, headers=common)
    if accepts_gzip(request.headers.get("accept-encoding", "")):
        return Response(asset.compressed, media_type=asset.media_type, headers={**common, "Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=common)


def page_config(request: Request, state: State) -> dict[str, Any]:
    """Return the facts of this installation that a page needs before its first request."""
    return {
        "root": current_prefix(),
        "catalogue": state.catalogue,
        "currency": state.settings.currency,
        "key": state.settings.page_key,
        "features": {
            "urls": state.settings.fetch_enabled,
            "facets": True,
            "sample": True,
            "events": state.settings.events_enabled,
            "look": state.shop.look and state.look.is_learned,
            "detect": "/v1/detect" in request.app.openapi()["paths"],
        },
    }


@router.get("/")
async def search_page(request: Request, state: State) -> Response:
    return shoppers_page(request, state)


def shoppers_page(request: Request, state: GatewayState, *, is_missing: bool = False) -> Response:
    """Return the search page; with `is_missing`, it says that there is no page at this address."""
    language = state.shop.language or preferred(request.headers.get("accept-language", ""))
    config = page_config(request, state)
    page = ASSETS.page(
        "search/index.html",
        root=current_prefix(),
        modules=("search/bundle.js", f"shared/strings/{base(language)}.js"),
        config={**config, "missing": is_missing, "shop": _shop(state.shop, language)},
        texts={
            "__LANGUAGE__": language,
            "__DIRECTION__": direction(language),
            "__NAME__": html.escape(state.shop.name),
        },
        language=base(language),
    )
    return asset_response(request, page, {**PAGE_HEADERS, "Vary": "Accept-Language"})


def _shop(shop: ShopPage, language: str) -> dict[str, Any]:
    """Return what the page needs of the shop's file: its own texts in the page's language only."""
    texts = {name: texts for name, texts in shop.strings.items() if name == base(language)}
    return {**shop.model_dump(exclude={"language", "look", "strings"}), "strings": texts}


def install_missing_page(app: FastAPI) -> None:
    """Let a browser that opens an address without a page see one, instead of a problem document."""
    for kind in (HTTPException, LookalikeError):
        app.add_exception_handler(kind, _for_browsers(app.exception_handlers[kind]))


def _for_browsers(handler: ExceptionHandler) -> ExceptionHandler:
    async def handle(request: Request, error: Exception) -> Response:
        response: Response = await handler(request, error)
        if response.status_code != HTTPStatus.NOT_FOUND or not _is_navigation(request):
            return response
        states: Mapping[str, GatewayState] = request.state.gateway
        page = shoppers_page(request, states[DEFAULT_CATALOGUE], is_missing=True)
        page.status_code = HTTPStatus.NOT_FOUND
        return page

    return handle


def _is_navigation(request: Request) -> bool:
    """Return whether a browser opens an address, which is not one of the API."""
    is_read = request.method in ("GET", "HEAD")
    return is_read and "text/html" in request.headers.get("accept", "") and "/v1/" not in request.url.path


@router.get("/catalogue")
async def catalogue_page(request: Request, state: State) -> Response:
    page = ASSETS.page(
        "catalogue/index.html",
        root=current_prefix(),
        modules=("catalogue", "shared"),
        config=page_config(request, state),
    )
    return asset_response(request, page, PAGE_HEADERS)


@router.get("/docs")
async def api_documentation(request: Request) -> Response:
    return asset_response(
        request,
        ASSETS.page("docs/index.html", root=current_prefix()),
        {**PAGE_HEADERS, "Content-Security-Policy": DOCS_POLICY},
    )


@router.get("/openapi.json", name="openapi")
async def openapi(request: Request) -> Response:
    """The document, with the addresses of the servers as the client sees them."""
    document = request.app.openapi()
    servers = [{**server, "url": current_prefix() + server["url"]} for server in document["servers"]]
    return Response(orjson.dumps({**document, "servers": servers}), media_type="application/json")


@router.get("/example-shop")
async def example_shop(request: Request, state: State) -> Response:
    page = ASSETS.page("example-shop/index.html", root=current_prefix(), config=page_config(request, state))
    return asset_response(request, page, PAGE_HEADERS)


@router.get("/widget.js")
@router.get("/widget/v1.js")
async def widget(request: Request) -> Response:
    """A script that loads the widget's current files: it may be cached for minutes, they permanently."""
    script = f'export * from "{current_prefix()}{ASSETS.prefix}/widget/bundle.js";\n'
    asset = Asset.of(script.encode(), "text/javascript; charset=utf-8")
    return asset_response(request, asset, {**SHARED_HEADERS, "Cache-Control": "public, max-age=300"})


@router.get(ROOT + "/{digest}/{name:path}")
async def asset(digest: str, name: str, request: Request) -> Response:
    file = ASSETS.find(name)
    if file is None:
        raise NotFound(f"there is no file {name!r}")
    # A page of an earlier release still finds its files, in their present version, which it must not cache.
    age = FOREVER if digest == ASSETS.digest else "no-store"
    return asset_response(request, file, {**SHARED_HEADERS, "Cache-Control": age})


@router.get(PREFIX + "{slug}")
async def problem_type(slug: str, request: Request) -> Response:
    """What a problem type means: a page, or JSON for a client that asks for it."""
    kind = error_types().get(slug)
    if kind is None:
        raise NotFound(f"there is no problem type {slug!r}")
    if "json" in request.headers.get("accept", ""):
        return JSONResponse(
            {
                "type": current_prefix() + PREFIX + slug,
                "title": kind.title,
                "status": kind.status,
                "remedy": kind.remedy,
            }
        )
    return asset_response(request, problem_page(ASSETS, kind, current_prefix()), PAGE_HEADERS)
