"""Decoding in threads: bounded, in order, and never raising."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageLimits
from services.embedding.vision import decoder as decoding
from services.embedding.vision.decoder import JOB_SIZE, Decoder
from tests.support import images

SIZE = InputSize(height=16, width=16)


async def test_files_come_out_in_order_and_broken_ones_as_their_errors() -> None:
    decoder = Decoder(SIZE, ImageLimits(), ThreadPoolExecutor(2))
    files = [images.png(), b"", images.TEXT_NAMED_JPG, images.jpeg()] * JOB_SIZE
    decoded = await decoder.decode(files)
    slugs = [item.slug if isinstance(item, LookalikeError) else item.shape for item in decoded]
    assert slugs == [(16, 16, 3), "invalid-image", "unsupported-image", (16, 16, 3)] * JOB_SIZE


async def test_the_services_own_limits_hold() -> None:
    decoder = Decoder(SIZE, ImageLimits(max_pixels=100), ThreadPoolExecutor(1))
    assert [getattr(item, "slug", None) for item in await decoder.decode([images.png()])] == ["image-too-large"]


async def test_no_more_images_are_decoded_at_a_time_than_there_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def slow(*_: Any) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return np.zeros((16, 16, 3), np.uint8), None

    monkeypatch.setattr(decoding, "prepare_image", slow)
    decoder = Decoder(SIZE, ImageLimits(), ThreadPoolExecutor(2))
    await asyncio.gather(*(decoder.decode([b"x"]) for _ in range(12)))
    assert most == 2


async def test_the_event_loop_goes_on_while_images_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(decoding, "prepare_image", lambda *_: release.wait(10) and (None, None))
    decoder = Decoder(SIZE, ImageLimits(), ThreadPoolExecutor(1))
    task = asyncio.create_task(decoder.decode([b"x"]))
    await asyncio.sleep(0.05)
    assert not task.done()
    release.set()
    await task


async def test_nothing_is_decoded_of_nothing() -> None:
    decoder = Decoder(SIZE, ImageLimits(), ThreadPoolExecutor(1))
    assert await decoder.decode([]) == []
