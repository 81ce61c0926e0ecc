"""Which processes are available, and since when all of them have been."""

import time


class Availability:
    """The processes that are down, and whether the index reports that it may be stale."""

    def __init__(self) -> None:
        self._down: set[str] = set()
        self._is_stale = False
        self._unavailable_until = time.monotonic()

    def stopped(self, name: str) -> None:
        """Note that a process is down."""
        self._down.add(name)

    def started(self, name: str) -> None:
        """Note that a process is up again."""
        self._update()
        self._down.discard(name)

    def index_reports(self, *, stale: bool) -> None:
        """Note what the index reports of itself."""
        self._update()
        self._is_stale = stale
        self._update()

    def is_up(self, name: str) -> bool:
        """Return whether a process is up."""
        return name not in self._down

    def since(self) -> float | None:
        """Return the monotonic time since when everything is up and the index is not stale; None if that is not so."""
        return None if self._down or self._is_stale else self._unavailable_until

    def _update(self) -> None:
        if self._down or self._is_stale:
            self._unavailable_until = time.monotonic()
