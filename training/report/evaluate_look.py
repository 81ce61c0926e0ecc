"""`lookalike evaluate-look`: the figures of a look model on outfits of photos that it has not seen."""

from pathlib import Path
from typing import Any

from services.look.compatibility import Compatibility
from training.errors import TrainingError
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.look import figures_on
from training.evaluation.worn_garments import worn_garments
from training.progress import Terminal


def evaluate_look(directory: Path, embedding: Path, street: Path, terminal: Terminal) -> dict[str, Any]:
    """Return fill-in-the-blank and AUC of a model and of what it is compared with, ready for JSON.

    Raises:
        ManifestError, TrainingError: a model or the archive cannot be used.
    """
    model, network = Compatibility.load(directory), EvaluatedModel.load(embedding)
    if network.manifest.model_id != model.manifest.embedding_model:
        raise TrainingError(f"{model.manifest.model_id} takes vectors of {model.manifest.embedding_model}")
    garments = worn_garments(network, street, model.manifest.seed, terminal)
    return {"model": model.manifest.model_id, **figures_on(model, garments, "test")}
