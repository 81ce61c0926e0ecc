"""The catalogue of a request, by its address."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from services.contracts.domain.catalogues import DEFAULT_CATALOGUE, PATHS

_KEY = "lookalike.catalogue"


def requested_catalogue(request: HTTPConnection) -> str:
    """Return the name in a request's address; the catalogue need not exist."""
    return str(request.scope.get(_KEY, DEFAULT_CATALOGUE))


class CataloguePathMiddleware:
    """Removes `/catalogues/NAME` from the start of a request's path, so that every route serves each catalogue."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(PATHS):
            name, _, rest = path.removeprefix(PATHS).partition("/")
            scope = {**scope, "path": "/" + rest, _KEY: name}
        await self.app(scope, receive, send)
