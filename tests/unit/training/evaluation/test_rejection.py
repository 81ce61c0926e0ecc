import numpy as np
import pytest

from training.evaluation.rejection import at_threshold, refusing, rejection

RNG = np.random.default_rng(1)
CLOTHING = {
    "studio": RNG.uniform(0.5, 1, 300).astype(np.float32),
    "photos": RNG.uniform(0.3, 1, 100).astype(np.float32),
}
NOTHING = {"rows": RNG.uniform(0, 0.6, 200).astype(np.float32), "drawn": RNG.uniform(0, 0.2, 50).astype(np.float32)}


def test_each_kind_is_measured_apart_and_together() -> None:
    figures = rejection(CLOTHING, NOTHING, 0.4)
    assert figures["clothing"] == {"studio": 300, "photos": 100, "all": 400}
    assert {name: one["count"] for name, one in figures["against"].items()} == {"rows": 200, "drawn": 50, "all": 250}
    assert figures["against"]["drawn"]["all"] == {"auroc": 1.0, "kept": 1.0}
    rows = figures["against"]["rows"]
    pairs = CLOTHING["studio"][:, None] > NOTHING["rows"][None, :]
    assert rows["studio"]["auroc"] == pytest.approx(pairs.mean(), abs=1e-6)
    assert rows["photos"]["kept"] == pytest.approx((CLOTHING["photos"] > np.quantile(NOTHING["rows"], 0.9)).mean())
    assert rows["photos"]["auroc"] < rows["all"]["auroc"] < rows["studio"]["auroc"]


def test_the_models_own_threshold_is_told() -> None:
    told = rejection(CLOTHING, NOTHING, 0.4)["at_threshold"]
    assert told["kept"]["studio"] == 1
    assert told["refused"]["rows"] == pytest.approx((NOTHING["rows"] < 0.4).mean())
    assert rejection(CLOTHING, NOTHING, None)["at_threshold"] is None


def test_scores_are_told_by_their_quantiles() -> None:
    quantiles = rejection(CLOTHING, NOTHING, None)["quantiles"]
    assert set(quantiles["nothing"]) == {"rows", "drawn"}
    assert quantiles["clothing"]["photos"][0] == pytest.approx(CLOTHING["photos"].min(), abs=1e-4)
    assert quantiles["clothing"]["photos"][20] == pytest.approx(np.median(CLOTHING["photos"]), abs=1e-4)
    assert len(quantiles["clothing"]["studio"]) == 41


def test_a_kind_of_which_there_is_nothing_is_left_out() -> None:
    empty = np.zeros(0, np.float32)
    figures = rejection({"studio": CLOTHING["studio"], "photos": empty}, {"drawn": NOTHING["drawn"]}, None)
    assert figures["clothing"] == {"studio": 300, "all": 300}
    assert list(figures["against"]) == ["drawn", "all"]


def test_a_threshold_refuses_its_share_with_each_kind_counting_alike() -> None:
    many, few = np.linspace(0, 0.5, 1000, dtype=np.float32), np.linspace(0.5, 1, 10, dtype=np.float32)
    threshold = refusing({"many": many, "few": few}, 0.75)
    refused = at_threshold({}, {"many": many, "few": few}, threshold)["refused"]
    assert refused["many"] == 1
    assert refused["few"] == pytest.approx(0.5, abs=0.11)
