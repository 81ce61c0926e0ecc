"""Several versions side by side: one is asked for by its name, and nothing is said of a model that is another's."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from fastapi.testclient import TestClient

from services.contracts.domain.manifest import InputSize
from services.contracts.wire.embedding import EmbeddingResponse
from services.embedding.app import create_app
from services.embedding.serving import models
from services.embedding.settings import EmbeddingSettings
from tests.support import images
from tests.support.embedding import RAW, Service, problem, write_model
from tests.support.stack import eventually
from tests.support.tfs import ScriptedServing, good_reply, scripted_serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the versions 1 and 2, the second of which takes larger pictures."""
    base = tmp_path / "fashion"
    write_model(base / "1")
    write_model(base / "2", 2, input=InputSize(height=24, width=20))
    return base


@pytest.fixture
def service(folder: Path) -> Iterator[Service]:
    """A service set to version 1."""
    serving = ScriptedServing()
    with scripted_serving(serving) as address:
        settings = EmbeddingSettings(model_dir=folder / "1", tfs_address=address, ready_interval_s=0.05)
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            running = Service(client, serving)
            eventually(lambda: running.readiness["ready"])
            yield running


def embed(service: Service, model: str, path: str = "/v1/embed") -> Any:
    return service.client.post(path, params={"model": model}, content=images.jpeg(), headers=RAW)


def asked(service: Service) -> set[tuple[int, tuple[int, ...]]]:
    """Return the version and the shape of everything that was sent to the network."""
    return {
        (request.model_spec.version.value, tuple(size.size for size in request.inputs["image"].tensor_shape.dim))
        for request in service.serving.requests
    }


def test_an_image_is_embedded_with_the_model_that_the_request_names(service: Service) -> None:
    answer = embed(service, "fashion/2")
    assert (answer.status_code, answer.json()["model"]) == (200, "fashion/2")
    assert asked(service) == {(1, (1, 16, 16, 3)), (2, (1, 24, 20, 3))}
    assert embed(service, "fashion/1").json()["model"] == "fashion/1"
    assert service.embed(images.jpeg()).json()["model"] == "fashion/1"


def test_a_batch_is_embedded_with_the_model_that_the_request_names(service: Service) -> None:
    answer = service.batch([images.jpeg()] * 3, model="fashion/2").json()
    assert [item["embedding"]["model"] for item in answer["items"]] == ["fashion/2"] * 3


def test_the_same_images_go_through_a_second_model_where_one_is_named(service: Service) -> None:
    params = {"model": "fashion/1", "beside": "fashion/2"}
    single = service.client.post("/v1/embed", params=params, content=images.jpeg(), headers=RAW).json()
    assert (single["model"], single["beside"]["model"]) == ("fashion/1", "fashion/2")
    items = service.batch([images.jpeg(), b"", images.png()], **params).json()["items"]
    assert [item.get("embedding", {}).get("beside", {}).get("model") for item in items] == [
        "fashion/2",
        None,
        "fashion/2",
    ]
    assert "beside" not in service.embed(images.jpeg()).json()
    EmbeddingResponse.model_validate(single)


@pytest.mark.parametrize("beside", ["fashion/2", "fashion/9"])
def test_a_second_model_that_does_not_answer_changes_nothing_of_the_answer(service: Service, beside: str) -> None:
    def answer(request: Any) -> Any:
        gone = request.model_spec.version.value == 2
        return grpc.StatusCode.UNAVAILABLE if gone else good_reply(request)

    service.serving.answer = answer
    params = {"beside": beside}
    single = service.client.post("/v1/embed", params=params, content=images.jpeg(), headers=RAW)
    assert (single.status_code, single.json()["model"]) == (200, "fashion/1")
    assert "beside" not in single.json()


def test_a_models_facts_are_those_of_its_own_manifest(service: Service) -> None:
    facts = service.client.get("/v1/model", params={"model": "fashion/2"}).json()
    assert (facts["model"], facts["input"]) == ("fashion/2", {"height": 24, "width": 20})


@pytest.mark.parametrize("name", ["fashion/7", "shoes/1"])
def test_a_model_that_is_not_there_is_a_404_problem_that_lists_those_that_are(service: Service, name: str) -> None:
    for answer in (embed(service, name), service.client.get("/v1/model", params={"model": name})):
        assert "there is fashion/1, fashion/2" in problem(answer, 404, "unknown-model")["detail"]


@pytest.mark.parametrize("name", ["2", "fashion", "fashion/02", "fashion/x", "../fashion/2", "fashion/2/..", ""])
def test_a_name_that_is_none_is_an_invalid_request(service: Service, name: str) -> None:
    problem(embed(service, name), 422, "invalid-request")


def test_a_half_copied_model_says_what_is_missing_and_is_taken_up_once_it_is_whole(
    service: Service, folder: Path
) -> None:
    write_model(folder / "3", 3)
    (folder / "3" / "saved_model.pb").unlink()
    detail = problem(embed(service, "fashion/3"), 503, "embedding-unavailable")["detail"]
    assert "has no saved_model.pb: copy the whole version directory" in detail
    (folder / "3" / "saved_model.pb").touch()
    assert embed(service, "fashion/3").json()["model"] == "fashion/3"


def test_a_copy_that_goes_by_another_version_in_its_manifest_is_refused(service: Service, folder: Path) -> None:
    shutil.copytree(folder / "1", folder / "3")
    detail = problem(embed(service, "fashion/3"), 503, "embedding-unavailable")["detail"]
    assert "holds the model fashion/1 by its manifest.json, not fashion/3" in detail


def test_the_list_tells_every_version_and_what_keeps_one_from_being_used(service: Service, folder: Path) -> None:
    write_model(folder / "3", 3)
    (folder / "3" / "manifest.json").unlink()
    write_model(folder / "4", 4)
    service.serving.broken[4] = "no variables"
    (folder / "notes").mkdir()
    listed = service.client.get("/v1/models").json()["models"]
    assert [one["model"] for one in listed] == ["fashion/1", "fashion/2", "fashion/3", "fashion/4"]
    assert [one["first"] for one in listed] == [True, False, False, False]
    assert [one["problem"] for one in listed[:2]] == [None, None]
    assert "has no manifest.json" in listed[2]["problem"]
    assert listed[3]["problem"] == "TensorFlow Serving cannot load fashion/4: no variables"


def test_readiness_can_be_asked_of_one_model_and_is_any_models_otherwise(service: Service) -> None:
    def ready(**model: str) -> int:
        return service.client.get("/readyz", params=model).status_code

    assert ready(model="fashion/2") == 200
    service.serving.broken[2] = "gone"
    eventually(lambda: ready(model="fashion/2") == 503)
    assert ready() == ready(model="fashion/1") == 200
    service.serving.broken = {1: "gone"}
    eventually(lambda: ready(model="fashion/2") == 200)
    eventually(lambda: ready(model="fashion/1") == 503)
    assert ready() == 200
    assert ready(model="fashion/9") == 404


def test_a_model_nobody_asks_for_any_more_is_let_go_and_comes_back_when_it_is(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert embed(service, "fashion/2").status_code == 200
    beside = service.client.app_state["embedding"].models._beside
    assert list(beside) == ["fashion/2"]
    monkeypatch.setattr(models, "IDLE_S", -1.0)
    eventually(lambda: not beside)
    monkeypatch.undo()
    assert embed(service, "fashion/2").status_code == 200
