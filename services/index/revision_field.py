"""Each response says which revision it is of, at least: its header field is the revision at the request's arrival."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.contracts.wire.index import REVISION_FIELD
from services.engine.revision import Revision


class RevisionMiddleware:
    """Adds the field to every response."""

    def __init__(self, app: ASGIApp, revision: Revision) -> None:
        self.app = app
        self._revision = revision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        revision = str(self._revision)

        async def send_with_revision(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REVISION_FIELD] = revision
            await send(message)

        await self.app(scope, receive, send_with_revision)
