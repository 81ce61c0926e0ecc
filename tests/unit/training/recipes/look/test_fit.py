"""Fitting and judging a look model, on garments that are drawn so that partners share a hidden style."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad

from services.look.compatibility import Compatibility
from tests.support.values.look import MANIFEST
from training.data.outfits import WornGarments, pairs
from training.evaluation import look
from training.evaluation.look import figures_on, interval
from training.recipes.look.fit import FitOptions, _choice, fit_colour, fit_projections
from training.report.look_card import card_markdown

OPTIONS = FitOptions(steps=25)
OUTFITS = 80


def drawn(seed: int = 3, *, styled: bool = True) -> WornGarments:
    """Return garments of three categories; those of a photo share a style that each category shows in other numbers."""
    rng = np.random.default_rng(seed)
    styles = rng.standard_normal((OUTFITS, 3))
    vectors, categories, photos, parts = [], [], [], []
    for category in range(3):
        shown = np.random.default_rng(category).standard_normal((3, 4))
        own = styles if styled else rng.standard_normal((OUTFITS, 3))
        vectors.append(own @ shown + 0.2 * rng.standard_normal((OUTFITS, 4)))
        categories += [category] * OUTFITS
        photos += [f"photo {number}" for number in range(OUTFITS)]
        parts += ["test" if number % 4 == 0 else "training" for number in range(OUTFITS)]
    stacked = np.concatenate(vectors)
    unit = (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)
    colours = np.full((len(unit), 3), np.nan)
    return WornGarments(np.array(categories), np.array(photos), np.array(parts), unit, unit, colours)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "DRAWS", 4)
    monkeypatch.setattr(look, "SAMPLES", 200)


def fitted(garments: WornGarments) -> Compatibility:
    means = np.zeros((3, 4))
    projections, _ = fit_projections(garments, garments.outfits("training"), means, OPTIONS, 7)
    zero = means.astype(np.float32)
    colour = np.zeros((5, 3), np.float32)
    return Compatibility(MANIFEST, projections.astype(np.float32), {"worn": zero, "studio": zero}, colour)


def test_partners_are_found_on_photos_that_the_model_has_not_seen() -> None:
    garments = drawn()
    figures = figures_on(fitted(garments), garments, "test")["worn"]
    learned, similar, chance = (
        figures["judges"][name]["fill_in_the_blank"]["mean"]
        for name in ("look model", "similarity of the vectors", "chance")
    )
    assert learned > 0.55
    assert learned > similar + 0.1
    assert chance == pytest.approx(0.25, abs=0.06)
    assert figures["gain"]["auc"]["low"] > 0
    assert figures["outfits"] == OUTFITS // 4


def test_nothing_is_learned_from_garments_that_share_no_style() -> None:
    garments = drawn(styled=False)
    figures = figures_on(fitted(garments), garments, "test")["worn"]["judges"]["look model"]
    assert figures["fill_in_the_blank"]["low"] < 0.25 < figures["fill_in_the_blank"]["high"]
    assert figures["auc"]["low"] < 0.5 < figures["auc"]["high"]


def test_the_gradients_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(5)
    x, y, other = rng.standard_normal((6, 4)), rng.standard_normal((6, 4)), rng.standard_normal((4, 4))

    def loss(numbers: np.ndarray) -> float:
        return _choice(x, y, numbers.reshape(4, 4), other, 2.0)[0]

    def gradient(numbers: np.ndarray) -> np.ndarray:
        return _choice(x, y, numbers.reshape(4, 4), other, 2.0)[1].ravel()

    assert check_grad(loss, gradient, rng.standard_normal(16)) < 1e-4


def test_the_fit_depends_on_the_seed_alone() -> None:
    garments = drawn()
    outfits = garments.outfits("training")
    first, second = (fit_projections(garments, outfits, np.zeros((3, 4)), FitOptions(steps=3), 7)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_pairs_are_garments_of_one_photo() -> None:
    garments = replace(drawn(), categories=np.array([0, 1, 2] * OUTFITS)[: 3 * OUTFITS])
    for (pair, other), positions in pairs(garments.outfits("training")).items():
        assert pair < other
        for left, right in positions.tolist():
            assert garments.photos[left] == garments.photos[right]
            assert (garments.categories[left], garments.categories[right]) == (pair, other)


def test_a_colour_is_read_out_of_vectors() -> None:
    rng = np.random.default_rng(6)
    vectors, matrix = rng.standard_normal((300, 4)), rng.standard_normal((5, 3))
    colours = np.c_[vectors, np.ones(300)] @ matrix
    np.testing.assert_allclose(fit_colour(vectors, colours), matrix, atol=0.02)


def test_the_interval_of_a_constant_is_the_constant() -> None:
    assert interval(np.full(20, 0.5), 1) == {"mean": 0.5, "low": 0.5, "high": 0.5}
    spread = interval(np.array([0.0, 1.0] * 50), 1)
    assert spread["low"] < 0.5 < spread["high"]


def test_the_card_has_the_figures_and_the_limits() -> None:
    garments = drawn()
    model = fitted(garments)
    dataset = {"street": {"name": "street-garments.zip"}, "studio": {"name": "archive.zip"}}
    card = card_markdown(
        model.manifest.model_copy(update={"metrics": figures_on(model, garments, "test"), "dataset": dataset})
    )
    assert "# look/1: which garments go together" in card
    assert "Topwear and Shoes 35" in card
    assert "(Bags), unless a request names them" in card
    assert card.count("| look model |") == 2
