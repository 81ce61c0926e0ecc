"""The options of `lookalike train`, and the command that trains the same again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from training.errors import TrainingError

# Options that belong to some recipes only; each recipe's `defaults` names those that it takes.
RECIPE_OPTIONS = (
    "epochs",
    "patience",
    "batch_size",
    "steps",
    "backgrounds",
    "start",
    "street",
    "street_photos",
    "negatives",
    "detailed",
)

PATHS = (
    "photos",
    "street",
    "street_photos",
    "negatives",
    "detailed",
    "backgrounds",
    "start",
)  # in the order of the command


@dataclass(frozen=True)
class TrainOptions:
    """The options of the command line; None where an option is not given."""

    dataset: Path
    model: str
    out: Path
    seed: int
    run_dir: Path
    epochs: int | None = None
    patience: int | None = None
    batch_size: int | None = None
    steps: int | None = None
    force: bool = False
    fresh: bool = False
    photos: Path | None = None
    backgrounds: Path | None = None
    start: Path | None = None
    street: Path | None = None
    street_photos: Path | None = None
    negatives: Path | None = None
    detailed: Path | None = None

    def completed(self, defaults: Mapping[str, int | None]) -> "TrainOptions":
        """Return the options with a recipe's defaults.

        Raises:
            TrainingError: an option is given that the recipe does not take.
        """
        for name in RECIPE_OPTIONS:
            if name not in defaults and getattr(self, name) is not None:
                raise TrainingError(f"the network {self.model} does not take {_flag(name)}")
        missing = {name: value for name, value in defaults.items() if getattr(self, name) is None}
        return replace(self, **missing)  # type: ignore[arg-type]

    def command(self) -> str:
        """Return the command that trains the same again; of paths only the last part, as they differ by machine."""
        out = self.out.as_posix() if not self.out.is_absolute() else "/".join(self.out.parts[-2:])
        values: dict[str, object] = {
            "dataset": _file_name(self.dataset),
            "model": self.model,
            "out": out,
            "seed": self.seed,
        }
        values |= {name: getattr(self, name) for name in ("epochs", "patience", "batch_size", "steps")}
        values |= {name: _file_name(getattr(self, name)) for name in PATHS}
        words = [f"{_flag(name)} {value}" for name, value in values.items() if value is not None]
        return "lookalike train " + " ".join(words)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _file_name(path: Path | None) -> str | None:
    return path.resolve().name if path else None
