"""The garments of one image over HTTP, with TensorFlow Serving played by a script."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from fastapi.testclient import TestClient

from services.contracts.domain.manifest import ManifestError, load_detector_manifest
from services.contracts.wire.embedding import DetectionResponse
from services.embedding.app import create_app
from services.embedding.settings import EmbeddingSettings
from tests.support import images
from tests.support.detector import found_reply, write_detector
from tests.support.embedding import RAW, Service, problem, write_model
from tests.support.tfs import ScriptedServing, field_tensor, good_reply, scripted_serving


def answer(request: Any) -> Any:
    return found_reply(request) if request.model_spec.name == "detector" else good_reply(request)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service with a model and a detector, both played."""
    serving = ScriptedServing(answer)
    with scripted_serving(serving) as address:
        settings = EmbeddingSettings(
            model_dir=write_model(tmp_path / "fashion" / "1"),
            detector_dir=write_detector(tmp_path / "detector" / "1"),
            tfs_address=address,
            max_image_bytes=200_000,
        )
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            yield Service(client, serving)


def detect(service: Service, body: bytes, **headers: str) -> Any:
    return service.client.post("/v1/detect", content=body, headers={**RAW, **headers})


def test_garments_are_told_once_with_boxes_of_the_picture_without_its_white_frame(service: Service) -> None:
    response = detect(service, images.png(60, 80))
    assert response.status_code == 200, response.text
    told = DetectionResponse.model_validate_json(response.content)
    (garment,) = told.garments
    # 60×80 is 12×16 in the middle of 16×16: the columns 4 to 12 are 2 to 10 of the picture's twelve.
    box = (garment.box.x, garment.box.y, garment.box.width, garment.box.height)
    assert box == pytest.approx((1 / 6, 0.25, 2 / 3, 0.5), abs=1e-3)
    assert garment.category.model_dump() == {"id": 1, "name": "Shoes", "probability": pytest.approx(0.9)}
    assert told.model == "detector/1"
    assert set(told.timings_ms) == {"decode", "network", "total"}
    (asked,) = [r for r in service.serving.requests if r.model_spec.name == "detector"]
    assert [dim.size for dim in asked.inputs["image"].tensor_shape.dim] == [1, 16, 16, 3]


def test_a_photo_that_lies_on_its_side_has_its_boxes_upright(service: Service) -> None:
    answers = [detect(service, images.turned(orientation)).json()["garments"] for orientation in (1, 6)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", images.REFUSED)
def test_what_is_no_image_is_its_problem(service: Service, name: str) -> None:
    data, slug = images.REFUSED[name]
    status = {"invalid-image": 422, "unsupported-image": 415, "image-too-large": 413}
    problem(detect(service, data), status[slug], slug)


def test_without_a_detector_the_route_says_so_and_embedding_goes_on(service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "detector" / "1"
    moved = folder.with_name("away")
    shutil.move(folder, moved)
    said = problem(detect(service, images.jpeg()), 503, "detector-unavailable")
    assert str(folder) in said["detail"]
    assert service.embed(images.jpeg()).status_code == 200
    shutil.move(moved, folder)
    assert detect(service, images.jpeg()).status_code == 200


def nonsense(boxes: Any, probabilities: Any) -> Any:
    def reply(request: Any) -> Any:
        made = found_reply(request)
        made.outputs["boxes"].CopyFrom(field_tensor(np.asarray(boxes, np.float32)))
        made.outputs["probabilities"].CopyFrom(field_tensor(np.asarray(probabilities, np.float32)))
        return made

    return reply


@pytest.mark.parametrize(
    "reply",
    [
        nonsense(np.zeros((1, 2, 4)), np.zeros((1, 2, 9))),
        nonsense(np.full((1, 3, 4), np.nan), np.zeros((1, 3, 9))),
        nonsense(np.zeros((1, 3, 4)), np.full((1, 3, 9), 2.0)),
        lambda request: good_reply(request),
    ],
    ids=["fewer boxes", "no numbers", "no probabilities", "another model"],
)
def test_an_answer_that_makes_no_sense_is_the_networks_fault(service: Service, reply: Any) -> None:
    service.serving.answer = reply
    said = problem(detect(service, images.jpeg()), 503, "embedding-unavailable")
    assert "detector/1" in said["detail"]


def test_a_detector_that_is_not_served_is_told_by_its_name(service: Service) -> None:
    service.serving.answer = lambda request: (
        grpc.StatusCode.NOT_FOUND if request.model_spec.name == "detector" else good_reply(request)
    )
    for _ in range(5):  # with a new connection in between
        said = problem(detect(service, images.jpeg()), 503, "embedding-unavailable")
        assert "TensorFlow Serving has not loaded the model detector/1" in said["detail"]
    service.serving.answer = answer
    assert detect(service, images.jpeg()).status_code == 200


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: shutil.rmtree(folder), "there is no model directory"),
        (lambda folder: (folder / "saved_model.pb").unlink(), "has no saved_model.pb"),
        (lambda folder: (folder / "manifest.json").unlink(), "has no manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "is not a valid manifest"),
        (lambda folder: write_model(folder), "boxes: Field required"),
    ],
    ids=["no directory", "no graph", "no manifest", "no JSON", "a model of vectors"],
)
def test_a_directory_that_is_not_whole_is_told_in_a_sentence(tmp_path: Path, change: Any, told: str) -> None:
    folder = write_detector(tmp_path / "1")
    change(folder)
    with pytest.raises(ManifestError, match=told):
        load_detector_manifest(folder)


@pytest.mark.parametrize("changes", [{"threshold": 0}, {"threshold": 1.5}, {"boxes": 0}])
def test_a_manifest_with_numbers_that_cannot_be_is_refused(tmp_path: Path, changes: dict[str, float]) -> None:
    folder = write_detector(tmp_path / "1")
    text = (folder / "manifest.json").read_text()
    for name, value in changes.items():
        text = text.replace(f'"{name}":{3 if name == "boxes" else 0.4}', f'"{name}":{value}')
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ManifestError, match=next(iter(changes))):
        load_detector_manifest(folder)
