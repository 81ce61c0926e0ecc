"""Query parameters that a route does not have are an error: a misspelt one would be ignored in silence."""

import contextlib
from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends, Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.contracts.domain.choices import MAX_NAME, shortened, unknown_name
from services.contracts.domain.errors import InvalidRequest
from services.contracts.web.problems import DETAILED, MAX_ERRORS
from services.contracts.web.public_address import use_absolute_urls
from services.contracts.wire.problem import pointer


async def check_names(request: Request) -> None:
    """Admit a request whose query string has only parameters of its route.

    Raises:
        InvalidRequest: it has others.
    """
    if not request.query_params:
        return
    names = query_names(request.scope["route"])
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in names]
    if not unknown:
        return
    with contextlib.suppress(ClientDisconnect, HTTPException):  # a client that still sends would miss the response
        async for _ in request.stream():
            pass
    raise unknown_parameters(unknown, names)


def unknown_parameters(unknown: Iterable[str], names: Iterable[str]) -> InvalidRequest:
    """Return the error for query parameters that do not exist. It names the first; the others are counted."""
    known, every = set(names), list(unknown)
    shown = [shortened(name, MAX_NAME) for name in every[:MAX_ERRORS]]
    places = [{"pointer": pointer(("query", name)), "detail": unknown_name(name, known)} for name in shown]
    left_out = len(every) - len(places)
    more = {"errors_left_out": left_out} if left_out else {}
    return InvalidRequest("; ".join(place["detail"] for place in places[:DETAILED]), errors=places, **more)


def query_names(route: APIRoute) -> frozenset[str]:
    """Return the names of a route's query parameters, as the OpenAPI document has them."""
    declared = (field for field in get_flat_params(route.dependant) if isinstance(field.field_info, params.Query))
    described = (route.openapi_extra or {}).get("parameters", [])
    names = (parameter["name"] for parameter in described if parameter["in"] == "query")
    return frozenset((*(field.alias for field in declared), *names))


async def choose_urls(
    absolute_urls: Annotated[
        bool, Query(description="addresses of stored pictures begin with scheme and host")
    ] = False,
) -> None:
    """Let the addresses in the response be absolute if the request asks for it."""
    if absolute_urls:
        use_absolute_urls()


KnownParameters = Depends(check_names)
AbsoluteUrls = Depends(choose_urls)
Wait = Annotated[bool, Query(description="respond when searches see the change, or after GATEWAY_WAIT_S seconds")]
