import numpy as np
import pytest

from training.evaluation.rejection import at_threshold, refused_where_kept, rejection, score_above

RNG = np.random.default_rng(1)
CLOTHING = {
    "studio": RNG.uniform(0.5, 1, 300).astype(np.float32),
    "photos": RNG.uniform(0.3, 1, 100).astype(np.float32),
}
NO_CLOTHING = {"rows": RNG.uniform(0, 0.6, 200).astype(np.float32), "drawn": RNG.uniform(0, 0.2, 50).astype(np.float32)}


def test_each_kind_has_figures_alone_and_together() -> None:
    figures = rejection(CLOTHING, NO_CLOTHING, 0.4)
    assert figures["clothing"] == {"studio": 300, "photos": 100, "all": 400}
    assert {name: kind["count"] for name, kind in figures["against"].items()} == {"rows": 200, "drawn": 50, "all": 250}
    assert figures["against"]["drawn"]["all"] == {"auroc": 1.0, "kept": 1.0}
    rows = figures["against"]["rows"]
    pairs = CLOTHING["studio"][:, None] > NO_CLOTHING["rows"][None, :]
    assert rows["studio"]["auroc"] == pytest.approx(pairs.mean(), abs=1e-6)
    assert rows["photos"]["kept"] == pytest.approx((CLOTHING["photos"] > np.quantile(NO_CLOTHING["rows"], 0.9)).mean())
    assert rows["photos"]["auroc"] < rows["all"]["auroc"] < rows["studio"]["auroc"]


def test_the_figures_at_the_models_own_threshold() -> None:
    shares = rejection(CLOTHING, NO_CLOTHING, 0.4)["at_threshold"]
    assert shares["kept"]["studio"] == 1
    assert shares["rejected"]["rows"] == pytest.approx((NO_CLOTHING["rows"] < 0.4).mean())
    assert rejection(CLOTHING, NO_CLOTHING, None)["at_threshold"] is None


def test_scores_are_described_by_their_quantiles() -> None:
    quantiles = rejection(CLOTHING, NO_CLOTHING, None)["quantiles"]
    assert set(quantiles["no_clothing"]) == {"rows", "drawn"}
    assert quantiles["clothing"]["photos"][0] == pytest.approx(CLOTHING["photos"].min(), abs=1e-4)
    assert quantiles["clothing"]["photos"][20] == pytest.approx(np.median(CLOTHING["photos"]), abs=1e-4)
    assert len(quantiles["clothing"]["studio"]) == 41


def test_an_empty_kind_is_left_out() -> None:
    empty = np.zeros(0, np.float32)
    figures = rejection({"studio": CLOTHING["studio"], "photos": empty}, {"drawn": NO_CLOTHING["drawn"]}, None)
    assert figures["clothing"] == {"studio": 300, "all": 300}
    assert list(figures["against"]) == ["drawn", "all"]


def test_a_threshold_rejects_its_share_with_the_same_weight_for_each_kind() -> None:
    many, few = np.linspace(0, 0.5, 1000, dtype=np.float32), np.linspace(0.5, 1, 10, dtype=np.float32)
    threshold = score_above({"many": many, "few": few}, 0.75)
    rejected = at_threshold({}, {"many": many, "few": few}, threshold)["rejected"]
    assert rejected["many"] == 1
    assert rejected["few"] == pytest.approx(0.5, abs=0.11)


def test_the_share_refused_is_measured_where_98_per_cent_of_clothing_is_kept() -> None:
    clothing, others = np.linspace(0, 1, 1001, dtype=np.float32), np.linspace(0, 0.04, 101, dtype=np.float32)
    figures = refused_where_kept(clothing, others, 0.01)
    assert figures["refused"] == pytest.approx(0.5, abs=0.01)
    assert figures["kept_at_threshold"] == pytest.approx(0.99, abs=0.002)
    assert figures["refused_at_threshold"] == pytest.approx(0.25, abs=0.01)
    assert "kept_at_threshold" not in refused_where_kept(clothing, others, None)
