"""One served model: before and after it is loaded, what a check sends, and what counts as a failure."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from structlog.testing import capture_logs

from services.contracts.domain.errors import EmbeddingUnavailable, UpstreamTimeout
from services.contracts.domain.manifest import InputSize, load_manifest
from services.embedding.serving.breaker import FAILURES
from services.embedding.serving.served_model import ServedModel, probe_image
from services.embedding.settings import EmbeddingSettings
from tests.support.pictures import images
from tests.support.servers.embedding import write_model
from tests.support.servers.tfs import ScriptedServing, good_reply, scripted_serving
from tests.support.waiting import WITHIN_S

Make = Callable[[], ServedModel]


@pytest.fixture
def serving() -> ScriptedServing:
    return ScriptedServing()


@pytest.fixture
def make(serving: ScriptedServing, tmp_path: Path) -> Iterator[Make]:
    """Return what makes the model `fashion/1`, whose directory is complete."""
    folder = write_model(tmp_path / "1")
    with scripted_serving(serving) as address, ThreadPoolExecutor(1) as threads:
        settings = EmbeddingSettings(
            model_dir=folder, tfs_address=address, tfs_timeout_s=WITHIN_S, ready_interval_s=WITHIN_S
        )
        yield lambda: ServedModel(lambda: load_manifest(folder), settings, threads)


def events(logs: list[Any]) -> list[tuple[str, str | None]]:
    return [(line["event"], line["model"]) for line in logs if line["event"] in ("ready", "not ready")]


def test_the_picture_of_a_check_has_a_dark_square_in_the_middle_of_white() -> None:
    (picture,) = probe_image(InputSize(height=16, width=24))
    is_dark = (picture == (96, 96, 128)).all(axis=-1)
    assert (picture[~is_dark] == 255).all()
    rows, columns = np.flatnonzero(is_dark.any(axis=1)), np.flatnonzero(is_dark.any(axis=0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (4, 11, 6, 17)
    assert is_dark.sum() == 8 * 12


async def test_before_the_first_check_it_cannot_embed_and_says_so(make: Make) -> None:
    served = make()
    assert (served.readiness.ready, served.readiness.reasons) == (False, ("starting",))
    assert (served.manifest, served.is_breaker_open) == (None, False)
    with pytest.raises(EmbeddingUnavailable, match=r"^the model is not loaded: starting$"):
        _ = served.embedder
    await served.close()  # there is no connection yet


async def test_it_is_loaded_once(make: Make) -> None:
    served = make()
    assert served.load() is served.load() is served.embedder
    assert served.manifest is not None and served.manifest.model_id == "fashion/1"
    await served.close()


async def test_a_model_that_responded_to_a_request_is_checked_until_it_is_ready(
    make: Make, serving: ScriptedServing
) -> None:
    served = make()
    await served.load().embed([images.jpeg()])
    await served.check()
    assert served.readiness.ready
    assert len(serving.requests) == 2
    await served.check()  # the request shows that it still runs
    assert len(serving.requests) == 2
    await served.close()


async def test_a_change_of_readiness_is_logged_once_with_the_model(make: Make, serving: ScriptedServing) -> None:
    served, serving.state = make(), "LOADING"
    with capture_logs() as logs:
        for state in ("LOADING", "LOADING", "AVAILABLE", "AVAILABLE"):
            serving.state = state
            await served.check()
    assert events(logs) == [("not ready", "fashion/1"), ("ready", "fashion/1")]
    await served.close()


async def test_a_model_without_a_manifest_is_logged_without_its_name(make: Make, tmp_path: Path) -> None:
    (tmp_path / "1" / "manifest.json").unlink()
    served = make()
    with capture_logs() as logs:
        await served.check()
    assert events(logs) == [("not ready", None)]
    assert "has no manifest.json" in served.readiness.reasons[0]


async def test_a_model_that_is_being_loaded_gets_no_picture_and_counts_as_a_response(
    make: Make, serving: ScriptedServing
) -> None:
    served, serving.state = make(), "LOADING"
    served.load()
    assert served._client is not None
    channel = served._client._channel
    for _ in range(3):
        served._client.record_failure()
    await served.check()
    for _ in range(3):
        served._client.record_failure()
    assert served._client._channel is channel  # the fourth consecutive failure would have opened another one
    assert serving.requests == []
    await served.close()


async def test_a_check_closes_the_breaker_that_requests_have_opened(make: Make, serving: ScriptedServing) -> None:
    served, serving.answer = make(), lambda _: grpc.StatusCode.DEADLINE_EXCEEDED
    for _ in range(FAILURES):
        assert not served.is_breaker_open
        with pytest.raises(UpstreamTimeout):
            await served.load().embed([images.jpeg()])
    assert served.is_breaker_open
    serving.answer = good_reply
    await served.check()
    assert not served.is_breaker_open
    await served.close()
