"""Models, and what would change with another one, on the terminal."""

from typing import Any

import orjson
import typer
from rich.table import Table

from services.catalogue.model_switch.comparison import ModelReport, Overlap
from services.catalogue.store.model_note import ModelNote, short
from services.cli.output import out

SHOWN_MOVES = 10
SHOWN_IDS = 10


def show_models(found: dict[str, Any], *, as_json: bool) -> None:
    """Print the models as a table."""
    if as_json:
        return _print_json(found)
    source = "promoted" if found["promoted"] else "by the settings"
    told = f"; the settings name {found['first']}" if found["promoted"] and found["first"] != found["active"] else ""
    out.print(f"active: {found['active']}, {source}{told}", style="bold", highlight=False)
    if found["searched"] != found["active"]:
        out.print(f"searches still use {found['searched']}: the index is not ready to switch", style="red")
    table = Table(box=None)
    for name in ("model", "", "products", "without a vector", "problem"):
        table.add_column(name, no_wrap=name != "problem")
    for one in found["models"]:
        counts = ["" if one[name] is None else f"{one[name]:,}" for name in ("products", "without_vector")]
        table.add_row(one["model"], one["role"] or "", *counts, one["problem"] or "")
    out.print(table)


def show_report(report: ModelReport, *, as_json: bool, promoted: bool | None = None) -> None:
    """Print what would change with another model, or has: its coverage, categories and results."""
    if as_json:
        return _print_json({**report.document(), **({} if promoted is None else {"promoted": promoted})})
    out.print(f"{report.model} in the place of {report.serving}", style="bold", highlight=False)
    table = Table(show_header=False, box=None)
    table.add_row("products that can be found now", f"{report.products:,}")
    table.add_row("of them with a vector of it", f"{report.covered:,} ({_share(report.coverage)})")
    table.add_row("products that would be in another category", f"{report.moved:,}")
    if report.overlap is not None:
        for name, value in _overlap(report.overlap):
            table.add_row(name, value)
    out.print(table)
    if report.missing:
        more = report.products - report.covered - len(report.missing[:SHOWN_IDS])
        _line("without a vector: " + _listed(report.missing[:SHOWN_IDS], more))
    _show_categories(report)
    for (old, new), count in report.moves.most_common(SHOWN_MOVES):
        names = report.categories
        examples = report.examples[old, new][:SHOWN_IDS]
        _line(f"{names[old]} → {names[new]}: {count:,} ({_listed(examples, count - len(examples))})")
    if promoted:
        _line(f"searches use {report.model} now; lookalike rollback goes back to {report.serving}")
    elif promoted is None:
        _line(f"next: lookalike promote {short(report.model)}")


def show_rollback(note: ModelNote, lacking: int, *, as_json: bool) -> None:
    """Print which model searches use again."""
    if as_json:
        return _print_json({"active": note.active, "candidate": note.candidate, "without_vector": lacking})
    _line(
        f"searches use {note.active} again; lookalike promote {short(str(note.candidate))} goes back to {note.candidate}"
    )
    if lacking:
        again = f"lookalike reembed --model {short(str(note.active))}"
        _line(f"{lacking:,} products have no vector of it, and cannot be found until {again} has been run")


def show_forgotten(model: str, changed: int, unseen: int, *, as_json: bool) -> None:
    """Print what became of a model's vectors."""
    if as_json:
        return _print_json({"model": model, "changed": changed, "unseen": unseen})
    _line(f"{model} is forgotten: {changed:,} products gave up its vectors")
    if unseen:
        _line(
            f"{unseen:,} products have a vector of no other model, and cannot be found: import them again, or reembed"
        )


def _show_categories(report: ModelReport) -> None:
    table = Table(box=None)
    for name in ("category", "now", "then"):
        table.add_column(name, justify="left" if name == "category" else "right")
    for name, (now, then) in zip(report.categories, report.counts, strict=True):
        table.add_row(name, f"{now:,}", f"{then:,}")
    out.print(table)


def _overlap(overlap: Overlap) -> list[tuple[str, str]]:
    return [
        (f"the {overlap.results} results of {overlap.queries:,} products: in common", _share(overlap.mean)),
        ("  the same products", f"{overlap.same:,}"),
        ("  not one in common", f"{overlap.none:,}"),
    ]


def _share(value: float) -> str:
    """Return a share as percent; 100 % only where it is all."""
    return f"{int(value * 1000) / 10:g} %"


def _listed(ids: list[str], more: int) -> str:
    return ", ".join(ids) + (f" and {more:,} more" if more > 0 else "")


def _line(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
