"""What the commands of the learned order print."""

from collections.abc import Mapping
from typing import Any

import typer

from services.catalogue.store.learned_orders import OrderNote, OrderVersion
from services.cli.learn.session import Orders
from services.cli.output import out, print_json, print_line

PLAIN = "the plain order"
FIGURES = (
    ("NDCG@10, plain order", "plain"),
    ("NDCG@10, learned order", "learned"),
    ("gain", "gain"),
    ("clicks a search, plain order", "plain_clicks"),
    ("clicks a search, learned order", "learned_clicks"),
    ("gain", "clicks_gain"),
)


def document(version: OrderVersion) -> dict[str, Any]:
    """Return a version as JSON."""
    return {"version": version.version, "created_at": version.created_at, "report": version.report}


def show_report(version: OrderVersion, *, as_json: bool) -> None:
    """Print the report of a version."""
    if as_json:
        print_json(document(version))
        return
    report = version.report
    comparison = report["comparison"]
    print_line(
        f"version {version.version}, learned from {report['searches']:,} searches of {report['first_day']} to "
        f"{report['last_day']}, {report['clicked']:,} of them with a click"
    )
    print_line(
        f"held out: {comparison['searches']:,} searches from {report['held_out_from']} on, "
        f"{comparison['clicked']:,} of them with a click"
    )
    for label, name in FIGURES:
        print_line(f"  {label:<32} {_interval(comparison[name])}")
    bias = " ".join(f"{value:.2f}" for value in report["propensities"][:10])
    print_line(f"probability that shoppers look at positions 1 to 10, relative to the first: {bias}")


def show_orders(orders: Orders, *, as_json: bool) -> None:
    """Print the versions, the newest last, and which one searches use."""
    if as_json:
        versions = [document(version) for version in orders.versions]
        print_json({"active": orders.note.active, "previous": orders.note.previous, "versions": versions})
        return
    print_line(f"searches use {name_of(orders.note)}")
    if not orders.versions:
        typer.echo("nothing has been learned yet: run lookalike learn train", err=True)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("version", "role", "learned on", "searches", "gain in NDCG@10"):
        table.add_column(name, no_wrap=True)
    roles = {orders.note.previous: "previous", orders.note.active: "active"}
    for version in orders.versions:
        table.add_row(
            version.version,
            roles.get(version.version, ""),
            f"{version.created_at:%Y-%m-%d %H:%M}",
            f"{version.report['searches']:,}",
            _interval(version.report["comparison"]["gain"]),
        )
    out.print(table)


def show_note(note: OrderNote, *, as_json: bool) -> None:
    """Print which order searches use from now on."""
    if as_json:
        print_json({"active": note.active, "previous": note.previous})
    else:
        print_line(f"searches use {name_of(note)}, in each gateway within GATEWAY_LEARNED_REFRESH_S seconds")


def name_of(note: OrderNote) -> str:
    """Return the name of the active order."""
    return PLAIN if note.active is None else f"version {note.active} of the learned order"


def _interval(figure: Mapping[str, float]) -> str:
    return f"{figure['mean']:+.4f}, 95 % between {figure['low']:+.4f} and {figure['high']:+.4f}"
