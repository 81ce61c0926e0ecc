"""Refuses searches for which there is no place at present, before anything else is done for them."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from services.contracts.domain.catalogues import ALL
from services.contracts.domain.errors import TooManyRequests
from services.contracts.web.problems import problem_response
from services.gateway.access.guard import Guard
from services.gateway.access.places import Places
from services.gateway.access.record import record_of
from services.gateway.settings import Work

# The routes whose work has places, by method: path, work and name. `place` counts each of them again.
ROUTES: dict[str, tuple[tuple[re.Pattern[str], Work, str], ...]] = {
    "POST": (
        (re.compile(r"/v1/search"), "photo", "search_by_image"),
        (re.compile(r"/v1/detect"), "photo", "detect_garments"),
        (re.compile(r"/v1/products/.+/explain"), "photo", "explain_match"),
    ),
    "GET": ((re.compile(r"/v1/products/.+/similar"), "similar", "get_similar_products"),),
}


class AdmissionMiddleware:
    """Answers 429 without reading the body, parsing it or looking for the route.

    Under three times the load that can be served, two of three requests are refused; what that costs is missing for
    the others.
    """

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self.app = app
        self.guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (self.app if refusal is None else problem_response(refusal))(scope, receive, send)

    def _refusal(self, scope: Scope) -> TooManyRequests | None:
        for path, work, name in ROUTES.get(scope["method"], ()):
            if path.fullmatch(scope["path"]):
                record_of(scope).operation = name
                places: Places = scope["state"]["gateway"][ALL].places
                return places.refusal(work, self.guard.caller_of(scope))
        return None
