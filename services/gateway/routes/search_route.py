"""The short way to the endpoints of searches; see `services.contracts.web.direct_routes`."""

from typing import cast

from fastapi import Request, Response
from pydantic import BaseModel

from services.contracts.web.direct_routes import DirectRoute
from services.gateway.access.guard import Guard
from services.gateway.state import gateway_state


class SearchRoute(DirectRoute):
    """A route whose endpoint takes the request, the state and the texts of the path.

    It returns the response, or its model.

    FastAPI's way to such an endpoint, with its dependencies, takes as long as the rest of its work for a request.
    """

    async def respond(self, request: Request) -> Response | None:
        """Return the response if the sender may have it."""
        await cast(Guard, request.scope["state"]["guard"]).check(request, self.name)
        found: BaseModel | Response = await self.endpoint(request, gateway_state(request), **request.path_params)
        return (
            found if isinstance(found, Response) else Response(found.model_dump_json(), media_type="application/json")
        )
