"""The report's sections about photos: people's own, street garments, kinds of pictures never seen, and outcomes."""

from typing import Any

from training.report.markdown import percent, table


def photos_section(figures: dict[str, Any]) -> str:
    """Return the accuracy on people's photos and the types of their results."""
    if "photos" not in figures:
        return ""
    photos = figures["photos"]
    result = photos["classification"]
    return f"""
## People's own photos

Accuracy **{percent(result["accuracy"])}** over the {result["count"]:,} photos of `{photos["archive"]}` whose label
belongs to one of the nine categories, from {_senders(photos)}.
None of them is in the training data.

{_recalls(result, "photos")}
{_types(photos.get("type_agreement"), "in the category that is predicted for the photo")}
![Confusion matrix of the photos](confusion_photos.png)
"""


def street_section(figures: dict[str, Any]) -> str:
    """Return the figures of street garments."""
    if "street" not in figures:
        return ""
    street = figures["street"]
    result, own = street["classification"], street["own_cutout"]
    cutouts = (
        f"\nOf {own['count']:,} garments with a cut-out, {percent(own['first'], 1)} find their own first among "
        f"{own['gallery']}, and {percent(own['first_ten'], 1)} among the first ten.\n"
        if own
        else ""
    )
    return f"""
## Street garments

Accuracy **{percent(result["accuracy"])}** over {result["count"]:,} garments of `{street["archive"]}`, cropped out of
{street["photos"]:,} street photos that are not in the training data; the mean of the categories is
**{percent(result["macro"])}**.

{_recalls(result, "garments")}
{_types(street["type_agreement"], "in the garment's category")}{cutouts}"""


def unseen_kinds_section(figures: dict[str, Any]) -> str:
    """Return how many pictures of kinds without clothing are refused that were never seen."""
    unseen = figures.get("unseen_kinds")
    if not unseen:
        return ""
    at_threshold = (
        f"The manifest's threshold keeps {percent(unseen['kept_at_threshold'], 1)} and refuses "
        f"{percent(unseen['refused_at_threshold'], 1)}.\n"
        if "kept_at_threshold" in unseen
        else ""
    )
    return f"""
Where {percent(unseen["kept"], 0)} of the photos of clothing are kept, **{percent(unseen["refused"], 1)}** of
{unseen["count"]:,} pictures without clothing of kinds that are not in the training data are refused.
{at_threshold}"""


def outcomes_section(figures: dict[str, Any]) -> str:
    """Return the outcomes of searches in the predicted category."""
    outcomes = figures.get("outcomes")
    if not outcomes:
        return ""
    kinds = ("ok", "no_close_match", "no_clothing")
    rows = [[name, f"{row['count']:,}", *(percent(row[kind], 1) for kind in kinds)] for name, row in outcomes.items()]
    return f"""
## Outcomes

What a search with each kind of picture answers, in the category that is predicted for it.

{table(["pictures", "", *(f"`{kind}`" for kind in kinds)], rows)}
"""


def _recalls(result: dict[str, Any], name: str) -> str:
    rows = [
        [c["category"], percent(c["recall"], 1), f"{c['support']:,}"] for c in result["per_category"] if c["support"]
    ]
    return table(["category", "recall", name], rows)


def _types(agreement: dict[str, Any] | None, where: str) -> str:
    if not agreement:
        return ""
    keys = ("agreement", "chance")
    rows = [[r["label"], *(percent(r[key], 1) for key in keys), f"{r['count']:,}"] for r in agreement["per_label"]]
    return f"""
Type agreement: the share of the ten results, {where}, whose article type is one that the label allows.
The mean of the labels is **{percent(agreement["mean"], 1)}** (random products: {percent(agreement["chance"], 1)}),
that of the pictures {percent(agreement["overall"], 1)}.

{table(["label", "of the ten results", "of random products", "pictures"], rows)}
"""


def _senders(photos: dict[str, Any]) -> str:
    count, excluded = photos["senders"], photos.get("senders_excluded", 0)
    if excluded:
        return f"{count} of the {count + excluded} senders in that archive"
    return f"all {count} senders in that archive"
