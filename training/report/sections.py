"""The report's sections after categories and retrieval; each number is from the figures."""

from typing import Any

from training.evaluation.summary import LABELS, formatted, goal
from training.report.markdown import percent, table


def summary_table(figures: dict[str, Any], header: list[str]) -> str:
    """Return the table of goals, the baseline's figures and the model's figures."""
    ours, baseline = figures["summary"], figures.get("baseline", {}).get("summary", {})
    rows = [
        [label, goal(name), formatted(name, baseline.get(name)), formatted(name, ours.get(name))]
        for name, (label, _) in LABELS.items()
    ]
    return table(header, rows)


def comparison_section(figures: dict[str, Any]) -> str:
    """Return the model's figures next to the baseline's, or nothing if there is no baseline to compare with."""
    if "baseline" not in figures:
        return ""
    return f"""
## Comparison with the baseline

Both are evaluated by the same code on the same products and photos, which neither was trained on.

{summary_table(figures, ["figure", "goal", figures["baseline"]["model"], "this model"])}
"""


def similarity_section(figures: dict[str, Any]) -> str:
    """Return the similarities that the index computes with these vectors."""
    similarity = figures.get("similarity")
    if not similarity:
        return ""
    names = {"queries": "products", "photos": "people's photos", "others": "products of other categories"}
    kinds = [kind for kind in names if kind in similarity["all"]]
    rows = [
        [row["category"], f"{row['products']:,}", f"{row['close_from']:.3f}", *(_first_results(row[k]) for k in kinds)]
        for row in similarity["per_category"]
    ]
    rows.append(["**all**", "", "", *(_first_results(similarity["all"][kind]) for kind in kinds)])
    labels = [
        [row["label"], f"{row['from']:.2f}", percent(row["share"], 1)]
        + [percent(row[kind], 1) for kind in ("article_type", "base_colour", "both")]
        for row in similarity["labels"]
    ]
    return f"""
## Calibrated similarity

The index fits a similarity from 0 to 1 on each category's products; a close match begins at {similarity["close"]}.
For the queries of each kind: the share whose first result is a close match, and the medians of the first and the tenth
result.

{table(["category", "fitted on", "close from", *(names[kind] for kind in kinds)], rows)}

The products' ten results by their label: their share, and the share that agrees with the query.

{table(["label", "from", "of all results", "article type", "base colour", "both"], labels)}
"""


def _first_results(statistics: dict[str, Any] | None) -> str:
    if statistics is None:
        return "–"
    share = f"{percent(statistics['close'], 1)} of {statistics['count']:,}"
    return f"{share}; {statistics['first']:.2f}, {statistics['tenth']:.2f}"


def backgrounds_section(figures: dict[str, Any]) -> str:
    """Return how often a product on another background is the first result."""
    retrieval = figures.get("self_retrieval")
    if not retrieval:
        return ""
    shares = ("first", "first_ten", "accuracy")
    rows = [
        [name, f"{row['count']:,}", *(percent(row[key], 1) for key in shares), f"{row['similarity']:.3f}"]
        for name, row in retrieval["backgrounds"].items()
    ]
    header = [
        "background",
        "products",
        "first result",
        "in the first ten",
        "category right",
        "cosine to its studio shot",
    ]
    return f"""
## The same product on another background

Each product of the test part is cut out of its studio shot and put onto a background that is not in the training data,
moved, rotated and lit by the seed.
It is then searched among {retrieval["gallery"]}.
On average over the kinds of background it is the first result in **{percent(retrieval["mean"]["first"], 1)}**.

{table(header, rows)}
"""


def rejection_section(figures: dict[str, Any]) -> str:
    """Return how well clothing is separated from pictures without."""
    rejection = figures.get("rejection")
    if not rejection:
        return ""
    kinds = list(rejection["clothing"])
    rows = [
        [name, f"{row['count']:,}", *(f"{row[kind]['auroc']:.3f} / {percent(row[kind]['kept'], 1)}" for kind in kinds)]
        for name, row in rejection["against"].items()
    ]
    columns = [f"{kind} ({rejection['clothing'][kind]:,})" for kind in kinds]
    return f"""
## Pictures without clothing of the nine categories

By the {rejection["score"]}: area under the ROC curve / share of clothing kept where 90 % of the
pictures without clothing are rejected.

{table(["no clothing of the nine categories", "pictures", *columns], rows)}
{_threshold(rejection["at_threshold"])}
![Scores](scores.png)
"""


def _threshold(at_threshold: dict[str, Any] | None) -> str:
    if at_threshold is None:
        return ""
    kept = ", ".join(f"{percent(share, 1)} of {name}" for name, share in at_threshold["kept"].items())
    rejected = ", ".join(f"{percent(share, 1)} of {name}" for name, share in at_threshold["rejected"].items())
    threshold = at_threshold["threshold"]
    return f"\nThe manifest's threshold, {threshold:.3f}, keeps {kept}; it rejects {rejected}.\n"


def calibration_section(figures: dict[str, Any]) -> str:
    """Return the calibration errors."""
    calibration = figures.get("calibration")
    if not calibration:
        return ""
    rows = [
        [name, f"{row['count']:,}", *(percent(row[key]) for key in ("accuracy", "confidence", "ece"))]
        for name, row in calibration.items()
        if "bins" in row
    ]
    return f"""
## Calibration of the probabilities

{table(["pictures", "", "accuracy", "mean highest probability", "expected calibration error"], rows)}

![Calibration](calibration.png)
"""


def sample_section() -> str:
    """Return the section on the sample catalogue, whose products are drawn by code."""
    return """
## Examples

The sample catalogue has 360 products that are drawn by code and not in the training data.
The queries, in the first column, are other drawn products on drawn backgrounds.
To the right are the ten nearest products of the query's category with their cosines.
Green: type and colour agree with the query; orange: one of them does; red: neither.
The upper queries have the most results that agree, the lower ones the fewest.
(`lookalike evaluate --grids FOLDER` draws the same for real data.)

![Queries and their results](grid.png)

Drawn products on white, to the left, and on drawn backgrounds, each with its cosine to the picture on white:

![Similarity under another background](backgrounds.png)
"""
