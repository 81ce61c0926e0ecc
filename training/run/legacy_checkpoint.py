"""Checkpoints of version 0.1.0, where each recipe had a form of its own; the order of the arrays is the same."""

from typing import Any

# Numbers of the fashion recipe's plan that have other names now.
RENAMED = {
    "nothing": "backgrounds",
    "mean": "average_decay",
    "temperature": "same_product_temperature",
    "views": "finetune_scenes",
    "together": "finetune_products",
    "rounds": "finetune_epochs",
}


def current_form(about: dict[str, Any]) -> dict[str, Any]:
    """Return the settings, history and details of a checkpoint's description of any version.

    Raises:
        KeyError, TypeError: the description is of no known form.
    """
    if "details" in about:
        return about
    stored = dict(about["run"] if "run" in about else about["settings"])
    plan = {RENAMED.get(name, name): value for name, value in stored.pop("plan", {}).items()}
    settings = {"model": "detector"} | stored | plan  # only the detector's settings did not name the model
    details = {"classes": about["classes"]} if "classes" in about else {}
    return {"settings": settings, "history": about["history"], "details": details}
