"""What the terminal sees: lines and, where there is a terminal, bars. Always on stderr: stdout is for figures."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")


class Terminal:
    """Tells how far the work has come."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        """Print one line."""
        self.console.print(text, markup=False)

    def track(self, items: Iterable[Item], total: int | None, description: str) -> Iterator[Item]:
        """Yield the items while a bar with count and time left moves; silent where stderr is no terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bars:
            yield from bars.track(items, total=total, description=description)
