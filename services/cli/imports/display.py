"""An import on the terminal: progress while it runs, a summary at its end."""

from types import TracebackType
from typing import Self

import orjson
import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from services.catalogue.importing.report import Summary, Tally
from services.catalogue.sources.records.rows import Source
from services.cli.output import err, out

SHOWN_FIELDS = 5


class Display:
    """A bar with rate and time left on stderr; nothing moves where stderr is no terminal."""

    def __init__(self, source: Source) -> None:
        """Show how far a source has been read."""
        self._source = source
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
        self._task = self._progress.add_task(source.kind, total=None, counts="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def update(self, tally: Tally) -> None:
        """Show the counts as they are now."""
        done, total = self._source.progress()
        rate = tally.products / tally.seconds if tally.seconds else 0.0
        rejected = f", {tally.rejected:,} rejected" if tally.rejected else ""
        counts = f"{tally.products:,} products, {rate:,.0f}/s{rejected}"
        self._progress.update(self._task, completed=done, total=total or None, counts=counts)

    def waiting(self, reason: str | None) -> None:
        """Say that a service is waited for, and why; None when it is back."""
        text = self._source.kind if reason is None else f"waiting: {reason}"
        self._progress.update(self._task, description=text)
        if not err.is_terminal:
            typer.echo("going on" if reason is None else text, err=True)


def show(summary: Summary, *, as_json: bool) -> None:
    """Print an import's summary: JSON on stdout, or a table for people; why it failed, on stderr."""
    if summary.reason is not None:
        typer.echo(f"lookalike: {summary.reason}", err=True)
    if as_json:
        typer.echo(orjson.dumps(summary.document(), option=orjson.OPT_INDENT_2))
        return
    out.print(_headline(summary), style="bold", highlight=False)
    table = Table(show_header=False, box=None)
    for name, count in _lines(summary):
        table.add_row(name, f"{count:,}")
    out.print(table)
    if summary.tally.left_out:
        fields = ", ".join(f"{name} ({count:,})" for name, count in summary.tally.left_out.most_common(SHOWN_FIELDS))
        out.print(f"not kept (too long, nested, or not for shoppers): {fields}", markup=False, highlight=False)
    if summary.rejected_file is not None:
        out.print(f"rejected rows and why: {summary.rejected_file}", markup=False, highlight=False, soft_wrap=True)


def _headline(summary: Summary) -> str:
    what = "Check" if summary.dry_run else "Import"
    how = {"interrupted": "interrupted: run it again to go on"}.get(summary.status, summary.status)
    return f"{what} {how} ({summary.seconds:.1f} s, {summary.rate:,.0f} products/s)"


def _lines(summary: Summary) -> list[tuple[str, int]]:
    tally = summary.tally
    main = ("nothing wrong with", tally.checked) if summary.dry_run else ("imported", tally.imported)
    others = [
        ("updated", tally.updated),
        ("unchanged", tally.unchanged),
        ("images their web server did not send again", tally.not_modified),
        ("outside the categories", tally.outside),
        ("rejected", tally.rejected),
        ("further images that could not be had", tally.images_rejected),
        ("removed, no longer in the feed", tally.removed),
        ("no longer in the feed", tally.removable),
        ("category by the feed, but not by the network", tally.disagreeing),
    ]
    return [("rows read", tally.read), main, *(line for line in others if line[1])]
