"""The command line `python -m services.sample_shop`."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.contracts.domain.manifest import Manifest, load_manifest
from services.sample_shop import check
from services.sample_shop.__main__ import run
from services.sample_shop.catalogue import sample_products
from services.sample_shop.sheet import contact_sheet

CATEGORIES = ["Topwear", "Shoes", "Bags", "Bottomwear", "Watches", "Innerwear", "Jewellery", "Eyewear", "Socks"]


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """A model version directory whose network is never run."""
    folder = tmp_path / "fashion" / "1"
    folder.mkdir(parents=True)
    facts = {
        "name": "fashion", "version": 1, "architecture": "baseline", "input": {"height": 80, "width": 80},
        "categories": CATEGORIES, "dimension": 64, "unit_length": False, "parameters": 1, "seed": 7,
        "command": "none", "created": "2026-01-01",
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(facts))
    (folder / "saved_model.pb").write_bytes(b"")
    assert isinstance(load_manifest(folder), Manifest)
    return folder


def test_it_writes_the_catalogue_and_prints_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--out", str(tmp_path / "out"), "--per-category", "1"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "catalogue.ndjson")


def test_it_saves_a_contact_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"

    assert run(["--sheet", str(sheet), "--per-category", "2", "--columns", "2"]) == 0
    assert Image.open(sheet).size == (2 * 81 + 6, 9 * 106 + 6)


def test_a_category_can_have_several_rows_of_a_sheet() -> None:
    assert contact_sheet(sample_products(per_category=3), columns=2, width=30).height == 18 * 46 + 6


def test_the_error_of_a_missing_option_lists_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run([])
    assert stop.value.code == 2
    assert "--out FOLDER, --sheet PICTURE or --check MODEL_DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check", "no/such/model"], "there is no model directory no/such/model"),
        (["--sheet", "sheet.nonsense", "--per-category", "1"], "cannot be saved as sheet.nonsense"),
        (["--out", "unused", "--per-category", "0"], "1 to 999 sample products"),
    ],
)
def test_an_error_is_one_sentence(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_the_check_reports_accuracy_and_disagreements(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network that always predicts Shoes is right for one product of nine."""
    shoes = np.eye(9, dtype=np.float32)[1]
    monkeypatch.setattr(check, "_probabilities", lambda _, images: np.tile(shoes, (len(images), 1)))

    assert run(["--check", str(model_dir), "--per-category", "1"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert (report["model"], report["products"], report["accuracy"]) == ("fashion/1", 9, 0.1111)
    assert report["per_category"] == {name: float(name == "Shoes") for name in CATEGORIES}
    assert [(d["category"], d["predicted"]) for d in report["disagreements"]] == [
        (c, "Shoes") for c in CATEGORIES if c != "Shoes"
    ]
