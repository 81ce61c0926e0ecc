"""One index node, as the gateway knows it: the way to it, what it holds, and whether it answers."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from services.contracts.domain.errors import IndexNotReady, LookalikeError, UpstreamTimeout
from services.contracts.wire.index import IndexStatus
from services.gateway.index_nodes.client import IndexClient

T = TypeVar("T")
log = structlog.get_logger()
AWAY = (IndexNotReady, UpstreamTimeout)


class IndexNode:
    """A node. What it last said of itself stays known while it is away.

    Attributes:
        status: what it said; None before it has been reached.
        trouble: why it could not answer when it was last asked; None when it did.
    """

    def __init__(self, client: IndexClient) -> None:
        self.status: IndexStatus | None = None
        self.trouble: LookalikeError | None = None
        self._client = client

    @property
    def is_well(self) -> bool:
        """Whether it is likely to answer a search."""
        return self.trouble is None and self.status is not None and self.status.ready

    @property
    def held(self) -> frozenset[int]:
        """The ids of the categories that it holds; none before it has been reached."""
        return frozenset(one.id for one in self.status.categories if one.held) if self.status else frozenset()

    @property
    def holds_all(self) -> bool:
        """Whether it holds every category, as far as is known."""
        return self.status is None or all(one.held for one in self.status.categories)

    @property
    def obstacle(self) -> str | None:
        """Why it cannot be searched; None when it can."""
        if self.trouble is not None:
            return self.trouble.detail
        if self.status is None or self.status.ready:
            return None
        return "the index is not ready: " + (self.status.sync.last_error or "the products are being loaded")

    async def ask(self, call: Callable[[IndexClient], Awaitable[T]]) -> T:
        """Ask the node something, and remember whether it could answer. Raises what the call raises."""
        try:
            answer = await call(self._client)
        except AWAY as error:
            self._remember(error)
            raise
        self._remember(None)
        return answer

    async def look(self) -> None:
        """Ask it for its status; where it is away, what is known of it stays."""
        try:
            self.status = await self.ask(lambda client: client.status())
        except LookalikeError as error:
            self._remember(error)

    async def close(self) -> None:
        """Close the way to it."""
        await self._client.close()

    def _remember(self, trouble: LookalikeError | None) -> None:
        if (trouble is None) != (self.trouble is None):
            say = log.info if trouble is None else log.warning
            say("index_node", address=self._client.address, trouble=trouble.detail if trouble else None)
        self.trouble = trouble
