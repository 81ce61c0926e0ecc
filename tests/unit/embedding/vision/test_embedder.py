"""Files → embeddings: order, broken files, chunks, and vectors of unit length."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from services.catalogue.product import unit_vector
from services.contracts.domain.box import Box
from services.contracts.domain.errors import EmbeddingUnavailable, InvalidImage, LookalikeError
from services.contracts.images.preparation import UInt8Image
from services.embedding.vision import embedder as embedder_module
from services.embedding.vision.embedder import CONCURRENT_CHUNKS, Embedder, ImageEmbedding, outcomes_of
from services.embedding.vision.network_outputs import NetworkOutputs
from tests.support.servers.tfs import manifest
from tests.support.waiting import WITHIN_S


class FakeDecoder:
    """A file is a number, which becomes the grey of its picture; `bad` cannot be decoded."""

    def __init__(self) -> None:
        self.alone: list[bool] = []

    async def decode(
        self, files: Sequence[bytes], box: Box | None = None, *, alone: bool = False
    ) -> list[UInt8Image | LookalikeError]:
        self.alone.append(alone)
        return [InvalidImage(f"bad {f!r}") if f == b"bad" else np.full((2, 2, 3), int(f), np.uint8) for f in files]


class FakeNetwork:
    """The number of a picture is the position of the one in its vector, and its category."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.running = 0
        self.max_running = 0
        self.fails = False

    async def predict(self, images: UInt8Image) -> NetworkOutputs:
        self.batches.append(len(images))
        self.running += 1
        self.max_running = max(self.max_running, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if self.fails:
            raise EmbeddingUnavailable("unavailable")
        numbers = images[:, 0, 0, 0]
        probabilities, vectors = np.eye(9, dtype=np.float32), np.eye(64, dtype=np.float32)
        return NetworkOutputs(probabilities[numbers % 9], 5 * vectors[numbers % 64])


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


def embedder(network: FakeNetwork, chunk: int = 64) -> Embedder:
    return Embedder(manifest(), FakeDecoder(), network, chunk)


def position(outcome: object) -> int:
    assert isinstance(outcome, ImageEmbedding)
    return int(outcome.vector.argmax())


async def test_outcomes_are_in_the_order_of_the_files(network: FakeNetwork) -> None:
    files = [str(n).encode() for n in range(50)]
    timed = await embedder(network, chunk=8).embed(files)
    assert [position(outcome) for outcome in timed.outcomes] == list(range(50))
    assert network.batches == [8, 8, 8, 8, 8, 8, 2]
    assert network.max_running > 1  # the chunks run concurrently


async def test_the_chunks_in_the_network_are_limited_and_single_images_overtake_them(
    network: FakeNetwork,
) -> None:
    service = embedder(network, chunk=4)
    batch = asyncio.create_task(service.embed([b"1"] * 4 * 3 * CONCURRENT_CHUNKS))
    await asyncio.sleep(0)
    await service.embed([b"2"])
    assert not batch.done() and network.batches.index(1) <= CONCURRENT_CHUNKS
    assert len((await batch).outcomes) == 4 * 3 * CONCURRENT_CHUNKS
    assert network.batches.count(4) == 3 * CONCURRENT_CHUNKS
    assert network.max_running <= CONCURRENT_CHUNKS + 1


async def test_a_single_image_does_not_wait_for_the_chunks_of_batches(network: FakeNetwork) -> None:
    may_end, predict = asyncio.Event(), network.predict

    async def held_up(images: UInt8Image) -> NetworkOutputs:
        if len(images) > 1:
            await may_end.wait()
        return await predict(images)

    network.predict = held_up  # type: ignore[method-assign]
    service = embedder(network, chunk=2)
    batch = asyncio.create_task(service.embed([b"1"] * 2 * CONCURRENT_CHUNKS))
    await asyncio.sleep(0)
    for _ in range(2):
        async with asyncio.timeout(WITHIN_S):
            assert len((await service.embed([b"2"])).outcomes) == 1
        assert not batch.done()
    may_end.set()
    assert len((await batch).outcomes) == 2 * CONCURRENT_CHUNKS


async def test_pictures_are_embedded_a_chunk_at_a_time(network: FakeNetwork) -> None:
    pictures = np.arange(5, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    outcomes = await embedder(network, chunk=2).embed_pictures(pictures)
    assert [position(outcome) for outcome in outcomes] == [0, 1, 2, 3, 4]
    assert network.batches == [2, 2, 1]


async def test_a_broken_file_gets_its_error_and_the_others_are_embedded(network: FakeNetwork) -> None:
    timed = await embedder(network, chunk=2).embed([b"1", b"bad", b"bad", b"bad", b"4"])
    kinds = [outcome.slug if isinstance(outcome, LookalikeError) else position(outcome) for outcome in timed.outcomes]
    assert kinds == [1, "invalid-image", "invalid-image", "invalid-image", 4]
    assert network.batches == [1, 1]


async def test_the_network_is_not_called_without_images(network: FakeNetwork) -> None:
    assert len((await embedder(network).embed([b"bad"])).outcomes) == 1
    assert (await embedder(network).embed([])).outcomes == []
    assert network.batches == []


async def test_an_unavailable_network_fails_the_whole_request(network: FakeNetwork) -> None:
    network.fails = True
    with pytest.raises(EmbeddingUnavailable):
        await embedder(network).embed([b"1", b"2"])


async def test_the_times_of_the_stages_are_summed_over_the_chunks(
    network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 10.0, 11.0, 13.0, 31.0])  # start and end of decoding of each chunk, then the ends
    monkeypatch.setattr(embedder_module, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    timed = await embedder(network, chunk=1).embed([b"1", b"2"])
    assert (timed.decode_ms, timed.network_ms) == (1000 + 1000, 12_000 + 20_000)


def test_vectors_have_unit_length_as_in_the_catalogue() -> None:
    rng = np.random.default_rng(3)
    raw = (rng.normal(size=(40, 64)) * 10.0 ** rng.integers(-15, 15, (40, 1))).astype(np.float32)
    outcomes = outcomes_of(NetworkOutputs(np.full((40, 9), 1 / 9, np.float32), raw))
    for outcome, row in zip(outcomes, raw, strict=True):
        assert isinstance(outcome, ImageEmbedding)
        assert outcome.vector.dtype == np.float32
        assert abs(np.linalg.norm(outcome.vector.astype(np.float64)) - 1) < 1e-6
        np.testing.assert_allclose(outcome.vector, unit_vector(row), rtol=1e-6)


def test_the_category_is_the_most_probable() -> None:
    probabilities = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]], np.float32)
    outcomes = outcomes_of(NetworkOutputs(probabilities, np.ones((2, 4), np.float32)))
    assert [outcome.category for outcome in outcomes if isinstance(outcome, ImageEmbedding)] == [2, 0]


def test_a_zero_vector_is_an_invalid_image_and_the_others_are_embedded() -> None:
    vectors = np.zeros((3, 4), np.float32)
    vectors[1] = 2
    with np.errstate(all="raise"):
        outcomes = outcomes_of(NetworkOutputs(np.full((3, 9), 1 / 9, np.float32), vectors))
    assert [isinstance(outcome, InvalidImage) for outcome in outcomes] == [True, False, True]
    assert "zero vector" in str(outcomes[0])


def test_each_image_keeps_its_probability_of_other_clothing() -> None:
    probabilities, vectors = np.full((2, 9), 1 / 9, np.float32), np.ones((2, 4), np.float32)
    outcomes = outcomes_of(NetworkOutputs(probabilities, vectors, np.array([0.25, 0.75], np.float32)))
    assert [outcome.other_clothing for outcome in outcomes if isinstance(outcome, ImageEmbedding)] == [0.25, 0.75]
    without = outcomes_of(NetworkOutputs(probabilities, vectors))
    assert [outcome.other_clothing for outcome in without if isinstance(outcome, ImageEmbedding)] == [None, None]


async def test_the_decoder_knows_whether_a_request_is_alone(network: FakeNetwork) -> None:
    decoder = FakeDecoder()
    service = Embedder(manifest(), decoder, network, 64)
    await service.embed([b"1"])
    await asyncio.gather(service.embed([b"1"]), service.embed([b"2"]))
    network.fails = True
    with pytest.raises(EmbeddingUnavailable):
        await service.embed([b"1"])
    network.fails = False
    await service.embed([b"1"])
    assert decoder.alone == [True, True, False, True, True]
