"""`manifest.json`: what a model directory says of itself. No service hard-codes what stands in it."""

import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.contracts.domain.errors import validation_message

MANIFEST_NAME = "manifest.json"
MODEL_ID = re.compile(r"([a-z0-9][a-z0-9_-]*)/([1-9][0-9]{0,8})")
Facts = TypeVar("Facts", bound="TrainedModel")


class ManifestError(Exception):
    """A model directory is missing, half-copied, or its manifest is not valid. The text says which, and what to do."""


class InputSize(BaseModel):
    """The network's input: uint8 RGB, `height` × `width` pixels."""

    model_config = ConfigDict(frozen=True)

    height: int = Field(gt=0, le=2048)
    width: int = Field(gt=0, le=2048)


class TrainedModel(BaseModel):
    """Facts that every trained model version has."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    version: int = Field(ge=1)
    architecture: str
    input: InputSize
    categories: tuple[str, ...] = Field(min_length=1)
    parameters: int = Field(ge=1, description="trainable parameters")
    metrics: dict[str, Any] = Field(default_factory=dict)
    dataset: dict[str, Any] = Field(default_factory=dict)
    seed: int
    command: str
    created: str

    @property
    def model_id(self) -> str:
        """The name that vectors and answers carry, such as `fashion/2`."""
        return f"{self.name}/{self.version}"


class Manifest(TrainedModel):
    """Facts of a model that makes vectors."""

    dimension: int = Field(ge=1)
    unit_length: bool = Field(description="whether the graph's vectors already have length one")
    thresholds: dict[str, float] = Field(default_factory=dict)

    def category_id(self, name: str) -> int | None:
        """Return the id of a category by its name (any case), or None if it is not one of the model's."""
        folded = name.strip().casefold()
        return next((i for i, c in enumerate(self.categories) if c.casefold() == folded), None)


class DetectorManifest(TrainedModel):
    """Facts of a model that says where the garments of a picture are."""

    boxes: int = Field(ge=1, le=1000, description="boxes of one answer; the weakest are near 0")
    threshold: float = Field(gt=0, lt=1, description="how probable a box's category has to be for the box to count")


def load_manifest(model_dir: Path) -> Manifest:
    """Read `manifest.json` of a model version directory such as `models/fashion/2`.

    Raises:
        ManifestError: the directory, its SavedModel or its manifest is missing or unreadable.
    """
    return _load(model_dir, Manifest)


def load_detector_manifest(model_dir: Path) -> DetectorManifest:
    """Read `manifest.json` of a detector's version directory such as `models/detector/1`; errors as `load_manifest`."""
    return _load(model_dir, DetectorManifest)


def _load(model_dir: Path, kind: type[Facts]) -> Facts:
    path = model_dir / MANIFEST_NAME
    if not model_dir.is_dir():
        raise ManifestError(f"there is no model directory {model_dir}: train one (make train) or set its path")
    if not path.is_file():
        raise ManifestError(f"{model_dir} has no {MANIFEST_NAME}: copy the whole version directory")
    try:
        manifest = kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ManifestError(f"{path} is not a valid manifest: {where}: {validation_message(first)}") from None
    if not (model_dir / "saved_model.pb").is_file():
        raise ManifestError(f"{model_dir} has no saved_model.pb: copy the whole version directory")
    return manifest


def load_version(folder: Path, model: str) -> Manifest:
    """Read the manifest of a model by its name: `fashion/2` lies in `folder`/2.

    Raises:
        ManifestError: as `load_manifest`, or the directory holds another model than its number says.
    """
    _, version = split_model_id(model)
    directory = folder / str(version)
    manifest = load_manifest(directory)
    if manifest.model_id != model:
        raise ManifestError(f"{directory} holds the model {manifest.model_id} by its {MANIFEST_NAME}, not {model}")
    return manifest


def split_model_id(model: str) -> tuple[str, int]:
    """Return the name and the version in a model's id such as `fashion/2`.

    Raises:
        ValueError: it is no model's id.
    """
    found = MODEL_ID.fullmatch(model)
    if found is None:
        raise ValueError(f"{model!r} names no model: a name, a slash and a version do, such as fashion/2")
    return found[1], int(found[2])


def versions(folder: Path) -> list[int]:
    """Return the numbers of the version directories in a model's folder, ascending."""
    names = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isascii() and name.isdigit() and not name.startswith("0"))
