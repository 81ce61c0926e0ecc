"""The client of TensorFlow Serving against a scripted server."""

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import pytest

from services.contracts.domain.errors import EmbeddingUnavailable, LookalikeError, UpstreamTimeout
from services.contracts.images.preparation import UInt8Image
from services.contracts.web.observability import telemetry
from services.embedding.serving.model_clients import EmbeddingModelClient
from services.embedding.serving.serving_client import ServingClient
from tests.support.servers.tfs import (
    CATEGORIES,
    ScriptedServing,
    content_tensor,
    field_tensor,
    good_reply,
    manifest,
    scripted_serving,
)
from tests.support.waiting import WITHIN_S

IMAGES = np.zeros((2, 16, 16, 3), np.uint8)


async def predicted(address: str, timeout_s: float = WITHIN_S, images: UInt8Image = IMAGES) -> Any:
    client = EmbeddingModelClient(address, manifest(), timeout_s)
    try:
        return await client.predict(images)
    finally:
        await client.close()


async def failure(answer: Callable[[Any], Any], timeout_s: float = WITHIN_S) -> LookalikeError:
    with scripted_serving(ScriptedServing(answer)) as address, pytest.raises(LookalikeError) as caught:
        await predicted(address, timeout_s)
    return caught.value


@pytest.mark.parametrize("encode", [content_tensor, field_tensor], ids=["content", "field"])
async def test_a_response_in_either_encoding_becomes_arrays(encode: Callable[[Any], Any]) -> None:
    with scripted_serving(ScriptedServing(lambda request: good_reply(request, encode))) as address:
        outputs = await predicted(address)
    assert outputs.probabilities.shape == (2, 9)
    assert outputs.vectors.shape == (2, 64)
    assert outputs.probabilities[1, 0] == outputs.vectors[1, 0] == 1
    assert outputs.other_clothing is None


@pytest.mark.parametrize("value", [0.0, 0.75])
async def test_a_model_may_return_the_probability_of_other_clothing(value: float) -> None:
    def answer(request: Any) -> Any:
        reply = good_reply(request, field_tensor)
        reply.outputs["other_clothing"].CopyFrom(field_tensor(np.full(2, value, np.float32)))
        return reply

    with scripted_serving(ScriptedServing(answer)) as address:
        outputs = await predicted(address)
    assert outputs.other_clothing.tolist() == [value, value]


@pytest.mark.parametrize("probing", [False, True])
async def test_a_request_shows_that_the_network_runs_and_a_check_does_not(probing: bool) -> None:
    with scripted_serving(ScriptedServing()) as address:
        client = EmbeddingModelClient(address, manifest(), 5)
        assert not client.has_responded_within(60)
        await client.predict(IMAGES, probing=probing)
        assert client.has_responded_within(60) is not probing
        await client.close()


async def test_messages_over_the_4_mb_of_grpc_pass_in_both_directions() -> None:
    images = np.zeros((8, 512, 512, 3), np.uint8)
    large = np.arange(8 * 200_000, dtype=np.float32).reshape(8, 200_000)
    with scripted_serving(ScriptedServing(with_output("large", large))) as address:
        client = ServingClient(address, manifest(), WITHIN_S)
        outputs = await client.run(images, {"large": (200_000,)})
        await client.close()
    assert min(images.nbytes, large.nbytes) > 6_000_000
    assert (outputs["large"] == large).all()


async def test_the_model_of_the_manifest_is_requested_by_name_and_version() -> None:
    serving = ScriptedServing()
    with scripted_serving(serving) as address:
        await predicted(address)
    spec = serving.requests[0].model_spec
    assert (spec.name, spec.version.value) == ("fashion", 1)
    assert serving.requests[0].inputs["image"].tensor_content == IMAGES.tobytes()


async def test_the_request_id_is_passed_on() -> None:
    serving = ScriptedServing()
    token = telemetry._request_id.set("abc-123")
    try:
        with scripted_serving(serving) as address:
            await predicted(address)
    finally:
        telemetry._request_id.reset(token)
    assert serving.metadata[0]["x-request-id"] == "abc-123"


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (grpc.StatusCode.UNAVAILABLE, EmbeddingUnavailable, "cannot be reached or is overloaded"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, EmbeddingUnavailable, "overloaded"),
        (grpc.StatusCode.INTERNAL, EmbeddingUnavailable, "TensorFlow Serving"),
        (grpc.StatusCode.NOT_FOUND, EmbeddingUnavailable, "has not loaded the model fashion/1"),
        (grpc.StatusCode.INVALID_ARGUMENT, EmbeddingUnavailable, "not the model of the manifest"),
        (grpc.StatusCode.FAILED_PRECONDITION, EmbeddingUnavailable, "not the model of the manifest"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, UpstreamTimeout, "did not respond within 600 s"),
    ],
)
async def test_each_status_becomes_an_error_without_the_servers_detail(
    code: grpc.StatusCode, kind: type[LookalikeError], words: str
) -> None:
    error = await failure(lambda _: code)
    assert type(error) is kind
    assert words in error.detail
    assert "not for the client" not in error.detail


def with_output(name: str, array: Any) -> Callable[[Any], Any]:
    def answer(request: Any) -> Any:
        reply = good_reply(request)
        reply.outputs[name].CopyFrom(content_tensor(array))
        return reply

    return answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (with_output("vector", np.full((2, 64), np.nan, np.float32)), "NaN"),
        (with_output("vector", np.zeros((2, 63), np.float32)), r"(2, 63), not (2, 64)"),
        (with_output("vector", np.zeros((1, 64), np.float32)), r"(1, 64), not (2, 64)"),
        (with_output("probabilities", np.zeros((2, 8), np.float32)), r"(2, 8), not (2, 9)"),
        (with_output("probabilities", np.full((2, 9), 7, np.float32)), "not between 0 and 1"),
    ],
    ids=["nan", "dimension", "rows", "categories", "logits"],
)
async def test_an_invalid_response_is_an_error(answer: Callable[[Any], Any], words: str) -> None:
    error = await failure(answer)
    assert type(error) is EmbeddingUnavailable
    assert words in error.detail


async def test_probabilities_above_one_by_a_rounding_error_are_clipped() -> None:
    array = np.zeros((2, len(CATEGORIES)), np.float32)
    array[:, 0] = np.nextafter(np.float32(1), np.float32(2))
    with scripted_serving(ScriptedServing(with_output("probabilities", array))) as address:
        assert (await predicted(address)).probabilities.max() == 1


@pytest.mark.parametrize(
    ("value", "clipped"),
    [(-0.0009, 0.0), (0.0, 0.0), (0.25, 0.25), (1.0, 1.0), (1.0009, 1.0), (-0.002, None), (1.002, None)],
)
async def test_probabilities_are_clipped_if_they_are_off_by_at_most_a_thousandth(
    value: float, clipped: float | None
) -> None:
    client = ServingClient("127.0.0.1:1", manifest(), WITHIN_S)
    probabilities = np.array([[value, 0.5]], np.float32)
    if clipped is None:
        with pytest.raises(EmbeddingUnavailable, match="not between 0 and 1"):
            client.clipped(probabilities)
    else:
        assert client.clipped(probabilities).tolist() == [[clipped, 0.5]]
    await client.close()


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """An event that a blocked response waits for; set at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_server_that_does_not_respond_is_a_timeout(released: threading.Event) -> None:
    error = await failure(lambda _: released.wait(WITHIN_S), timeout_s=0.1)
    assert type(error) is UpstreamTimeout
    assert error.detail == "the network did not respond within 0.1 s"


@pytest.mark.parametrize(("count", "deadline"), [(1, "0.1"), (16, "0.1"), (17, "0.2"), (64, "0.4")])
async def test_the_deadline_grows_with_each_16_images(released: threading.Event, count: int, deadline: str) -> None:
    images = np.zeros((count, 16, 16, 3), np.uint8)
    with (
        scripted_serving(ScriptedServing(lambda _: released.wait(WITHIN_S))) as address,
        pytest.raises(UpstreamTimeout, match=rf"within {re.escape(deadline)} s"),
    ):
        await predicted(address, 0.1, images)


async def test_a_refused_connection_is_unavailable_and_not_a_timeout() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        with pytest.raises(EmbeddingUnavailable):
            await predicted(f"127.0.0.1:{unused.getsockname()[1]}", timeout_s=WITHIN_S)


@pytest.mark.parametrize(("state", "available"), [("AVAILABLE", True), ("LOADING", False), ("END", False)])
async def test_the_version_is_available_when_the_server_says_so(state: str, available: bool) -> None:
    with scripted_serving(ScriptedServing(state=state)) as address:
        client = EmbeddingModelClient(address, manifest(), WITHIN_S)
        assert await client.available() is available
        await client.close()


async def test_the_client_reconnects_to_a_restarted_server() -> None:
    with scripted_serving(ScriptedServing()) as address:
        client = EmbeddingModelClient(address, manifest(), WITHIN_S)
        await client.predict(IMAGES)
    with pytest.raises(EmbeddingUnavailable):
        await client.predict(IMAGES)
    with scripted_serving(ScriptedServing(), port=int(address.rpartition(":")[2])):
        while True:
            try:
                await client.predict(IMAGES)
                break
            except EmbeddingUnavailable:
                await asyncio.sleep(0.1)
    await client.close()


async def test_a_new_channel_lets_calls_in_progress_finish_on_the_old_one(released: threading.Event) -> None:
    entered = threading.Event()

    def answer(request: Any) -> Any:
        if not entered.is_set():
            entered.set()
            released.wait(WITHIN_S)
        return good_reply(request)

    with scripted_serving(ScriptedServing(answer)) as address:
        client = EmbeddingModelClient(address, manifest(), WITHIN_S)
        in_progress = asyncio.create_task(client.predict(IMAGES))
        await asyncio.to_thread(entered.wait, WITHIN_S)
        client.reconnect()
        assert (await client.predict(IMAGES)).vectors.shape == (2, 64)
        released.set()
        assert (await in_progress).vectors.shape == (2, 64)
        await client.close()


def is_closed(channel: grpc.aio.Channel) -> bool:
    return bool(channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN)


async def test_each_fourth_consecutive_failure_opens_a_new_channel_and_closes_the_old_one() -> None:
    client = EmbeddingModelClient("127.0.0.1:1", manifest(), 0.01)
    channels = [client._channel]
    for _ in range(8):
        client.record_failure()
        channels.append(client._channel)
    assert [channels.index(channel) for channel in channels] == [0, 0, 0, 0, 4, 4, 4, 4, 8]
    await client.close()
    assert all(map(is_closed, channels))


async def test_a_success_restarts_the_count_of_failures() -> None:
    client = EmbeddingModelClient("127.0.0.1:1", manifest(), 0.01)
    channel = client._channel
    for _ in range(3):
        client.record_failure()
    client.record_success()
    for _ in range(3):
        client.record_failure()
    assert client._channel is channel
    await client.close()
    assert is_closed(channel)
