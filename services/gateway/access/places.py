"""Places for work in progress: a number for each kind of work, and a share for each client."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from services.contracts.domain.errors import TooManyRequests
from services.gateway.settings import Work

# Of the places of a kind, those that one client may have: while others work too, and while it is alone.
# Of many clients, each one has an equal part, and one part stays free for the next.
SHARE = 0.25
SHARE_ALONE = 0.75
AGAIN = "try again in a second"


class Places:
    """Counts the requests in progress of each kind and client. For one event loop."""

    def __init__(self, places: Mapping[Work, int]) -> None:
        """Take the number of places of each kind."""
        self._places = dict(places)
        self._taken: Counter[Work] = Counter()
        self._of_client: Counter[tuple[Work, str]] = Counter()
        self._clients: Counter[Work] = Counter()  # those with a place

    @property
    def taken(self) -> dict[Work, int]:
        """The number of taken places of each kind."""
        return {work: self._taken[work] for work in self._places}

    @contextmanager
    def take(self, work: Work, client: str) -> Iterator[None]:
        """Have a place while the block runs.

        Raises:
            TooManyRequests: every place of the kind is taken, or the client has its share.
        """
        refusal, mine = self.refusal(work, client), (work, client)
        if refusal is not None:
            raise refusal
        self._taken[work] += 1
        self._clients[work] += mine not in self._of_client
        self._of_client[mine] += 1
        try:
            yield
        finally:
            self._taken[work] -= 1
            self._of_client[mine] -= 1
            if not self._of_client[mine]:
                del self._of_client[mine]
                self._clients[work] -= 1

    def refusal(self, work: Work, client: str) -> TooManyRequests | None:
        """Return the error if there is no place for a client at present; None if there is one."""
        total, mine = self._places[work], (work, client)
        if self._taken[work] >= total:
            text = f"the gateway has reached its number of concurrent requests of this kind: {AGAIN}"
            return TooManyRequests(text, limit="places")
        if self._of_client[mine] >= self._limit(mine, total):
            text = f"this client has reached its number of concurrent requests of this kind: {AGAIN}"
            return TooManyRequests(text, limit="client-places")
        return None

    def _limit(self, mine: tuple[Work, str], total: int) -> int:
        if self._taken[mine[0]] == self._of_client[mine]:  # it is alone
            return max(1, round(total * SHARE_ALONE))
        return max(1, min(round(total * SHARE), total // (self._clients[mine[0]] + 1)))
