"""Which catalogue a request is about: its address says so, before everything else."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from services.contracts.domain.catalogues import DEFAULT, PATHS

_KEY = "lookalike.catalogue"


def asked_catalogue(request: HTTPConnection) -> str:
    """Return the name that a request gives; whether there is such a catalogue is not said."""
    return str(request.scope.get(_KEY, DEFAULT))


class CataloguePathMiddleware:
    """Takes `/catalogues/NAME` off a request's path, so that every route is there for each catalogue."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(PATHS):
            name, _, rest = path.removeprefix(PATHS).partition("/")
            scope = {**scope, "path": "/" + rest, _KEY: name}
        await self.app(scope, receive, send)
