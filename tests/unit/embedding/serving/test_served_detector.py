"""The detector of the service: loaded once, and its connection is replaced after failures in a row."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from services.contracts.domain.errors import DetectorUnavailable, EmbeddingUnavailable, UnsupportedImage
from services.embedding.serving.served_detector import ServedDetector
from services.embedding.serving.serving_client import RECONNECT_FAILURES
from services.embedding.settings import EmbeddingSettings
from tests.support.pictures import images
from tests.support.servers.detector import detection_reply, write_detector
from tests.support.servers.tfs import ScriptedServing, scripted_serving
from tests.support.waiting import WITHIN_S


@pytest.fixture
def serving() -> ScriptedServing:
    return ScriptedServing(detection_reply)


@pytest.fixture
def detector(serving: ScriptedServing, tmp_path: Path) -> Iterator[ServedDetector]:
    folder = write_detector(tmp_path / "detector" / "1")
    with scripted_serving(serving) as address, ThreadPoolExecutor(1) as threads:
        yield ServedDetector(
            EmbeddingSettings(detector_dir=folder, tfs_address=address, tfs_timeout_s=WITHIN_S), threads
        )


async def fail(detector: ServedDetector, serving: ScriptedServing, times: int) -> None:
    serving.answer = lambda _: grpc.StatusCode.UNAVAILABLE
    for _ in range(times):
        with pytest.raises(EmbeddingUnavailable):
            await detector.detect(images.jpeg())
    serving.answer = detection_reply


async def test_it_is_loaded_once(detector: ServedDetector) -> None:
    assert detector.detector() is detector.detector()
    await detector.close()


async def test_failures_in_a_row_open_a_new_connection(detector: ServedDetector, serving: ScriptedServing) -> None:
    detector.detector()
    assert detector._client is not None
    channel = detector._client._channel
    await fail(detector, serving, RECONNECT_FAILURES - 1)
    assert len((await detector.detect(images.jpeg())).garments.boxes) == 1
    await fail(detector, serving, RECONNECT_FAILURES - 1)
    assert detector._client._channel is channel
    with pytest.raises(UnsupportedImage):
        await detector.detect(b"no picture")  # which says nothing of the connection
    assert detector._client._channel is channel
    await fail(detector, serving, 1)
    assert detector._client._channel is not channel
    await detector.close()
    assert detector._client._channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN


async def test_without_its_directory_it_is_unavailable_and_can_be_closed(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        missing = ServedDetector(EmbeddingSettings(detector_dir=tmp_path / "1"), threads)
        with pytest.raises(DetectorUnavailable, match="the detector is not available: there is no model directory"):
            await missing.detect(images.jpeg())
        await missing.close()
