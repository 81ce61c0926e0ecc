"""Several model versions: requests name one of them."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from fastapi.testclient import TestClient

from services.contracts.domain.manifest import InputSize, load_manifest
from services.contracts.wire.embedding import EmbeddingResponse
from services.embedding.app import create_app
from services.embedding.serving import served_models
from services.embedding.serving.served_model import ServedModel
from services.embedding.settings import EmbeddingSettings
from tests.support.pictures import images
from tests.support.servers.embedding import RAW, Service, problem, write_model
from tests.support.servers.tfs import ScriptedServing, good_reply, scripted_serving
from tests.support.waiting import WITHIN_S, eventually


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the versions 1 and 2; version 2 takes larger pictures."""
    base = tmp_path / "fashion"
    write_model(base / "1")
    write_model(base / "2", 2, input=InputSize(height=24, width=20))
    return base


@pytest.fixture
def service(folder: Path) -> Iterator[Service]:
    """A service whose default is version 1."""
    serving = ScriptedServing()
    with scripted_serving(serving) as address:
        settings = EmbeddingSettings(
            model_dir=folder / "1", tfs_address=address, tfs_timeout_s=WITHIN_S, ready_interval_s=0.05
        )
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            running = Service(client, serving)
            eventually(lambda: running.readiness["ready"])
            yield running


def embed(service: Service, model: str, path: str = "/v1/embed") -> Any:
    return service.client.post(path, params={"model": model}, content=images.jpeg(), headers=RAW)


def requested(service: Service) -> set[tuple[int, tuple[int, ...]]]:
    """Return the version and the input shape of all calls of the network."""
    return {
        (request.model_spec.version.value, tuple(size.size for size in request.inputs["image"].tensor_shape.dim))
        for request in service.serving.requests
    }


def test_an_image_is_embedded_with_the_requested_model(service: Service) -> None:
    response = embed(service, "fashion/2")
    assert (response.status_code, response.json()["model"]) == (200, "fashion/2")
    assert requested(service) == {(1, (1, 16, 16, 3)), (2, (1, 24, 20, 3))}
    assert embed(service, "fashion/1").json()["model"] == "fashion/1"
    assert service.embed(images.jpeg()).json()["model"] == "fashion/1"


def test_a_batch_is_embedded_with_the_requested_model(service: Service) -> None:
    batch = service.batch([images.jpeg()] * 3, model="fashion/2").json()
    assert [item["embedding"]["model"] for item in batch["items"]] == ["fashion/2"] * 3


def test_images_are_also_embedded_with_the_secondary_model(service: Service) -> None:
    params = {"model": "fashion/1", "secondary_model": "fashion/2"}
    single = service.client.post("/v1/embed", params=params, content=images.jpeg(), headers=RAW).json()
    assert (single["model"], single["secondary"]["model"]) == ("fashion/1", "fashion/2")
    items = service.batch([images.jpeg(), b"", images.png()], **params).json()["items"]
    assert [item.get("embedding", {}).get("secondary", {}).get("model") for item in items] == [
        "fashion/2",
        None,
        "fashion/2",
    ]
    assert "secondary" not in service.embed(images.jpeg()).json()
    EmbeddingResponse.model_validate(single)


@pytest.mark.parametrize("secondary", ["fashion/2", "fashion/9"])
def test_a_secondary_model_that_fails_does_not_change_the_response(service: Service, secondary: str) -> None:
    def answer(request: Any) -> Any:
        is_secondary = request.model_spec.version.value == 2
        return grpc.StatusCode.UNAVAILABLE if is_secondary else good_reply(request)

    service.serving.answer = answer
    params = {"secondary_model": secondary}
    single = service.client.post("/v1/embed", params=params, content=images.jpeg(), headers=RAW)
    assert (single.status_code, single.json()["model"]) == (200, "fashion/1")
    assert "secondary" not in single.json()


def test_the_facts_of_a_model_come_from_its_manifest(service: Service) -> None:
    facts = service.client.get("/v1/model", params={"model": "fashion/2"}).json()
    assert (facts["model"], facts["input"]) == ("fashion/2", {"height": 24, "width": 20})


@pytest.mark.parametrize("name", ["fashion/7", "shoes/1"])
def test_an_unknown_model_is_a_404_problem_that_lists_the_models(service: Service, name: str) -> None:
    for response in (embed(service, name), service.client.get("/v1/model", params={"model": name})):
        assert "there are fashion/1, fashion/2" in problem(response, 404, "unknown-model")["detail"]


@pytest.mark.parametrize("name", ["2", "fashion", "fashion/02", "fashion/x", "../fashion/2", "fashion/2/..", ""])
def test_an_invalid_model_id_is_an_invalid_request(service: Service, name: str) -> None:
    problem(embed(service, name), 422, "invalid-request")


def test_an_incomplete_model_names_the_missing_file_and_loads_once_it_is_complete(
    service: Service, folder: Path
) -> None:
    write_model(folder / "3", 3)
    (folder / "3" / "saved_model.pb").unlink()
    detail = problem(embed(service, "fashion/3"), 503, "embedding-unavailable")["detail"]
    assert "has no saved_model.pb: copy the whole version directory" in detail
    (folder / "3" / "saved_model.pb").touch()
    assert embed(service, "fashion/3").json()["model"] == "fashion/3"


def test_a_directory_whose_manifest_has_another_version_is_an_error(service: Service, folder: Path) -> None:
    shutil.copytree(folder / "1", folder / "3")
    detail = problem(embed(service, "fashion/3"), 503, "embedding-unavailable")["detail"]
    assert "holds the model fashion/1 according to its manifest.json, not fashion/3" in detail


def test_the_list_has_every_version_and_the_reason_why_it_cannot_be_used(service: Service, folder: Path) -> None:
    write_model(folder / "3", 3)
    (folder / "3" / "manifest.json").unlink()
    write_model(folder / "4", 4)
    service.serving.broken[4] = "no variables"
    (folder / "notes").mkdir()
    listed = service.client.get("/v1/models").json()["models"]
    assert [model["model"] for model in listed] == ["fashion/1", "fashion/2", "fashion/3", "fashion/4"]
    assert [model["first"] for model in listed] == [True, False, False, False]
    assert [model["problem"] for model in listed[:2]] == [None, None]
    assert "has no manifest.json" in listed[2]["problem"]
    assert listed[3]["problem"] == "TensorFlow Serving cannot load fashion/4: no variables"


def test_readiness_is_that_of_the_requested_model_or_of_any_model(service: Service) -> None:
    def ready(**model: str) -> int:
        return int(service.client.get("/readyz", params=model).status_code)

    assert ready(model="fashion/2") == 200
    service.serving.broken[2] = "gone"
    eventually(lambda: ready(model="fashion/2") == 503)
    assert ready() == ready(model="fashion/1") == 200
    service.serving.broken = {1: "gone"}
    eventually(lambda: ready(model="fashion/2") == 200)
    eventually(lambda: ready(model="fashion/1") == 503)
    assert ready() == 200
    assert ready(model="fashion/9") == 404


def test_a_check_that_raises_makes_the_model_unready_and_the_checks_continue(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: ServedModel) -> None:
        raise RuntimeError("simulated")

    monkeypatch.setattr(ServedModel, "check", fail)
    reasons = ["the readiness check failed: see the log"]
    eventually(lambda: service.readiness == {"ready": False, "reasons": reasons})
    monkeypatch.undo()
    eventually(lambda: service.readiness["ready"])


def test_an_idle_model_is_unloaded_with_its_connection_and_loads_again_when_requested(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert embed(service, "fashion/2").status_code == 200
    others = service.client.app_state["embedding"].models._others
    assert list(others) == ["fashion/2"]
    channel = others["fashion/2"].served._client._channel
    assert channel.get_state() is not grpc.ChannelConnectivity.SHUTDOWN
    monkeypatch.setattr(served_models, "IDLE_S", -1.0)
    eventually(lambda: not others)
    eventually(lambda: channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN)
    monkeypatch.undo()
    assert embed(service, "fashion/2").status_code == 200


def test_closing_the_service_ends_its_connections_checks_and_threads(folder: Path) -> None:
    with scripted_serving(ScriptedServing()) as address:
        settings = EmbeddingSettings(model_dir=folder / "1", tfs_address=address, tfs_timeout_s=WITHIN_S)
        with TestClient(create_app(settings)) as client:
            models = client.app_state["embedding"].models
            for model in ("fashion/1", "fashion/2"):
                client.post("/v1/embed", params={"model": model}, content=images.jpeg(), headers=RAW)
            served = [models._default, models._others["fashion/2"].served]
    assert [model._client._channel.get_state() for model in served] == [grpc.ChannelConnectivity.SHUTDOWN] * 2
    assert models._task.done()
    with pytest.raises(RuntimeError, match="shutdown"):
        models.threads.submit(print)


async def test_a_model_that_has_just_run_is_not_checked(folder: Path) -> None:
    serving = ScriptedServing()
    with scripted_serving(serving) as address, ThreadPoolExecutor(1) as threads:
        settings = EmbeddingSettings(model_dir=folder / "1", tfs_address=address, ready_interval_s=60)
        served = ServedModel(lambda: load_manifest(settings.model_dir), settings, threads)
        for checks in (1, 2):  # a check does not stand in for the next
            await served.check()
            assert (served.readiness.ready, len(serving.requests)) == (True, checks)
        await served.embedder.embed([images.jpeg()])
        await served.check()
        assert (served.readiness.ready, len(serving.requests)) == (True, 3)
        await served.close()
