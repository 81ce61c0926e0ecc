"""Decoding in threads: bounded, in order, and without exceptions."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from services.contracts.domain.box import Box
from services.contracts.domain.errors import ImageTooLarge, LookalikeError
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageLimits, LargePicture, prepare_image
from services.embedding.vision import decoder as decoding
from services.embedding.vision.decoder import JOB_SIZE, Decoder, prepare
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


class LargeDecoder:
    """Takes the place of the process for large pictures: its picture is white; a file named in `errors` fails."""

    def __init__(self, *errors: bytes) -> None:
        self.errors = errors
        self.requests: list[tuple[Any, ...]] = []

    async def prepare(self, *arguments: Any) -> tuple[Any, str]:
        self.requests.append(arguments)
        if arguments[0] in self.errors:
            raise ImageTooLarge("too much memory")
        return np.full((16, 16, 3), 255, np.uint8), "facts"


SMALL, LARGE, LARGER = images.png(), images.png(300, 300), images.png(310, 300)
LIMITS = ImageLimits()


@pytest.fixture
def small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let threads decode pictures of 100 kB of memory."""
    monkeypatch.setattr(decoding, "INLINE_BYTES", 100_000)


@pytest.mark.usefixtures("small_ones")
async def test_a_large_picture_is_decoded_elsewhere_and_a_small_one_in_a_thread() -> None:
    large, box = LargeDecoder(LARGER), Box(x=0, y=0, width=1, height=0.5)
    with ThreadPoolExecutor(1) as threads:
        decoder = Decoder(SIZE, LIMITS, threads, large)  # type: ignore[arg-type]
        small, white, error = await decoder.decode([SMALL, LARGE, LARGER], box)
    assert isinstance(small, np.ndarray) and small.min() < 255
    assert isinstance(white, np.ndarray) and white.shape == (16, 16, 3) and white.min() == 255
    assert isinstance(error, ImageTooLarge)
    assert large.requests == [(LARGE, SIZE, LIMITS, box), (LARGER, SIZE, LIMITS, box)]


@pytest.mark.usefixtures("small_ones")
async def test_without_a_process_for_large_pictures_the_threads_decode_them() -> None:
    with ThreadPoolExecutor(1) as threads:
        (picture,) = await Decoder(SIZE, LIMITS, threads).decode([LARGE])
        alone, facts = await prepare(LARGE, SIZE, LIMITS, threads, None)
    assert isinstance(picture, np.ndarray)
    np.testing.assert_array_equal(picture, alone)
    assert (facts.width, facts.height) == (300, 300)


@pytest.mark.usefixtures("small_ones")
async def test_a_single_large_picture_is_prepared_elsewhere() -> None:
    large: Any = LargeDecoder()
    facts: Any
    with ThreadPoolExecutor(1) as threads:
        picture, facts = await prepare(LARGE, SIZE, LIMITS, threads, large)
        assert (picture.min(), facts, large.requests) == (255, "facts", [(LARGE, SIZE, LIMITS)])
        picture, _ = await prepare(SMALL, SIZE, LIMITS, threads, large)
    assert picture.min() < 255
    assert len(large.requests) == 1


async def test_a_picture_that_the_process_would_decode_is_no_error_of_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread says that it is large only if it was given a bound."""
    bounds: list[int | None] = []

    def recorded(*arguments: Any) -> Any:
        bounds.append(arguments[4])
        if arguments[4] is not None:
            raise LargePicture
        return np.zeros((16, 16, 3), np.uint8), None

    monkeypatch.setattr(decoding, "prepare_image", recorded)
    with ThreadPoolExecutor(1) as threads:
        for large in (None, LargeDecoder()):
            await Decoder(SIZE, LIMITS, threads, large).decode([b"x"])  # type: ignore[arg-type]
            await prepare(b"x", SIZE, LIMITS, threads, large)  # type: ignore[arg-type]
    assert bounds == [None, None, 32 * 2**20, 32 * 2**20]


class NoThreads(ThreadPoolExecutor):
    """Fails if it gets work."""

    def submit(self, *_: Any, **__: Any) -> Any:
        pytest.fail("a thread got work")


async def test_a_small_jpeg_that_is_alone_is_decoded_without_a_thread() -> None:
    limits, box = ImageLimits(max_pixels=40_000), Box(x=0, y=0, width=1, height=0.5)
    small, cut, large = images.jpeg(200, 200), images.jpeg(200, 200)[:400], images.jpeg(250, 200)
    decoder = Decoder(SIZE, limits, NoThreads(1))
    (picture,) = await decoder.decode([small], box, alone=True)
    np.testing.assert_array_equal(np.asarray(picture), prepare_image(small, SIZE, box=box)[0])
    errors = [await decoder.decode([file], alone=True) for file in (cut, large)]
    assert [getattr(error, "slug", None) for (error,) in errors] == ["invalid-image", "image-too-large"]


@pytest.mark.parametrize(
    ("files", "alone"),
    [
        ([images.jpeg(200, 200)], False),
        ([images.jpeg(200, 200)] * 2, True),
        ([images.png(200, 200)], True),
        ([images.jpeg(500, 501)], True),
        ([images.encode(images.garment(200, 200), progressive=True)], True),
        ([images.jpeg(200, 200) + bytes(256 * 1024)], True),
    ],
    ids=["not alone", "two", "of another format", "many pixels", "many scans", "many bytes"],
)
async def test_threads_decode_all_other_pictures(files: list[bytes], alone: bool) -> None:
    jobs: list[int] = []

    class Counting(ThreadPoolExecutor):
        def submit(self, *arguments: Any, **named: Any) -> Any:
            jobs.append(1)
            return super().submit(*arguments, **named)

    with Counting(1) as threads:
        pictures = await Decoder(SIZE, LIMITS, threads).decode(files, alone=alone)
    assert jobs == [1]
    for file, picture in zip(files, pictures, strict=True):
        np.testing.assert_array_equal(np.asarray(picture), prepare_image(file, SIZE)[0])


async def test_a_job_of_a_thread_has_at_most_sixteen_images(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[int] = []
    decoder = Decoder(SIZE, ImageLimits(), ThreadPoolExecutor(1))

    def job(files: Any, _: Any) -> list[Any]:
        jobs.append(len(files))
        return list(files)

    monkeypatch.setattr(decoder, "_job", job)
    files = [b"%d" % number for number in range(33)]
    assert await decoder.decode(files) == files  # type: ignore[comparison-overlap]
    assert jobs == [16, 16, 1]
