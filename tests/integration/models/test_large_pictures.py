"""The process that decodes large pictures: its results, its limits, and its end."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.contracts.domain.box import Box
from services.contracts.domain.errors import ImageTooLarge, InvalidImage, InvalidRequest, TooManyRequests
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageLimits, prepare_image
from services.embedding.vision import large_pictures
from services.embedding.vision.decode_worker import MARGIN_BYTES, NICENESS
from services.embedding.vision.decoder import Decoder
from services.embedding.vision.large_pictures import COMMAND, LargePictures
from tests.support.pictures import images
from tests.support.waiting import eventually

SIZE = InputSize(height=64, width=64)
LIMITS = ImageLimits()
PICTURE = images.encode(images.garment(3000, 3000).convert("RGBA"), "PNG")
# The worker with another decoder, which gets the file's first byte as its order.
OTHER_DECODER = """
import pathlib, sys, time
import services.embedding.vision.decode_worker as worker
from services.contracts.images.preparation import prepare_image

def decode(file, *arguments):
    if file.startswith(b"memory"):
        bytearray({too_much})
    while file.startswith(b"work"):
        pass
    if file.startswith(b"wait"):
        pathlib.Path(file[5:].decode()).touch()
        time.sleep(600)
    if file.startswith(b"exit"):
        sys.exit(3)
    return prepare_image(file, *arguments)

worker.prepare_image = decode
worker.main()
"""


@asynccontextmanager
async def running(cpu_s: int = 20, command: tuple[str, ...] = COMMAND) -> AsyncIterator[LargePictures]:
    large = LargePictures(cpu_s, command)
    try:
        yield large
    finally:
        await large.close()


def with_other_decoder() -> tuple[str, ...]:
    return (sys.executable, "-c", OTHER_DECODER.format(too_much=LIMITS.max_memory_bytes + 2 * MARGIN_BYTES))


def resident_mb(pid: int | None) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1000


async def gone(pid: int) -> None:
    await asyncio.to_thread(eventually, lambda: not Path(f"/proc/{pid}").exists())


async def test_the_result_is_that_of_decoding_in_this_process() -> None:
    async with running() as large:
        for box in (None, Box(x=0.1, y=0.2, width=0.5, height=0.6)):
            picture, facts = await large.prepare(PICTURE, SIZE, LIMITS, box)
            expected, expected_facts = prepare_image(PICTURE, SIZE, LIMITS, box)
            assert np.array_equal(picture, expected)
            assert facts == expected_facts


async def test_errors_are_those_of_decoding_in_this_process() -> None:
    async with running() as large:
        with pytest.raises(InvalidImage, match="damaged or cut short"):
            await large.prepare(PICTURE[: len(PICTURE) // 2], SIZE, LIMITS)
        pid = large.pid
        with pytest.raises(InvalidRequest, match="box"):
            await large.prepare(PICTURE, SIZE, LIMITS, Box(x=0, y=0, width=0.0001, height=1))
        assert large.pid == pid  # an error does not end the process
        assert pid is not None
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)


async def test_a_decoder_of_a_service_hands_on_only_large_pictures() -> None:
    small = images.jpeg()
    async with running() as large:
        with ThreadPoolExecutor(1) as threads:
            decoder = Decoder(SIZE, LIMITS, threads, large)
            first = await decoder.decode([small])
            assert large.pid is None
            second = await decoder.decode([small, PICTURE, b"", small])
            assert large.pid is not None
    assert np.array_equal(np.asarray(second[0]), np.asarray(first[0]))
    assert np.array_equal(np.asarray(second[1]), prepare_image(PICTURE, SIZE)[0])
    assert isinstance(second[2], InvalidImage)


@pytest.mark.parametrize("order", [b"work", b"exit"])
async def test_a_process_that_reaches_its_limit_is_an_error_and_the_next_picture_is_decoded(order: bytes) -> None:
    async with running(cpu_s=1, command=with_other_decoder()) as large:
        with pytest.raises(ImageTooLarge, match="too much memory or processor time"):
            await large.prepare(order, SIZE, LIMITS)
        assert (await large.prepare(images.jpeg(), SIZE, LIMITS))[0].shape == (64, 64, 3)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux says how much memory a process uses")
async def test_memory_beyond_the_limit_is_an_error_and_the_process_goes_on() -> None:
    async with running(command=with_other_decoder()) as large:
        with pytest.raises(ImageTooLarge, match="memory"):
            await large.prepare(b"memory", SIZE, LIMITS)
        pid = large.pid
        assert (await large.prepare(images.jpeg(), SIZE, LIMITS))[0].shape == (64, 64, 3)
        assert large.pid == pid


async def test_a_cancelled_caller_ends_the_process_and_the_next_one_gets_another(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    async with running(command=with_other_decoder()) as large:
        waiting = asyncio.create_task(large.prepare(b"wait " + str(begun).encode(), SIZE, LIMITS))
        await asyncio.to_thread(eventually, begun.exists)
        pid = large.pid
        assert pid is not None
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        await gone(pid)
        assert (await large.prepare(images.jpeg(), SIZE, LIMITS))[0].shape == (64, 64, 3)


async def test_a_process_that_is_still_starting_is_kept_for_the_next_picture(tmp_path: Path) -> None:
    go = tmp_path / "go"
    slow_start = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)\n"
    command = (sys.executable, "-c", slow_start + "from services.embedding.vision import decode_worker as w; w.main()")
    async with running(command=command) as large:
        waiting = asyncio.create_task(large.prepare(images.jpeg(), SIZE, LIMITS))
        await asyncio.to_thread(eventually, lambda: large.pid)
        pid = large.pid
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        go.touch()
        assert (await large.prepare(images.jpeg(), SIZE, LIMITS))[0].shape == (64, 64, 3)
        assert large.pid == pid


async def test_an_idle_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as large:
        await large.prepare(images.jpeg(), SIZE, LIMITS)
        pid = large.pid
        assert pid is not None
        monkeypatch.setattr(large_pictures, "IDLE_S", 0.05)
        await large.prepare(images.jpeg(), SIZE, LIMITS)
        await gone(pid)
        assert (await large.prepare(images.jpeg(), SIZE, LIMITS))[0].shape == (64, 64, 3)


async def test_the_number_of_waiting_pictures_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_pictures, "MAX_WAITING", 2)
    async with running(command=with_other_decoder()) as large:
        waiting = [asyncio.create_task(large.prepare(b"wait /dev/null", SIZE, LIMITS)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests):
            await large.prepare(PICTURE, SIZE, LIMITS)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_the_process_takes_little_memory() -> None:
    async with running() as large:
        await large.prepare(images.encode(Image.new("RGB", (50, 50))), SIZE, LIMITS)
        assert resident_mb(large.pid) < 70
