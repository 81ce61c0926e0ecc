"""The way to the endpoints of searches, which FastAPI only describes."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from services.gateway.access.guard import Guard
from services.gateway.state import gateway_state


class DirectRoute(APIRoute):
    """A route whose endpoint takes the request, the state and the texts of the path, and returns the response's model.

    FastAPI's way to such an endpoint, with its dependencies, takes as long as the rest of its work for a request.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of requests."""

        async def handle(request: Request) -> Response:
            await cast(Guard, request.state.guard).check(request, self.name)
            document: BaseModel = await self.endpoint(request, gateway_state(request), **request.path_params)
            return Response(document.model_dump_json(), media_type="application/json")

        return handle
