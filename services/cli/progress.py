"""The progress of a long command, on stderr."""

from types import TracebackType
from typing import Self

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from services.cli.output import err


class ProgressBar:
    """A progress bar with counts, the time elapsed and the time left. If stderr is no terminal, no bar is drawn."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=err,
            disable=not err.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task(label, total=None, counts="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def show(self, counts: str, completed: int, total: int | None) -> None:
        """Show the counts. `total` is None while it is unknown."""
        self._progress.update(self._task, completed=completed, total=total, counts=counts)

    def waiting(self, reason: str | None) -> None:
        """Show why the command waits for a service; None when it goes on."""
        text = self._label if reason is None else f"waiting: {reason}"
        self._progress.update(self._task, description=text)
        if not err.is_terminal:
            typer.echo("continuing" if reason is None else text, err=True)
