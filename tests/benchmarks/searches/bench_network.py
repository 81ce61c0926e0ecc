"""The shipped networks alone: the time of one image on one core, as a ratio to the baseline's, in one process."""

from pathlib import Path

from services.contracts.domain.manifest import load_manifest, versions
from training.evaluation.cost import cost
from training.report.evaluate import sibling_baseline

MODELS = Path("models/fashion")
LIMIT, AIM = 5, 3  # times the baseline's


def main() -> dict[str, object]:
    """Print and return each version's time and its ratio to the baseline's."""
    results: dict[str, object] = {}
    for number in versions(MODELS):
        directory = MODELS / str(number)
        figures = cost(directory, sibling_baseline(directory))
        name = load_manifest(directory).model_id
        ratio = "there is no baseline" if figures["ratio"] is None else f"{figures['ratio']:.2f} times the baseline's"
        print(f"{name}: {figures['ms']:.2f} ms an image, {ratio} (limit {LIMIT}, aim {AIM})")
        results[name] = figures
    return results
