"""What the command line asks of `lookalike train`, and the command that asks for the same again."""

from dataclasses import dataclass, replace
from pathlib import Path

from training.errors import TrainingError

# What each recipe takes beside the options of all, and what it takes when nothing is said.
DEFAULTS: dict[str, dict[str, int | None]] = {
    "epochs": {"epochs": 50, "patience": 12, "batch_size": 64},
    "metric": {"steps": 13_000, "backgrounds": None, "start": None},
    "detector": {"steps": 1_152, "backgrounds": None},
}
OWN = ("epochs", "patience", "batch_size", "steps", "backgrounds", "start")


@dataclass(frozen=True)
class TrainOptions:
    """What the command line asked for; None where it said nothing."""

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

    def of(self, recipe: str) -> "TrainOptions":
        """Return the options with the recipe's own defaults.

        Raises:
            TrainingError: an option of another recipe is given.
        """
        own = DEFAULTS[recipe]
        for name in OWN:
            if name not in own and getattr(self, name) is not None:
                raise TrainingError(f"the network {self.model} takes no {_option(name)}")
        return replace(self, **{name: value for name, value in own.items() if getattr(self, name) is None})  # type: ignore[arg-type]

    def command(self) -> str:
        """Return the command that does this again; of paths only the last part, as they differ by machine."""
        out = self.out.as_posix() if not self.out.is_absolute() else "/".join(self.out.parts[-2:])
        options: dict[str, object] = {
            "dataset": _name(self.dataset),
            "model": self.model,
            "out": out,
            "seed": self.seed,
        }
        options |= {name: getattr(self, name) for name in ("epochs", "patience", "batch_size", "steps")}
        options |= {name: _name(getattr(self, name)) for name in ("photos", "backgrounds", "start")}
        given = [f"{_option(name)} {value}" for name, value in options.items() if value is not None]
        return "lookalike train " + " ".join(given)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _name(path: Path | None) -> str | None:
    return path.resolve().name if path else None
