"""Lines about ordinary work are written together, a moment later; all others at once, and in order."""

import asyncio
import io

import pytest

from services.contracts.web.observability.log_lines import LogLines
from tests.support.waiting import WITHIN_S


class Pipe(io.StringIO):
    """Keeps each write by itself, as the process that reads a pipe gets it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.written = asyncio.Event()

    def write(self, text: str) -> int:
        self.writes.append(text)
        self.written.set()
        return len(text)

    async def wait(self) -> None:
        """Return after the next write."""
        self.written.clear()
        await asyncio.wait_for(self.written.wait(), WITHIN_S)


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


async def test_lines_about_ordinary_work_are_written_together(pipe: Pipe) -> None:
    lines = LogLines(pipe, delay_s=0.01)
    lines.info("first")
    lines.debug("second")
    assert pipe.writes == []
    await pipe.wait()
    assert pipe.writes == ["first\nsecond\n"]
    lines.info("third")
    await pipe.wait()
    assert pipe.writes[1] == "third\n"


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
async def test_a_line_that_reports_a_problem_is_written_at_once_after_those_that_wait(pipe: Pipe, level: str) -> None:
    lines = LogLines(pipe, delay_s=3600)
    lines.info("request")
    getattr(lines, level)("failed")
    assert pipe.writes == ["request\nfailed\n"]
    lines.flush()
    assert pipe.writes == ["request\nfailed\n"]


async def test_handlers_of_the_standard_library_write_at_once(pipe: Pipe) -> None:
    lines = LogLines(pipe, delay_s=3600)
    lines.info("request")
    lines.write("stopped\n")
    assert pipe.writes == ["request\nstopped\n"]


async def test_a_flush_writes_what_waits(pipe: Pipe) -> None:
    lines = LogLines(pipe, delay_s=3600)
    lines.info("request")
    lines.flush()
    assert pipe.writes == ["request\n"]


async def test_a_thread_without_an_event_loop_writes_at_once(pipe: Pipe) -> None:
    lines = LogLines(pipe, delay_s=3600)
    lines.info("request")
    await asyncio.to_thread(lines.info, "decoded")
    assert pipe.writes == ["request\ndecoded\n"]


async def test_without_a_delay_every_line_is_written_at_once(pipe: Pipe) -> None:
    lines = LogLines(pipe)
    lines.info("first")
    lines.info("second")
    assert pipe.writes == ["first\n", "second\n"]
