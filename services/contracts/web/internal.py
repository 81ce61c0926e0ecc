"""What requests to a service behind the gateway pass: its token and its deadline."""

from pydantic import SecretStr
from starlette.middleware import Middleware

from services.contracts.web.requests.deadline import DeadlineMiddleware
from services.contracts.web.service_token import ServiceTokenMiddleware


def internal(token: SecretStr | None) -> list[Middleware]:
    """Return the middleware of such a service; without a token, every request is taken."""
    asks = [] if token is None else [Middleware(ServiceTokenMiddleware, token=token.get_secret_value())]
    return [*asks, Middleware(DeadlineMiddleware)]
