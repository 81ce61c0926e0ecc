"""The files that a network is trained on, and their facts for the manifest."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from training.data.archives.dataset import archive_sha256
from training.data.composing.backgrounds import pictures_in
from training.errors import TrainingError
from training.options import TrainOptions


@dataclass(frozen=True)
class TrainingSources:
    """Where the training images come from; None for a source that is not used."""

    dataset: Path
    photos: Path | None
    backgrounds: Path | None
    start: Path | None
    street: Path | None = None
    street_photos: Path | None = None
    negatives: Path | None = None
    detailed: Path | None = None

    @classmethod
    def of(cls, options: TrainOptions) -> "TrainingSources":
        """Return the sources of a command."""
        return cls(**{field.name: getattr(options, field.name) for field in fields(cls)})

    def digests(self, *names: str) -> dict[str, str | None]:
        """Return the SHA-256 of these sources, None for those that are not used.

        Raises:
            TrainingError: the folder of backgrounds holds no picture, or the checkpoint to start from does not exist.
        """
        if self.backgrounds is not None:
            pictures_in(self.backgrounds)
        if self.start is not None and not self.start.is_file():
            raise TrainingError(f"there is no checkpoint at {self.start}")
        paths = {name: getattr(self, name) for name in names}
        return {name: archive_sha256(path) if path else None for name, path in paths.items()}

    def facts(self, sha256: dict[str, str | None]) -> dict[str, Any]:
        """Return what the manifest records of the sources other than the data set; `sha256` by source."""
        facts: dict[str, Any] = {}
        for name in ("photos", "street", "street_photos", "negatives", "detailed", "backgrounds", "start"):
            path = getattr(self, name)
            if path is not None and name in sha256:
                facts[name] = {"name": path.resolve().name, "sha256": sha256[name]}
        if self.backgrounds is not None and "backgrounds" in facts:
            facts["backgrounds"]["pictures"] = len(pictures_in(self.backgrounds))
        return facts
