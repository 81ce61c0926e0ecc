"""The harmony of colours."""

import numpy as np
import pytest

from services.look.colours import NEUTRAL, OPPOSITE, harmony, lab

RED, GREEN, BLACK, WHITE = ([200, 30, 30], [30, 150, 60], [10, 10, 10], [250, 250, 250])


def of(*rgb: list[int]) -> np.ndarray:
    return lab(np.array(rgb, np.float64))


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ([255, 255, 255], (100, 0, 0)),
        ([0, 0, 0], (0, 0, 0)),
        ([255, 0, 0], (53.24, 80.09, 67.20)),
        ([0, 255, 0], (87.73, -86.18, 83.18)),
        ([0, 0, 255], (32.30, 79.19, -107.86)),
        ([119, 119, 119], (50.03, 0, 0)),
        ([5, 5, 5], (1.37, 0, 0)),  # so dark that both curves are straight lines
        ([10, 0, 0], (0.58, 2.62, 0.92)),
    ],
)
def test_known_colours_in_cielab(rgb: list[int], expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(of(rgb)[0], expected, atol=0.05)


def polar(hue: float, chroma: float = 60) -> np.ndarray:
    return np.array([50, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))])


def test_equal_hues_go_together_best_then_opposite_ones_and_others_least() -> None:
    base = polar(20)
    scores = [float(harmony(base, polar(20 + turn))) for turn in (0, 15, 180, 90)]
    assert scores[0] == pytest.approx(1, abs=0.01)
    assert scores[0] > scores[1] > scores[2] > scores[3]
    assert scores[2] == pytest.approx(OPPOSITE, abs=0.01)
    assert scores[3] < 0.05


@pytest.mark.parametrize(
    ("turn", "chroma", "expected"),
    [
        # Two garments of strong colours: a standard deviation, and two, from the same and from the opposite hue.
        (30, 100, np.exp(-0.5)),
        (60, 100, np.exp(-2)),
        (180, 100, 0.6),
        (155, 100, 0.6 * np.exp(-0.5)),
        (230, 100, 0.6 * np.exp(-2)),
        # Between grey and coloured: half neutral at 14.
        (0, 14, 0.5 * 0.8 + 0.5),
        (180, 14, 0.5 * 0.8 + 0.5 * 0.6),
        (0, 18, (0.8 + np.e) / (1 + np.e)),
        (0, 10, (0.8 * np.e + 1) / (1 + np.e)),
    ],
)
def test_harmony_falls_off_by_the_widths_of_the_templates(turn: float, chroma: float, expected: float) -> None:
    assert harmony(polar(20, chroma), polar(20 + turn, chroma)) == pytest.approx(expected, abs=2e-3)


def test_the_more_neutral_colour_of_two_counts() -> None:
    for first, other in ((14, 100), (100, 14)):
        assert harmony(polar(0, first), polar(90, other)) == pytest.approx(0.4, abs=0.01)


def test_hues_are_compared_around_the_circle() -> None:
    assert harmony(polar(179), polar(-179)) == pytest.approx(float(harmony(polar(0), polar(2))))


def test_neutral_colours_go_with_every_colour() -> None:
    for neutral in (BLACK, WHITE):
        for colour in (RED, GREEN, BLACK):
            assert harmony(of(neutral)[0], of(colour)[0]) == pytest.approx(NEUTRAL, abs=0.1)


def test_harmony_is_symmetric_and_between_0_and_1() -> None:
    colours = lab(np.random.default_rng(2).uniform(0, 255, (40, 3)))
    scores = harmony(colours[:, None], colours[None])
    np.testing.assert_allclose(scores, scores.T)
    assert scores.min() >= 0
    assert scores.max() <= 1
