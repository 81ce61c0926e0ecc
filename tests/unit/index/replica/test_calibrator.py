"""When scales are fitted, and which one counts meanwhile."""

import asyncio
import contextlib

import numpy as np
import pytest

from services.engine.category_view import Float32Array
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from services.engine.similarity import MIN_PRODUCTS
from services.index.replica import calibrator as module
from services.index.replica.calibrator import Calibrator
from tests.support.index import CATEGORIES, MANIFEST
from tests.support.stack import eventually

WITH_THRESHOLD = MANIFEST.model_copy(update={"thresholds": {"no_close_match": 0.8}})


def vectors(count: int, spread: float, seed: int = 1) -> Float32Array:
    """Unit vectors, shape (count, 64): the larger the spread, the less alike."""
    rng = np.random.default_rng(seed)
    found = rng.standard_normal(64) + spread * rng.standard_normal((count, 64))
    units: Float32Array = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
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
    known = Calibrator(WITH_THRESHOLD, lambda: gallery)
    assert known.scale(0) is known.scale(1)
    known.calibrate()
    own, given = known.scale(0), known.scale(1)
    assert own
    assert given
    assert given.close_score == pytest.approx(0.8)
    assert own.close_score != pytest.approx(0.8, abs=0.01)


def test_without_products_and_threshold_there_is_no_scale() -> None:
    known = Calibrator(MANIFEST, lambda: filled(MIN_PRODUCTS - 1))
    known.calibrate()
    assert known.scale(0) is None


def test_nothing_is_looked_at_while_there_is_no_gallery() -> None:
    known = Calibrator(MANIFEST, lambda: None)
    known.calibrate()
    assert known.scale(0) is None


def test_a_scale_is_fitted_again_when_a_tenth_of_its_category_has_changed_and_not_before() -> None:
    gallery = filled(100)
    known = Calibrator(MANIFEST, lambda: gallery)
    known.calibrate()
    first = known.scale(0)
    add(gallery, 9, 2.0, start=100)
    known.calibrate()
    assert known.scale(0) is first
    add(gallery, 6, 2.0, start=200)
    known.calibrate()
    assert known.scale(0) is not first


def test_products_that_are_replaced_count_as_changes() -> None:
    gallery = filled(100)
    known = Calibrator(MANIFEST, lambda: gallery)
    known.calibrate()
    first = known.scale(0)
    add(gallery, 20, 3.0)
    known.calibrate()
    assert known.scale(0) is not first


def test_a_category_that_has_shrunk_falls_back_to_the_models_threshold() -> None:
    gallery = filled(MIN_PRODUCTS)
    known = Calibrator(WITH_THRESHOLD, lambda: gallery)
    known.calibrate()
    for number in range(20):
        gallery.discard(f"p{number}")
    gallery.publish()
    known.calibrate()
    assert known.scale(0) is known.scale(1)


def test_the_old_scale_serves_until_a_gallery_that_was_read_anew_has_its_own() -> None:
    galleries = [filled(100, 1.0)]
    known = Calibrator(MANIFEST, lambda: galleries[-1])
    known.calibrate()
    first = known.scale(0)
    galleries.append(filled(100, 3.0))
    assert known.scale(0) is first
    known.calibrate()
    second = known.scale(0)
    assert first
    assert second
    assert second.close_score < first.close_score


async def test_a_fit_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_INTERVAL_S", 0.01)
    monkeypatch.setattr(module, "REST_FACTOR", 0)
    gallery, calls = filled(100), [0]

    def calibrate(*given: object) -> object:
        calls[0] += 1
        if calls[0] == 1:
            raise ValueError("once")
        return original(*given)  # type: ignore[arg-type]

    original = module.calibrate
    monkeypatch.setattr(module, "calibrate", calibrate)
    known = Calibrator(MANIFEST, lambda: gallery)
    task = asyncio.create_task(known.run())
    await asyncio.to_thread(eventually, lambda: known.scale(0))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_service_that_ends_does_not_wait_for_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread goes on until its fit has noticed; what it found by then is thrown away."""
    began, told = asyncio.Event(), []
    loop = asyncio.get_running_loop()

    def calibrate(_: object, ended: object) -> None:
        loop.call_soon_threadsafe(began.set)
        told.append(eventually(ended))  # type: ignore[arg-type]

    monkeypatch.setattr(module, "calibrate", calibrate)
    known = Calibrator(WITH_THRESHOLD, lambda: gallery)
    gallery = filled(100)
    task = asyncio.create_task(known.run())
    await began.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await asyncio.to_thread(eventually, lambda: told)
    assert known.scale(0) is known.scale(1)
