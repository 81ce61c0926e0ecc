"""How much may be under way at once: requests, and bytes of their bodies. What is over is refused before it is read."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.contracts.domain.errors import TooManyRequests


class Admission:
    """Counts what is under way. It belongs to one event loop.

    Args:
        max_requests: requests under way.
        max_bytes: announced sizes of their bodies, together; a request alone is let in whatever its size.
    """

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self.requests = 0
        self.bytes = 0

    @contextmanager
    def admit(self, size: int) -> Iterator[None]:
        """Let a request of `size` bytes in for as long as the block.

        Raises:
            TooManyRequests: the service is full.
        """
        if self.requests >= self._max_requests or (self.requests and self.bytes + size > self._max_bytes):
            raise TooManyRequests("as much as this service takes at once is under way: try again in a second")
        self.requests += 1
        self.bytes += size
        try:
            yield
        finally:
            self.requests -= 1
            self.bytes -= size
