"""The embedding service over HTTP, with a scripted TensorFlow Serving."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from services.embedding.app import create_app
from services.embedding.settings import EmbeddingSettings
from tests.support.servers.embedding import Service, write_model
from tests.support.servers.tfs import ScriptedServing, good_reply, scripted_serving
from tests.support.waiting import WITHIN_S, eventually


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A ready service; it accepts images of 200 kB and batches of 400 kB."""
    serving = ScriptedServing()
    folder = write_model(tmp_path_factory.mktemp("models") / "1")
    with scripted_serving(serving) as address:
        settings = EmbeddingSettings(
            model_dir=folder,
            tfs_address=address,
            max_image_bytes=200_000,
            max_batch_bytes=400_000,
            ready_interval_s=0.05,
            tfs_timeout_s=WITHIN_S,
        )
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            running = Service(client, serving)
            eventually(lambda: running.readiness["ready"])
            yield running


@pytest.fixture
def script(service: Service) -> Iterator[ScriptedServing]:
    """The scripted server, which one test may change; the service is ready before and after."""
    yield service.serving
    service.serving.answer, service.serving.state = good_reply, "AVAILABLE"
    eventually(lambda: service.readiness["ready"])
