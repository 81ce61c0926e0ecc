"""What identifies a training run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import TrainingError

# What the refusal of another run calls a source whose SHA-256 differs.
DIFFERENCES = {
    "dataset_sha256": "another data set",
    "photos_sha256": "other photos",
    "backgrounds_sha256": "other backgrounds, or none",
    "start_sha256": "another --start checkpoint, or none",
}


@dataclass(frozen=True)
class RunSettings:
    """What identifies a run: with any other value, it is another run.

    Attributes:
        model: the network's name.
        sources: SHA-256 by source (`dataset`, `photos`, `backgrounds`, `start`); None for a source that is not used.
        plan: the recipe's numbers by name.
        adjustable: numbers of the plan that only say when to stop. A resumed run may change them.
    """

    model: str
    sources: dict[str, str | None]
    plan: dict[str, Any]
    adjustable: frozenset[str] = frozenset()

    def document(self) -> dict[str, Any]:
        """Return the settings as one flat JSON object."""
        digests = {f"{source}_sha256": digest for source, digest in self.sources.items()}
        document: dict[str, Any] = json.loads(json.dumps({"model": self.model, **digests, **self.plan}))
        return document

    def refuse_other(self, stored: Mapping[str, Any], run_dir: Path) -> None:
        """Raise TrainingError if the stored document is of another run; the sentence names the first difference."""
        ours = self.document()
        for name in [*ours, *(stored.keys() - ours.keys())]:
            if name in self.adjustable or ours.get(name) == stored.get(name):
                continue
            difference = DIFFERENCES.get(name, f"{name} {stored.get(name)}, not {ours.get(name)}")
            raise TrainingError(
                f"the run in {run_dir} has {difference}: resume it with its own settings, choose another --run-dir, "
                "or start again with --fresh"
            )
