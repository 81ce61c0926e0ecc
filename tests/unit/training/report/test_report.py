import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize, Manifest
from training.evaluation.classification import classification
from training.recipes.baseline.card import card_markdown
from training.recipes.baseline.report_section import EpochSection
from training.recipes.recipe import CompletedRun
from training.report.markdown import percent
from training.report.report import report_markdown, write_report
from training.run.settings import RunSettings

LABELS = np.repeat(np.arange(9), 10)
PREDICTED = np.where(np.arange(90) % 30 == 0, (LABELS + 1) % 9, LABELS)
FIGURES = {
    "queries": {"part": "test", "count": 90},
    "gallery": {"part": "training and validation", "count": 810},
    "classification": classification(LABELS, np.eye(9, dtype=np.float32)[PREDICTED], CATEGORIES),
    "retrieval": {
        "k": 10,
        "queries": 90,
        "precision": {"article_type": 0.612, "base_colour": 0.25, "both": 0.176},
        "chance": {"article_type": 0.36, "base_colour": 0.13, "both": 0.057},
        "per_category": [
            {"category": name, "queries": 10, "article_type": 0.5, "base_colour": 0.2, "both": 0.1}
            for name in CATEGORIES
        ],
    },
}
HISTORY = [
    {"loss": 1.0 / e, "accuracy": 1 - 0.5 / e, "val_loss": 0.8 / e, "val_accuracy": 1 - 0.4 / e, "seconds": 40.0}
    for e in range(1, 6)
]
HISTORY[4]["val_loss"] = 0.3  # so that the fourth is the best
SECTION = EpochSection(CompletedRun(RunSettings("baseline", {"dataset": "ab"}, {"seed": 7, "epochs": 5}), HISTORY))
MANIFEST = Manifest(
    name="fashion",
    version=3,
    architecture="baseline",
    input=InputSize(height=80, width=80),
    categories=CATEGORIES,
    dimension=64,
    unit_length=False,
    parameters=701_161,
    dataset={"name": "a.zip", "sha256": "ab", "products": 900},
    seed=7,
    command="lookalike train --dataset a.zip",
    created="2026-01-01T00:00:00+00:00",
)


def test_the_report_has_the_figures() -> None:
    text = report_markdown(MANIFEST, SECTION, FIGURES)
    for text_part in (
        "fashion/3",
        "701,161",
        "96.67 %",
        "epoch 4",
        "61.2 %",
        "36.0 %",
        "Topwear predicted as Shoes (1)",
        MANIFEST.command,
    ):
        assert text_part in text
    assert all(f"| {name} |" in text for name in CATEGORIES)


def test_the_card_has_the_limits_of_the_model() -> None:
    text = card_markdown(MANIFEST, FIGURES)
    assert "Backgrounds that are not white" in text
    assert "people's photos (" not in text


def test_the_card_has_the_accuracy_on_photos_if_it_was_measured() -> None:
    result = classification(np.array([0, 0, 1]), np.eye(9, dtype=np.float32)[[0, 3, 1]], CATEGORIES)
    photos = {"senders": 4, "archive": "photos.zip", "classification": result | {"accuracy": 0.447, "count": 100}}
    report = report_markdown(MANIFEST, SECTION, FIGURES | {"photos": photos})
    assert "| Topwear | 50.0 % | 2 |" in report
    assert "all 4 senders" in report
    assert "100 people's photos (4 senders) | 44.70 %" in card_markdown(MANIFEST, FIGURES | {"photos": photos})


def test_the_report_folder_holds_text_figures_and_readable_pictures(tmp_path: Path) -> None:
    write_report(tmp_path / "report", MANIFEST, SECTION, FIGURES)
    document = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert document["classification"]["accuracy"] == pytest.approx(87 / 90)
    assert len(document["run"]["history"]) == 5
    text = (tmp_path / "report" / "report.md").read_text("utf-8")
    for name in ("curves.png", "confusion.png", "retrieval.png"):
        assert f"({name})" in text
        with Image.open(tmp_path / "report" / name) as picture:
            assert picture.width > 700
            assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 50


def test_a_missing_share_is_a_dash() -> None:
    assert (percent(None), percent(0.5), percent(0.1234, 1)) == ("–", "50.00 %", "12.3 %")
