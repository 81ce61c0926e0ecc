"""Which web pages may call the gateway: those of the settings, and those of the keys."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from services.contracts.web.observability.telemetry import REQUEST_ID_HEADER
from services.gateway.access.key_ring import KeyRing


class KeyedCors(CORSMiddleware):
    """CORS for the origins of the settings and for those that a valid key lists.

    A preflight request carries no key, so it is allowed for every key's origins; the key itself is checked afterwards.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing, origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", REQUEST_ID_HEADER],
            expose_headers=[REQUEST_ID_HEADER, "Retry-After", "RateLimit", "RateLimit-Policy"],
        )
        self._keys = keys

    def is_allowed_origin(self, origin: str) -> bool:
        """Return whether pages of an origin may read responses."""
        return super().is_allowed_origin(origin) or origin in self._keys.origins
