"""The short way to the endpoints of searches, which FastAPI describes and could serve as well.

The router tries its routes one after the other, twice, and FastAPI opens two stacks of contexts for each request. In
the index, this takes longer than a search among 15,000 products.
"""

from abc import abstractmethod
from re import Pattern

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.contracts.web import problems


class DirectRoute(APIRoute):
    """A route that can respond without the router."""

    @property
    def is_direct(self) -> bool:
        """Whether it does; the endpoint's form may say no."""
        return True

    @abstractmethod
    async def respond(self, request: Request) -> Response | None:
        """Return the response to a request; None if FastAPI has to make it. Raises as endpoints do."""


class RequestRoute(DirectRoute):
    """A route whose endpoint takes the request alone and returns the response."""

    async def respond(self, request: Request) -> Response | None:
        """Return the endpoint's response."""
        response: Response = await self.endpoint(request)
        return response


class DirectRoutes:
    """Takes requests straight to the routes that can respond without the router; all others go on to the router."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._table: _Table | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._table is None and scope["type"] == "http":  # with the first request, all routes are there
            self._table = _Table(scope["app"])
        if self._table is None or scope["type"] != "http" or not self._table.finds(scope):
            await self.app(scope, receive, send)
            return
        request, route = Request(scope, receive, send), scope["route"]
        try:
            response = await route.respond(request)
        except problems.EXPECTED as error:
            response = await problems.response_to(request, error)
        if response is None:
            await self.app(scope, _replayed(await request.body(), receive), send)
        else:
            await response(scope, receive, send)


class _Table:
    """The direct routes of an app."""

    def __init__(self, app: FastAPI) -> None:
        self._fixed: dict[tuple[str, str], DirectRoute] = {}
        self._patterns: list[tuple[str, Pattern[str], DirectRoute]] = []
        for context in iter_route_contexts(app.routes):
            route = context.original_route
            if not isinstance(route, DirectRoute) or not route.is_direct:
                continue
            for method in route.methods or ():
                if route.param_convertors:
                    self._patterns.append((method, route.path_regex, route))
                else:
                    self._fixed[method, route.path] = route

    def finds(self, scope: Scope) -> bool:
        """Return whether there is a route for a request; the scope then has what the router writes to it."""
        method, path = scope["method"], scope["path"]
        route = self._fixed.get((method, path))
        texts: dict[str, str] = {}
        if route is None:
            for known, pattern, candidate in self._patterns:
                if known == method and (match := pattern.match(path)):
                    route, texts = candidate, match.groupdict()
                    break
            else:
                return False
        values = {name: route.param_convertors[name].convert(text) for name, text in texts.items()}
        scope.update(route=route, endpoint=route.endpoint, path_params=values)
        return True


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what receives a body that has been read, and then the messages after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
