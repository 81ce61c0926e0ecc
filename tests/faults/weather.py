"""What is up and what is down, and since when all has been well."""

import time


class Weather:
    """The processes that are away, and whether the index says that it may be behind."""

    def __init__(self) -> None:
        self._away: set[str] = set()
        self._behind = False
        self._bad_until = time.monotonic()

    def goes(self, name: str) -> None:
        """Note that something goes away."""
        self._away.add(name)

    def comes(self, name: str) -> None:
        """Note that it is there again."""
        self._note()
        self._away.discard(name)

    def told(self, *, behind: bool) -> None:
        """Note what the index says of itself."""
        self._note()
        self._behind = behind
        self._note()

    def is_up(self, name: str) -> bool:
        """Whether something is there."""
        return name not in self._away

    def well_since(self) -> float | None:
        """Return the monotonic time since when everything has been up and level; None while it is not."""
        return None if self._away or self._behind else self._bad_until

    def _note(self) -> None:
        if self._away or self._behind:
            self._bad_until = time.monotonic()
