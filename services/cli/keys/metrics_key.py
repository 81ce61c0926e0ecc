"""The key with which the local stack's Prometheus reads the gateway's metrics."""

from datetime import UTC, datetime
from pathlib import Path

from services.catalogue.api_key import Scope, key_id
from services.cli.keys.session import KeySession, KeyStore

NAME = "Prometheus of the local stack"


def write_metrics_key(mongo_url: str, path: Path) -> None:
    """Write a key of scope metrics into a file, unless the file has one that is valid in this database.

    Raises:
        LookalikeError: the database is unavailable.
        OSError: the file cannot be read or written.
    """
    import asyncio
    import os

    from services.catalogue.store.database import CatalogueDatabase

    async def run(secret: str) -> str:
        async with CatalogueDatabase(mongo_url, os.environ.get("MONGO_DATABASE") or "lookalike") as database:
            return await valid_secret(database.keys, secret)

    before = path.read_text(errors="replace").strip() if path.is_file() else ""
    secret = asyncio.run(run(before))
    if secret != before:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(secret + "\n")


async def valid_secret(store: KeyStore, secret: str) -> str:
    """Return the secret if it opens a key of the store, otherwise that of a new key of scope metrics."""
    key, now = await store.get(key_id(secret) or ""), datetime.now(UTC)
    if key is not None and key.state(now) == "active" and key.matches(secret, now):
        return secret
    return (await KeySession(store).create(NAME, [Scope.METRICS]))[1]
