"""The time at which a search is given up."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.contracts.domain.errors import UpstreamTimeout


@dataclass(frozen=True)
class Deadline:
    """A point in time of `clock`, in seconds; None for no deadline. `seconds` is the time that the search has."""

    at: float | None = None
    seconds: float = 0.0
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline in this many seconds."""
        return cls(time.monotonic() + seconds, seconds)

    @property
    def remaining_s(self) -> float | None:
        """The seconds left, at least 0; None without a deadline."""
        return None if self.at is None else max(0.0, self.at - self.clock())

    def check(self) -> None:
        """Return while there is time left.

        Raises:
            UpstreamTimeout: there is none.
        """
        if self.at is not None and self.clock() >= self.at:
            raise UpstreamTimeout(
                f"the search took longer than {self.seconds:g} s: use a filter of fewer conditions, or fewer facets"
            )


NO_DEADLINE = Deadline()
