"""What a request's path says: the catalogue, and the product's id.

Routes see the path without `/catalogues/NAME`. Below `/v1/products/` they see it as the client sent it: `%2F` is part
of an id, `/` is not always.
"""

from urllib.parse import quote, unquote, unquote_to_bytes

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from services.contracts.domain.catalogues import DEFAULT_CATALOGUE, PATHS

_KEY = "lookalike.catalogue"
_CATALOGUES = PATHS.strip("/")
_PATHS = PATHS.encode()
_PRODUCTS = ["", "v1", "products"]
PARTS = ("image", "similar", "look")  # the resources of a product


def requested_catalogue(request: HTTPConnection) -> str:
    """Return the name in a request's address; the catalogue need not exist."""
    return requested_catalogue_of(request.scope)


def requested_catalogue_of(scope: Scope) -> str:
    """Return the same by the request's ASGI scope."""
    return str(scope.get(_KEY, DEFAULT_CATALOGUE))


class RequestPathMiddleware:
    """Removes `/catalogues/NAME` from the start of a request's path, so that every route serves each catalogue.

    Leaves the ids of products as they were sent, for `ProductIdConvertor`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, **_routed(scope)}
        await self.app(scope, receive, send)


class ProductIdConvertor(Convertor[str]):
    """The id of a product in a path, percent-encoded. Bytes that are not UTF-8 become lone surrogates."""

    regex = ".*"

    def convert(self, value: str) -> str:
        """Return the id."""
        return unquote_to_bytes(value).decode("utf-8", "surrogateescape")

    def to_string(self, value: str) -> str:
        """Return the id as a path has it."""
        return quote(value, safe="")


class WholeProductConvertor(ProductIdConvertor):
    """The id at the end of a path that is not the address of one of the product's parts."""

    regex = f"(?!.*/(?:{'|'.join(PARTS)})$).*"


register_url_convertor("product_id", ProductIdConvertor())
register_url_convertor("product", WholeProductConvertor())


def _routed(scope: Scope) -> dict[str, str]:
    """Return the path that routes see, and the catalogue that the request's path names."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    if b"%" not in raw and not raw.startswith(_PATHS):
        return {"path": raw.decode("latin-1")}
    segments = raw.decode("latin-1").split("/")
    named: dict[str, str] = {}
    if len(segments) > 2 and unquote(segments[1]) == _CATALOGUES:
        named[_KEY] = unquote(segments[2])
        segments = ["", *(segments[3:] or [""])]
    is_product = len(segments) > len(_PRODUCTS) and [unquote(part) for part in segments[:3]] == _PRODUCTS
    path = "/".join([*_PRODUCTS, *segments[3:]] if is_product else segments)
    return {"path": path if is_product else unquote(path), **named}
