"""What has been acknowledged, and therefore has to be there; and what may be there, having been sent without an answer."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.plan import GONE, Write


@dataclass
class Stand:
    """A revision at which a product may stand; times are monotonic, in seconds.

    Attributes:
        revision: `GONE` where the product is not there.
        since: when it was acknowledged that it stands so; None while it has not been.
        ended_at: when something else was acknowledged; None while it may stand so.
    """

    revision: int
    since: float | None = None
    ended_at: float | None = None


class Journal:
    """Of each key, at which revisions it may stand, now and before."""

    def __init__(self) -> None:
        self._stands: dict[str, list[Stand]] = {}
        self.acknowledged = 0

    def begin(self, writes: Iterable[Write]) -> None:
        """Note that writes are being sent: from now on the products may stand so."""
        for write in writes:
            stands = self._stands.setdefault(write.key, [Stand(GONE)])
            if not any(one.revision == write.revision and one.ended_at is None for one in stands):
                stands.append(Stand(write.revision))

    def acknowledge(self, writes: Iterable[Write], at: float) -> None:
        """Note that the products stand so: whatever else they may have been, they are no more."""
        for write in writes:
            self.acknowledged += 1
            for stand in self._stands[write.key]:
                if stand.revision == write.revision:
                    stand.since = stand.since or at
                elif stand.ended_at is None:
                    stand.ended_at = at

    def now(self, key: str) -> set[int]:
        """Return the revisions at which a product may stand; `GONE` is among them where it may be missing."""
        return {stand.revision for stand in self._stands.get(key, [Stand(GONE)]) if stand.ended_at is None}

    def latest(self, key: str) -> int:
        """Return the last revision at which a product was sent that is none of its absence; `GONE` where it never was."""
        return next((stand.revision for stand in reversed(self._stands[key]) if stand.revision != GONE), GONE)

    def certain(self, key: str) -> tuple[int, float] | None:
        """Return the one revision at which a product stands, and since when; None where it may be otherwise or missing."""
        stands = [stand for stand in self._stands[key] if stand.ended_at is None]
        only = stands[0]
        return (only.revision, only.since) if len(stands) == 1 and only.revision != GONE and only.since else None

    def known(self) -> list[str]:
        """Return all keys that have been written or deleted."""
        return list(self._stands)

    def ended_at(self, key: str, revision: int) -> float | None:
        """Return when a product last stopped to be able to stand at a revision; None while it may.

        Raises:
            KeyError: nobody has ever sent it so.
        """
        found = [stand.ended_at for stand in self._stands.get(key, []) if stand.revision == revision]
        if not found:
            raise KeyError(f"{key} at revision {revision}")
        return None if None in found else max(one for one in found if one is not None)
