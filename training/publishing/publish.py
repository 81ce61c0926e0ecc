"""Writes a trained network as a model version directory with its report, whole or not at all."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import MANIFEST_NAME, Manifest, load_manifest
from training.context import TrainingContext
from training.data.archives.dataset import Dataset
from training.data.evaluation_images import EvaluationSources
from training.data.split import Split
from training.evaluation.cost import cost
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.figures import EvaluationOutputs, network_outputs
from training.evaluation.summary import summary
from training.model_version import ModelVersion
from training.networks.architectures import Architecture
from training.options import TrainOptions
from training.progress import Terminal
from training.publishing.warmup import write_warmup
from training.report.evaluate import Evaluation, EvaluationOptions, evaluate_directory, sibling_baseline
from training.report.grids import sample_grids
from training.report.report import write_report
from training.report.training_section import TrainingSection


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network, ready to be published.

    Attributes:
        architecture: of the network.
        section: the report's section about the training.
        export: writes the SavedModel into a directory.
        thresholds: fits the manifest's thresholds on the validation part.
        card: returns the model card.
        materials: what the manifest records of the sources other than the data set.
        sample_pictures: whether the report has pictures of the sample catalogue.
    """

    architecture: Architecture
    section: TrainingSection
    export: Callable[[Path], None]
    thresholds: Callable[[EvaluatedModel, EvaluationOutputs, Split, Terminal], dict[str, float]]
    card: Callable[[Manifest, dict[str, Any]], str]
    materials: dict[str, Any] = field(default_factory=dict)
    sample_pictures: bool = False


def publish(context: TrainingContext, trained: TrainedNetwork, data: Dataset, parts: Split) -> None:
    """Export, evaluate the exported network, and write manifest, report and card.

    Raises:
        TrainingError: the version exists and may not be replaced.
        OSError: the disk is full or the folder cannot be written.
    """
    options, terminal = context.options, context.terminal
    facts = _facts(context, trained, data)
    baseline = _comparable_baseline(context.version, Manifest(**facts))
    with context.version.written(options.force) as directory:
        trained.export(directory)
        write_warmup(directory, context.version.name, trained.architecture.input)
        model = EvaluatedModel(directory, Manifest(**facts))
        outputs = network_outputs(model, data, terminal)
        facts["thresholds"] = trained.thresholds(model, outputs, parts, terminal)
        model.manifest = Manifest(**facts)
        evaluation = EvaluationOptions(evaluation_sources(options))
        figures = Evaluation(model, data, outputs, evaluation, terminal).on_test_part()
        figures |= _comparison(context, baseline, model, directory) if baseline else {}
        figures["summary"] = summary(figures)
        manifest = Manifest(**facts, metrics=_metrics(figures, trained.section))
        _write(directory, manifest, trained, figures)
        if trained.sample_pictures:
            sample_grids(model, directory / "report", terminal)
    terminal.line(f"accuracy on the test part: {100 * figures['classification']['accuracy']:.2f} %")


def evaluation_sources(options: TrainOptions) -> EvaluationSources:
    """Return the sources of an evaluation with the data of a training command; its backgrounds are not new."""
    return EvaluationSources(options.dataset, options.photos, negatives=options.negatives, street=options.street)


def _write(directory: Path, manifest: Manifest, trained: TrainedNetwork, figures: dict[str, Any]) -> None:
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False)
    (directory / MANIFEST_NAME).write_text(text + "\n", "utf-8")
    (directory / "README.md").write_text(trained.card(manifest, figures), "utf-8")
    write_report(directory / "report", manifest, trained.section, figures, trained.sample_pictures)


def _facts(context: TrainingContext, trained: TrainedNetwork, data: Dataset) -> dict[str, Any]:
    """Return the manifest's values that are known before the evaluation."""
    version, known = context.version, trained.architecture
    return {
        "name": version.name,
        "version": version.version,
        "architecture": known.name,
        "input": known.input,
        "categories": CATEGORIES,
        "dimension": known.dimension,
        "unit_length": known.unit_length,
        "parameters": known.parameters,
        "seed": trained.section.seed,
        "command": context.options.command(),
        "dataset": data.facts() | trained.materials,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _comparable_baseline(version: ModelVersion, manifest: Manifest) -> Path | None:
    """Return the baseline's directory, if it is another version with the same test part."""
    directory = sibling_baseline(version.directory)
    if directory is None or directory == version.directory.resolve():
        return None
    baseline = load_manifest(directory)
    same_products = baseline.dataset.get("content_sha256") == manifest.dataset["content_sha256"]
    return directory if same_products and baseline.seed == manifest.seed else None


def _comparison(context: TrainingContext, baseline: Path, model: EvaluatedModel, directory: Path) -> dict[str, Any]:
    """Return the cost relative to the baseline's, and the baseline's own figures, on photos of the same senders."""
    options, terminal = context.options, context.terminal
    terminal.line("evaluating the baseline for comparison")
    excluded = model.manifest.dataset.get("photos", {}).get("senders_seen", ())
    evaluation = EvaluationOptions(evaluation_sources(options), "test", cost=False, excluded_senders=excluded)
    figures = evaluate_directory(baseline, evaluation, terminal)
    return {
        "cost": cost(directory, baseline),
        "baseline": {"model": figures["model"], "summary": figures["summary"] | {"cost": 1.0}},
    }


def _metrics(figures: dict[str, Any], section: TrainingSection) -> dict[str, Any]:
    metrics = {
        "test_accuracy": figures["classification"]["accuracy"],
        "test_products": figures["queries"]["count"],
        "precision_at_10": figures["retrieval"]["precision"],
    }
    if "photos" in figures:
        metrics["photos_accuracy"] = figures["photos"]["classification"]["accuracy"]
    if "baseline" in figures:
        metrics |= {"summary": figures["summary"], "baseline": figures["baseline"]}
    return metrics | section.metrics()
