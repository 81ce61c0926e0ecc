"""Where log lines go: those of ordinary work together, a moment later, and all others at once."""

import asyncio
import threading
from collections.abc import Callable
from typing import TextIO

Line = str | Callable[[], str]  # a function returns the line once it is written


class LogLines:
    """Writes lines to a stream. It takes the place of structlog's logger, whose methods are named after the levels.

    Each write to the pipe of a supervisor or of a container's log wakes another process in the middle of a search.
    """

    def __init__(self, stream: TextIO, delay_s: float = 0.0) -> None:
        """Write to a stream.

        Args:
            stream: of text.
            delay_s: how long a line of the levels info and debug may wait for others, in seconds, if an event loop
                runs. A process that is killed loses the lines that wait.
        """
        self._stream = stream
        self._delay_s = delay_s
        self._waiting: list[Line] = []
        self._lock = threading.Lock()

    def info(self, line: Line) -> None:
        """Write a line, with others if it may wait."""
        loop = self._loop()
        if loop is None:
            self.error(line)
            return
        with self._lock:
            self._waiting.append(line)
            is_first = len(self._waiting) == 1
        if is_first:
            loop.call_later(self._delay_s, self.flush)

    def error(self, line: Line) -> None:
        """Write a line at once, after those that wait."""
        self.write(_text(line) + "\n")

    debug = info
    warning = critical = error

    def write(self, text: str) -> None:
        """Write text at once, after the lines that wait: for handlers of the standard library."""
        with self._lock:
            lines, self._waiting = self._waiting, []
            self._stream.write("".join([_text(line) + "\n" for line in lines]) + text)
            self._stream.flush()

    def flush(self) -> None:
        """Write the lines that wait."""
        if self._waiting:
            self.write("")

    def _loop(self) -> asyncio.AbstractEventLoop | None:
        if not self._delay_s:
            return None
        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            return None


def _text(line: Line) -> str:
    return line if isinstance(line, str) else line()
