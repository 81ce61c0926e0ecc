"""Folders of models: what a manifest holds, and what is wrong with a folder that cannot be used."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.contracts.domain.manifest import (
    DetectorManifest,
    InputSize,
    Manifest,
    ManifestError,
    load_detector_manifest,
    load_manifest,
    load_version,
    split_model_id,
    versions,
)

TRAINED: dict[str, Any] = {
    "name": "fashion",
    "version": 3,
    "architecture": "small",
    "input": {"height": 80, "width": 60},
    "categories": ["Shoes"],
    "parameters": 1,
    "seed": 0,
    "command": "train",
    "created": "today",
}
EMBEDDING = {**TRAINED, "dimension": 64, "unit_length": True}
DETECTOR = {**TRAINED, "boxes": 10, "threshold": 0.5}


def folder_of(path: Path, document: object = EMBEDDING, *, saved: bool = True) -> Path:
    path.mkdir(parents=True)
    (path / "manifest.json").write_text(json.dumps(document))
    if saved:
        (path / "saved_model.pb").touch()
    return path


def test_a_whole_folder_has_its_manifest(tmp_path: Path) -> None:
    manifest = load_manifest(folder_of(tmp_path / "3"))
    assert (manifest.model_id, manifest.dimension, manifest.unit_length) == ("fashion/3", 64, True)
    assert (manifest.thresholds, manifest.metrics, manifest.dataset) == ({}, {}, {})
    assert manifest.input == InputSize(height=80, width=60)
    detector = load_detector_manifest(folder_of(tmp_path / "4", DETECTOR))
    assert (detector.boxes, detector.threshold) == (10, 0.5)


def test_a_folder_that_lacks_something_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    cases = {
        tmp_path / "none": f"there is no model directory {tmp_path / 'none'}: train one",
        tmp_path / "file": "there is no model directory",
        tmp_path / "empty": f"{tmp_path / 'empty'} has no manifest.json",
        folder_of(tmp_path / "unsaved", saved=False): "has no saved_model.pb: copy the whole version directory",
        folder_of(tmp_path / "list", []): "is not a valid manifest: the document: it has to be an object",
        folder_of(tmp_path / "wide", {**EMBEDDING, "input": {"height": 80, "width": 0}}): "manifest: input.width: it",
        folder_of(tmp_path / "detector", DETECTOR): "is not a valid manifest: dimension: it is missing",
    }
    for path, text in cases.items():
        with pytest.raises(ManifestError) as raised:
            load_manifest(path)
        assert text in str(raised.value)


def test_the_folder_of_a_version_has_the_model_of_its_id(tmp_path: Path) -> None:
    folder_of(tmp_path / "3")
    folder_of(tmp_path / "4")
    assert load_version(tmp_path, "fashion/3").version == 3
    with pytest.raises(
        ManifestError, match=r"4 holds the model fashion/3 according to its manifest.json, not fashion/4"
    ):
        load_version(tmp_path, "fashion/4")
    with pytest.raises(ManifestError, match="not shoes/3"):
        load_version(tmp_path, "shoes/3")
    with pytest.raises(ManifestError, match="there is no model directory"):
        load_version(tmp_path, "fashion/5")


@pytest.mark.parametrize(
    ("text", "parts"), [("a/1", ("a", 1)), ("fashion-2_b/999999999", ("fashion-2_b", 999_999_999))]
)
def test_a_model_id_has_a_name_and_a_version(text: str, parts: tuple[str, int]) -> None:
    assert split_model_id(text) == parts


@pytest.mark.parametrize(
    "text", ["", "a", "a/", "/1", "a/0", "a/01", "A/1", "-a/1", "a/1/2", "a/1 ", "a/1000000000", "a/x"]
)
def test_another_text_is_no_model_id(text: str) -> None:
    with pytest.raises(ValueError, match="it needs a name, a slash and a version, for example fashion/2"):
        split_model_id(text)


def test_the_versions_of_a_folder_are_its_numbered_folders(tmp_path: Path) -> None:
    for name in ("2", "10", "1", "01", "0", "x", "3a", "٣", "-1"):
        (tmp_path / name).mkdir()
    (tmp_path / "7").touch()
    assert versions(tmp_path) == [1, 2, 10]
    assert versions(tmp_path / "none") == []
    assert versions(tmp_path / "7") == []


@pytest.mark.parametrize(
    ("field", "accepted", "refused"),
    [
        ("version", [1, 7], [0, -1]),
        ("parameters", [1], [0]),
        ("categories", [["a"], ["a", "b"]], [[]]),
        ("name", ["a", "0", "a-b_2"], ["", "-a", "_a", "A", "a b"]),
        ("dimension", [1, 64], [0]),
        ("input", [{"height": 1, "width": 2048}, {"height": 2048, "width": 1}], []),
        ("input", [], [{"height": 0, "width": 1}, {"height": 1, "width": 0}]),
        ("input", [], [{"height": 2049, "width": 1}, {"height": 1, "width": 2049}]),
        ("boxes", [1, 1000], [0, 1001]),
        ("threshold", [0.001, 0.999], [0, 1]),
    ],
)
def test_each_field_of_a_manifest_has_its_bounds(field: str, accepted: list[Any], refused: list[Any]) -> None:
    kind, document = (Manifest, EMBEDDING) if field in EMBEDDING else (DetectorManifest, DETECTOR)
    for value in accepted:
        assert kind.model_validate({**document, field: value})
    for value in refused:
        with pytest.raises(ValidationError):
            kind.model_validate({**document, field: value})


@pytest.mark.parametrize("kind", [Manifest, InputSize])
def test_a_manifest_cannot_be_changed(kind: type[Manifest | InputSize]) -> None:
    manifest: Any = kind.model_validate(EMBEDDING if kind is Manifest else EMBEDDING["input"])
    with pytest.raises(ValidationError, match="frozen"):
        manifest.version = manifest.height = 4
