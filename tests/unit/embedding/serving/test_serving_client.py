"""The client of TensorFlow Serving against a server that answers what each test tells it."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import pytest

from services.contracts.domain.errors import EmbeddingUnavailable, LookalikeError, UpstreamTimeout
from services.contracts.images.preparation import UInt8Image
from services.contracts.web import telemetry
from services.embedding.serving.model_clients import EmbeddingModelClient
from tests.support.stack import free_ports
from tests.support.tfs import (
    CATEGORIES,
    ScriptedServing,
    content_tensor,
    field_tensor,
    good_reply,
    manifest,
    scripted_serving,
)

IMAGES = np.zeros((2, 16, 16, 3), np.uint8)


async def predicted(address: str, timeout_s: float = 5, images: UInt8Image = IMAGES) -> Any:
    client = EmbeddingModelClient(address, manifest(), timeout_s)
    try:
        return await client.predict(images)
    finally:
        await client.close()


async def failure(answer: Callable[[Any], Any], timeout_s: float = 5) -> LookalikeError:
    with scripted_serving(ScriptedServing(answer)) as address, pytest.raises(LookalikeError) as caught:
        await predicted(address, timeout_s)
    return caught.value


@pytest.mark.parametrize("encode", [content_tensor, field_tensor], ids=["content", "field"])
async def test_an_answer_in_either_encoding_becomes_arrays(encode: Callable[[Any], Any]) -> None:
    with scripted_serving(ScriptedServing(lambda request: good_reply(request, encode))) as address:
        probabilities, vectors = await predicted(address)
    assert probabilities.shape == (2, 9)
    assert vectors.shape == (2, 64)
    assert probabilities[1, 0] == vectors[1, 0] == 1


async def test_the_manifests_model_is_asked_for_by_name_and_number() -> None:
    serving = ScriptedServing()
    with scripted_serving(serving) as address:
        await predicted(address)
    spec = serving.requests[0].model_spec
    assert (spec.name, spec.version.value) == ("fashion", 1)
    assert serving.requests[0].inputs["image"].tensor_content == IMAGES.tobytes()


async def test_the_requests_id_goes_along() -> None:
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
        (grpc.StatusCode.UNAVAILABLE, EmbeddingUnavailable, "cannot be reached, or is too busy"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, EmbeddingUnavailable, "too busy"),
        (grpc.StatusCode.INTERNAL, EmbeddingUnavailable, "TensorFlow Serving"),
        (grpc.StatusCode.NOT_FOUND, EmbeddingUnavailable, "has not loaded the model fashion/1"),
        (grpc.StatusCode.INVALID_ARGUMENT, EmbeddingUnavailable, "not the model of the manifest"),
        (grpc.StatusCode.FAILED_PRECONDITION, EmbeddingUnavailable, "not the model of the manifest"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, UpstreamTimeout, "did not answer within 5 s"),
    ],
)
async def test_each_status_becomes_its_error_without_the_servers_own_words(
    code: grpc.StatusCode, kind: type[LookalikeError], words: str
) -> None:
    error = await failure(lambda _: code)
    assert type(error) is kind
    assert words in error.detail
    assert "not for the caller" not in error.detail


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
async def test_an_answer_that_cannot_be_right_is_refused(answer: Callable[[Any], Any], words: str) -> None:
    error = await failure(answer)
    assert type(error) is EmbeddingUnavailable
    assert words in error.detail


async def test_probabilities_a_rounding_error_above_one_are_brought_back_to_it() -> None:
    array = np.zeros((2, len(CATEGORIES)), np.float32)
    array[:, 0] = np.nextafter(np.float32(1), np.float32(2))
    with scripted_serving(ScriptedServing(with_output("probabilities", array))) as address:
        assert (await predicted(address))[0].max() == 1


async def test_a_server_that_does_not_answer_is_given_up_at_the_deadline() -> None:
    def slow(request: Any) -> Any:
        time.sleep(0.5)
        return good_reply(request)

    assert type(await failure(slow, timeout_s=0.1)) is UpstreamTimeout


async def test_many_images_are_given_more_time_than_one() -> None:
    def slow(request: Any) -> Any:
        time.sleep(0.6)
        return good_reply(request)

    many = np.zeros((64, 80, 80, 3), np.uint8)
    with scripted_serving(ScriptedServing(slow)) as address:
        with pytest.raises(UpstreamTimeout, match=r"within 0\.1 s"):
            await predicted(address, 0.1, many[:16])
        with pytest.raises(UpstreamTimeout, match=r"within 0\.4 s"):
            await predicted(address, 0.1, many)


async def test_a_server_that_is_away_is_unavailable_at_once() -> None:
    started = time.perf_counter()
    with pytest.raises(EmbeddingUnavailable):
        await predicted(f"127.0.0.1:{free_ports(1)[0]}", timeout_s=30)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(("state", "available"), [("AVAILABLE", True), ("LOADING", False), ("END", False)])
async def test_the_version_is_available_when_the_server_says_so(state: str, available: bool) -> None:
    with scripted_serving(ScriptedServing(state=state)) as address:
        client = EmbeddingModelClient(address, manifest(), 5)
        assert await client.available() is available
        await client.close()


async def test_the_same_client_finds_a_restarted_server_again() -> None:
    port = free_ports(1)[0]
    client = EmbeddingModelClient(f"127.0.0.1:{port}", manifest(), 5)
    with scripted_serving(ScriptedServing(), port):
        await client.predict(IMAGES)
    for _ in range(5):
        with pytest.raises(EmbeddingUnavailable):
            await client.predict(IMAGES)
        await asyncio.sleep(0.05)
    with scripted_serving(ScriptedServing(), port):
        for _ in range(100):
            try:
                await client.predict(IMAGES)
                break
            except EmbeddingUnavailable:
                await asyncio.sleep(0.1)
        else:
            pytest.fail("the restarted server was not found again")
    await client.close()


async def test_a_new_channel_lets_calls_under_way_end_on_the_old_one() -> None:
    entered = threading.Event()

    def slow(request: Any) -> Any:
        entered.set()
        time.sleep(0.2)
        return good_reply(request)

    with scripted_serving(ScriptedServing(slow)) as address:
        client = EmbeddingModelClient(address, manifest(), 5)
        under_way = asyncio.create_task(client.predict(IMAGES))
        await asyncio.to_thread(entered.wait, 5)
        client.reconnect()
        assert (await client.predict(IMAGES))[1].shape == (2, 64)
        assert (await under_way)[1].shape == (2, 64)
        await client.close()
