"""A run of `lookalike reembed` on the terminal: progress while it runs, a summary at its end."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import orjson
import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from services.catalogue.model_switch.reembedding_report import ReembedSummary, ReembedTally
from services.catalogue.store.model_note import short
from services.cli.output import err, out
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE

LINE_EVERY_S = 10.0  # where stderr is no terminal


class Display:
    """A bar with rate and time left on stderr; where stderr is no terminal, a line every ten seconds."""

    def __init__(self) -> None:
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
        self._task = self._progress.add_task("reembed", total=None, counts="")
        self._next_line_at = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def update(self, tally: ReembedTally) -> None:
        """Show the counts as they are now."""
        rejected = f", {tally.rejected:,} rejected" if tally.rejected else ""
        counts = f"{tally.done:,} of {tally.found:,} products, {tally.rate:,.0f}/s{rejected}"
        self._progress.update(self._task, completed=tally.done, total=tally.found, counts=counts)
        if not err.is_terminal and time.monotonic() >= self._next_line_at:
            self._next_line_at = time.monotonic() + LINE_EVERY_S
            typer.echo(f"{counts}, {_duration(tally.left_s)} left", err=True)

    def waiting(self, reason: str | None) -> None:
        """Say that a service is waited for, and why; None when it is back."""
        text = "reembed" if reason is None else f"waiting: {reason}"
        self._progress.update(self._task, description=text)
        if not err.is_terminal:
            typer.echo("going on" if reason is None else text, err=True)


def show(summary: ReembedSummary, *, as_json: bool) -> None:
    """Print a summary as a table for people, but for `as_json`; why it failed, on stderr."""
    if summary.reason is not None:
        typer.echo(f"lookalike: {summary.reason}", err=True)
    if as_json:
        return
    how = {"done": "done", "failed": "failed", "interrupted": "interrupted: run it again to go on"}[summary.status]
    speed = f"{summary.seconds:.1f} s, {summary.tally.rate:,.0f} products/s"
    of = "" if summary.catalogue == DEFAULT_CATALOGUE else f" in the catalogue {summary.catalogue}"
    out.print(f"Vectors of {summary.model or 'the model'}{of} {how} ({speed})", style="bold", highlight=False)
    table = Table(show_header=False, box=None)
    tally = summary.tally
    lines = [
        ("without a vector before", tally.found),
        ("embedded", tally.embedded),
        ("written or deleted meanwhile", tally.overtaken),
        ("rejected", tally.rejected),
        ("further pictures rejected", tally.images_rejected),
        ("embedded from a picture that has changed at its URL", tally.other_pictures),
    ]
    for name, count in lines[:2] + [line for line in lines[2:] if line[1]]:
        table.add_row(name, f"{count:,}")
    out.print(table)
    if summary.rejected_file is not None:
        where = f"rejected products and why: {summary.rejected_file}"
        out.print(where, markup=False, highlight=False, soft_wrap=True)
    if summary.status == "done" and summary.model is not None:
        out.print(f"next: lookalike compare-models {short(summary.model)}", markup=False, highlight=False)


def show_json(summaries: Sequence[ReembedSummary], *, several: bool) -> None:
    """Print one JSON document: a catalogue's summary, or, of several, `catalogues` with the summary of each by its name."""
    documents = {summary.catalogue: summary.document() for summary in summaries}
    said = {"catalogues": documents} if several else summaries[0].document()
    typer.echo(orjson.dumps(said, option=orjson.OPT_INDENT_2))


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "an unknown time"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
