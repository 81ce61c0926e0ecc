"""The models, and what another one would change, in the terminal."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from services.catalogue.model_switch.comparison import ModelReport, Overlap
from services.catalogue.store.model_note import ModelNote, short
from services.cli.output import out, print_json, print_line

SHOWN_MOVES = 10
SHOWN_IDS = 10


def show_models(overview: dict[str, Any], *, as_json: bool) -> None:
    """Print the models as a table."""
    if as_json:
        return print_json(overview)
    active, first = overview["active"], overview["first"]
    source = "promoted" if overview["promoted"] else "by the settings"
    default = f"; the settings name {first}" if overview["promoted"] and first != active else ""
    out.print(f"active: {active}, {source}{default}", style="bold", highlight=False)
    if overview["searched"] != active:
        out.print(f"searches still use {overview['searched']}: the index is not ready to switch", style="red")
    table = Table(box=None)
    for name in ("model", "", "products", "without a vector", "problem"):
        table.add_column(name, no_wrap=name != "problem")
    for model in overview["models"]:
        counts = ["" if model[name] is None else f"{model[name]:,}" for name in ("products", "without_vector")]
        table.add_row(model["model"], model["role"] or "", *counts, escape(model["problem"] or ""))
    out.print(table)


def show_report(report: ModelReport, *, as_json: bool, promoted: bool | None = None) -> None:
    """Print what another model would change, or has changed: coverage, categories and results."""
    if as_json:
        return print_json({**report.document(), **({} if promoted is None else {"promoted": promoted})})
    out.print(f"{report.model} in place of {report.serving}", style="bold", highlight=False)
    table = Table(show_header=False, box=None)
    table.add_row("products that searches find now", f"{report.products:,}")
    table.add_row(f"of them with a vector of {report.model}", f"{report.covered:,} ({_share(report.coverage)})")
    table.add_row("products that would be in another category", f"{report.moved:,}")
    if report.overlap is not None:
        for name, value in _overlap(report.overlap):
            table.add_row(name, value)
    out.print(table)
    if report.missing:
        more = report.products - report.covered - len(report.missing[:SHOWN_IDS])
        print_line("without a vector: " + _join(report.missing[:SHOWN_IDS], more))
    _show_categories(report)
    for (old, new), count in report.moves.most_common(SHOWN_MOVES):
        names = report.categories
        examples = report.examples[old, new][:SHOWN_IDS]
        print_line(f"{names[old]} → {names[new]}: {count:,} ({_join(examples, count - len(examples))})")
    if promoted:
        print_line(f"searches use {report.model} now; lookalike rollback goes back to {report.serving}")
    elif promoted is None:
        print_line(f"next: lookalike promote {short(report.model)}")


def show_rollback(note: ModelNote, without_vector: int, *, as_json: bool) -> None:
    """Print the model that searches use again."""
    if as_json:
        return print_json({"active": note.active, "candidate": note.candidate, "without_vector": without_vector})
    print_line(
        f"searches use {note.active} again; lookalike promote {short(str(note.candidate))} goes back to "
        f"{note.candidate}"
    )
    if without_vector:
        command = f"lookalike reembed --model {short(str(note.active))}"
        print_line(
            f"{without_vector:,} products have no vector of it; searches do not find them until you run {command}"
        )


def show_forgotten(model: str, changed: int, unsearchable: int, *, as_json: bool) -> None:
    """Print that a model's vectors are removed."""
    if as_json:
        return print_json({"model": model, "changed": changed, "unsearchable": unsearchable})
    print_line(f"{model} is forgotten: its vectors are removed from {changed:,} products")
    if unsearchable:
        print_line(
            f"{unsearchable:,} products have no vector of another model, and searches do not find them: import them "
            "again, or run lookalike reembed"
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
        (f"the {overlap.results} results of {overlap.queries:,} products: share in common", _share(overlap.mean)),
        ("  queries with the same products", f"{overlap.same:,}"),
        ("  queries with no product in common", f"{overlap.none:,}"),
    ]


def _share(value: float) -> str:
    """Return a share in percent, rounded down: 100 % means all."""
    return f"{int(value * 1000) / 10:g} %"


def _join(ids: list[str], more: int) -> str:
    return ", ".join(ids) + (f" and {more:,} more" if more > 0 else "")
