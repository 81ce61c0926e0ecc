"""The embedding service and the stand-in for TensorFlow Serving as processes: limits, memory, failures."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from services.contracts.images.preparation import prepare_image
from services.contracts.wire.embedding import BatchResponse, EmbeddingResponse
from services.contracts.wire.framing import pack
from tests.support.pictures import images
from tests.support.servers.embedding import BATCH, RAW, EmbeddingProcess, problem, running_embedding
from tests.support.servers.tfs import INPUT, TfsStandIn, running_stand_in, tiny_models
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.ports import free_port

STATUS = {"invalid-image": 422, "unsupported-image": 415, "image-too-large": 413}
POLICY = ("--version-policy", "all")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[TfsStandIn]:
    with running_stand_in(tiny_models(), *POLICY) as running:
        yield running


@pytest.fixture(scope="module")
def embedding(stand_in: TfsStandIn) -> Iterator[EmbeddingProcess]:
    """A service with the tiny model, images of at most 1 MB and two decoding threads.

    Nothing listens at the proxy of its environment: calls between services use none.
    """
    settings = {"MAX_IMAGE_BYTES": "1000000", "DECODE_THREADS": "2"}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "grpc_proxy"), "http://127.0.0.1:9")
    environment = {**proxies, **{f"EMBEDDING_{name}": value for name, value in settings.items()}}
    with running_embedding(tiny_models() / "1", stand_in.address, **environment) as running:
        running.wait_until_ready()
        yield running


def embed(http: httpx.Client, data: bytes) -> httpx.Response:
    return http.post("/v1/embed", content=data, headers=RAW)


def expected_vector(data: bytes) -> NDArray[np.float64]:
    """The vector of the tiny model: the darkness of each block (see tests/support/servers/tfs.py)."""
    dark = 1 - prepare_image(data, INPUT)[0].astype(np.float64) / 255
    pooled = dark.reshape(4, 4, 4, 4, 3).mean(axis=(1, 3)).reshape(48)
    vector = np.concatenate([pooled, pooled[:16] * 0.5])
    return np.asarray(vector / np.linalg.norm(vector))


def test_the_response_has_the_outputs_of_the_network(embedding: EmbeddingProcess) -> None:
    response = embed(embedding.http, images.jpeg())
    embedding_response = EmbeddingResponse.model_validate_json(response.content)
    np.testing.assert_allclose(embedding_response.vector, expected_vector(images.jpeg()), atol=1e-6)
    assert abs(sum(embedding_response.probabilities.values()) - 1) < 1e-5
    probabilities = embedding_response.probabilities
    assert embedding_response.category.name == max(probabilities, key=lambda name: probabilities[name])


def test_a_white_picture_has_a_zero_vector_and_is_invalid(embedding: EmbeddingProcess) -> None:
    assert "zero vector" in problem(embed(embedding.http, images.flat_png(60, 80)), 422, "invalid-image")["detail"]


@pytest.mark.parametrize("name", images.REFUSED)
def test_an_unusable_file_is_a_problem_and_the_service_continues(embedding: EmbeddingProcess, name: str) -> None:
    data, slug = images.REFUSED[name]
    problem(embed(embedding.http, data), STATUS[slug], slug)
    assert embed(embedding.http, images.jpeg()).status_code == 200


@pytest.mark.parametrize("megabytes", [1.5, 30])
def test_an_upload_that_is_too_large_gets_a_response_and_not_a_broken_connection(
    embedding: EmbeddingProcess, megabytes: float
) -> None:
    body = bytes(int(megabytes * 1_000_000))
    problem(embed(embedding.http, body), 413, "image-too-large")
    problem(embedding.http.post("/v1/embed", files={"image": ("big.jpg", body)}), 413, "image-too-large")


def test_concurrent_clients_get_their_own_responses(embedding: EmbeddingProcess) -> None:
    files = [images.jpeg(20 + 3 * n, 80) for n in range(24)]
    response = embedding.http.post("/v1/embed/batch", content=pack(files), headers=BATCH)
    batch = BatchResponse.model_validate_json(response.content)
    with ThreadPoolExecutor(8) as pool:
        singles = list(pool.map(lambda data: embed(embedding.http, data).json()["vector"], files))
    for data, vector, item in zip(files, singles, batch.items, strict=True):
        assert item.embedding is not None
        np.testing.assert_allclose(vector, expected_vector(data), atol=1e-6)
        np.testing.assert_allclose(item.embedding.array, vector, atol=1e-6)


def test_tensorflow_is_never_loaded_and_idle_memory_stays_under_120_mb(stand_in: TfsStandIn) -> None:
    with running_embedding(tiny_models() / "1", stand_in.address) as idle:
        idle.wait_until_ready()
        maps = Path(f"/proc/{idle.process.pid}/maps").read_text()
        assert "grpc" in maps
        assert "libtensorflow" not in maps
        assert idle.resident_mb < 120


def test_large_pictures_at_once_take_bounded_memory(embedding: EmbeddingProcess) -> None:
    """Twelve pictures of 16 megapixels would take 770 MB if all were decoded at once; one process decodes them."""
    large = images.raw_png(4000, 4000, 8, 2, (b"\x00" + bytes(12_000)) * 4000)
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: embed(embedding.http, large).status_code, range(12)))
    assert statuses == [200] * 12
    peak_mb = next(int(line.split()[1]) for line in _status(embedding) if line.startswith("VmHWM")) / 1000
    assert peak_mb < 150


def _status(running: EmbeddingProcess) -> list[str]:
    return Path(f"/proc/{running.process.pid}/status").read_text().splitlines()


def test_a_stop_signal_shuts_the_service_down(stand_in: TfsStandIn) -> None:
    with running_embedding(tiny_models() / "1", stand_in.address) as service:
        service.process.terminate()
        assert service.process.wait(WITHIN_S) in (0, -signal.SIGTERM)  # uvicorn ends with the signal it received
        log = service.log.read_text()
    assert "shutdown complete" in log
    assert "Traceback" not in log


def test_a_service_without_tensorflow_serving_is_alive_and_not_ready() -> None:
    with running_embedding(tiny_models() / "1", f"127.0.0.1:{free_port()}") as service:
        assert not service.ready()
        problem(embed(service.http, images.jpeg()), 503, "embedding-unavailable")
        assert service.http.get("/v1/model").status_code == 200


def test_a_frozen_tensorflow_serving_is_a_504(stand_in: TfsStandIn) -> None:
    with running_embedding(tiny_models() / "1", stand_in.address, EMBEDDING_TFS_TIMEOUT_S="0.5") as service:
        service.wait_until_ready()
        stand_in.process.send_signal(signal.SIGSTOP)
        os.waitpid(stand_in.process.pid, os.WUNTRACED)  # returns when all of its threads have stopped
        try:
            problem(embed(service.http, images.jpeg()), 504, "upstream-timeout")
        finally:
            stand_in.process.send_signal(signal.SIGCONT)
        eventually(lambda: embed(service.http, images.jpeg()).status_code == 200)


def test_a_stopped_tensorflow_serving_is_a_503_and_its_restart_is_enough(
    stand_in: TfsStandIn, embedding: EmbeddingProcess
) -> None:
    stand_in.process.kill()
    eventually(lambda: not embedding.ready())
    for _ in range(3):
        response = embed(embedding.http, images.jpeg())
        problem(response, 503, "embedding-unavailable")
        assert int(response.headers["retry-after"]) > 0
    assert embedding.http.get("/livez").status_code == 200
    with running_stand_in(tiny_models(), *POLICY, port=stand_in.port):
        embedding.wait_until_ready()
        assert embed(embedding.http, images.jpeg()).status_code == 200
