"""The stand-in for TensorFlow Serving as a process: its versions, labels, status, start and stop."""

import json
import socket
import urllib.request
from pathlib import Path

import grpc
import numpy as np

from services.contracts.wire.serving_messages import (
    model_management_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)
from tests.support.servers.tfs import copy_version, predict_request, running_stand_in, start_stand_in, states
from tests.support.waiting import WITHIN_S, eventually

IMAGES = np.zeros((1, 16, 16, 3), np.uint8)


def predicted_version(channel: grpc.Channel, version: int | None = None, label: str = "") -> int:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    request = predict_request(IMAGES, version=version, label=label)
    return int(stub.Predict(request, timeout=WITHIN_S).model_spec.version.value)


def state(channel: grpc.Channel, version: int) -> str | None:
    try:
        return states(channel).get(version)
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.NOT_FOUND
        return None


def test_versions_labels_and_status_of_a_running_stand_in(tmp_path: Path) -> None:
    base = tmp_path / "fashion"
    flags = ("--version-policy", "all", "--version-labels", '{"stable": 1}')
    with running_stand_in(base, *flags) as stand_in, grpc.insecure_channel(stand_in.address) as channel:
        # Without a model directory it waits for one.
        assert state(channel, 1) is None
        eventually(lambda: "has no version directories" in stand_in.log.read_text())

        # An incomplete version is available once it is complete.
        weights = copy_version(base, 1) / "variables" / "variables.data-00000-of-00001"
        content = weights.read_bytes()
        weights.write_bytes(content[: len(content) // 2])
        eventually(lambda: state(channel, 1) in ("END", "AVAILABLE"))
        weights.write_bytes(content)
        eventually(lambda: state(channel, 1) == "AVAILABLE")
        assert predicted_version(channel) == 1

        # A new version is the default; the old one is available by number and by label.
        copy_version(base, 2)
        eventually(lambda: state(channel, 2) == "AVAILABLE")
        assert predicted_version(channel) == 2
        assert predicted_version(channel, version=1) == 1
        assert predicted_version(channel, label="stable") == 1

        # A reload moves the label.
        request = model_management_pb2.ReloadConfigRequest()
        config = request.config.model_config_list.config.add(name="fashion", base_path=str(base))
        config.model_version_policy.all.SetInParent()
        config.version_labels["stable"] = 2
        model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(request, timeout=WITHIN_S)
        assert predicted_version(channel, label="stable") == 2

        # The REST status is the same.
        url = f"http://127.0.0.1:{stand_in.rest_port}/v1/models/fashion"
        with urllib.request.urlopen(url, timeout=WITHIN_S) as reply:
            versions = json.load(reply)["model_version_status"]
        assert [(item["version"], item["state"]) for item in versions] == [("2", "AVAILABLE"), ("1", "AVAILABLE")]

        # A stop signal ends it with status 0.
        stand_in.stop()
        assert "Traceback" not in stand_in.log.read_text()


def test_a_port_in_use_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        stand_in = start_stand_in(tmp_path, port=listener.getsockname()[1])
        assert stand_in.process.wait(WITHIN_S) == 1
    log = stand_in.log.read_text()
    assert "cannot listen on" in log
    assert "Traceback" not in log
