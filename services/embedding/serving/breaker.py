"""A circuit breaker: while TensorFlow Serving does not respond, searches fail at once instead of waiting for it.

The libraries for this let every caller through when the pause has passed. With a server that stands still, each of them
would wait for its deadline again; here one call tries.
"""

import time
from collections.abc import Callable

from services.contracts.domain.errors import EmbeddingUnavailable

FAILURES = 5  # consecutive ones, after which the breaker opens
PAUSE_S = 1.0  # between two tries while it is open


class Breaker:
    """Counts consecutive failures of one model. It belongs to one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._next_try = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once."""
        return self._failures >= FAILURES

    def admit(self) -> None:
        """Return if a call may be made: the breaker is closed, or it is time for a try.

        Raises:
            EmbeddingUnavailable: the breaker is open.
        """
        if not self.is_open:
            return
        now = self._clock()
        if now < self._next_try:
            raise EmbeddingUnavailable("TensorFlow Serving does not respond; it is tried again every second")
        self._next_try = now + PAUSE_S

    def succeeded(self) -> None:
        """Close the breaker: the model has responded."""
        self._failures = 0

    def failed(self) -> None:
        """Count a failure; the last of FAILURES opens the breaker."""
        self._failures += 1
        if self._failures == FAILURES:
            self._next_try = self._clock() + PAUSE_S
