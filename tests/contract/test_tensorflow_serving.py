"""What the embedding service requires of TensorFlow Serving, tested with the stand-in or a real server.

With TFS_ADDRESS set, the tests use that server. It must serve the model directory TFS_MODEL_DIR (default:
models/fashion/3) under the name in its manifest. Otherwise the stand-in serves a small model, with each encoding.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from services.contracts.domain.errors import EmbeddingUnavailable, UpstreamTimeout
from services.contracts.domain.manifest import Manifest, load_manifest
from services.contracts.wire.serving_messages import prediction_service_pb2_grpc
from services.embedding.serving.model_clients import EmbeddingModelClient
from services.embedding.vision.network_outputs import NetworkOutputs
from tests.support.servers.tfs import (
    content_tensor,
    predict_request,
    running_stand_in,
    states,
    tiny_models,
    wait_until_available,
)
from tests.support.waiting import WITHIN_S

ADDRESS = os.environ.get("TFS_ADDRESS")
MODEL_DIR = Path(os.environ.get("TFS_MODEL_DIR", "models/fashion/3"))
ENCODINGS = ["real"] if ADDRESS else ["content", "field"]


@dataclass(frozen=True)
class ServingCase:
    """A server and its model."""

    address: str
    manifest: Manifest


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[dict[str, str]]:
    """The address of each server under test."""
    if ADDRESS:
        yield {"real": ADDRESS}
        return
    with ExitStack() as stack:
        base = tiny_models()
        running = {e: stack.enter_context(running_stand_in(base, "--reply-encoding", e)) for e in ENCODINGS}
        for stand_in in running.values():
            with grpc.insecure_channel(stand_in.address) as channel:
                wait_until_available(channel, version=2)
        yield {encoding: stand_in.address for encoding, stand_in in running.items()}


@pytest.fixture(params=ENCODINGS)
def served(request: pytest.FixtureRequest, stand_ins: dict[str, str]) -> ServingCase:
    manifest = load_manifest(MODEL_DIR if ADDRESS else tiny_models() / "2")
    return ServingCase(stand_ins[request.param], manifest)


@pytest.fixture
def predict(served: ServingCase) -> Iterator[Callable[..., Any]]:
    with grpc.insecure_channel(served.address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        yield lambda request: stub.Predict(request, timeout=WITHIN_S)


def pictures(served: ServingCase, count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    size = served.manifest.input
    return np.random.default_rng(seed).integers(0, 256, (count, size.height, size.width, 3), np.uint8)


def call(served: ServingCase, images: Any, *, timeout_s: float = WITHIN_S, **changes: Any) -> NetworkOutputs:
    """Call the embedding service's client, with changes of its manifest."""

    async def predict() -> NetworkOutputs:
        client = EmbeddingModelClient(served.address, served.manifest.model_copy(update=changes), timeout_s)
        try:
            return await client.predict(images)
        finally:
            await client.close()

    return asyncio.run(predict())


def refusal(predict: Callable[..., Any], request: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        predict(request)
    return caught.value.code()


def changed_request(served: ServingCase, change: Callable[[Any], Any]) -> Any:
    request = predict_request(pictures(served, 1), name=served.manifest.name)
    change(request)
    return request


@pytest.mark.parametrize("rows", [1, 2, 64])
def test_each_output_has_a_row_for_each_image(served: ServingCase, rows: int) -> None:
    outputs = call(served, pictures(served, rows))
    probabilities, vectors = outputs.probabilities, outputs.vectors
    assert probabilities.shape == (rows, len(served.manifest.categories))
    assert vectors.shape == (rows, served.manifest.dimension)
    assert probabilities.dtype == vectors.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)


def test_an_image_has_the_same_outputs_alone_and_in_a_batch(served: ServingCase) -> None:
    images = pictures(served, 33)
    together = call(served, images)
    alone = call(served, images[7:8])
    np.testing.assert_allclose(together.probabilities[7:8], alone.probabilities, atol=1e-5)
    np.testing.assert_allclose(together.vectors[7:8], alone.vectors, atol=1e-5)


def test_concurrent_clients_get_their_own_rows(served: ServingCase) -> None:
    batches = [pictures(served, rows, seed=rows) for rows in (1, 3, 5, 8, 1, 2)]
    expected = [call(served, batch).vectors for batch in batches]
    with ThreadPoolExecutor(len(batches)) as pool:
        outputs = list(pool.map(lambda batch: call(served, batch).vectors, batches * 4))
    for vectors, rows in zip(outputs, expected * 4, strict=True):
        np.testing.assert_allclose(vectors, rows, atol=1e-5)


def test_a_message_of_more_than_four_megabytes_is_accepted(served: ServingCase) -> None:
    size = served.manifest.input
    rows = 5_000_000 // (size.height * size.width * 3) + 1
    assert len(call(served, pictures(served, rows)).vectors) == rows


def test_the_reply_names_model_version_and_signature(served: ServingCase, predict: Callable[..., Any]) -> None:
    reply = predict(predict_request(pictures(served, 1), name=served.manifest.name))
    assert reply.model_spec.name == served.manifest.name
    assert reply.model_spec.version.value == served.manifest.version
    assert reply.model_spec.signature_name == "serving_default"


def test_the_output_filter_selects_the_outputs(served: ServingCase, predict: Callable[..., Any]) -> None:
    request = changed_request(served, lambda r: r.output_filter.append("vector"))
    assert list(predict(request).outputs) == ["vector"]


def test_images_can_be_sent_as_repeated_values(served: ServingCase, predict: Callable[..., Any]) -> None:
    images = pictures(served, 1)
    plain = predict_request(images, name=served.manifest.name)
    repeated = predict_request(images, name=served.manifest.name)
    repeated.inputs["image"].tensor_content = b""
    repeated.inputs["image"].int_val.extend(images.ravel().tolist())
    assert predict(repeated).outputs == predict(plain).outputs


def test_the_status_of_the_version_is_available(served: ServingCase) -> None:
    with grpc.insecure_channel(served.address) as channel:
        name, version = served.manifest.name, served.manifest.version
        assert states(channel, name)[version] == "AVAILABLE"
        assert states(channel, name, version) == {version: "AVAILABLE"}


@pytest.mark.parametrize("spec", [{"name": "no-such-model"}, {"version": 987_654}], ids=["model", "version"])
def test_the_status_of_an_unknown_model_or_version_is_not_found(served: ServingCase, spec: dict[str, Any]) -> None:
    with grpc.insecure_channel(served.address) as channel, pytest.raises(grpc.RpcError) as caught:
        states(channel, **{"name": served.manifest.name, **spec})
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def wrong_type(request: Any) -> None:
    proto = request.inputs["image"]
    shape = [dim.size for dim in proto.tensor_shape.dim]
    proto.CopyFrom(content_tensor(np.zeros(shape, np.float32)))


def wrong_shape(request: Any) -> None:
    request.inputs["image"].CopyFrom(content_tensor(np.zeros((1, 7, 7, 3), np.uint8)))


def too_few_bytes(request: Any) -> None:
    request.inputs["image"].tensor_content = b"\x00\x01\x02"


def renamed(request: Any) -> None:
    request.inputs["picture"].CopyFrom(request.inputs.pop("image"))


REFUSALS: dict[str, tuple[Callable[[Any], Any], grpc.StatusCode]] = {
    "an unknown model": (lambda r: setattr(r.model_spec, "name", "no-such-model"), grpc.StatusCode.NOT_FOUND),
    "an unknown version": (lambda r: setattr(r.model_spec.version, "value", 987_654), grpc.StatusCode.NOT_FOUND),
    "an unknown label": (lambda r: setattr(r.model_spec, "version_label", "nope"), grpc.StatusCode.INVALID_ARGUMENT),
    "no model named": (lambda r: r.ClearField("model_spec"), grpc.StatusCode.INVALID_ARGUMENT),
    "an unknown signature": (
        lambda r: setattr(r.model_spec, "signature_name", "nope"),
        grpc.StatusCode.FAILED_PRECONDITION,
    ),
    "an unknown output": (lambda r: r.output_filter.append("nope"), grpc.StatusCode.INVALID_ARGUMENT),
    "no input": (lambda r: r.inputs.clear(), grpc.StatusCode.INVALID_ARGUMENT),
    "an input of another name": (renamed, grpc.StatusCode.INVALID_ARGUMENT),
    "floats for uint8": (wrong_type, grpc.StatusCode.INVALID_ARGUMENT),
    "another size": (wrong_shape, grpc.StatusCode.INVALID_ARGUMENT),
    "too few bytes": (too_few_bytes, grpc.StatusCode.INVALID_ARGUMENT),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_an_invalid_request_has_its_status_code_and_the_server_continues(
    served: ServingCase, predict: Callable[..., Any], case: str
) -> None:
    change, code = REFUSALS[case]
    assert refusal(predict, changed_request(served, change)) is code
    assert predict(predict_request(pictures(served, 1), name=served.manifest.name)).outputs


def test_a_model_that_is_not_served_is_unavailable(served: ServingCase) -> None:
    with pytest.raises(EmbeddingUnavailable, match="has not loaded the model"):
        call(served, pictures(served, 1), version=987_654)


def test_an_output_of_another_shape_is_an_error(served: ServingCase) -> None:
    with pytest.raises(EmbeddingUnavailable, match=r"shape \(1, \d+\), not \(1, 3\)"):
        call(served, pictures(served, 1), dimension=3)


class NeverAnswers(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc]
    """A server that takes each call and holds it until `released` is set."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.released.wait()
        context.abort(grpc.StatusCode.CANCELLED, "the test is over")


def test_a_missed_deadline_is_a_timeout(served: ServingCase) -> None:
    silent = NeverAnswers()
    server = grpc.server(ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(silent, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(UpstreamTimeout, match="did not respond within"):
            call(ServingCase(f"127.0.0.1:{port}", served.manifest), pictures(served, 1), timeout_s=0.5)
    finally:
        silent.released.set()
        server.stop(grace=None).wait()
