"""The parts of access that concern every request: its host name, the fields of its rate limits, its audit line."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.contracts.domain.errors import UnknownHost
from services.contracts.web.observability.telemetry import noted
from services.contracts.web.problems import problem_response
from services.contracts.web.requests.fields import field_of
from services.gateway.access.record import record_of
from services.gateway.request_path import requested_catalogue_of

ALWAYS = frozenset({"/livez", "/readyz"})  # asked for by the health checks of machines, under any name


class AccessMiddleware:
    """Refuses unknown host names, and writes down what `Guard` decided."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        """Take the host names that requests may name; `*.example.com` for all below it; none: any."""
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record = record_of(scope)
        status = 500

        async def send_with_fields(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if record.headers:
                    MutableHeaders(scope=message).update(record.headers)
            await send(message)

        app: ASGIApp = self.app
        if not self._is_known(scope):
            app = problem_response(UnknownHost("GATEWAY_ALLOWED_HOSTS does not list the host name of this request"))
        try:
            await app(scope, receive, send_with_fields)
        finally:
            record.write(scope, requested_catalogue_of(scope), status, noted("problem"))

    def _is_known(self, scope: Scope) -> bool:
        if not self.hosts or scope["path"] in ALWAYS:
            return True
        host = _host_name(field_of(scope, b"host") or "")
        return host in self.hosts or any(
            pattern.startswith("*.") and host.endswith(pattern[1:]) for pattern in self.hosts
        )


def _host_name(header: str) -> str:
    """Return the name in a Host field, in lower case, without the port and the dot at its end."""
    name = header[: header.find("]") + 1] if header.startswith("[") else header.partition(":")[0]
    return name.lower().removesuffix(".")
