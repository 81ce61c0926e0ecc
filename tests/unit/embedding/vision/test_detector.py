"""The garments of one image over HTTP, with a scripted TensorFlow Serving."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import numpy as np
import pytest
from fastapi.testclient import TestClient

from services.contracts.domain.manifest import ManifestError, load_detector_manifest
from services.contracts.wire.embedding import DetectionResponse
from services.embedding.api import routes
from services.embedding.app import create_app
from services.embedding.settings import EmbeddingSettings
from services.embedding.vision import detector
from tests.support.pictures import images
from tests.support.servers.detector import detection_reply, write_detector
from tests.support.servers.embedding import RAW, Service, problem, write_model
from tests.support.servers.tfs import ScriptedServing, field_tensor, good_reply, scripted_serving
from tests.support.waiting import WITHIN_S


def answer(request: Any) -> Any:
    return detection_reply(request) if request.model_spec.name == "detector" else good_reply(request)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service with a scripted model and detector."""
    serving = ScriptedServing(answer)
    with scripted_serving(serving) as address:
        settings = EmbeddingSettings(
            model_dir=write_model(tmp_path / "fashion" / "1"),
            detector_dir=write_detector(tmp_path / "detector" / "1"),
            tfs_address=address,
            max_image_bytes=200_000,
            tfs_timeout_s=WITHIN_S,
        )
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            yield Service(client, serving)


def detect(service: Service, body: bytes, **headers: str) -> Any:
    return service.client.post("/v1/detect", content=body, headers={**RAW, **headers})


def test_garments_have_boxes_in_the_picture_without_duplicates(service: Service) -> None:
    response = detect(service, images.png(60, 80))
    assert response.status_code == 200, response.text
    detection = DetectionResponse.model_validate_json(response.content)
    (garment,) = detection.garments
    # 60×80 becomes 12×16, centred in 16×16: the columns 4 to 12 are the columns 2 to 10 of the picture.
    box = (garment.box.x, garment.box.y, garment.box.width, garment.box.height)
    assert box == pytest.approx((1 / 6, 0.25, 2 / 3, 0.5), abs=1e-3)
    assert garment.category.model_dump() == {"id": 1, "name": "Shoes", "probability": pytest.approx(0.9)}
    assert detection.model == "detector/1"
    assert set(detection.timings_ms) == {"decode", "network", "total"}
    (request,) = [r for r in service.serving.requests if r.model_spec.name == "detector"]
    assert [dim.size for dim in request.inputs["image"].tensor_shape.dim] == [1, 16, 16, 3]


def test_the_boxes_of_a_rotated_photo_are_in_the_upright_picture(service: Service) -> None:
    answers = [detect(service, images.rotated(orientation)).json()["garments"] for orientation in (1, 6)]
    assert answers[0] == answers[1]


def test_the_times_are_milliseconds(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    total = iter([10.0, 12.5])
    stages = iter([1.0, 1.25, 2.0])
    monkeypatch.setattr(routes, "time", SimpleNamespace(perf_counter=lambda: next(total)))
    monkeypatch.setattr(detector, "time", SimpleNamespace(perf_counter=lambda: next(stages)))
    timings = detect(service, images.jpeg()).json()["timings_ms"]
    assert timings == {"decode": 250, "network": 750, "total": 2500}


@pytest.mark.parametrize("name", images.REFUSED)
def test_an_unusable_file_is_a_problem(service: Service, name: str) -> None:
    data, slug = images.REFUSED[name]
    status = {"invalid-image": 422, "unsupported-image": 415, "image-too-large": 413}
    problem(detect(service, data), status[slug], slug)


def test_without_a_detector_detection_is_a_problem_and_embedding_works(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "detector" / "1"
    moved = folder.with_name("moved")
    shutil.move(folder, moved)
    document = problem(detect(service, images.jpeg()), 503, "detector-unavailable")
    assert str(folder) in document["detail"]
    assert service.embed(images.jpeg()).status_code == 200
    shutil.move(moved, folder)
    assert detect(service, images.jpeg()).status_code == 200


def detection_answer(boxes: Any, probabilities: Any) -> Any:
    def reply(request: Any) -> Any:
        response = detection_reply(request)
        response.outputs["boxes"].CopyFrom(field_tensor(np.asarray(boxes, np.float32)))
        response.outputs["probabilities"].CopyFrom(field_tensor(np.asarray(probabilities, np.float32)))
        return response

    return reply


@pytest.mark.parametrize(
    "reply",
    [
        detection_answer(np.zeros((1, 2, 4)), np.zeros((1, 2, 9))),
        detection_answer(np.full((1, 3, 4), np.nan), np.zeros((1, 3, 9))),
        detection_answer(np.zeros((1, 3, 4)), np.full((1, 3, 9), 2.0)),
        lambda request: good_reply(request),
    ],
    ids=["fewer boxes", "no numbers", "no probabilities", "another model"],
)
def test_an_invalid_response_of_the_network_is_embedding_unavailable(service: Service, reply: Any) -> None:
    service.serving.answer = reply
    document = problem(detect(service, images.jpeg()), 503, "embedding-unavailable")
    assert "detector/1" in document["detail"]


def test_a_detector_that_is_not_loaded_is_named(service: Service) -> None:
    service.serving.answer = lambda request: (
        grpc.StatusCode.NOT_FOUND if request.model_spec.name == "detector" else good_reply(request)
    )
    for _ in range(5):  # the fourth failure opens a new connection
        document = problem(detect(service, images.jpeg()), 503, "embedding-unavailable")
        assert "TensorFlow Serving has not loaded the model detector/1" in document["detail"]
    service.serving.answer = answer
    assert detect(service, images.jpeg()).status_code == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: shutil.rmtree(folder), "there is no model directory"),
        (lambda folder: (folder / "saved_model.pb").unlink(), "has no saved_model.pb"),
        (lambda folder: (folder / "manifest.json").unlink(), "has no manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "is not a valid manifest"),
        (lambda folder: write_model(folder), "boxes: it is missing"),
    ],
    ids=["no directory", "no graph", "no manifest", "no JSON", "an embedding model"],
)
def test_an_incomplete_directory_is_an_error_that_names_the_cause(tmp_path: Path, change: Any, message: str) -> None:
    folder = write_detector(tmp_path / "1")
    change(folder)
    with pytest.raises(ManifestError, match=message):
        load_detector_manifest(folder)


@pytest.mark.parametrize("changes", [{"threshold": 0}, {"threshold": 1.5}, {"boxes": 0}])
def test_a_manifest_with_invalid_numbers_is_rejected(tmp_path: Path, changes: dict[str, float]) -> None:
    folder = write_detector(tmp_path / "1")
    text = (folder / "manifest.json").read_text()
    for name, value in changes.items():
        text = text.replace(f'"{name}":{3 if name == "boxes" else 0.4}', f'"{name}":{value}')
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ManifestError, match=next(iter(changes))):
        load_detector_manifest(folder)
