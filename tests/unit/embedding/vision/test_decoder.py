"""Decoding in threads: bounded, in order, and without exceptions."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageLimits
from services.embedding.vision import decoder as decoding
from services.embedding.vision.decoder import JOB_SIZE, Decoder
from tests.support.pictures import images
from tests.support.waiting import WITHIN_S

SIZE = InputSize(height=16, width=16)


async def test_pictures_are_in_the_order_of_the_files_and_broken_files_are_errors() -> None:
    decoder = Decoder(SIZE, ImageLimits(), ThreadPoolExecutor(2))
    files = [images.png(), b"", images.TEXT_NAMED_JPG, images.jpeg()] * JOB_SIZE
    decoded = await decoder.decode(files)
    slugs = [item.slug if isinstance(item, LookalikeError) else item.shape for item in decoded]
    assert slugs == [(16, 16, 3), "invalid-image", "unsupported-image", (16, 16, 3)] * JOB_SIZE


async def test_the_limits_apply() -> None:
    decoder = Decoder(SIZE, ImageLimits(max_pixels=100), ThreadPoolExecutor(1))
    assert [getattr(item, "slug", None) for item in await decoder.decode([images.png()])] == ["image-too-large"]


async def test_as_many_images_are_decoded_at_once_as_there_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    both, lock, running, max_running = threading.Barrier(2), threading.Lock(), 0, 0

    def decode_in_pairs(*_: Any) -> Any:
        nonlocal running, max_running
        with lock:
            running += 1
            max_running = max(max_running, running)
        both.wait(WITHIN_S)
        with lock:
            running -= 1
        return np.zeros((16, 16, 3), np.uint8), None

    monkeypatch.setattr(decoding, "prepare_image", decode_in_pairs)
    decoder = Decoder(SIZE, ImageLimits(), ThreadPoolExecutor(2))
    await asyncio.gather(*(decoder.decode([b"x"]) for _ in range(12)))
    assert max_running == 2


async def test_the_event_loop_runs_while_images_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, release = threading.Event(), threading.Event()

    def blocked(*_: Any) -> Any:
        entered.set()
        assert release.wait(WITHIN_S)
        return None, None

    monkeypatch.setattr(decoding, "prepare_image", blocked)
    decoder = Decoder(SIZE, ImageLimits(), ThreadPoolExecutor(1))
    task = asyncio.create_task(decoder.decode([b"x"]))
    await asyncio.to_thread(entered.wait, WITHIN_S)
    assert not task.done()
    release.set()
    await task


async def test_without_files_there_are_no_pictures() -> None:
    decoder = Decoder(SIZE, ImageLimits(), ThreadPoolExecutor(1))
    assert await decoder.decode([]) == []
