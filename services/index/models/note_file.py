"""The latest known model note in a file: if the database is unavailable at the start, the right model is searched."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import structlog

from services.catalogue.store.model_note import ModelNote

log = structlog.get_logger()


class ModelNoteFile:
    """The file, in the folder of the snapshots. Without a folder there is no file. Failures are logged."""

    def __init__(self, folder: Path | None, catalogue: str) -> None:
        self._path = None if folder is None else folder / f"{quote(catalogue, safe='')}.models.json"
        self._written: ModelNote | None = None

    def read(self) -> ModelNote | None:
        """Return the note; None if there is no readable file."""
        if self._path is None:
            return None
        try:
            fields = json.loads(self._path.read_bytes())
            return ModelNote(*(_text(fields.get(name)) for name in ("active", "candidate", "previous")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, AttributeError) as error:
            log.warning("model_note_not_read", path=str(self._path), reason=str(error))
            return None

    def write(self, note: ModelNote) -> None:
        """Replace the note in the file, atomically."""
        if self._path is None or note == self._written:
            return
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(asdict(note)))
            temporary.replace(self._path)
            self._written = note
        except OSError as error:
            log.warning("model_note_not_written", path=str(self._path), reason=str(error))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
