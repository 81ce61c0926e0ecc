"""The gRPC client of one model version on TensorFlow Serving."""

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

import grpc
import numpy as np

from services.contracts.domain.errors import EmbeddingUnavailable, LookalikeError, UpstreamTimeout
from services.contracts.domain.manifest import TrainedModel
from services.contracts.images.preparation import UInt8Image
from services.contracts.web.observability import telemetry
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.contracts.web.requests.deadline import remaining_s
from services.contracts.wire.serving_messages import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from services.embedding.serving.breaker import Breaker
from services.embedding.serving.tensors import Float32Array, TensorError, read_float32, write_uint8

# The image limits bound the size of messages: gRPC's default of 4 MB is less than a batch of 224×224 images.
# Reconnecting starts after 0.1 s and takes at most 1 s, so a restarted server is reached again within 2 s.
# The default of 30 s between name resolutions is too long for a restarted container with another address.
CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
    ("grpc.enable_http_proxy", 0),  # http_proxy is for addresses outside
)
# A call has one deadline for each 16 images begun, so the largest call has four times the deadline of one image.
IMAGES_PER_DEADLINE = 16
RECONNECT_FAILURES = 4  # consecutive failures
COUNTED_S = 1.0  # a call with less time may end before a working network responds
# The rounding error of a float32 softmax. A larger excess means that the output is not a probability.
PROBABILITY_SLACK = 1e-3


class ServingClient:
    """Calls one version of one model.

    Args:
        address: host and port of TensorFlow Serving's gRPC API.
        manifest: the model; its version is requested by number.
        timeout_s: deadline of a call with up to 16 images, in seconds; it grows with each 16 images more.
        calls: measures the calls.
    """

    def __init__(
        self, address: str, manifest: TrainedModel, timeout_s: float, calls: UpstreamCalls | None = None
    ) -> None:
        self._calls = calls or UpstreamCalls()
        self._address = address
        self._manifest = manifest
        self._timeout_s = timeout_s
        self._closing: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._breaker = Breaker()
        self._responded_at = -float("inf")
        self._open()

    def _open(self) -> None:
        self._channel = grpc.aio.insecure_channel(self._address, options=CHANNEL_OPTIONS)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    @property
    def is_breaker_open(self) -> bool:
        """Whether calls fail at once, because the last ones had no response."""
        return self._breaker.is_open

    def has_responded_within(self, seconds: float) -> bool:
        """Return whether the network has run for a request, not for a check, within the last seconds."""
        return time.monotonic() - self._responded_at <= seconds

    async def close(self) -> None:
        """Close the connection and cancel the calls in progress."""
        await asyncio.gather(self._channel.close(), *self._closing)

    def record_success(self) -> None:
        """Count from 0 again: the model has responded."""
        self._failures = 0
        self._breaker.succeeded()

    def record_failure(self) -> None:
        """Count a failure; each RECONNECT_FAILURES consecutive ones open a new channel."""
        self._failures += 1
        if self._failures % RECONNECT_FAILURES == 0:
            self.reconnect()

    def reconnect(self) -> None:
        """Open a new channel; calls in progress may finish on the old one.

        gRPC waits up to two minutes before it resolves a failing name again, and it does not detect a machine that
        disappeared without closing its connections.
        """
        task = asyncio.create_task(self._channel.close(grace=self._timeout_s))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._open()

    async def run(
        self,
        images: UInt8Image,
        outputs: Mapping[str, tuple[int, ...]],
        optional: Collection[str] = (),
        *,
        probing: bool = False,
    ) -> dict[str, Float32Array]:
        """Run the network.

        Args:
            images: uint8, shape (n, height, width, 3), RGB, of the manifest's input size.
            outputs: the names of the outputs → the shape of each without its first dimension, n.
            optional: those of them that a model may lack.
            probing: whether this is a check of the model, which is made whether or not it responded before.

        Returns:
            The outputs by name, float32 and finite.

        Raises:
            EmbeddingUnavailable: TensorFlow Serving is unavailable, without the version, or its response is invalid;
                or it has not responded to the last calls.
            UpstreamTimeout: no response before the deadline.
        """
        if not probing:
            self._breaker.admit()
        request = predict_pb2.PredictRequest()
        self._address_model(request)
        write_uint8(request.inputs["image"], images)
        deadlines = -(-len(images) // IMAGES_PER_DEADLINE)
        with self._calls.timed("tfs"):
            reply = await self._call(self._predictions.Predict, request, deadlines * self._timeout_s, counted=True)
        result = {
            name: self._output(reply, name, (len(images), *shape))
            for name, shape in outputs.items()
            if name not in optional or name in reply.outputs
        }
        if not probing:
            self._responded_at = time.monotonic()
        return result

    def clipped(self, probabilities: Float32Array) -> Float32Array:
        """Return probabilities clipped to 0 and 1, which removes rounding errors.

        Raises:
            EmbeddingUnavailable: a value is outside 0 and 1 by more than a rounding error.
        """
        if probabilities.min() < -PROBABILITY_SLACK or probabilities.max() > 1 + PROBABILITY_SLACK:
            raise self.invalid_response("its probabilities are not between 0 and 1")
        return np.minimum(np.maximum(probabilities, 0), 1)

    def _output(self, reply: Any, name: str, shape: tuple[int, ...]) -> Float32Array:
        try:
            return read_float32(reply.outputs[name], shape)
        except TensorError as error:
            raise self.invalid_response(f"output {name}: {error}") from None

    async def available(self) -> bool:
        """Return whether TensorFlow Serving has loaded this version.

        Raises:
            EmbeddingUnavailable: TensorFlow Serving could not load it; or as `run`.
            UpstreamTimeout: as `run`.
        """
        request = get_model_status_pb2.GetModelStatusRequest()
        self._address_model(request)
        reply = await self._call(self._models.GetModelStatus, request, self._timeout_s)
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        for item in reply.model_version_status:
            if item.version == self._manifest.version and item.status.error_code:
                message = " ".join(item.status.error_message.split())[:300]
                raise EmbeddingUnavailable(f"TensorFlow Serving cannot load {self._manifest.model_id}: {message}")
            if item.version == self._manifest.version:
                return bool(item.state == available)
        return False

    def _address_model(self, request: Any) -> None:
        request.model_spec.name = self._manifest.name
        request.model_spec.version.value = self._manifest.version

    async def _call(self, method: Any, request: Any, timeout_s: float, *, counted: bool = False) -> Any:
        metadata = tuple((name.lower(), value) for name, value in telemetry.outgoing_headers().items())
        left_s = remaining_s(timeout_s)
        try:
            response = await method(request, timeout=left_s, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            is_late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and left_s >= min(timeout_s, COUNTED_S)
            if counted and is_late:
                self._breaker.failed()
            self._raise(error, left_s)
        if counted:
            self._breaker.succeeded()
        return response

    def _raise(self, error: grpc.aio.AioRpcError, timeout_s: float) -> NoReturn:
        code, model = error.code(), self._manifest.model_id
        telemetry.note(tfs=code.name, tfs_details=str(error.details())[:300])
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise UpstreamTimeout(f"the network did not respond within {timeout_s:.3g} s") from None
        if code is grpc.StatusCode.NOT_FOUND:
            raise EmbeddingUnavailable(f"TensorFlow Serving has not loaded the model {model}") from None
        if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION):
            raise EmbeddingUnavailable(f"TensorFlow Serving's {model} is not the model of the manifest") from None
        raise EmbeddingUnavailable("TensorFlow Serving cannot be reached or is overloaded") from None

    def invalid_response(self, detail: str) -> LookalikeError:
        """Return the error of an invalid response, and add it to the request's log line."""
        telemetry.note(tfs="invalid response", tfs_details=detail)
        return EmbeddingUnavailable(f"TensorFlow Serving's response for {self._manifest.model_id} is invalid: {detail}")
