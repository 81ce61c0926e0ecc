"""The progress of a command on the terminal: lines, and bars where there is a terminal. Always on stderr."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")


class Terminal:
    """Shows the progress of the work."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        """Print one line."""
        self.console.print(text, markup=False)

    def track(self, items: Iterable[Item], total: int | None, description: str) -> Iterator[Item]:
        """Yield the items while a bar shows the count and the time left; silent where stderr is no terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bars:
            yield from bars.track(items, total=total, description=description)
