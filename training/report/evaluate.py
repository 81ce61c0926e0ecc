"""`lookalike evaluate`: the figures of a model directory on an archive."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import ManifestError, load_detector_manifest, load_manifest
from training.data.archives.dataset import Dataset, archive_sha256, read_dataset
from training.data.archives.street_photos import read_street_photos
from training.data.evaluation_images import EvaluationImages, EvaluationSources, ImageChoice, gather, in_part, unseen
from training.data.split import split
from training.errors import TrainingError
from training.evaluation.cost import cost
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.figures import EvaluationOutputs, EvaluationSet, all_figures, category_scales, network_outputs
from training.evaluation.summary import summary
from training.evaluation.unusual import SWEATERS, unusual_figures, unusual_pictures
from training.evaluation.whole_photos import LoadedModels, SearchedGallery, whole_photo_figures
from training.progress import Terminal
from training.report.grids import real_grids

BASELINE = "baseline"


@dataclass(frozen=True)
class EvaluationOptions:
    """The model to evaluate, and the images to evaluate it on.

    Attributes:
        sources: of the images.
        part: `test` (the part of the model's seed), `all`, or `auto`: `test` on the archive of the training.
        gallery: another archive to search in. All products of the data set are the queries then.
        cost: whether to measure the time of one image too.
        excluded_senders: marks of senders whose photos are excluded, even if the model has not seen them.
        grids: a folder for pictures of queries with their results.
        unusual: whether to measure unusual pictures too, which are made of people's photos.
        detector: a detector's version directory, to find the garments of whole street photos.
    """

    sources: EvaluationSources
    part: str = "auto"
    gallery: Path | None = None
    cost: bool = True
    excluded_senders: Collection[str] = ()
    grids: Path | None = None
    unusual: bool = False
    detector: Path | None = None


def evaluate_directory(directory: Path, options: EvaluationOptions, terminal: Terminal) -> dict[str, Any]:
    """Return all figures of a model version directory such as `models/fashion/1`, ready for JSON.

    Raises:
        ManifestError, ArchiveError, TrainingError: the text is one sentence.
    """
    model = EvaluatedModel.load(directory)
    manifest = model.manifest
    if manifest.categories != CATEGORIES:
        raise TrainingError(f"{directory} has other categories than the archive's nine: it cannot be evaluated on it")
    if options.gallery and options.part == "test":
        raise TrainingError("--gallery takes all of --dataset as queries: it cannot be combined with --split test")
    if options.unusual and options.sources.photos is None:
        raise TrainingError("--unusual changes people's photos: add --photos")
    if options.sources.street_photos:
        _check_detector(options.detector)
    options.sources.refuse_trained_on(manifest)
    data = read_dataset(options.sources.dataset, manifest.input, terminal)
    evaluation = Evaluation(model, data, network_outputs(model, data, terminal), options, terminal)
    figures: dict[str, Any] = {"model": manifest.model_id, "architecture": manifest.architecture}
    figures |= {"dataset": data.facts(), "rows": data.counts.facts(), "zero_vectors": evaluation.outputs.zero_vectors}
    figures |= evaluation.on_test_part() if evaluation.test_part_only() else evaluation.on_all_products()
    figures |= {"cost": cost(directory, sibling_baseline(directory))} if options.cost else {}
    return figures | {"summary": summary(figures)}


@dataclass(frozen=True)
class Evaluation:
    """A model with its outputs for a data set, and how to evaluate it."""

    model: EvaluatedModel
    data: Dataset
    outputs: EvaluationOutputs
    options: EvaluationOptions
    terminal: Terminal

    def test_part_only(self) -> bool:
        """Say whether the queries are the test part alone."""
        if self.options.gallery:
            return False
        trained_on = self.model.manifest.dataset.get("content_sha256")
        return self.options.part == "test" or (self.options.part == "auto" and self.data.content_sha256 == trained_on)

    def on_test_part(self) -> dict[str, Any]:
        """Return the figures with the test part as queries and the training and validation parts as gallery."""
        seed = self.model.manifest.seed
        parts = split(self.data.ids, seed)
        gallery = np.concatenate([parts.training, parts.validation])
        products = self.outputs.products.take(gallery)
        products_set = EvaluationSet(self.data, self.outputs, parts.test, products, parts.validation, seed)
        counts = {
            "queries": {"part": "test", "seed": seed, "count": len(parts.test)},
            "gallery": {"part": "training and validation", "count": len(gallery)},
        }
        sender = unseen(self.model.manifest, self.options.excluded_senders)
        street, negatives = self._part_of("street"), self._part_of("negatives")
        choice = ImageChoice(in_part("test", seed), sender, street, negatives, seed)
        return counts | self._figures(products_set, choice)

    def on_all_products(self) -> dict[str, Any]:
        """Return the figures with all products as queries; a query never finds itself."""
        manifest, gallery, name = self.model.manifest, self.outputs.products, "all but the query"
        if self.options.gallery:
            other = read_dataset(self.options.gallery, manifest.input, self.terminal)
            gallery, name = network_outputs(self.model, other, self.terminal).products, other.name
        queries = np.arange(len(self.data.ids))
        products_set = EvaluationSet(self.data, self.outputs, queries, gallery, queries[:0], manifest.seed)
        counts = {
            "queries": {"part": "all", "count": len(self.data.ids)},
            "gallery": {"part": name, "count": len(gallery.ids)},
        }
        sender = unseen(manifest, self.options.excluded_senders)
        street, negatives = self._part_of("street"), self._part_of("negatives")
        choice = ImageChoice(sender=sender, street_part=street, negatives_part=negatives, seed=manifest.seed)
        return counts | self._figures(products_set, choice)

    def _part_of(self, source: str) -> str | None:
        """Return the part of an archive that is used: `test` if the model was trained on it; None for all."""
        path: Path | None = getattr(self.options.sources, source)
        if path is None or not path.is_file() or self.options.part == "all":
            return None
        trained_on = self.model.manifest.dataset.get(source, {}).get("sha256")
        return "test" if self.options.part == "test" or trained_on == archive_sha256(path) else None

    def _figures(self, products: EvaluationSet, choice: ImageChoice) -> dict[str, Any]:
        manifest = self.model.manifest
        images = gather(self.options.sources, manifest.input, choice, manifest.seed, self.terminal)
        if self.options.grids:
            real_grids(self.model, products, images, self.options.grids, self.terminal)
        figures = all_figures(self.model, products, images, self.terminal)
        figures |= {"unusual": self._unusual(products, images, choice)} if self.options.unusual else {}
        return figures | ({"whole_photos": self._whole_photos(products)} if self.options.sources.street_photos else {})

    def _whole_photos(self, products: EvaluationSet) -> dict[str, Any]:
        """Return the figures of the street photos that the detector was not trained on; with `all`, of all."""
        path, detector = self.options.sources.street_photos, self.options.detector
        assert path is not None and detector is not None
        models = LoadedModels.with_detector(self.model, detector)
        parts = read_street_photos(path, models.manifest.seed, self.terminal)
        photos = parts["test"] if self.options.part != "all" else [photo for part in parts.values() for photo in part]
        scales = category_scales(products.gallery, self.model.manifest.thresholds)
        return whole_photo_figures(models, photos, SearchedGallery(products.gallery, scales))

    def _unusual(self, products: EvaluationSet, images: EvaluationImages, choice: ImageChoice) -> dict[str, Any]:
        manifest, data, photos = self.model.manifest, products.data, self.options.sources.photos
        assert photos is not None
        sweaters = products.queries[np.isin(data.article_types[products.queries], SWEATERS)]
        pictures = unusual_pictures(
            photos,
            choice.sender,
            images.animals,
            data.images[sweaters],
            manifest.input,
            manifest.seed,
        )
        scales = category_scales(products.gallery, manifest.thresholds)
        return unusual_figures(self.model, pictures, products.gallery, scales, self.terminal)


def _check_detector(directory: Path | None) -> None:
    """Refuse a detector that cannot be used before the minutes that the other figures take."""
    if directory is None:
        raise TrainingError("--street-photos are searched with the garments that a detector finds: add --detector")
    if load_detector_manifest(directory).categories != CATEGORIES:
        raise TrainingError(f"the detector {directory} has other categories than the archive's nine")


def sibling_baseline(directory: Path) -> Path | None:
    """Return the baseline among the versions of a model, or None."""
    versions = sorted(directory.resolve().parent.glob("[1-9]*"))
    return next((path for path in versions if _architecture(path) == BASELINE), None)


def _architecture(directory: Path) -> str | None:
    try:
        return load_manifest(directory).architecture
    except ManifestError:
        return None
