"""Bounds the bytes of the bodies that requests in progress have sent, of one client and of all."""

from collections import Counter

from services.contracts.domain.errors import TooManyRequests


class BytesInFlight:
    """Counts the bytes that are kept in memory. It belongs to one event loop.

    Args:
        max_bytes: the most bytes of all clients.
        max_client_bytes: the most bytes of one client address.
    """

    def __init__(self, max_bytes: int, max_client_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._max_client_bytes = max_client_bytes
        self._by_client: Counter[str] = Counter()

    @property
    def bytes(self) -> int:
        """The bytes of all clients."""
        return self._by_client.total()

    def add(self, client: str, size: int) -> None:
        """Count bytes of a client. They are counted even if they are too many: `remove` them in any case.

        Raises:
            TooManyRequests: they are too many.
        """
        self._by_client[client] += size
        if self._by_client[client] > self._max_client_bytes:
            raise TooManyRequests(
                "your requests in progress have too many bytes: wait for their responses", limit="client-body-bytes"
            )
        if self.bytes > self._max_bytes:
            raise TooManyRequests(
                "the requests in progress have too many bytes: try again in a second", limit="body-bytes"
            )

    def remove(self, client: str, size: int) -> None:
        """Count bytes no more."""
        self._by_client[client] -= size
        if not self._by_client[client]:
            del self._by_client[client]
