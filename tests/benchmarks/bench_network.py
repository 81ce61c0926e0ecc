"""The shipped networks alone: one image on one core, in the baseline's time, in turns in one process."""

from pathlib import Path

from services.contracts.domain.manifest import load_manifest, versions
from training.evaluation.cost import cost
from training.report.evaluate import sibling_baseline

MODELS = Path("models/fashion")
LIMIT, AIM = 5, 3  # times the baseline's


def main() -> dict[str, object]:
    """Print and return each version's time and its ratio to the baseline's."""
    results = {}
    for number in versions(MODELS):
        directory = MODELS / str(number)
        found = cost(directory, sibling_baseline(directory))
        name = load_manifest(directory).model_id
        ratio = "no baseline beside it" if found["ratio"] is None else f"{found['ratio']:.2f} times the baseline's"
        print(f"{name}: {found['ms']:.2f} ms an image, {ratio} (limit {LIMIT}, aim {AIM})")
        results[name] = found
    return results
