"""What the commands of rules print."""

from collections.abc import Mapping
from typing import Any

import orjson
import typer

from services.cli.output import out


def show_rules(document: Mapping[str, Any]) -> None:
    """Print rules as a table."""
    from rich.markup import escape
    from rich.table import Table

    typer.echo(f"products out of stock: {document['out_of_stock']}", err=True)
    if not document["rules"] and not document["apart"]:
        typer.echo("there are no rules: lookalike rules set FILE", err=True)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "action", "by", "products", "categories", "from", "to", "enabled"):
        table.add_column(name)
    for rule in document["rules"]:
        cells = (
            rule["id"],
            rule["action"],
            "" if rule["by"] is None else f"{rule['by']:g}",
            _products(rule),
            ", ".join(rule["categories"]) or "all",
            rule["starts"] or "",
            rule["ends"] or "",
            "yes" if rule["enabled"] else "no",
        )
        table.add_row(*map(escape, cells))
    for rule in document["apart"]:
        sides = " and ".join(_side(side) for side in rule["garments"])
        table.add_row(*map(escape, (rule["id"], "apart", "", sides, "", "", "", "yes")))
    out.print(table)


def show_preview(preview: Mapping[str, Any]) -> None:
    """Print the plain order next to the ruled one."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("place", "plain", "by the rules", "moved by"):
        table.add_column(name)
    plain, ruled = preview["plain"], preview["ruled"]
    for place in range(max(len(plain), len(ruled))):
        before, after = (results[place] if place < len(results) else None for results in (plain, ruled))
        moves = ", ".join(
            f"{move['reason']} {move.get('rule') or ''}".strip() for move in (after or {}).get("moved", [])
        )
        table.add_row(str(place + 1), *(escape(cell) for cell in (_named(before), _named(after), moves)))
    out.print(table)


def _named(result: Mapping[str, Any] | None) -> str:
    return "" if result is None else f"{result['id']} {result['title'] or ''}".strip()


def _products(rule: Mapping[str, Any]) -> str:
    pins = ", ".join(f"{pin['id']} at {pin['position']}" for pin in rule["pins"])
    return " if ".join(part for part in (pins, _filter(rule["filter"])) if part)


def _side(side: Mapping[str, Any]) -> str:
    return " with ".join(part for part in (side["category"], _filter(side["filter"])) if part)


def _filter(source: Mapping[str, Any]) -> str:
    return orjson.dumps(source).decode() if source else ""
