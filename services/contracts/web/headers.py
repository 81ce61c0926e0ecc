"""Header fields of every response: nothing guesses a type, and nothing is kept unless the route says so."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULTS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class HeadersMiddleware:
    """Sets the fields of DEFAULTS in each response that does not set them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in DEFAULTS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_fields if scope["type"] == "http" else send)
