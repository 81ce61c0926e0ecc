"""A detector for tests: its directory and its reply."""

from pathlib import Path
from typing import Any

import numpy as np

from services.contracts.domain.manifest import DetectorManifest
from services.contracts.wire.serving_messages import predict_pb2
from tests.support.servers.tfs import CATEGORIES, field_tensor, manifest


def detector_manifest(**changes: Any) -> DetectorManifest:
    """Return the manifest of a detector with three boxes and an input of 16×16 pixels."""
    shared = manifest(name="detector").model_dump(include=set(DetectorManifest.model_fields))
    return DetectorManifest(**{**shared, "boxes": 3, "threshold": 0.4, **changes})


def detection_reply(request: Any) -> Any:
    """Return a detector's reply: a shoe in the middle of the picture, a duplicate of it, and an improbable bag."""
    reply = predict_pb2.PredictResponse()
    probabilities = np.zeros((1, 3, len(CATEGORIES)), np.float32)
    probabilities[0, 0, 1], probabilities[0, 1, 1], probabilities[0, 2, 2] = 0.9, 0.8, 0.3
    boxes = np.array([[[0.25, 0.25, 0.75, 0.75], [0.25, 0.25, 0.75, 0.7], [0, 0, 0.2, 0.2]]], np.float32)
    reply.outputs["boxes"].CopyFrom(field_tensor(boxes))
    reply.outputs["probabilities"].CopyFrom(field_tensor(probabilities))
    return reply


def write_detector(folder: Path, **changes: Any) -> Path:
    """Write the files of a detector directory that the service reads; return the directory."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").touch()
    (folder / "manifest.json").write_text(detector_manifest(**changes).model_dump_json())
    return folder
