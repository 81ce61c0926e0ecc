"""`manifest.json`, the description of a model in its directory. Services hard-code none of its values."""

import os
import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.contracts.domain.errors import validation_message

MANIFEST_NAME = "manifest.json"
MODEL_ID = re.compile(r"([a-z0-9][a-z0-9_-]*)/([1-9][0-9]{0,8})")
AnyManifest = TypeVar("AnyManifest", bound="TrainedModel")


class ManifestError(Exception):
    """A model directory is missing or incomplete, or its manifest is invalid. The text says which, and what to do."""


class InputSize(BaseModel):
    """The network's input: uint8 RGB, `height` × `width` pixels."""

    model_config = ConfigDict(frozen=True)

    height: int = Field(gt=0, le=2048)
    width: int = Field(gt=0, le=2048)


class TrainedModel(BaseModel):
    """What every manifest of a trained model version holds."""

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
        """The id in vectors and responses, for example `fashion/2`."""
        return f"{self.name}/{self.version}"


class Manifest(TrainedModel):
    """The manifest of a model that computes embeddings."""

    dimension: int = Field(ge=1)
    unit_length: bool = Field(description="whether the graph already returns vectors of unit length")
    thresholds: dict[str, float] = Field(default_factory=dict)


class DetectorManifest(TrainedModel):
    """The manifest of a model that detects garments."""

    boxes: int = Field(ge=1, le=1000, description="boxes in one response; the scores of the weakest are near 0")
    threshold: float = Field(gt=0, lt=1, description="lowest score of a box that counts as a garment")


def load_manifest(model_dir: Path) -> Manifest:
    """Read the manifest of a model version directory such as `models/fashion/2`.

    Raises:
        ManifestError: the directory, its SavedModel or its manifest is missing or cannot be read.
    """
    return _load(model_dir, Manifest)


def load_detector_manifest(model_dir: Path) -> DetectorManifest:
    """Read the manifest of a detector's version directory such as `models/detector/1`; errors as `load_manifest`."""
    return _load(model_dir, DetectorManifest)


def _load(model_dir: Path, kind: type[AnyManifest]) -> AnyManifest:
    try:
        return _read(model_dir, kind)
    except PermissionError as error:
        readable = f"make it readable: chmod -R go+rX {model_dir.parent}, or that of the host if it is mounted"
        raise ManifestError(f"{error.filename}: {error.strerror} for user {os.getuid()}: {readable}") from None


def _read(model_dir: Path, kind: type[AnyManifest]) -> AnyManifest:
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
    """Read the manifest of the model with this id: `fashion/2` is in `folder`/2.

    Raises:
        ManifestError: as `load_manifest`, or the directory holds a model with another id.
    """
    _, version = split_model_id(model)
    directory = folder / str(version)
    manifest = load_manifest(directory)
    if manifest.model_id != model:
        raise ManifestError(
            f"{directory} holds the model {manifest.model_id} according to its {MANIFEST_NAME}, not {model}"
        )
    return manifest


def split_model_id(model: str) -> tuple[str, int]:
    """Return the name and the version of a model id such as `fashion/2`.

    Raises:
        ValueError: the text is not a model id.
    """
    match = MODEL_ID.fullmatch(model)
    if match is None:
        raise ValueError(f"{model!r} is not a model id: it needs a name, a slash and a version, for example fashion/2")
    return match[1], int(match[2])


def versions(folder: Path) -> list[int]:
    """Return the numbers of the version directories in a model's folder, ascending."""
    names = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return sorted(int(name) for name in names if name.isascii() and name.isdigit() and not name.startswith("0"))
