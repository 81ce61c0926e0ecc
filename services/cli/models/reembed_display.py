"""A run of `lookalike reembed` in the terminal: its progress and its summary."""

import time
from collections.abc import Sequence

import typer
from rich.table import Table

from services.catalogue.model_switch.reembedding_report import ReembedSummary, ReembedTally
from services.catalogue.store.model_note import short
from services.cli.output import err, out, print_json, print_line
from services.cli.progress import ProgressBar
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE

LINE_INTERVAL_S = 10.0  # if stderr is no terminal


class ReembedProgress(ProgressBar):
    """The progress of a run: a bar, or a line every ten seconds if stderr is no terminal."""

    def __init__(self) -> None:
        super().__init__("reembed")
        self._next_line_at = 0.0

    def update(self, tally: ReembedTally) -> None:
        """Show the present counts."""
        rejected = f", {tally.rejected:,} rejected" if tally.rejected else ""
        counts = f"{tally.done:,} of {tally.found:,} products, {tally.rate:,.0f}/s{rejected}"
        self.show(counts, tally.done, tally.found)
        if not err.is_terminal and time.monotonic() >= self._next_line_at:
            self._next_line_at = time.monotonic() + LINE_INTERVAL_S
            typer.echo(f"{counts}, {_duration(tally.left_s)} left", err=True)


def show(summary: ReembedSummary, *, as_json: bool) -> None:
    """Print a summary as a table, unless `as_json`, and the reason of a failure on stderr."""
    if summary.reason is not None:
        typer.echo(f"lookalike: {summary.reason}", err=True)
    if as_json:
        return
    status = {"interrupted": "interrupted: run it again to continue"}.get(summary.status, summary.status)
    speed = f"{summary.seconds:.1f} s, {summary.tally.rate:,.0f} products/s"
    place = "" if summary.catalogue == DEFAULT_CATALOGUE else f" in the catalogue {summary.catalogue}"
    out.print(f"Vectors of {summary.model or 'the model'}{place} {status} ({speed})", style="bold", highlight=False)
    table = Table(show_header=False, box=None)
    tally = summary.tally
    lines = [
        ("products without a vector at the start", tally.found),
        ("embedded", tally.embedded),
        ("written or deleted by others meanwhile", tally.overtaken),
        ("rejected", tally.rejected),
        ("additional images rejected", tally.images_rejected),
        ("embedded from an image that has changed at its URL", tally.other_pictures),
    ]
    for name, count in lines[:2] + [line for line in lines[2:] if line[1]]:
        table.add_row(name, f"{count:,}")
    out.print(table)
    if summary.rejected_file is not None:
        print_line(f"rejected products, with reasons: {summary.rejected_file}")
    if summary.status == "done" and summary.model is not None:
        print_line(f"next: lookalike compare-models {short(summary.model)}")


def show_json(summaries: Sequence[ReembedSummary], *, several: bool) -> None:
    """Print a catalogue's summary as JSON; of several catalogues, `catalogues` with the summary of each by its name."""
    documents = {summary.catalogue: summary.document() for summary in summaries}
    print_json({"catalogues": documents} if several else summaries[0].document())


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "an unknown time"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
