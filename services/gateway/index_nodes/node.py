"""One index node, as the gateway knows it: its client, its last status, and whether it answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

import structlog

from services.contracts.domain.errors import IndexNotReady, LookalikeError, UpstreamTimeout
from services.contracts.domain.parts import WHOLE, Part
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.contracts.wire.index import CategoryCount, IndexStatus
from services.gateway.index_nodes.client import IndexClient
from services.gateway.index_nodes.hedging import RecentDurations

T = TypeVar("T")
log = structlog.get_logger()
UNAVAILABLE = (IndexNotReady, UpstreamTimeout)
CHANGED_S = 0.1  # after a change: the next ones may follow soon
UNKNOWN_S = 2.0  # after a failure, and where a node does not say when it changes, or is several


class IndexNode:
    """A node. Its last status stays known while it is unavailable.

    Attributes:
        status: the node's last status; None before it has been reached.
        trouble: why the last call failed; None if it did not.
        durations: of its last searches.
        revision: of what its searches see, as long as it is known; None if not.
    """

    def __init__(self, client: IndexClient, calls: UpstreamCalls | None = None) -> None:
        self._calls = calls or UpstreamCalls()
        self.durations = RecentDurations()
        self.status: IndexStatus | None = None
        self.trouble: LookalikeError | None = None
        self.revision: str | None = None
        self._named: set[str] = set()  # by responses while the revision is being read
        self._client = client
        client.on_revision = self._compare

    @property
    def name(self) -> str:
        """Its host and port."""
        return urlsplit(self._client.address).netloc

    @property
    def is_well(self) -> bool:
        """Whether it is likely to answer a search."""
        return self.trouble is None and self.status is not None and self.status.ready

    @property
    def categories(self) -> list[CategoryCount]:
        """The model's categories, which are the same in every catalogue; none before the node has been reached."""
        return next(iter(self.status.catalogues.values())).categories if self.status else []

    @property
    def held(self) -> frozenset[int]:
        """The ids of the categories that it holds; none before it has been reached."""
        return frozenset(category.id for category in self.categories if category.held)

    @property
    def part(self) -> Part:
        """The part of each category that it holds; all before it has been reached."""
        return self.status.part if self.status else WHOLE

    @property
    def engine(self) -> str | None:
        """The name of its engine; None before it has been reached."""
        return self.status.engine if self.status else None

    @property
    def holds_all(self) -> bool:
        """Whether it holds every product, as far as is known."""
        return self.part.is_whole and all(category.held for category in self.categories)

    @property
    def obstacle(self) -> str | None:
        """Why it cannot be searched; None if it can."""
        if self.trouble is not None:
            return self.trouble.detail
        if self.status is None or self.status.ready:
            return None
        errors = dict.fromkeys(status.sync.last_error for status in self.status.catalogues.values())
        return "the index is not ready: " + ("; ".join(filter(None, errors)) or "the products are being loaded")

    async def ask(self, call: Callable[[IndexClient], Awaitable[T]]) -> T:
        """Call the node, and remember whether it answered. Raises what the call raises."""
        try:
            with self._calls.timed("index"):
                response = await call(self._client)
        except UNAVAILABLE as error:
            self._remember(error)
            raise
        self._remember(None)
        return response

    async def search(self, call: Callable[[IndexClient], Awaitable[T]]) -> T:
        """Call the node as `ask`, and remember how long it took."""
        started = time.perf_counter()
        response = await self.ask(call)
        self.durations.add(time.perf_counter() - started)
        return response

    async def refresh(self) -> None:
        """Read its status; if it is unavailable, the last status stays."""
        try:
            self.status = await self.ask(lambda client: client.status())
        except LookalikeError as error:
            self._remember(error)

    async def watch(self) -> None:
        """Know the node's revision, as long as it answers, until cancelled."""
        while True:
            pause_s = UNKNOWN_S
            try:
                self._named.clear()
                known = await self._client.revision(None)
                # Another response may have been faster, and of a later revision.
                self.revision = known if self._named <= {known} else None
                while known is not None and self.revision == known:
                    if await self._client.revision(known) != known:
                        pause_s = CHANGED_S
                        break
            except LookalikeError:  # searches report it
                pass
            except Exception:
                log.exception("revision_not_watched", address=self._client.address)
            self.revision = None
            await asyncio.sleep(pause_s)

    def _compare(self, revision: str) -> None:
        """Forget the known revision if a response is of another one."""
        if revision != self.revision:
            self.revision = None
            if len(self._named) < 2:  # of two, one is another
                self._named.add(revision)

    async def close(self) -> None:
        """Close its client."""
        await self._client.close()

    def _remember(self, trouble: LookalikeError | None) -> None:
        if (trouble is None) != (self.trouble is None):
            write = log.info if trouble is None else log.warning
            write("index_node", address=self._client.address, trouble=trouble.detail if trouble else None)
        self.trouble = trouble
