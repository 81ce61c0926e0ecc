import numpy as np
import pytest
from PIL import Image

from training.data.composing.unusual import CHANGES, DRAWINGS, SIDE, collage, dressed, on_its_side, upside_down

WIDTH, HEIGHT = 90, 120
COLOURS = ((200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30))


def photo() -> Image.Image:
    """A dark rectangle above the middle of a bright picture."""
    picture = np.full((HEIGHT, WIDTH, 3), 220, np.uint8)
    picture[20:60, 20:70] = (40, 60, 120)
    return Image.fromarray(picture)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_depends_on_the_seed_alone_and_shows_another_picture(name: str) -> None:
    first, second = (np.asarray(CHANGES[name](photo(), np.random.default_rng(1))) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.uint8 and first.shape[2] == 3
    assert first.shape != (HEIGHT, WIDTH, 3) or (first != np.asarray(photo())).mean() > 0.05


def test_turned_photos_have_the_same_pixels() -> None:
    rng = np.random.default_rng(1)
    np.testing.assert_array_equal(upside_down(photo(), rng), np.asarray(photo())[::-1, ::-1])
    np.testing.assert_array_equal(on_its_side(photo(), rng), np.rot90(np.asarray(photo())))


def test_a_photo_at_night_is_dark() -> None:
    assert np.asarray(CHANGES["at night"](photo(), np.random.default_rng(1))).mean() < 60


def test_a_collage_shows_its_photos_in_four_quarters() -> None:
    whole = np.asarray(collage([Image.new("RGB", (30, 50), colour) for colour in COLOURS]))
    middles = [whole[y, x] for y in (SIDE // 2, 3 * SIDE // 2) for x in (SIDE // 2, 3 * SIDE // 2)]
    assert [tuple(colour) for colour in middles] == list(COLOURS)


def test_a_garment_covers_the_lower_half_of_a_pet_where_it_is_opaque() -> None:
    pet, garment = np.full((100, 100, 3), 90, np.uint8), np.full((20, 20, 3), 250, np.uint8)
    alpha = np.zeros((20, 20), np.uint8)
    alpha[5:15, 5:15] = 255
    picture = np.asarray(dressed(pet, garment, alpha))
    assert (picture[:45] == 90).all() and (picture[72, 50] == 250).all() and (picture[95, 25] == 90).all()


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_differ_from_each_other(name: str) -> None:
    rng = np.random.default_rng(1)
    first, second = (np.asarray(DRAWINGS[name](rng)) for _ in range(2))
    assert first.shape == second.shape == (SIDE, SIDE, 3)
    assert (first != second).mean() > 0.5
