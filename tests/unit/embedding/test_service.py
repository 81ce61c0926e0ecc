"""The service as a whole: an unavailable network, readiness, metrics, the OpenAPI document, overload."""

from itertools import pairwise
from pathlib import Path

import grpc
import orjson
import pytest
from fastapi.testclient import TestClient

from services.contracts.wire.embedding import MAX_BATCH, BatchResponse, ModelFacts
from services.contracts.wire.framing import FRAMED
from services.embedding.app import create_app
from services.embedding.settings import EmbeddingSettings
from tests.support.pictures import images
from tests.support.servers.embedding import RAW, Service, problem, write_model
from tests.support.servers.tfs import CATEGORIES, ScriptedServing, good_reply, scripted_serving
from tests.support.waiting import WITHIN_S, eventually


@pytest.mark.parametrize(
    ("code", "status", "slug"),
    [
        (grpc.StatusCode.UNAVAILABLE, 503, "embedding-unavailable"),
        (grpc.StatusCode.NOT_FOUND, 503, "embedding-unavailable"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 504, "upstream-timeout"),
    ],
)
def test_a_failing_network_is_a_problem(
    service: Service, code: grpc.StatusCode, status: int, slug: str, script: ScriptedServing
) -> None:
    script.answer = lambda _: code
    for response in (service.embed(images.jpeg()), service.batch([images.jpeg()])):
        problem(response, status, slug)
        assert response.headers.get("retry-after") == ("2" if status == 503 else "1")


def test_readiness_follows_the_state_of_the_network(service: Service, script: ScriptedServing) -> None:
    script.state = "LOADING"
    reasons = ["TensorFlow Serving has not loaded the model fashion/1 yet"]
    eventually(lambda: service.readiness == {"ready": False, "reasons": reasons})
    response = service.client.get("/readyz")
    assert response.status_code == 503
    assert response.headers["retry-after"]
    script.state = "AVAILABLE"
    eventually(lambda: service.readiness["ready"])


def test_a_version_with_invalid_responses_is_not_ready(service: Service, script: ScriptedServing) -> None:
    script.answer = lambda request: type(good_reply(request))()
    eventually(lambda: "is invalid" in str(service.readiness["reasons"]))
    assert service.client.get("/livez").status_code == 200


def test_every_fourth_failed_check_opens_a_new_connection(tmp_path: Path) -> None:
    serving = ScriptedServing(lambda _: grpc.StatusCode.UNAVAILABLE)
    with scripted_serving(serving) as address:
        settings = EmbeddingSettings(
            model_dir=write_model(tmp_path / "1"), tfs_address=address, tfs_timeout_s=WITHIN_S, ready_interval_s=60
        )
        with TestClient(create_app(settings)) as client:
            models = client.app_state["embedding"].models
            models._task.cancel()
            channels = [models._default._client._channel]
            failures = len(serving.requests)
            assert client.portal is not None
            for _ in range(8):
                client.portal.call(models._default.check)
                channels.append(models._default._client._channel)
            changed = [after is not before for before, after in pairwise(channels)]
            assert [number for number, is_new in enumerate(changed, failures + 1) if is_new] == [4, 8]
            serving.answer = good_reply
            client.portal.call(models._default.check)
            assert models._default.readiness.ready


def test_the_model_is_described_by_its_manifest(service: Service) -> None:
    facts = ModelFacts.model_validate_json(service.client.get("/v1/model").content)
    assert facts.model_dump() == {
        "model": "fashion/1",
        "categories": list(CATEGORIES),
        "dimension": 64,
        "input": {"height": 16, "width": 16},
        "thresholds": {"min_score": 0.5},
    }


def test_the_metrics_count_outcomes_and_stages(service: Service) -> None:
    service.batch([images.jpeg(), b""])
    text = service.client.get("/metrics").text
    assert 'lookalike_embedding_images_total{outcome="embedded"}' in text
    assert 'lookalike_embedding_images_total{outcome="invalid-image"}' in text
    assert 'lookalike_embedding_stage_duration_seconds_count{stage="network"}' in text


def test_the_openapi_document_has_bodies_responses_and_problems(service: Service) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    single, batch = paths["/v1/embed"]["post"], paths["/v1/embed/batch"]["post"]
    assert set(single["requestBody"]["content"]) == {"image/*", "application/octet-stream", "multipart/form-data"}
    assert set(batch["requestBody"]["content"]) == {FRAMED}
    assert f"1 to {MAX_BATCH} images" in batch["requestBody"]["description"]
    assert set(single["responses"]) == {"200", "404", "413", "415", "422", "429", "503", "504"}
    assert set(batch["responses"]) == {"200", "404", "413", "422", "429", "503", "504"}
    example = batch["responses"]["200"]["content"]["application/json"]["example"]
    item = BatchResponse.model_validate_json(orjson.dumps(example)).items[0]
    assert item.embedding is not None
    assert item.embedding.array.tolist() == [0.125, -0.25, 0.0625]
    assert "application/problem+json" in single["responses"]["422"]["content"]


def test_a_service_at_capacity_rejects_requests_with_retry_after(tmp_path: Path) -> None:
    serving = ScriptedServing()
    with scripted_serving(serving) as address:
        settings = EmbeddingSettings(
            model_dir=write_model(tmp_path / "1"), tfs_address=address, tfs_timeout_s=WITHIN_S, max_request_bytes=1
        )
        with TestClient(create_app(settings)) as client:
            with client.app_state["embedding"].admission.admit(0):
                response = client.post("/v1/embed", content=images.jpeg(), headers=RAW)
                problem(response, 429, "too-many-requests")
                assert response.headers["retry-after"] == "1"
            assert client.post("/v1/embed", content=images.jpeg(), headers=RAW).status_code == 200


def test_a_model_copied_later_is_loaded_without_a_restart(tmp_path: Path) -> None:
    with scripted_serving(ScriptedServing()) as address:
        settings = EmbeddingSettings(model_dir=tmp_path / "1", tfs_address=address, tfs_timeout_s=WITHIN_S)
        with TestClient(create_app(settings)) as client:
            eventually(lambda: "there is no model directory" in str(client.get("/readyz").json()))
            for response in (client.post("/v1/embed", content=images.jpeg(), headers=RAW), client.get("/v1/model")):
                problem(response, 503, "embedding-unavailable")
            write_model(tmp_path / "1")
            eventually(lambda: client.get("/readyz").status_code == 200)
            assert client.post("/v1/embed", content=images.jpeg(), headers=RAW).status_code == 200
