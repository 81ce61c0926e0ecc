"""The directory of a model version: its name, its number, and how it is replaced."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from training.errors import TrainingError


@dataclass(frozen=True)
class ModelVersion:
    """Where a model version is written. The last two parts of the directory's path are its name and version."""

    directory: Path
    name: str
    version: int

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Read name and version from a path such as `models/fashion/1`.

        Raises:
            TrainingError: the path does not end in a name and a version.
        """
        name, version = directory.absolute().parent.name, directory.name
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or not re.fullmatch(r"[1-9][0-9]{0,8}", version):
            raise TrainingError(f"--out {directory} must end in a name and a version number, such as models/fashion/1")
        return cls(directory, name, int(version))

    def refuse_to_overwrite(self, force: bool) -> None:
        """Raise TrainingError if the version exists and may not be replaced."""
        if self.directory.exists() and not force:
            raise TrainingError(
                f"{self.directory} exists already: choose the next version number, or --force to replace it"
            )

    @contextmanager
    def written(self, force: bool) -> Iterator[Path]:
        """Yield a temporary directory next to the target, and rename it to the target when the block ends without
        error.

        Raises:
            TrainingError: the version exists and may not be replaced.
            OSError: the folder cannot be written.
        """
        target = self.directory
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f".{target.name}.part-{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            yield temporary
            self.refuse_to_overwrite(force)
            self._replace_by(temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _replace_by(self, temporary: Path) -> None:
        target = self.directory
        if not target.exists():
            temporary.rename(target)
            return
        old = target.parent / f".{target.name}.old-{os.getpid()}"
        target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old)
