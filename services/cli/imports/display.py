"""An import in the terminal: its progress and its summary."""

import typer
from rich.table import Table

from services.catalogue.importing.report import Summary, Tally
from services.catalogue.sources.records.rows import Source
from services.cli.output import out, print_json, print_line
from services.cli.progress import ProgressBar

SHOWN_FIELDS = 5


class ImportProgress(ProgressBar):
    """The progress of an import: how much of the source has been read, and the counts."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.kind)
        self._source = source

    def update(self, tally: Tally) -> None:
        """Show the present counts."""
        done, total = self._source.progress()
        rate = tally.products / tally.seconds if tally.seconds else 0.0
        rejected = f", {tally.rejected:,} rejected" if tally.rejected else ""
        self.show(f"{tally.products:,} products, {rate:,.0f}/s{rejected}", done, total or None)


def show(summary: Summary, *, as_json: bool) -> None:
    """Print an import's summary on stdout, as JSON or as a table, and the reason of a failure on stderr."""
    if summary.reason is not None:
        typer.echo(f"lookalike: {summary.reason}", err=True)
    if as_json:
        print_json(summary.document())
        return
    out.print(_headline(summary), style="bold", highlight=False)
    table = Table(show_header=False, box=None)
    for name, count in _lines(summary):
        table.add_row(name, f"{count:,}")
    out.print(table)
    if summary.tally.left_out:
        fields = ", ".join(f"{name} ({count:,})" for name, count in summary.tally.left_out.most_common(SHOWN_FIELDS))
        out.print(f"fields left out (too long, nested, or not for shoppers): {fields}", markup=False, highlight=False)
    for note in summary.tally.notes:
        out.print(f"note: {note}", markup=False, highlight=False)
    if summary.rejected_file is not None:
        print_line(f"rejected rows and values, with reasons: {summary.rejected_file}")


def _headline(summary: Summary) -> str:
    action = "Check" if summary.dry_run else "Import"
    status = {"interrupted": "interrupted: run it again to continue"}.get(summary.status, summary.status)
    return f"{action} {status} ({summary.seconds:.1f} s, {summary.rate:,.0f} products/s)"


def _lines(summary: Summary) -> list[tuple[str, int]]:
    tally = summary.tally
    main = ("valid", tally.checked) if summary.dry_run else ("imported", tally.imported)
    others = [
        ("updated", tally.updated),
        ("unchanged", tally.unchanged),
        ("images unchanged on their web server", tally.not_modified),
        ("skipped (outside the categories)", tally.skipped),
        ("hidden in the shop", tally.hidden),
        ("rejected", tally.rejected),
        ("additional images rejected", tally.images_rejected),
        ("values not understood", tally.values_not_understood),
        ("removed, no longer in the feed", tally.removed),
        ("to be removed, no longer in the feed", tally.would_remove),
        ("category by the feed, but not by the network", tally.category_conflicts),
    ]
    return [("rows read", tally.read), main, *(line for line in others if line[1])]
