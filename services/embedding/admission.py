"""Limits the requests in progress and the bytes of their bodies. Excess requests are rejected before they are read."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.contracts.domain.errors import TooManyRequests


class Admission:
    """Counts the requests in progress. It belongs to one event loop.

    Args:
        max_requests: the most requests in progress.
        max_bytes: the most bytes of their bodies together; a single request of any size is admitted.
    """

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self.requests = 0
        self.bytes = 0

    @contextmanager
    def admit(self, size: int) -> Iterator[None]:
        """Count a request with a body of `size` bytes while the block runs.

        Raises:
            TooManyRequests: the service is full.
        """
        if self.requests >= self._max_requests or (self.requests and self.bytes + size > self._max_bytes):
            raise TooManyRequests("the service is at capacity: try again in a second", limit="capacity")
        self.requests += 1
        self.bytes += size
        try:
            yield
        finally:
            self.requests -= 1
            self.bytes -= size
