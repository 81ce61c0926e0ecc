"""Checks whether a model classifies the drawn products correctly."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from services.contracts.domain.manifest import Manifest, ManifestError, load_manifest
from services.contracts.images.preparation import UInt8Image, prepare_image
from services.local.tfs.savedmodel import import_tensorflow
from services.sample_shop.catalogue import SampleError
from services.sample_shop.drawing.light import FloatArray
from services.sample_shop.product import SampleProduct

BATCH = 64


def check_model(model_dir: Path, products: Iterable[SampleProduct]) -> dict[str, Any]:
    """Classify the products with the model in a version directory and return a report.

    Returns:
        model, products, accuracy (0 to 1), per_category (accuracy by name), and disagreements: id, title, category,
        predicted category, its probability, and the probability of the right category.

    Raises:
        SampleError: the model directory is missing, incomplete, or cannot be run.
    """
    try:
        manifest = load_manifest(model_dir)
    except ManifestError as error:
        raise SampleError(str(error)) from None
    all_products = list(products)
    images = np.stack([prepare_image(product.jpeg(), manifest.input)[0] for product in all_products])
    return _report(manifest, all_products, _probabilities(model_dir, images))


def _probabilities(model_dir: Path, images: UInt8Image) -> FloatArray:
    """Return the probabilities, shape (n, categories), of images of shape (n, height, width, 3)."""
    try:
        tf = import_tensorflow()
    except ImportError:
        raise SampleError("the check needs TensorFlow: install the 'serving' requirements") from None
    try:
        network = tf.saved_model.load(str(model_dir)).signatures["serving_default"]
        batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
        return np.concatenate([network(image=tf.constant(batch))["probabilities"].numpy() for batch in batches])
    except (OSError, KeyError, ValueError) as error:
        raise SampleError(f"the model in {model_dir} cannot be run: {error}") from None


def _report(manifest: Manifest, products: list[SampleProduct], probabilities: FloatArray) -> dict[str, Any]:
    names = manifest.categories
    predicted = [names[i] for i in probabilities.argmax(axis=1)]
    totals = Counter(product.category for product in products)
    right = Counter(p.category for p, name in zip(products, predicted, strict=True) if p.category == name)
    wrong = [
        {
            "id": product.id,
            "title": product.title,
            "category": product.category,
            "predicted": name,
            "probability": round(float(row.max()), 3),
            "probability_of_category": round(float(row[names.index(product.category)]), 3),
        }
        for product, name, row in zip(products, predicted, probabilities, strict=True)
        if name != product.category
    ]
    return {
        "model": manifest.model_id,
        "products": len(products),
        "accuracy": round(right.total() / len(products), 4),
        "per_category": {name: round(right[name] / count, 4) for name, count in totals.items()},
        "disagreements": wrong,
    }
