"""The parts of two pictures that make them alike: with a network whose vectors are known."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.contracts.domain.box import Box
from services.contracts.domain.errors import InvalidImage, LookalikeError
from services.contracts.images.preparation import UInt8Image
from services.contracts.wire.embedding import EXPLAINED_COLUMNS, EXPLAINED_ROWS
from services.embedding.vision.embedder import Embedder
from services.embedding.vision.explanation import covered, explain
from services.embedding.vision.network_outputs import NetworkOutputs
from tests.support.servers.tfs import manifest

CELLS = EXPLAINED_ROWS * EXPLAINED_COLUMNS
SIDE = 20  # not a multiple of the cells: they are 2 or 3 pixels wide


def with_red_cell(row: int, column: int) -> UInt8Image:
    """Return a grey picture with one red cell."""
    picture = np.full((SIDE, SIDE, 3), 100, np.uint8)
    edges = np.linspace(0, SIDE, EXPLAINED_ROWS + 1).round().astype(int)
    picture[edges[row] : edges[row + 1], edges[column] : edges[column + 1]] = (255, 0, 0)
    return picture


PICTURES = {
    b"corner": with_red_cell(0, 6),
    b"middle": with_red_cell(3, 3),
    b"grey": np.full((SIDE, SIDE, 3), 100, np.uint8),
    b"black": np.zeros((SIDE, SIDE, 3), np.uint8),
}


class Pictures:
    """Known pictures by the content of their files."""

    def __init__(self) -> None:
        self.boxes: dict[bytes, Box | None] = {}

    async def decode(
        self, files: Sequence[bytes], box: Box | None = None, *, alone: bool = False
    ) -> list[UInt8Image | LookalikeError]:
        self.boxes |= dict.fromkeys(files, box)
        return [PICTURES.get(file, InvalidImage("damaged")) for file in files]


class Redness:
    """A vector says how red a picture is, and how bright; a black picture has no direction."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def predict(self, images: UInt8Image) -> NetworkOutputs:
        self.batches.append(len(images))
        values = images.astype(np.float32)
        red = (values[..., 0] - values[..., 1]).clip(min=0).mean(axis=(1, 2))
        vectors = np.stack([20 * red, values.mean(axis=(1, 2, 3))], axis=1)
        return NetworkOutputs(np.full((len(images), 9), 1 / 9, np.float32), vectors)


def embedder(network: Redness, pictures: Pictures | None = None, chunk: int = 64) -> Embedder:
    return Embedder(manifest(), pictures or Pictures(), network, chunk)


def test_each_copy_has_another_cell_in_the_mean_colour() -> None:
    picture = with_red_cell(0, 6)
    whole, *copies = covered(picture)
    assert (whole == picture).all()
    changed = np.stack([(copy != picture).any(axis=-1) for copy in copies])
    assert len(copies) == CELLS
    assert (changed.sum(axis=0) == 1).all()  # every pixel is in one cell
    mean = picture.mean(axis=(0, 1)).round()
    assert all((copy[where] == mean).all() for copy, where in zip(copies, changed, strict=True))


def test_white_margins_stay_white() -> None:
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    picture[:, 5:15] = with_red_cell(0, 3)[:, 5:15]
    _, *copies = covered(picture)
    changed = np.stack([(copy != picture).any(axis=-1) for copy in copies])
    assert not changed[:, :, :5].any() and not changed[:, :, 15:].any()
    assert (changed[:, :, 5:15].sum(axis=0) == 1).all()
    mean = picture[:, 5:15].mean(axis=(0, 1)).round()
    assert all((copy[where] == mean).all() for copy, where in zip(copies, changed, strict=True))


@pytest.mark.parametrize("darkest", [10, 250], ids=["dark", "white"])
def test_the_cells_of_a_picture_are_of_equal_size(darkest: int) -> None:
    rows, columns = np.indices((2 * EXPLAINED_ROWS, 4 * EXPLAINED_COLUMNS))
    picture = np.stack([darkest + 4 * ((rows + columns) % 2)] * 3, axis=-1).astype(np.uint8)
    whole, *copies = covered(picture)
    assert (whole == picture).all()
    for number, copy in enumerate(copies):
        row, column = divmod(number, EXPLAINED_COLUMNS)
        expected = picture.copy()
        expected[2 * row : 2 * row + 2, 4 * column : 4 * column + 4] = darkest + 2
        np.testing.assert_array_equal(copy, expected)


@pytest.mark.parametrize(("margin", "is_covered"), [((250, 250, 250), False), ((255, 249, 255), True)])
def test_a_margin_is_white_if_no_channel_is_below_250(margin: tuple[int, int, int], is_covered: bool) -> None:
    picture = np.full((SIDE, SIDE, 3), margin, np.uint8)
    picture[2:-2, 3:-3] = 100
    _, *copies = covered(picture)
    changed = np.stack([(copy != picture).any(axis=-1) for copy in copies])
    mean = picture[2:-2, 3:-3].mean(axis=(0, 1)) if not is_covered else picture.mean(axis=(0, 1))
    assert all((copy[where] == mean.round()).all() for copy, where in zip(copies, changed, strict=True))
    is_margin = (picture != 100).any(axis=-1)
    assert (changed.any(axis=0) & is_margin).any() == is_covered


def test_a_picture_of_one_dark_pixel_has_that_part_to_cover() -> None:
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    picture[7, 11] = 0
    assert (covered(picture) == picture).all()  # its mean colour is its own


def test_a_white_picture_has_no_part_to_cover() -> None:
    assert (covered(np.full((SIDE, SIDE, 3), 255, np.uint8)) == 255).all()


async def test_covering_the_only_coloured_cell_lowers_the_similarity_most() -> None:
    network = Redness()
    explanation = await explain(embedder(network), b"corner", b"middle")
    assert explanation.query.shape == explanation.product.shape == (EXPLAINED_ROWS, EXPLAINED_COLUMNS)
    assert int(explanation.query.argmax()) == 6  # row 0, column 6
    assert int(explanation.product.argmax()) == 3 * EXPLAINED_COLUMNS + 3
    others = np.delete(explanation.query.ravel(), 6)
    assert explanation.query.max() > 5 * np.abs(others).max()
    assert network.batches == [1 + CELLS, 1 + CELLS]  # one batch a picture


async def test_each_cell_has_the_similarity_that_is_lost_when_it_is_covered() -> None:
    async def units(picture: UInt8Image) -> np.ndarray:
        vectors = (await Redness().predict(covered(picture))).vectors.astype(np.float64)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    query, product = await units(PICTURES[b"corner"]), await units(PICTURES[b"middle"])
    explanation = await explain(embedder(Redness()), b"corner", b"middle")
    assert explanation.similarity == pytest.approx(query[0] @ product[0], abs=1e-6)
    lost = explanation.similarity - query[1:] @ product[0]
    np.testing.assert_allclose(explanation.query.ravel(), lost, atol=1e-6)
    lost = explanation.similarity - product[1:] @ query[0]
    np.testing.assert_allclose(explanation.product.ravel(), lost, atol=1e-6)


async def test_a_picture_of_one_colour_has_no_part_that_counts() -> None:
    explanation = await explain(embedder(Redness()), b"grey", b"grey")
    assert explanation.similarity == pytest.approx(1)
    assert np.abs(explanation.query).max() < 1e-6


async def test_a_network_with_small_batches_gives_the_same() -> None:
    whole = await explain(embedder(Redness()), b"corner", b"middle")
    parts = await explain(embedder(Redness(), chunk=7), b"corner", b"middle")
    np.testing.assert_allclose(parts.query, whole.query, atol=1e-6)


async def test_the_box_is_a_part_of_the_querys_picture_only() -> None:
    pictures, box = Pictures(), Box(x=0, y=0, width=0.5, height=1)
    await explain(embedder(Redness(), pictures), b"corner", b"middle", box)
    assert pictures.boxes == {b"corner": box, b"middle": None}


@pytest.mark.parametrize(
    ("query", "product", "words"),
    [
        (b"?", b"grey", "the query's picture: damaged"),
        (b"grey", b"?", "the product's picture: damaged"),
        (b"grey", b"black", "the product's picture: the network returned a zero vector"),
    ],
)
async def test_a_picture_that_cannot_be_used_is_named(query: bytes, product: bytes, words: str) -> None:
    with pytest.raises(InvalidImage) as caught:
        await explain(embedder(Redness()), query, product)
    assert caught.value.detail.startswith(words)
