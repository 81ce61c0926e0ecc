"""`lookalike train --model look`: from street garments to a look model. It takes minutes, and no checkpoints."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES, ArchiveImageError, KaggleArchive, KaggleRow
from services.contracts.domain.errors import LookalikeError
from services.contracts.images.preparation import prepare_image
from services.look.compatibility import Compatibility
from services.look.manifest import LookManifest
from training.context import TrainingContext
from training.data.archives.dataset import archive_sha256
from training.data.outfits import WornGarments, pairs
from training.errors import TrainingError
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.look import figures_on
from training.evaluation.search.retrieval import unit
from training.evaluation.worn_garments import worn_garments
from training.progress import Terminal
from training.recipes.look.fit import FitOptions, fit_colour, fit_projections
from training.report.look_card import card_markdown

EMBEDDING = Path("models/fashion/3")
STUDIO_PICTURES = 300  # of each category, for its mean
FEWEST_OUTFITS = 20  # in each part


def train_look(context: TrainingContext) -> None:
    """Learn which garments go together, measure it on outfits of other photos, and write the model version.

    Raises:
        TrainingError: there are no street garments, or too few outfits, or the version exists already.
        ManifestError, ArchiveError: the embedding model or the archive cannot be used.
        OSError: the disk is full or the folder cannot be written.
    """
    options, terminal = context.options, context.terminal
    if options.street is None:
        raise TrainingError("a look model is learned from outfits: add --street street-garments.zip")
    embedding = EvaluatedModel.load(EMBEDDING)
    garments = worn_garments(embedding, options.street, options.seed, terminal)
    outfits = {part: garments.outfits(part) for part in ("training", "validation", "test")}
    for part, of_part in outfits.items():
        if len(of_part) < FEWEST_OUTFITS:
            raise TrainingError(f"the {part} part has {len(of_part)} outfits: {FEWEST_OUTFITS} are needed")
    means = _means(garments)
    terminal.line(f"fitting {len(outfits['training'])} outfits")
    projections, loss = fit_projections(garments, outfits["training"], means, FitOptions(), options.seed)
    has_colour = (garments.parts == "training") & ~np.isnan(garments.colours).any(axis=1)
    together = pairs(outfits["training"])
    manifest = LookManifest(
        name=context.version.name,
        version=context.version.version,
        embedding_model=embedding.manifest.model_id,
        categories=CATEGORIES,
        dimension=embedding.manifest.dimension,
        outfits={CATEGORIES[number]: count for number, count in _outfits_with(outfits["training"]).items()},
        pairs={
            f"{CATEGORIES[first]}+{CATEGORIES[other]}": len(positions) for (first, other), positions in together.items()
        },
        dataset={
            "street": {"name": options.street.resolve().name, "sha256": archive_sha256(options.street)},
            "studio": {"name": options.dataset.resolve().name},
            "loss": round(loss, 4),
        },
        seed=options.seed,
        command=options.command(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    studio = _studio_means(embedding, options.dataset, means, terminal)
    model = Compatibility(
        manifest,
        projections.astype(np.float16).astype(np.float32),  # as it is stored, and so as it is measured
        {"worn": means.astype(np.float32), "studio": studio},
        fit_colour(garments.cutouts[has_colour], garments.colours[has_colour]).astype(np.float32),
    )
    figures = figures_on(model, garments, "test")
    model = Compatibility(
        manifest.model_copy(update={"metrics": figures}), model.projections, model.means, model.colour
    )
    with context.version.written(options.force) as directory:
        model.save(directory)
        (directory / "README.md").write_text(card_markdown(model.manifest), "utf-8")
    share = figures["worn"]["judges"]["look model"]["fill_in_the_blank"]["mean"]
    terminal.line(f"fill-in-the-blank on the test part: {100 * share:.1f} % (chance 25 %)")


def _means(garments: WornGarments) -> NDArray[np.float64]:
    """Return the mean of each category's vectors in the training part, of crops and cut-outs; zero without any."""
    means = np.zeros((len(CATEGORIES), garments.worn.shape[1]))
    for category in range(len(CATEGORIES)):
        chosen = (garments.categories == category) & (garments.parts == "training")
        if chosen.any():
            means[category] = (garments.worn[chosen].mean(axis=0) + garments.cutouts[chosen].mean(axis=0)) / 2
    return means


def _outfits_with(outfits: list[dict[int, int]]) -> Counter[int]:
    return Counter(category for outfit in outfits for category in outfit)


def _studio_means(
    embedding: EvaluatedModel, dataset: Path, worn: NDArray[np.float64], terminal: Terminal
) -> NDArray[np.float32]:
    """Return the mean of each category's first shop pictures; the worn garments' for a category without any."""
    pictures: dict[int, list[NDArray[np.uint8]]] = {}
    with KaggleArchive.open(dataset) as archive:
        for row in archive.rows():
            if not isinstance(row, KaggleRow) or row.category is None:
                continue
            of_category = pictures.setdefault(CATEGORIES.index(str(row.category)), [])
            if len(of_category) < STUDIO_PICTURES:
                try:
                    of_category.append(prepare_image(archive.read_image(row.id), embedding.manifest.input)[0])
                except (ArchiveImageError, LookalikeError):
                    continue
    means = worn.astype(np.float32)
    for category, of_category in pictures.items():
        if of_category:
            means[category] = unit(embedding.predict(np.stack(of_category), terminal, "network")[1]).mean(axis=0)
    return means
