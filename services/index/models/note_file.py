"""The note of the models as the index last knew it, in a file: with the database away, the right model serves again."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import structlog

from services.catalogue.store.model_note import ModelNote

log = structlog.get_logger()


class ModelNoteFile:
    """The file, beside the snapshots. Without a folder nothing is kept; what goes wrong is a line in the log."""

    def __init__(self, folder: Path | None, catalogue: str) -> None:
        self._path = None if folder is None else folder / f"{quote(catalogue, safe='')}.models.json"
        self._written: ModelNote | None = None

    def read(self) -> ModelNote | None:
        """Return the note; None when there is none that can be read."""
        if self._path is None:
            return None
        try:
            found = json.loads(self._path.read_bytes())
            return ModelNote(*(_name(found.get(field)) for field in ("active", "candidate", "previous")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, AttributeError) as error:
            log.warning("models_not_read", path=str(self._path), reason=str(error))
            return None

    def write(self, note: ModelNote) -> None:
        """Keep a note, in one step."""
        if self._path is None or note == self._written:
            return
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(asdict(note)))
            beside.replace(self._path)
            self._written = note
        except OSError as error:
            log.warning("models_not_kept", path=str(self._path), reason=str(error))


def _name(value: object) -> str | None:
    return value if isinstance(value, str) else None
