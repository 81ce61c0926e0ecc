"""Responses to searches by product, kept for as long as the index stays as it is (docs/adr/0031).

A shop asks for the same products again and again: on each view of their pages.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from services.catalogue.events.logged_query import LoggedQuery
from services.gateway.index_nodes.nodes import Revisions
from services.gateway.ranking.options import RankingOptions
from services.gateway.search.responses import Outcome

PARTS = 64  # no response takes more than this part of the bytes
OWN_BYTES = 1500  # what a response takes in addition to its text, about
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeptResponse:
    """A response, and what its repetition writes down.

    Attributes:
        revisions: of the index nodes when they were asked.
        text: the response as JSON, without the fields of the single request.
        k: number of products of a page, of the request.
        offset: of its page.
        ranking: its options of the order.
        outcome: the response's.
        category: name of the category that was searched.
        model: whose vectors were compared.
        logged: the search's row in the log; None if searches are not kept.
    """

    revisions: Revisions
    text: bytes
    k: int
    offset: int
    ranking: RankingOptions
    outcome: Outcome
    category: str
    model: str
    logged: LoggedQuery | None

    @property
    def bytes(self) -> int:
        """What it takes in memory, about."""
        rows = 0 if self.logged is None else OWN_BYTES
        return len(self.text) + OWN_BYTES + rows


class KeptResponses:
    """The latest responses, within a bound. For one event loop.

    Attributes:
        bytes: what the responses take in memory, about.
        hits: how many requests were answered with them.
    """

    def __init__(self, max_bytes: int = 0, is_current: Callable[[Revisions], bool] = lambda _: False) -> None:
        """Keep nothing yet.

        Args:
            max_bytes: of all responses; 0 to keep none.
            is_current: whether the index nodes still have these revisions.
        """
        self._max_bytes = max_bytes
        self._is_current = is_current
        self._responses: OrderedDict[Key, KeptResponse] = OrderedDict()
        self.bytes = self.hits = 0

    def __len__(self) -> int:
        return len(self._responses)

    def get(self, key: Key) -> KeptResponse | None:
        """Return a response; None if there is none, or the index has changed."""
        response = self._responses.get(key)
        if response is None:
            return None
        if not self._is_current(response.revisions):
            self._forget(key)
            return None
        self._responses.move_to_end(key)
        return response

    def keep(self, key: Key, response: KeptResponse) -> None:
        """Keep a response if the index has not changed since, and forget those not used for the longest time."""
        size = response.bytes + sum(map(len, key))
        if size > self._max_bytes // PARTS or not self._is_current(response.revisions):
            return
        self._forget(key)
        self._responses[key] = response
        self.bytes += size
        while self.bytes > self._max_bytes:
            self._forget(next(iter(self._responses)))

    def _forget(self, key: Key) -> None:
        response = self._responses.pop(key, None)
        if response is not None:
            self.bytes -= response.bytes + sum(map(len, key))
