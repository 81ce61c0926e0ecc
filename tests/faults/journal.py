"""The possible states of each product: acknowledged ones must exist, those sent without a response may exist."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.plan import GONE, Write


@dataclass
class PossibleState:
    """A revision that a product may have; times are monotonic, in seconds.

    Attributes:
        revision: `GONE` if the product does not exist.
        since: when the revision was acknowledged; None before that.
        ended_at: when another revision was acknowledged; None before that.
    """

    revision: int
    since: float | None = None
    ended_at: float | None = None


class Journal:
    """The possible states of each key, now and earlier."""

    def __init__(self) -> None:
        self._states: dict[str, list[PossibleState]] = {}
        self.acknowledged = 0

    def begin(self, writes: Iterable[Write]) -> None:
        """Note that writes are sent: from now on, the products may have these revisions."""
        for write in writes:
            states = self._states.setdefault(write.key, [PossibleState(GONE)])
            if not any(state.revision == write.revision and state.ended_at is None for state in states):
                states.append(PossibleState(write.revision))

    def acknowledge(self, writes: Iterable[Write], at: float) -> None:
        """Note that the products have these revisions: other states are over."""
        for write in writes:
            self.acknowledged += 1
            for state in self._states[write.key]:
                if state.revision == write.revision:
                    state.since = state.since or at
                elif state.ended_at is None:
                    state.ended_at = at

    def now(self, key: str) -> set[int]:
        """Return the revisions that a product may have; `GONE` is among them if it may be missing."""
        return {state.revision for state in self._states.get(key, [PossibleState(GONE)]) if state.ended_at is None}

    def latest(self, key: str) -> int:
        """Return the last revision of a product that was sent, deletions left out; `GONE` if there is none."""
        return next((state.revision for state in reversed(self._states[key]) if state.revision != GONE), GONE)

    def certain(self, key: str) -> tuple[int, float] | None:
        """Return the only revision that a product can have, and since when; None if there is not exactly one."""
        states = [state for state in self._states[key] if state.ended_at is None]
        state = states[0]
        is_certain = len(states) == 1 and state.revision != GONE
        return (state.revision, state.since) if is_certain and state.since else None

    def known(self) -> list[str]:
        """Return all keys that have been written or deleted."""
        return list(self._states)

    def ended_at(self, key: str, revision: int) -> float | None:
        """Return when a product last stopped to have a revision; None while it may have it.

        Raises:
            KeyError: the revision was never sent.
        """
        ends = [state.ended_at for state in self._states.get(key, []) if state.revision == revision]
        if not ends:
            raise KeyError(f"{key} at revision {revision}")
        return None if None in ends else max(end for end in ends if end is not None)
