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

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import MANIFEST_NAME, Manifest, load_manifest
from training.data.dataset import Dataset
from training.data.evidence import Sources
from training.data.split import Split
from training.errors import TrainingError
from training.evaluation.cost import cost
from training.evaluation.figures import answers
from training.evaluation.served_model import ServedModel
from training.evaluation.summary import summary
from training.options import TrainOptions
from training.progress import Terminal
from training.publishing.warmup import write_warmup
from training.report.evaluate import Asked, baseline_beside, evaluate_directory, figures_on_test_part
from training.report.grids import sample_grids
from training.report.report import write_report
from training.report.training_story import Story, Trained


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


def publish(
    name: ModelName, trained: Trained, data: Dataset, parts: Split, options: TrainOptions, terminal: Terminal
) -> None:
    """Export, measure what was exported, and write manifest, report and card.

    Raises:
        TrainingError: the version exists and may not be replaced.
        OSError: the disk is full or the folder cannot be written.
    """
    facts, sources = _facts(name, trained, data, options), Sources(options.dataset, options.photos)
    beside = _comparable(name, Manifest(**facts))
    with whole_or_nothing(name, options.force) as directory:
        trained.export(directory)
        write_warmup(directory, name.name, trained.architecture.input)
        model = ServedModel(directory, Manifest(**facts))
        said = answers(model, data, terminal)
        facts["thresholds"] = trained.thresholds(model, said, parts, terminal)
        model.manifest = Manifest(**facts)
        figures = figures_on_test_part(model, said, data, Asked(sources), terminal)
        figures |= _beside(beside, model, directory, sources, terminal) if beside else {}
        figures["summary"] = summary(figures)
        manifest = Manifest(**facts, metrics=_metrics(figures, trained.story))
        text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (directory / MANIFEST_NAME).write_text(text + "\n", "utf-8")
        (directory / "README.md").write_text(trained.card(manifest, figures), "utf-8")
        write_report(directory / "report", manifest, trained.story, figures, trained.drawn)
        if trained.drawn:
            sample_grids(model, directory / "report", terminal)
    terminal.line(f"accuracy on the test part: {100 * figures['classification']['accuracy']:.2f} %")


def _facts(name: ModelName, trained: Trained, data: Dataset, options: TrainOptions) -> dict[str, Any]:
    """Return what the manifest says before anything is measured."""
    plan = trained.architecture
    facts: dict[str, Any] = {"name": name.name, "version": name.version, "architecture": plan.name, "input": plan.input}
    facts |= {"categories": CATEGORIES, "dimension": plan.dimension, "unit_length": plan.unit_length}
    facts |= {"parameters": plan.parameters, "seed": trained.story.seed, "command": options.command()}
    facts |= {"dataset": data.facts() | trained.materials}
    return facts | {"created": datetime.now(UTC).isoformat(timespec="seconds")}


def _comparable(name: ModelName, manifest: Manifest) -> Path | None:
    """Return the baseline's directory, if it is another version that keeps the same products apart."""
    found = baseline_beside(name.directory)
    if found is None or found == name.directory.resolve():
        return None
    theirs = load_manifest(found)
    same = theirs.seed == manifest.seed and theirs.dataset.get("content_sha256") == manifest.dataset["content_sha256"]
    return found if same else None


def _beside(
    baseline: Path, model: ServedModel, directory: Path, sources: Sources, terminal: Terminal
) -> dict[str, Any]:
    """Return the cost in the baseline's, and the baseline's own figures, on photos of the same senders."""
    terminal.line("measuring the baseline beside it")
    seen = model.manifest.dataset.get("photos", {}).get("senders_seen", ())
    theirs = evaluate_directory(baseline, Asked(sources, "test", cost=False, left_out=seen), terminal)
    return {
        "cost": cost(directory, baseline),
        "baseline": {"model": theirs["model"], "summary": theirs["summary"] | {"cost": 1.0}},
    }


def _metrics(figures: dict[str, Any], story: Story) -> dict[str, Any]:
    metrics = {
        "test_accuracy": figures["classification"]["accuracy"],
        "test_products": figures["queries"]["count"],
        "precision_at_10": figures["retrieval"]["precision"],
    }
    if "photos" in figures:
        metrics["photos_accuracy"] = figures["photos"]["classification"]["accuracy"]
    if "baseline" in figures:
        metrics |= {"summary": figures["summary"], "baseline": figures["baseline"]}
    return metrics | story.metrics()
