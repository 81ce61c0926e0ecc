"""Metrics of the last import into each catalogue, by any process, of the last backup, and of the database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, get_args

import structlog
from prometheus_client import CollectorRegistry, Gauge

from services.catalogue.importing.record import State, present
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.notes import LAST_BACKUP
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.web.background import in_background

log = structlog.get_logger()
INTERVAL_S = 15.0
LISTED = 10  # records, the latest first: enough to find the last complete import
ROWS = ("read", "imported", "updated", "unchanged", "skipped", "hidden", "rejected", "removed")


class ImportMetrics:
    """Reads the record of each catalogue's last import, again and again."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make the metrics; they have no samples yet."""
        by_catalogue: dict[str, Any] = {"labelnames": ("catalogue",), "registry": registry}
        text = "1 if the database answered the last reading, 0 if not; it is read every 15 s."
        self._database = Gauge("lookalike_database_up", text, registry=registry)
        text = "1 for the state of the last import."
        self._state = Gauge("lookalike_import_state", text, ("catalogue", "state"), registry=registry)
        text = "Rows of the last import, by what became of them."
        self._rows = Gauge("lookalike_import_rows", text, ("catalogue", "result"), registry=registry)
        text = "Part of the last import's feed that has been read, 0 to 1."
        self._progress = Gauge("lookalike_import_progress_ratio", text, **by_catalogue)
        text = "Unix time of the start of the last import."
        self._started = Gauge("lookalike_import_started_timestamp_seconds", text, **by_catalogue)
        text = "Unix time of the last backup; no sample before the first."
        self._backup = Gauge("lookalike_backup_timestamp_seconds", text, ("database",), registry=registry)
        text = "Unix time of the end of the last import that was completed."
        self._succeeded = Gauge("lookalike_import_success_timestamp_seconds", text, **by_catalogue)

    @contextlib.asynccontextmanager
    async def following(self, catalogues: Mapping[str, CatalogueDatabase]) -> AsyncIterator[None]:
        """Read the records at once and then every INTERVAL_S, for as long as the block lasts."""
        async with in_background(self._follow(catalogues), "read the records of imports"):
            yield

    async def _follow(self, catalogues: Mapping[str, CatalogueDatabase]) -> None:
        while True:
            try:
                await self.read(catalogues)
            except Exception:
                log.exception("import_metrics_not_read")
            await asyncio.sleep(INTERVAL_S)

    async def read(self, catalogues: Mapping[str, CatalogueDatabase]) -> None:
        """Read the records once. While the database is unavailable, the last samples stay."""
        try:
            await self._read_backup(catalogues[DEFAULT_CATALOGUE])
            for name, catalogue in catalogues.items():
                records = await catalogue.notes.list_imports(LISTED)
                if records:
                    self._show(name, records)
        except CatalogueUnavailable:
            self._database.set(0)
            return
        self._database.set(1)

    async def _read_backup(self, catalogue: CatalogueDatabase) -> None:
        note = await catalogue.notes.get(LAST_BACKUP)
        if note is not None:
            self._backup.labels(catalogue.database_name).set(_unix(note["begun_at"]))

    def _show(self, catalogue: str, records: list[dict[str, Any]]) -> None:
        last = present(records[0])
        for state in get_args(State):
            self._state.labels(catalogue, state).set(last["state"] == state)
        for name in ROWS:
            self._rows.labels(catalogue, name).set(last.get(name, 0))
        done, total = last.get("progress", (0, 0))
        is_complete = last["state"] == "done"
        self._progress.labels(catalogue).set(1 if is_complete else done / total if total else 0)
        self._started.labels(catalogue).set(_unix(last["started_at"]))
        ends = [record["finished_at"] for record in records if record["state"] == "done"]
        if ends:
            self._succeeded.labels(catalogue).set(_unix(ends[0]))


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
