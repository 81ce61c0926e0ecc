"""What the commands of keys print."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from services.catalogue.api_key import ApiKey
from services.cli.output import out, print_json, print_line


def document(key: ApiKey) -> dict[str, Any]:
    """Return a key as JSON shows it: without the hashes of its secrets."""
    now = datetime.now(UTC)
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(now),
        "scopes": sorted(key.scopes),
        "catalogues": list(key.catalogues),
        "origins": list(key.origins),
        "quota": None if key.quota is None else str(key.quota),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "secrets": [
            {"created_at": stored.created_at, "expires_at": stored.expires_at} for stored in key.valid_secrets(now)
        ],
    }


def show_secret(key: ApiKey, secret: str, *, as_json: bool) -> None:
    """Print a secret, alone on stdout, and what to know of it."""
    if as_json:
        print_json({**document(key), "secret": secret})
        return
    typer.echo(f"{key.name}: key {key.id}, {_scopes(key)}. The secret is shown only now:", err=True)
    print_line(secret)


def show_keys(keys: Sequence[ApiKey], *, as_json: bool) -> None:
    """Print keys as a table, or as JSON."""
    if as_json:
        print_json([document(key) for key in keys])
        return
    if not keys:
        typer.echo("there are no keys: lookalike keys create NAME --scope search", err=True)
        return
    from rich.markup import escape
    from rich.table import Table

    now = datetime.now(UTC)
    table = Table(box=None, pad_edge=False)
    for name in ("id", "name", "state", "scopes", "catalogues", "origins", "quota", "expires", "secrets"):
        table.add_column(name, no_wrap=True)
    for key in keys:
        limits = (", ".join(key.catalogues) or "all", ", ".join(key.origins) or "any", str(key.quota or "default"))
        expiry = "never" if key.expires_at is None else f"{key.expires_at:%Y-%m-%d}"
        cells = (key.id, key.name, key.state(now), _scopes(key), *limits, expiry, str(len(key.valid_secrets(now))))
        table.add_row(*map(escape, cells))
    out.print(table)


def show_revoked(key: ApiKey, previous: bool, *, as_json: bool) -> None:
    """Print that a key, or its previous secret, is revoked."""
    if as_json:
        print_json(document(key))
    elif previous:
        print_line(f"{key.name}: only the newest secret of the key {key.id} is valid")
    else:
        print_line(f"{key.name}: the key {key.id} is revoked")


def _scopes(key: ApiKey) -> str:
    return ", ".join(sorted(key.scopes))
