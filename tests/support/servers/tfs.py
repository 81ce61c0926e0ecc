"""TensorFlow Serving for tests: a small model, the stand-in as a process, and a server with scripted responses."""

import atexit
import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from services.contracts.domain.manifest import InputSize, Manifest
from services.contracts.wire.serving_messages import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    tensor_pb2,
    types_pb2,
)
from tests.support.waiting import WITHIN_S, eventually
from tests.support.web.ports import free_ports

ROOT = Path(__file__).resolve().parents[3]
CATEGORIES = ("Topwear", "Shoes", "Bags", "Bottomwear", "Watches", "Innerwear", "Jewellery", "Eyewear", "Socks")
INPUT = InputSize(height=16, width=16)
CANDIDATE_INPUT = InputSize(height=24, width=24)
# Version n of the tiny model: the vector holds the darkness of each of the 64 blocks of 4×4 pixels in one channel (zero
# for a white picture), and the probabilities are its first nine numbers, shifted by n places. The candidate is another
# version 2: it takes pictures of 24×24 pixels, and its vectors cannot be compared with those of the others.
_MAKE_MODELS = """
import os, sys
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import tensorflow as tf

class Tiny(tf.Module):
    def __init__(self, version):
        super().__init__()
        self.shift = tf.Variable(version, trainable=False)

    @tf.function(input_signature=[tf.TensorSpec((None, 16, 16, 3), tf.uint8, name="image")])
    def serve(self, image):
        dark = 1.0 - tf.cast(image, tf.float32) / 255.0
        pooled = tf.reshape(tf.nn.avg_pool2d(dark, 4, 4, "VALID"), (-1, 48))
        vector = tf.concat([pooled, pooled[:, :16] * 0.5], axis=1)
        return {"probabilities": tf.nn.softmax(tf.roll(vector[:, :9] * 4.0, self.shift, axis=1)), "vector": vector}

class Candidate(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None, 24, 24, 3), tf.uint8, name="image")])
    def serve(self, image):
        dark = 1.0 - tf.cast(image, tf.float32) / 255.0
        pooled = tf.reshape(tf.nn.avg_pool2d(dark, 6, 6, "VALID"), (-1, 48))
        vector = tf.roll(tf.concat([pooled * pooled, -0.5 * pooled[:, :16]], axis=1), 7, axis=1)
        return {"probabilities": tf.nn.softmax(tf.roll(pooled[:, :9] * 4.0, 2, axis=1)), "vector": vector}

model = Candidate()
tf.saved_model.save(model, f"{sys.argv[1]}/candidate/2", signatures={"serving_default": model.serve})
for version in (1, 2):
    model = Tiny(version)
    signatures = {"serving_default": model.serve, "again": model.serve}
    tf.saved_model.save(model, f"{sys.argv[1]}/{version}", signatures=signatures)
"""


def manifest(version: int = 1, **changes: Any) -> Manifest:
    """Return the tiny model's manifest."""
    facts: dict[str, Any] = {
        "name": "fashion",
        "version": version,
        "architecture": "tiny",
        "input": INPUT,
        "categories": CATEGORIES,
        "dimension": 64,
        "unit_length": False,
        "parameters": 1,
        "seed": 0,
        "command": "tests",
        "created": "2025-01-01T00:00:00Z",
    }
    return Manifest(**{**facts, **changes})


@functools.cache
def tiny_models() -> Path:
    """Return a base directory with versions 1 and 2 of the tiny model.

    It is made once for all processes that test this version of TensorFlow, and stays for later test runs.
    """
    made_of = f"{_MAKE_MODELS} {manifest(1)} {installed_version('tensorflow-serving-api')}"
    name = f"lookalike-tiny-{os.getuid()}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    base = Path(tempfile.gettempdir()) / name
    with base.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not base.exists():
            with tempfile.TemporaryDirectory(prefix=f"{name}-") as part:
                _make_models(Path(part) / "models")
                (Path(part) / "models").rename(base)
    return base


def _make_models(base: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", _MAKE_MODELS, str(base)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    for version in (1, 2):
        (base / str(version) / "manifest.json").write_text(manifest(version).model_dump_json())
    candidate = manifest(2, architecture="candidate", input=CANDIDATE_INPUT)
    (base / "candidate" / "2" / "manifest.json").write_text(candidate.model_dump_json())


def copy_version(base: Path, version: int) -> Path:
    """Copy a version of the tiny model to a base directory; return the version directory."""
    return Path(shutil.copytree(tiny_models() / str(version), base / str(version)))


def copy_candidate(base: Path) -> Path:
    """Copy the candidate to a base directory as version 2; return the version directory."""
    return Path(shutil.copytree(tiny_models() / "candidate" / "2", base / "2"))


@dataclass
class TfsStandIn:
    """A running stand-in: its process, addresses and log."""

    process: subprocess.Popen[bytes]
    port: int
    rest_port: int
    log: Path

    @property
    def address(self) -> str:
        """The address of its gRPC API."""
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop it as the supervisor does, and check its exit status."""
        self.process.terminate()
        assert self.process.wait(WITHIN_S) == 0, self.log.read_text()


def start_stand_in(base: Path, *flags: str, port: int | None = None) -> TfsStandIn:
    """Start the stand-in without waiting for it."""
    ports = free_ports(2)
    chosen = port or ports[0]
    log = Path(tempfile.mkstemp(prefix="lookalike-tfs-", suffix=".log")[1])
    atexit.register(log.unlink, missing_ok=True)
    command = [sys.executable, "-m", "services.local.tfs", "--model-base-path", str(base), "--port", str(chosen)]
    options = ["--rest-api-port", str(ports[1]), "--file-system-poll-wait-seconds", "0.1", *flags]
    with log.open("wb") as file:
        process = subprocess.Popen(command + options, stderr=file, stdout=file, cwd=ROOT)
    return TfsStandIn(process, chosen, ports[1], log)


@contextmanager
def running_stand_in(base: Path, *flags: str, port: int | None = None) -> Iterator[TfsStandIn]:
    """Run the stand-in during the block, and wait until it listens."""
    stand_in = start_stand_in(base, *flags, port=port)
    try:
        with grpc.insecure_channel(stand_in.address) as channel:
            wait_for_channel(channel, stand_in)
        yield stand_in
    finally:
        stand_in.process.kill()
        stand_in.process.wait()


def wait_for_channel(channel: grpc.Channel, stand_in: TfsStandIn) -> None:
    """Wait until the stand-in listens; fail with its log if it has exited."""

    def listens() -> bool:
        try:
            grpc.channel_ready_future(channel).result(timeout=0.2)
        except grpc.FutureTimeoutError:
            assert stand_in.process.poll() is None, stand_in.log.read_text()
            return False
        return True

    eventually(listens)


def status_request(name: str = "fashion", version: int | None = None) -> Any:
    """Return a GetModelStatusRequest."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    return request


def states(channel: grpc.Channel, name: str = "fashion", version: int | None = None) -> dict[int, str]:
    """Return the name of each version's state from GetModelStatus."""
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    reply = stub.GetModelStatus(status_request(name, version), timeout=WITHIN_S)
    names = get_model_status_pb2.ModelVersionStatus.State.Name
    return {item.version: names(item.state) for item in reply.model_version_status}


def wait_until_available(channel: grpc.Channel, version: int = 1) -> None:
    """Wait until a version of `fashion` is served."""

    def up() -> bool:
        try:
            return states(channel).get(version) == "AVAILABLE"
        except grpc.RpcError:
            return False

    eventually(up)


def predict_request(images: Any, *, name: str = "fashion", version: int | None = None, label: str = "") -> Any:
    """Return a PredictRequest for an array of images."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    if label:
        request.model_spec.version_label = label
    request.inputs["image"].CopyFrom(content_tensor(np.asarray(images)))
    return request


DTYPES = {"uint8": types_pb2.DT_UINT8, "float32": types_pb2.DT_FLOAT, "int32": types_pb2.DT_INT32}


def content_tensor(array: np.ndarray[Any, Any]) -> Any:
    """Return an array as a TensorProto of raw bytes."""
    proto = tensor_pb2.TensorProto(dtype=DTYPES[array.dtype.name], tensor_content=array.tobytes())
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def field_tensor(array: np.ndarray[Any, Any]) -> Any:
    """Return a float32 array as a TensorProto of repeated values, as TensorFlow Serving sends it."""
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=array.ravel().tolist())
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def good_reply(request: Any, encode: Callable[[Any], Any] = content_tensor) -> Any:
    """Return a reply with one row for each image: the first category is certain, the vector is 1, 0, 0, …"""
    rows = request.inputs["image"].tensor_shape.dim[0].size
    reply = predict_pb2.PredictResponse()
    reply.outputs["probabilities"].CopyFrom(encode(np.eye(1, len(CATEGORIES), dtype=np.float32).repeat(rows, axis=0)))
    reply.outputs["vector"].CopyFrom(encode(np.eye(1, 64, dtype=np.float32).repeat(rows, axis=0)))
    return reply


class ScriptedServing(
    prediction_service_pb2_grpc.PredictionServiceServicer,  # type: ignore[misc]
    model_service_pb2_grpc.ModelServiceServicer,  # type: ignore[misc]
):
    """Replies to Predict with `answer`. All versions are in `state`, except the `broken` ones, which failed to load.

    Records the requests and their metadata.
    """

    def __init__(self, answer: Callable[[Any], Any] = good_reply, state: str = "AVAILABLE") -> None:
        self.answer = answer
        self.state = state
        self.broken: dict[int, str] = {}
        self.requests: list[Any] = []
        self.metadata: list[dict[str, str]] = []

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        reply = self.answer(request)
        if isinstance(reply, grpc.StatusCode):
            context.abort(reply, "a detail that is not for the client")
        return reply

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:
        reply = get_model_status_pb2.GetModelStatusResponse()
        version = request.model_spec.version.value
        broken = self.broken.get(version, "")
        state = get_model_status_pb2.ModelVersionStatus.State.Value("END" if broken else self.state)
        item = reply.model_version_status.add(version=version, state=state)
        item.status.error_code, item.status.error_message = (2 if broken else 0), broken
        return reply


@contextmanager
def scripted_serving(serving: ScriptedServing, port: int | None = None) -> Iterator[str]:
    """Run a scripted server during the block; yields its address. Default port: a free one."""
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)]  # as TensorFlow Serving
    server = grpc.server(ThreadPoolExecutor(4), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(serving, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(serving, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port or 0}")
    server.start()
    try:
        yield f"127.0.0.1:{bound}"
    finally:
        server.stop(None).wait()
