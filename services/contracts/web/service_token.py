"""The token by which Lookalike's services know each other, where other programs can reach their ports."""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from services.contracts.domain.errors import Unauthorised
from services.contracts.web.problems import problem_response
from services.contracts.web.requests.fields import field_of

OPEN_PATHS = frozenset({"/livez", "/readyz", "/metrics"})


def token_headers(token: str | None) -> dict[str, str]:
    """Return the header field that sends a token; none without one."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


class ServiceTokenMiddleware:
    """Refuses requests without the token; health and metrics are open."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self.app
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS and not self._has_token(scope):
            app = problem_response(Unauthorised("this service needs the token of SERVICE_TOKEN"))
        await app(scope, receive, send)

    def _has_token(self, scope: Scope) -> bool:
        given = field_of(scope, b"authorization") or ""
        return hmac.compare_digest(given.encode("latin-1", "replace"), self._expected)
