"""The report of an import: its counts, and the file of rejected rows."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any, Literal

import orjson

from services.catalogue.importing.description import Described
from services.catalogue.product import Product
from services.catalogue.sources.records.rows import RejectedRow, SourceRow, value_rows

Status = Literal["done", "interrupted", "cancelled", "failed"]
Fate = Literal[
    "imported", "updated", "unchanged", "skipped", "hidden", "rejected", "image_rejected", "value_not_understood"
]
SHOWN_REJECTED = 200
MAX_LEFT_OUT = 500  # names of fields that are counted each; a feed may have other names in every row
OTHER_FIELDS = "other fields"
SHOWN_VALUES = 100  # values that are not understood, among them: they leave room for rejected rows


class RejectedFileError(Exception):
    """The file for rejected rows cannot be written. The text says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a row of the source; `reason` says why it was rejected.

    An additional image that cannot be loaded has an outcome of its own, with its name in `image`.
    """

    line: int | None
    key: str | None
    fate: Fate
    reason: str | None = None
    image: str | None = None
    column: str | None = None


@dataclass
class Tally:
    """Counts of one import.

    Attributes:
        read: rows of the source, of every kind.
        imported: products that are new.
        updated: existing products whose image, model or description changed.
        unchanged: existing products that did not change.
        embedded: images that went through the network.
        not_modified: images that their web server did not send again, because they have not changed.
        skipped: rows that the source, or the mapping, places outside the categories.
        hidden: products that the shop does not show.
        rejected: rows that cannot become products.
        images_rejected: additional images that could not be loaded, of imported, updated and unchanged products.
        values_not_understood: values that are not understood, such as prices, of these products.
        checked: products without a problem in a dry run.
        removed: products that the feed no longer has.
        would_remove: the same in a dry run, which removes nothing.
        category_conflicts: imported or updated products whose category by the source is not the network's.
        left_out: fields that are no attributes, by name: in how many rows.
        notes: the oddities of the source that did no harm, as sentences.
        sources: where the categories of imported and updated products come from: feed, mapping or network.
    """

    read: int = 0
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    embedded: int = 0
    not_modified: int = 0
    skipped: int = 0
    hidden: int = 0
    rejected: int = 0
    images_rejected: int = 0
    values_not_understood: int = 0
    checked: int = 0
    removed: int = 0
    would_remove: int = 0
    category_conflicts: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    sources: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)

    def count(self, product: Product, *, is_new: bool) -> None:
        """Count a product that was written."""
        self.imported += is_new
        self.updated += not is_new
        self.sources[product.category_source] += 1
        prediction = product.embedding.prediction
        self.category_conflicts += prediction is not None and prediction.category != product.category

    def leave_out(self, names: Iterable[str]) -> None:
        """Count fields of a row that are no attributes."""
        self._leave_out(Counter(names))

    def _leave_out(self, counts: Counter[str]) -> None:
        for name, count in counts.items():
            is_counted = name in self.left_out or len(self.left_out) < MAX_LEFT_OUT
            self.left_out[name if is_counted else OTHER_FIELDS] += count

    def merge(self, other: "Tally") -> None:
        """Add the counts of another part of the same import."""
        for each in fields(self):
            if isinstance(count := getattr(other, each.name), int):
                setattr(self, each.name, getattr(self, each.name) + count)
        self.sources += other.sources
        self._leave_out(other.left_out)
        self.add_notes(other.notes)

    def add_notes(self, notes: Iterable[str]) -> None:
        """Add the notes of a source that are new: some are known before the first row, others after the last."""
        self.notes.extend(note for note in notes if note not in self.notes)

    def count_left_out(self, row: SourceRow) -> Literal["hidden", "skipped"]:
        """Count a row that becomes no product: a hidden one, or one outside the categories."""
        self.hidden += row.hidden
        self.skipped += not row.hidden
        return "hidden" if row.hidden else "skipped"

    @property
    def products(self) -> int:
        """Products that are done: imported, updated, unchanged, or without a problem in a dry run."""
        return self.imported + self.updated + self.unchanged + self.checked

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self.started


@dataclass(frozen=True)
class Summary:
    """How an import ended. `reason` says why it ended early; `seconds` and `rate` are of the whole run."""

    tally: Tally
    status: Status
    model: str | None
    seconds: float
    reason: str | None = None
    rejected_file: Path | None = None
    dry_run: bool = False

    @property
    def rate(self) -> float:
        """Products a second."""
        return self.tally.products / self.seconds if self.seconds > 0 else 0.0

    def document(self) -> dict[str, Any]:
        """Return the summary as JSON has it."""
        counts: tuple[str, ...] = (
            "read",
            "imported",
            "updated",
            "unchanged",
            "embedded",
            "not_modified",
            "skipped",
            "hidden",
            "rejected",
            "images_rejected",
            "values_not_understood",
            "checked",
            "removed",
            "would_remove",
            "category_conflicts",
        )
        return {
            "status": self.status,
            "dry_run": self.dry_run,
            "reason": self.reason,
            "model": self.model,
            **{name: getattr(self.tally, name) for name in counts},
            "category_sources": dict(self.tally.sources),
            "left_out": dict(self.tally.left_out),
            "notes": list(self.tally.notes),
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 1),
            "rejected_file": None if self.rejected_file is None else str(self.rejected_file),
        }


class RejectedFile:
    """Rejected rows as NDJSON: line, id and reason, and the name of a rejected additional image.

    The file appears at the end, complete, and only if there are any. Without a path, only the first ones are kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._part: IO[bytes] | None = None
        self._values = 0
        self.first: list[dict[str, Any]] = []  # for the page that shows how the last import went

    def add(self, row: RejectedRow) -> None:
        """Write down a row.

        Raises:
            RejectedFileError: the file cannot be written.
        """
        entry = {"line": row.line, "id": row.key, "reason": row.reason}
        if row.image is not None:
            entry["image"] = row.image
        if row.column is not None:
            entry["column"] = row.column
        self._values += row.column is not None
        if len(self.first) < SHOWN_REJECTED and (row.column is None or self._values <= SHOWN_VALUES):
            self.first.append(entry)
        if self._path is None:
            return
        try:
            if self._part is None:
                self._part = tempfile.NamedTemporaryFile(  # noqa: SIM115  # closed in `close`
                    dir=self._path.parent, prefix=f".{self._path.name}.", suffix=".part", delete=False
                )
            self._part.write(orjson.dumps(entry) + b"\n")
        except OSError as error:
            raise self._error(error) from None

    def close(self) -> Path | None:
        """Move the file to its place and return it; without rejected rows, remove the file of an earlier import.

        Raises:
            RejectedFileError: the file cannot be written.
        """
        if self._path is None:
            return None
        try:
            if self._part is None:
                self._path.unlink(missing_ok=True)
                return None
            with self._part as part:
                part.flush()
                os.fsync(part.fileno())
                os.fchmod(part.fileno(), 0o644)
            Path(self._part.name).replace(self._path)
        except OSError as error:
            raise self._error(error) from None
        return self._path

    def _error(self, error: OSError) -> RejectedFileError:
        return RejectedFileError(f"the rejected rows cannot be written to {self._path}: {error.strerror}")


class OutcomeLog:
    """Counts outcomes in `tally`, writes rejected rows to a file, and passes every outcome on."""

    def __init__(self, rejected_file: RejectedFile, on_outcome: Callable[[Outcome], None]) -> None:
        self.tally = Tally()
        self._rejected_file = rejected_file
        self._on_outcome = on_outcome

    def done(self, row: SourceRow, fate: Fate) -> None:
        """Report a row that was not rejected."""
        self._on_outcome(Outcome(row.line, row.key, fate))

    def rejected(self, row: RejectedRow) -> None:
        """Report a row that the source itself rejects.

        Raises:
            RejectedFileError: the file cannot be written.
        """
        self._rejected_file.add(row)
        self.tally.rejected += 1
        self._on_outcome(Outcome(row.line, row.key, "rejected", row.reason))

    def product_rejected(self, item: Described, reason: str) -> None:
        """Report a row that cannot become a product.

        Raises:
            RejectedFileError: the file cannot be written.
        """
        self.rejected(RejectedRow(item.row.line, item.row.key, reason))

    def values_not_understood(self, row: SourceRow) -> None:
        """Report the values of a row that are not understood.

        Raises:
            RejectedFileError: the file cannot be written.
        """
        for value in value_rows(row):
            self._rejected_file.add(value)
            self.tally.values_not_understood += 1
            self._on_outcome(Outcome(value.line, value.key, "value_not_understood", value.reason, column=value.column))

    def image_rejected(self, item: Described, name: str, reason: str) -> None:
        """Report an additional image that its product has to do without.

        Raises:
            RejectedFileError: the file cannot be written.
        """
        row = RejectedRow(item.row.line, item.row.key, reason, name)
        self._rejected_file.add(row)
        self.tally.images_rejected += 1
        self._on_outcome(Outcome(row.line, row.key, "image_rejected", row.reason, row.image))
