"""The stand-in as a process, with real SavedModels: new versions, labels, damage, and how it starts and ends."""

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from services.contracts.wire.serving_messages import (
    model_management_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)
from tests.support.stack import eventually
from tests.support.tfs import TfsStandIn, copy_version, predict_request, running_stand_in, start_stand_in, states

IMAGES = np.zeros((1, 16, 16, 3), np.uint8)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TfsStandIn, Path]]:
    """A stand-in over a base path that does not exist yet; the tests of this module go on from one another."""
    base = tmp_path_factory.mktemp("models") / "fashion"
    with running_stand_in(base, "--version-policy", "all", "--version-labels", '{"stable": 1}') as stand_in:
        yield stand_in, base


@pytest.fixture(scope="module")
def channel(served: tuple[TfsStandIn, Path]) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served[0].address) as opened:
        yield opened


def predicted_version(channel: grpc.Channel, **spec: object) -> int:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    return int(stub.Predict(predict_request(IMAGES, **spec), timeout=10).model_spec.version.value)


def test_without_a_model_directory_it_stays_up_and_says_so_in_a_sentence(
    served: tuple[TfsStandIn, Path], channel: grpc.Channel
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        states(channel)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    eventually(lambda: "has no version directories" in served[0].log.read_text())
    assert "Traceback" not in served[0].log.read_text()


def test_a_half_copied_version_is_not_available_until_it_is_whole(
    served: tuple[TfsStandIn, Path], channel: grpc.Channel
) -> None:
    whole = copy_version(served[1], 1)
    weights = whole / "variables" / "variables.data-00000-of-00001"
    kept = weights.read_bytes()
    weights.write_bytes(kept[: len(kept) // 2])
    eventually(lambda: _state(channel, 1) in ("END", "AVAILABLE"), within_s=90)
    weights.write_bytes(kept)
    eventually(lambda: _state(channel, 1) == "AVAILABLE", within_s=90)
    assert predicted_version(channel) == 1


def _state(channel: grpc.Channel, version: int) -> str | None:
    try:
        return states(channel).get(version)
    except grpc.RpcError:
        return None


def test_a_new_version_is_found_and_answers_unless_another_is_asked_for(
    served: tuple[TfsStandIn, Path], channel: grpc.Channel
) -> None:
    copy_version(served[1], 2)
    eventually(lambda: _state(channel, 2) == "AVAILABLE", within_s=90)
    assert predicted_version(channel) == 2
    assert predicted_version(channel, version=1) == 1
    assert predicted_version(channel, label="stable") == 1


def test_a_label_is_moved_by_a_reload(served: tuple[TfsStandIn, Path], channel: grpc.Channel) -> None:
    request = model_management_pb2.ReloadConfigRequest()
    config = request.config.model_config_list.config.add(name="fashion", base_path=str(served[1]))
    config.model_version_policy.all.SetInParent()
    config.version_labels["stable"] = 2
    model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(request, timeout=30)
    assert predicted_version(channel, label="stable") == 2


def test_the_rest_port_tells_the_same_status(served: tuple[TfsStandIn, Path]) -> None:
    url = f"http://127.0.0.1:{served[0].rest_port}/v1/models/fashion"
    with urllib.request.urlopen(url, timeout=10) as reply:
        versions = json.load(reply)["model_version_status"]
    assert [(item["version"], item["state"]) for item in versions] == [("2", "AVAILABLE"), ("1", "AVAILABLE")]


def test_it_ends_with_status_0_when_told_to(served: tuple[TfsStandIn, Path]) -> None:
    served[0].stop()
    assert "Traceback" not in served[0].log.read_text()


def test_a_taken_port_ends_it_with_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        stand_in = start_stand_in(tmp_path, port=taken.getsockname()[1])
        assert stand_in.process.wait(60) == 1
    log = stand_in.log.read_text()
    assert "cannot be listened on" in log
    assert "Traceback" not in log
