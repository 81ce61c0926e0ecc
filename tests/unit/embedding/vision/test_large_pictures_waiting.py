"""How many large pictures wait for their process, how long one may take, and when the process is kept. Without one."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.contracts.domain.errors import ImageTooLarge, TooManyRequests
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageLimits
from services.embedding.vision import large_pictures
from services.embedding.vision.large_pictures import LargePictures

SIZE, LIMITS = InputSize(height=16, width=16), ImageLimits()


class FakeProcess:
    """A process that never answers; it ends when it is killed."""

    pid = 7

    def __init__(self) -> None:
        self.returncode: int | None = None
        self.kills = 0

    def kill(self) -> None:
        self.kills += 1
        self.returncode = -9

    async def wait(self) -> int | None:
        return self.returncode


@pytest.fixture
def process() -> FakeProcess:
    return FakeProcess()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch, process: FakeProcess) -> LargePictures:
    """What decodes, with a process that has started."""
    pictures: Any = LargePictures(3)
    pictures._process, pictures._is_ready = process, True
    return pictures  # type: ignore[no-any-return]


async def test_sixteen_pictures_wait_and_others_are_refused(large: LargePictures) -> None:
    async with large._turn:
        waiting = [asyncio.create_task(large.prepare(b"", SIZE, LIMITS)) for _ in range(16)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests, match="too many large pictures"):
            await large.prepare(b"", SIZE, LIMITS)
        waiting.pop().cancel()
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(large.prepare(b"", SIZE, LIMITS)))  # there is room again
        await asyncio.sleep(0)
        assert not waiting[-1].done()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    await large.close()


async def test_a_picture_may_take_four_times_its_processor_time(
    large: LargePictures, process: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float] = []

    def timeout(seconds: float) -> asyncio.Timeout:
        limits.append(seconds)
        return asyncio.timeout(0)

    monkeypatch.setattr(large_pictures, "asyncio", SimpleNamespace(**{**vars(asyncio), "timeout": timeout}))
    monkeypatch.setattr(large, "_exchange", lambda *_: asyncio.Event().wait())
    with pytest.raises(ImageTooLarge, match="too much memory or processor time"):
        await large.prepare(b"", SIZE, LIMITS)
    assert (limits, process.kills, large.pid) == ([12], 1, None)


async def test_after_a_picture_the_process_is_kept_until_it_is_idle(
    large: LargePictures, process: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken_picture(*_: Any) -> Any:
        return {"slug": "image-too-large", "detail": "too large"}, b""

    monkeypatch.setattr(large, "_exchange", broken_picture)
    with pytest.raises(ImageTooLarge, match=r"^too large$"):
        await large.prepare(b"", SIZE, LIMITS)
    assert (large.pid, process.kills) == (7, 0)
    assert large._idle is not None and not large._idle.cancelled()
    large._kill()  # as the timer does
    assert (large.pid, process.kills) == (None, 1)
    large._kill()
    await large.close()
    assert large._idle is None


async def test_closing_ends_the_process_and_its_timer(large: LargePictures, process: FakeProcess) -> None:
    large._keep_until_idle(60)
    timer = large._idle
    await large.close()
    assert timer is not None and timer.cancelled()
    assert (large.pid, process.kills) == (None, 1)
    await large.close()
    assert process.kills == 1
