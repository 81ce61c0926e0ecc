"""One version of one model on TensorFlow Serving: one channel, explicit version, a deadline on each call."""

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn

import grpc
import numpy as np

from services.contracts.domain.errors import EmbeddingUnavailable, LookalikeError, UpstreamTimeout
from services.contracts.domain.manifest import TrainedModel
from services.contracts.images.preparation import UInt8Image
from services.contracts.web import telemetry
from services.contracts.wire.serving_messages import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from services.embedding.serving.tensors import Float32Array, TensorError, read_float32, write_uint8

# The sizes of messages are bounded by the image limits, not here: gRPC's own bound of 4 MB is less than one batch of
# 224×224 images. Reconnecting starts at 0.1 s and stays below 1 s, so a restarted server is found again within 2 s.
CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    (
        "grpc.dns_min_time_between_resolutions_ms",
        1000,
    ),  # a restarted container may have another address; 30 s otherwise
)
# A call has its deadline once for so many images begun: the most that may be sent have four times as long as one.
IMAGES_A_DEADLINE = 16
FAILURES_TO_RECONNECT = 4  # in a row
# The probabilities come out of a softmax in float32; what is further out than this is something else.
PROBABILITY_SLACK = 1e-3


class ServingClient:
    """Calls one version of one model.

    Args:
        address: host and port of TensorFlow Serving's gRPC.
        manifest: what the model is; its version is asked for by number.
        timeout_s: deadline of a call of up to 16 images, in seconds; of more, as many times as long.
    """

    def __init__(self, address: str, manifest: TrainedModel, timeout_s: float) -> None:
        self._address = address
        self._manifest = manifest
        self._timeout_s = timeout_s
        self._closing: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._open()

    def _open(self) -> None:
        self._channel = grpc.aio.insecure_channel(self._address, options=CHANNEL_OPTIONS)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    async def close(self) -> None:
        """End the connection; calls under way are cancelled."""
        await asyncio.gather(self._channel.close(), *self._closing)

    def answered(self) -> None:
        """Take note that the model answers."""
        self._failures = 0

    def failed(self) -> None:
        """Take note that it does not; now and then that means to start over."""
        self._failures += 1
        if self._failures % FAILURES_TO_RECONNECT == 0:
            self.reconnect()

    def reconnect(self) -> None:
        """Start over with a new channel; calls under way may end on the old one.

        gRPC waits longer and longer (up to two minutes) before it looks up a name again that could not be resolved, and
        it does not notice a machine that vanished without closing its connections.
        """
        task = asyncio.create_task(self._channel.close(grace=self._timeout_s))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._open()

    async def run(self, images: UInt8Image, outputs: Mapping[str, tuple[int, ...]]) -> list[Float32Array]:
        """Run the network.

        Args:
            images: uint8, shape (n, height, width, 3), RGB, of the manifest's input size.
            outputs: the outputs that are wanted, and the shape of each without its first dimension, n.

        Returns:
            The outputs in that order, float32 and finite.

        Raises:
            EmbeddingUnavailable: TensorFlow Serving is away, does not serve this version, or answers nonsense.
            UpstreamTimeout: no answer within the deadline.
        """
        request = predict_pb2.PredictRequest()
        self._address_model(request)
        write_uint8(request.inputs["image"], images)
        deadlines = -(-len(images) // IMAGES_A_DEADLINE)
        reply = await self._call(self._predictions.Predict, request, deadlines * self._timeout_s)
        return [self._output(reply, name, (len(images), *shape)) for name, shape in outputs.items()]

    def probable(self, probabilities: Float32Array) -> Float32Array:
        """Return probabilities without what rounding adds beyond 0 and 1.

        Raises:
            EmbeddingUnavailable: they are further out than that.
        """
        if ((probabilities < -PROBABILITY_SLACK) | (probabilities > 1 + PROBABILITY_SLACK)).any():
            raise self.nonsense("its probabilities are not between 0 and 1")
        return np.clip(probabilities, 0, 1)

    def _output(self, reply: Any, name: str, shape: tuple[int, ...]) -> Float32Array:
        try:
            return read_float32(reply.outputs[name], shape)
        except TensorError as error:
            raise self.nonsense(f"output {name}: {error}") from None

    async def available(self) -> bool:
        """Return whether TensorFlow Serving has loaded this version.

        Raises:
            EmbeddingUnavailable: it has tried and could not; or as for `predict`.
            UpstreamTimeout: as for `predict`.
        """
        request = get_model_status_pb2.GetModelStatusRequest()
        self._address_model(request)
        reply = await self._call(self._models.GetModelStatus, request, self._timeout_s)
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        for item in reply.model_version_status:
            if item.version == self._manifest.version and item.status.error_code:
                said = " ".join(item.status.error_message.split())[:300]
                raise EmbeddingUnavailable(f"TensorFlow Serving cannot load {self._manifest.model_id}: {said}")
            if item.version == self._manifest.version:
                return bool(item.state == available)
        return False

    def _address_model(self, request: Any) -> None:
        request.model_spec.name = self._manifest.name
        request.model_spec.version.value = self._manifest.version

    async def _call(self, method: Any, request: Any, timeout_s: float) -> Any:
        metadata = tuple((name.lower(), value) for name, value in telemetry.outgoing_headers().items())
        try:
            return await method(request, timeout=timeout_s, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            self._raise(error, timeout_s)

    def _raise(self, error: grpc.aio.AioRpcError, timeout_s: float) -> NoReturn:
        code, model = error.code(), self._manifest.model_id
        telemetry.note(tfs=code.name, tfs_details=str(error.details())[:300])
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise UpstreamTimeout(f"the network did not answer within {timeout_s:g} s") from None
        if code is grpc.StatusCode.NOT_FOUND:
            raise EmbeddingUnavailable(f"TensorFlow Serving has not loaded the model {model}") from None
        if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION):
            raise EmbeddingUnavailable(f"TensorFlow Serving's {model} is not the model of the manifest") from None
        raise EmbeddingUnavailable("TensorFlow Serving cannot be reached, or is too busy") from None

    def nonsense(self, what: str) -> LookalikeError:
        """Return the error of an answer that makes no sense, and note why."""
        telemetry.note(tfs="nonsense", tfs_details=what)
        return EmbeddingUnavailable(f"TensorFlow Serving's answer for {self._manifest.model_id} cannot be used: {what}")
