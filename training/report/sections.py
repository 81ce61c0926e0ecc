"""The report's sections beyond categories and retrieval; each number is from the figures, each picture beside the report."""

from typing import Any

from training.evaluation.summary import NAMES, goal, written
from training.report.markdown import percent, table


def beside_baseline(figures: dict[str, Any]) -> str:
    """Return the table of the model's figures beside the baseline's, or nothing where there is none to compare with."""
    if "baseline" not in figures:
        return ""
    ours, theirs = figures["summary"], figures["baseline"]["summary"]
    rows = [
        [told, goal(name), written(name, theirs.get(name)), written(name, ours.get(name))]
        for name, (told, _) in NAMES.items()
    ]
    return f"""
## Beside the baseline

Both measured by the same code on the same products and photos, which neither has seen.

{table(["figure", "to reach", figures["baseline"]["model"], "this model"], rows)}
"""


def alike(figures: dict[str, Any]) -> str:
    """Return what the index's similarity says with these vectors."""
    found = figures.get("similarity")
    if not found:
        return ""
    kinds = [kind for kind in ("queries", "photos", "others") if kind in found["all"]]
    rows = [
        [one["category"], f"{one['products']:,}", f"{one['close_from']:.3f}", *(_asked(one[kind]) for kind in kinds)]
        for one in found["per_category"]
    ]
    rows.append(["**all**", "", "", *(_asked(found["all"][kind]) for kind in kinds)])
    names = {"queries": "products", "photos": "people's photos", "others": "products of other categories"}
    header = ["category", "fitted on", "close from", *(names[kind] for kind in kinds)]
    words = [
        [one["label"], f"{one['from']:.2f}", percent(one["share"], 1)]
        + ["–" if one[kind] is None else percent(one[kind], 1) for kind in ("article_type", "base_colour", "both")]
        for one in found["labels"]
    ]
    return f"""
## How alike it says they are

The index fits a scale from 0 to 1 on each category's products, by which a close match begins at {found["close"]}. Of what is looked for
in each category: the share whose first result is a close match, and the medians of the first and the tenth result.

{table(header, rows)}

Of the products' ten results, by their label: how many, and how many of them agree with the query.

{table(["label", "from", "of all results", "article type", "base colour", "both"], words)}
"""


def _asked(one: dict[str, Any] | None) -> str:
    if one is None:
        return "–"
    return f"{percent(one['close'], 1)} of {one['count']:,}; {one['first']:.2f}, {one['tenth']:.2f}"


def other_backgrounds(figures: dict[str, Any]) -> str:
    """Return how often a product on another background is found first."""
    found = figures.get("self_retrieval")
    if not found:
        return ""
    shares = ("first", "first_ten", "accuracy")
    rows = [
        [name, f"{one['count']:,}", *(percent(one[key], 1) for key in shares), f"{one['similarity']:.3f}"]
        for name, one in found["backgrounds"].items()
    ]
    header = [
        "background",
        "products",
        "found first",
        "in the first ten",
        "category right",
        "cosine to its studio shot",
    ]
    return f"""
## The same product on another background

Each product of the test part is cut out of its studio shot and put onto a background that was never trained on, moved, turned and
lit by the seed; then it is looked for among {found["gallery"]}. On average over the kinds of background it is found first in
**{percent(found["mean"]["first"], 1)}**.

{table(header, rows)}
"""


def nothing(figures: dict[str, Any]) -> str:
    """Return how clothing is told from pictures without."""
    found = figures.get("nothing")
    if not found:
        return ""
    kinds = list(found["clothing"])
    rows = [
        [name, f"{one['count']:,}", *(f"{one[kind]['auroc']:.3f} / {percent(one[kind]['kept'], 1)}" for kind in kinds)]
        for name, one in found["against"].items()
    ]
    header = ["no clothing of the nine kinds", "pictures", *(f"{kind} ({found['clothing'][kind]:,})" for kind in kinds)]
    return f"""
## Pictures without clothing of the nine kinds

By the {found["score"]}: area under the ROC curve / share of clothing kept where 90 % of the pictures without are refused.

{table(header, rows)}
{_threshold(found["at_threshold"])}
![Scores](scores.png)
"""


def _threshold(at: dict[str, Any] | None) -> str:
    if at is None:
        return ""
    kept = ", ".join(f"{percent(share, 1)} of {name}" for name, share in at["kept"].items())
    refused = ", ".join(f"{percent(share, 1)} of {name}" for name, share in at["refused"].items())
    return f"\nThe manifest's threshold, {at['threshold']:.3f}, keeps {kept}; it refuses {refused}.\n"


def calibrated(figures: dict[str, Any]) -> str:
    """Return whether the probabilities are to be believed."""
    found = figures.get("calibration")
    if not found:
        return ""
    rows = [
        [name, f"{one['count']:,}", *(percent(one[key]) for key in ("accuracy", "confidence", "ece"))]
        for name, one in found.items()
        if "bins" in one
    ]
    return f"""
## Are the probabilities to be believed?

{table(["pictures", "", "accuracy", "mean greatest probability", "expected calibration error"], rows)}

![Calibration](calibration.png)
"""


def sample_pictures() -> str:
    """Return the section on the sample catalogue, whose products are drawn by code."""
    return """
## What it finds

In the sample catalogue, 360 products drawn by code, none of which was trained on. The queries, in the first column, are other
drawn products on drawn backgrounds; to the right the ten nearest of the query's category with their cosines. Green: type and
colour agree with the query's; orange: one of them; red: neither. Above the queries of which most results agree, below those of
which fewest do. (`lookalike evaluate --grids FOLDER` draws the same of real data.)

![Queries and their results](grid.png)

Drawn products on white, to the left, and on drawn backgrounds, each with its cosine to the picture on white:

![Similarity under another background](backgrounds.png)
"""
