"""When scales are fitted, and which scale is used in the meantime."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from structlog.testing import capture_logs

from services.engine.category_view import CategoryView, Float32Array
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from services.engine.similarity import MIN_PRODUCTS, SimilarityScale, calibrate
from services.index.replica import calibrator as module
from services.index.replica.calibrator import Calibrator
from tests.support.servers.index import CATEGORIES, MANIFEST
from tests.support.waiting import eventually

WITH_THRESHOLD = MANIFEST.model_copy(update={"thresholds": {"no_close_match": 0.8}})


def vectors(count: int, spread: float, seed: int = 1) -> Float32Array:
    """Unit vectors, shape (count, 64): the larger the spread, the less alike."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal(64) + spread * rng.standard_normal((count, 64))
    units: Float32Array = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return units


def filled(count: int, spread: float = 1.0, category: int = 0) -> Gallery:
    gallery = Gallery(len(CATEGORIES), 64, FaissFlat)
    add(gallery, count, spread, category)
    return gallery


def add(gallery: Gallery, count: int, spread: float = 1.0, category: int = 0, start: int = 0) -> None:
    for number, vector in enumerate(vectors(count, spread, seed=start + 1)):
        gallery.put(category, f"p{start + number}", vector, None)
    gallery.publish()


def test_a_category_with_enough_products_has_its_own_scale_and_others_the_models() -> None:
    gallery = filled(MIN_PRODUCTS)
    calibrator = Calibrator(WITH_THRESHOLD, lambda: gallery)
    assert calibrator.scale(0) is calibrator.scale(1)
    calibrator.calibrate()
    own, default = calibrator.scale(0), calibrator.scale(1)
    assert own
    assert default
    assert default.close_score == pytest.approx(0.8)
    assert own.close_score != pytest.approx(0.8, abs=0.01)


def test_a_models_threshold_for_photos_limits_the_score_of_a_close_match() -> None:
    gallery = filled(MIN_PRODUCTS)
    own = Calibrator(MANIFEST, lambda: gallery)
    own.calibrate()
    scale = own.scale(0)
    assert scale and scale.close_score > 0.2
    limited = Calibrator(MANIFEST.model_copy(update={"thresholds": {"close_photo": 0.2}}), lambda: gallery)
    limited.calibrate()
    lower = limited.scale(0)
    assert lower and lower.close_score == pytest.approx(0.2)


def test_without_products_and_threshold_there_is_no_scale() -> None:
    calibrator = Calibrator(MANIFEST, lambda: filled(MIN_PRODUCTS - 1))
    calibrator.calibrate()
    assert calibrator.scale(0) is None


def test_without_a_gallery_there_is_no_scale() -> None:
    calibrator = Calibrator(MANIFEST, lambda: None)
    calibrator.calibrate()
    assert calibrator.scale(0) is None


def test_a_scale_is_fitted_again_after_a_tenth_of_its_category_has_changed_and_not_before() -> None:
    gallery = filled(100)
    calibrator = Calibrator(MANIFEST, lambda: gallery)
    calibrator.calibrate()
    first = calibrator.scale(0)
    add(gallery, 9, 2.0, start=100)
    calibrator.calibrate()
    assert calibrator.scale(0) is first
    add(gallery, 6, 2.0, start=200)
    calibrator.calibrate()
    assert calibrator.scale(0) is not first


def test_exactly_a_tenth_of_the_products_is_not_enough_to_fit_a_scale_again() -> None:
    gallery = filled(100)
    calibrator = Calibrator(MANIFEST, lambda: gallery)
    calibrator.calibrate()
    first = calibrator.scale(0)
    add(gallery, 5, 2.0)  # replacements, each of which takes a product away and puts one
    calibrator.calibrate()
    assert calibrator.scale(0) is first
    gallery.discard("p99")
    gallery.publish()
    calibrator.calibrate()
    assert calibrator.scale(0) is not first


def test_products_that_are_replaced_count_as_changes() -> None:
    gallery = filled(100)
    calibrator = Calibrator(MANIFEST, lambda: gallery)
    calibrator.calibrate()
    first = calibrator.scale(0)
    add(gallery, 20, 3.0)
    calibrator.calibrate()
    assert calibrator.scale(0) is not first


def test_a_category_that_has_shrunk_falls_back_to_the_models_threshold() -> None:
    gallery = filled(MIN_PRODUCTS)
    calibrator = Calibrator(WITH_THRESHOLD, lambda: gallery)
    calibrator.calibrate()
    for number in range(20):
        gallery.discard(f"p{number}")
    gallery.publish()
    calibrator.calibrate()
    assert calibrator.scale(0) is calibrator.scale(1)


def test_the_scale_is_used_until_a_new_gallery_has_its_own() -> None:
    galleries = [filled(100, 1.0)]
    calibrator = Calibrator(MANIFEST, lambda: galleries[-1])
    calibrator.calibrate()
    first = calibrator.scale(0)
    galleries.append(filled(100, 3.0))
    assert calibrator.scale(0) is first
    calibrator.calibrate()
    second = calibrator.scale(0)
    assert first
    assert second
    assert second.close_score < first.close_score


@asynccontextmanager
async def running(calibrator: Calibrator) -> AsyncIterator[None]:
    task = asyncio.create_task(calibrator.run())
    try:
        yield
    finally:
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_fit_that_fails_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_INTERVAL_S", 0.01)
    monkeypatch.setattr(module, "REST_FACTOR", 0)
    gallery, calls = filled(100), [0]

    def fail_once(
        view: CategoryView, is_cancelled: Callable[[], bool], close_at_most: float | None
    ) -> SimilarityScale | None:
        calls[0] += 1
        if calls[0] == 1:
            raise ValueError("once")
        return calibrate(view, is_cancelled, close_at_most)

    monkeypatch.setattr(module, "calibrate", fail_once)
    calibrator = Calibrator(MANIFEST, lambda: gallery)
    with capture_logs() as lines:
        async with running(calibrator):
            await asyncio.to_thread(eventually, lambda: len(lines) == 2)
    assert calibrator.scale(0)
    assert [line["event"] for line in lines] == ["calibration_failed", "category_calibrated"]


async def test_a_fit_ends_with_the_service_and_its_scale_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread cannot be cancelled: the fit is asked to stop, and no other category is started."""
    started, cancelled, categories = threading.Event(), threading.Event(), list[int]()
    scale = SimilarityScale(np.array([0.0, 1.0]), np.array([0.0, 1.0]))

    def fit(view: CategoryView, is_cancelled: Callable[[], bool], close_at_most: float | None) -> SimilarityScale:
        categories.append(view.size)
        assert not is_cancelled()
        started.set()
        eventually(is_cancelled)
        cancelled.set()
        return scale

    monkeypatch.setattr(module, "calibrate", fit)
    gallery = filled(100)
    add(gallery, 100, category=1, start=1000)
    calibrator = Calibrator(WITH_THRESHOLD, lambda: gallery)
    async with running(calibrator):
        assert await asyncio.to_thread(started.wait, 20)
    assert await asyncio.to_thread(cancelled.wait, 20)
    await asyncio.get_running_loop().shutdown_default_executor()  # the thread has ended
    assert categories == [100]
    assert calibrator.scale(0) is calibrator.scale(1) is not scale


async def test_the_pause_is_a_multiple_of_the_time_of_the_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, pauses, enough = [0.0], list[float](), asyncio.Event()
    fits_s = [0.0, 2.0]

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            enough.set()
            await asyncio.Event().wait()

    async def fit() -> None:
        clock[0] += fits_s.pop(0)

    calibrator = Calibrator(MANIFEST, lambda: None)
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(calibrator, "_try_calibrate", fit)
    async with running(calibrator):
        await enough.wait()
    assert pauses == [module.CHECK_INTERVAL_S, 2.0 * module.REST_FACTOR]


def test_a_fit_is_logged_with_its_category_and_the_score_of_a_close_match() -> None:
    gallery = filled(MIN_PRODUCTS, category=2)
    calibrator = Calibrator(MANIFEST, lambda: gallery)
    with capture_logs() as lines:
        calibrator.calibrate()
    scale = calibrator.scale(2)
    assert scale
    (line,) = lines
    assert (line["event"], line["category"], line["products"]) == ("category_calibrated", "Bags", MIN_PRODUCTS)
    assert line["close_score"] == pytest.approx(scale.close_score, abs=1e-4)
    assert 0 <= line["seconds"] < 60
