"""What a run of `lookalike reembed` did."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.catalogue.importing.report import Status
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE


@dataclass
class ReembedTally:
    """Counts of one run.

    Attributes:
        found: products that had no vector of the model when they were looked for.
        embedded: products that have got one.
        overtaken: products that were written or deleted by somebody else meanwhile.
        rejected: products that no vector can be made for.
        images_rejected: further pictures of embedded products, of which the same is true.
        other_pictures: embedded products whose picture is not the one that their own vector was made of.
    """

    found: int = 0
    embedded: int = 0
    overtaken: int = 0
    rejected: int = 0
    images_rejected: int = 0
    other_pictures: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> int:
        """Products that are done with."""
        return self.embedded + self.overtaken + self.rejected

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """Products a second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds left at this rate; None while there is none."""
        return (self.found - self.done) / self.rate if self.done else None


@dataclass(frozen=True)
class ReembedSummary:
    """How a run ended. `reason` says why it did not come to its end."""

    tally: ReembedTally
    status: Status
    model: str | None
    seconds: float
    reason: str | None = None
    rejected_file: Path | None = None
    catalogue: str = DEFAULT_CATALOGUE

    def document(self) -> dict[str, Any]:
        """Return the summary as JSON has it."""
        counts = ("found", "embedded", "overtaken", "rejected", "images_rejected", "other_pictures")
        return {
            **({} if self.catalogue == DEFAULT_CATALOGUE else {"catalogue": self.catalogue}),
            "status": self.status,
            "reason": self.reason,
            "model": self.model,
            **{name: getattr(self.tally, name) for name in counts},
            "seconds": round(self.seconds, 3),
            "rate": round(self.tally.rate, 1),
            "rejected_file": None if self.rejected_file is None else str(self.rejected_file),
        }
