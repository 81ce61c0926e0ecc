"""Files to embeddings: order, broken files, chunks, and vectors of unit length."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from services.catalogue.product import unit_vector
from services.contracts.domain.box import Box
from services.contracts.domain.errors import EmbeddingUnavailable, InvalidImage, LookalikeError
from services.contracts.images.preparation import UInt8Image
from services.embedding.vision.embedder import PARTS_AT_ONCE, Embedder, Float32Array, ImageEmbedding, read
from tests.support.tfs import manifest


class FakeDecoder:
    """A file is its number; `bad` ones cannot be decoded."""

    async def decode(self, files: Sequence[bytes], box: Box | None = None) -> list[UInt8Image | LookalikeError]:
        return [InvalidImage(f"bad {f!r}") if f == b"bad" else np.full((2, 2, 3), int(f), np.uint8) for f in files]


class FakeNetwork:
    """The vector of a picture points at its number; the category too."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.running = 0
        self.most_running = 0
        self.fails = False

    async def predict(self, images: UInt8Image) -> tuple[Float32Array, Float32Array]:
        self.batches.append(len(images))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await asyncio.sleep(0.01)
        self.running -= 1
        if self.fails:
            raise EmbeddingUnavailable("away")
        numbers = images[:, 0, 0, 0]
        return np.eye(9, dtype=np.float32)[numbers % 9], 5 * np.eye(64, dtype=np.float32)[numbers % 64]


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


def embedder(network: FakeNetwork, chunk: int = 64) -> Embedder:
    return Embedder(manifest(), FakeDecoder(), network, chunk)


def position(outcome: object) -> int:
    assert isinstance(outcome, ImageEmbedding)
    return int(outcome.vector.argmax())


async def test_outcomes_come_in_the_order_of_the_files_whatever_the_chunks(network: FakeNetwork) -> None:
    files = [str(n).encode() for n in range(50)]
    timed = await embedder(network, chunk=8).embed(files)
    assert [position(outcome) for outcome in timed.outcomes] == list(range(50))
    assert network.batches == [8, 8, 8, 8, 8, 8, 2]
    assert network.most_running > 1  # one part is decoded while another is in the network


async def test_so_many_parts_of_batches_are_in_the_network_at_once_and_single_images_pass_them(
    network: FakeNetwork,
) -> None:
    service = embedder(network, chunk=4)
    batch = asyncio.create_task(service.embed([b"1"] * 4 * 3 * PARTS_AT_ONCE))
    await asyncio.sleep(0)
    await service.embed([b"2"])
    assert not batch.done() and network.batches.index(1) <= PARTS_AT_ONCE
    assert len((await batch).outcomes) == 4 * 3 * PARTS_AT_ONCE
    assert network.batches.count(4) == 3 * PARTS_AT_ONCE
    assert network.most_running <= PARTS_AT_ONCE + 1


async def test_a_broken_file_gets_its_error_and_the_others_go_through(network: FakeNetwork) -> None:
    timed = await embedder(network, chunk=2).embed([b"1", b"bad", b"bad", b"bad", b"4"])
    kinds = [outcome.slug if isinstance(outcome, LookalikeError) else position(outcome) for outcome in timed.outcomes]
    assert kinds == [1, "invalid-image", "invalid-image", "invalid-image", 4]
    assert network.batches == [1, 1]


async def test_the_network_is_not_called_for_nothing(network: FakeNetwork) -> None:
    assert len((await embedder(network).embed([b"bad"])).outcomes) == 1
    assert (await embedder(network).embed([])).outcomes == []
    assert network.batches == []


async def test_a_network_that_is_away_fails_the_whole_request(network: FakeNetwork) -> None:
    network.fails = True
    with pytest.raises(EmbeddingUnavailable):
        await embedder(network).embed([b"1", b"2"])


async def test_the_stages_are_timed(network: FakeNetwork) -> None:
    timed = await embedder(network).embed([b"1"])
    assert timed.network_ms >= 9  # the network here sleeps for 10 ms
    assert timed.decode_ms > 0


def test_vectors_come_out_at_unit_length_as_the_catalogue_makes_them() -> None:
    rng = np.random.default_rng(3)
    raw = (rng.normal(size=(40, 64)) * 10.0 ** rng.integers(-15, 15, (40, 1))).astype(np.float32)
    outcomes = read(np.full((40, 9), 1 / 9, np.float32), raw)
    for outcome, row in zip(outcomes, raw, strict=True):
        assert isinstance(outcome, ImageEmbedding)
        assert outcome.vector.dtype == np.float32
        assert abs(np.linalg.norm(outcome.vector.astype(np.float64)) - 1) < 1e-6
        np.testing.assert_allclose(outcome.vector, unit_vector(row), rtol=1e-6)


def test_the_category_is_the_most_probable_one() -> None:
    probabilities = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]], np.float32)
    outcomes = read(probabilities, np.ones((2, 4), np.float32))
    assert [outcome.category for outcome in outcomes if isinstance(outcome, ImageEmbedding)] == [2, 0]


def test_a_vector_without_direction_is_the_images_fault_and_spoils_no_other() -> None:
    vectors = np.zeros((3, 4), np.float32)
    vectors[1] = 2
    outcomes = read(np.full((3, 9), 1 / 9, np.float32), vectors)
    assert [isinstance(outcome, InvalidImage) for outcome in outcomes] == [True, False, True]
    assert "sees nothing" in str(outcomes[0])
