"""A trained network becomes a model version directory: whole or not at all."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from services.catalogue.kaggle import CATEGORIES
from services.contracts.manifest import MANIFEST_NAME, Manifest
from training.dataset import Dataset
from training.errors import TrainingError
from training.evaluate import answers, figures_on_test_part, photo_figures
from training.export import export_saved_model
from training.options import TrainOptions
from training.progress import Terminal
from training.report import write_report
from training.served import ServedModel
from training.split import Split
from training.story import Story, Trained
from training.thresholds import thresholds
from training.warmup import write_warmup


@dataclass(frozen=True)
class ModelName:
    """Where a model version goes; the directory's last two parts are its name and version."""

    directory: Path
    name: str
    version: int

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Read name and version from a path such as `models/fashion/1`.

        Raises:
            TrainingError: the path does not end so.
        """
        name, version = directory.absolute().parent.name, directory.name
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or not re.fullmatch(r"[1-9][0-9]{0,8}", version):
            raise TrainingError(f"--out {directory} must end in a name and a version number, such as models/fashion/1")
        return cls(directory, name, int(version))

    def refuse_to_overwrite(self, force: bool) -> None:
        """Raise TrainingError if the version exists and may not be replaced."""
        if self.directory.exists() and not force:
            raise TrainingError(
                f"{self.directory} exists already: give the next version number, or --force to replace it"
            )


@contextmanager
def whole_or_nothing(name: ModelName, force: bool) -> Iterator[Path]:
    """Give a temporary directory beside the target, and rename it to the target when the block ends well."""
    target = name.directory
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name}.part-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        name.refuse_to_overwrite(force)
        if target.exists():
            old = target.parent / f".{target.name}.old-{os.getpid()}"
            target.rename(old)
            temporary.rename(target)
            shutil.rmtree(old)
        else:
            temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _metrics(figures: dict[str, Any], story: Story) -> dict[str, Any]:
    metrics = {
        "test_accuracy": figures["classification"]["accuracy"],
        "test_products": figures["queries"]["count"],
        "precision_at_10": figures["retrieval"]["precision"],
    }
    if "photos" in figures:
        metrics["photos_accuracy"] = figures["photos"]["classification"]["accuracy"]
    return metrics | story.metrics()


def publish(
    name: ModelName, trained: Trained, data: Dataset, parts: Split, options: TrainOptions, terminal: Terminal
) -> None:
    """Export, measure what was exported, and write manifest, report and card.

    Raises:
        TrainingError: the version exists and may not be replaced.
        OSError: the disk is full or the folder cannot be written.
    """
    plan, story = trained.network.architecture, trained.story
    facts: dict[str, Any] = {"name": name.name, "version": name.version, "architecture": plan.name, "input": plan.input}
    facts |= {"categories": CATEGORIES, "dimension": plan.dimension, "unit_length": plan.unit_length}
    facts |= {"parameters": plan.parameters, "seed": story.seed, "command": options.command()}
    facts |= {"dataset": data.facts() | trained.materials}
    facts |= {"created": datetime.now(UTC).isoformat(timespec="seconds")}
    with whole_or_nothing(name, options.force) as directory:
        export_saved_model(trained.network, directory)
        write_warmup(directory, name.name, plan.input)
        model = ServedModel(directory, Manifest(**facts))
        said = answers(model, data, terminal)
        figures = figures_on_test_part(said, data, story.seed)
        figures |= {"photos": photo_figures(model, options.photos, terminal)} if options.photos else {}
        manifest = Manifest(**facts, thresholds=thresholds(said, parts), metrics=_metrics(figures, story))
        text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (directory / MANIFEST_NAME).write_text(text + "\n", "utf-8")
        (directory / "README.md").write_text(trained.card(manifest, figures), "utf-8")
        write_report(directory / "report", manifest, story, figures)
    terminal.line(f"accuracy on the test part: {100 * figures['classification']['accuracy']:.2f} %")
