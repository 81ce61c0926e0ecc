"""The report of a run of `lookalike reembed`."""

import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from services.catalogue.importing.report import Status
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE


@dataclass
class ReembedTally:
    """Counts of one run.

    Attributes:
        found: products without a vector of the model.
        embedded: products that got one.
        overtaken: products that another process has written or deleted meanwhile.
        rejected: products that cannot be embedded.
        images_rejected: additional pictures of embedded products that cannot be embedded.
        other_pictures: embedded products whose picture has changed since their own vector was computed.
    """

    found: int = 0
    embedded: int = 0
    overtaken: int = 0
    rejected: int = 0
    images_rejected: int = 0
    other_pictures: int = 0
    started: float = field(default_factory=time.monotonic)

    def merge(self, other: "ReembedTally") -> None:
        """Add the counts of another part of the same run."""
        for each in fields(self):
            if isinstance(count := getattr(other, each.name), int):
                setattr(self, each.name, getattr(self, each.name) + count)

    @property
    def done(self) -> int:
        """Products that are done."""
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
        """Seconds left at this rate; None while it is not known."""
        return (self.found - self.done) / self.rate if self.done else None


@dataclass(frozen=True)
class ReembedSummary:
    """How a run ended. `reason` says why it ended early."""

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
