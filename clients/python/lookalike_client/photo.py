"""Photos and images in calls: bytes, a file, or a path."""

import os
from pathlib import Path
from typing import BinaryIO

Photo = bytes | str | os.PathLike[str] | BinaryIO


def read(photo: Photo) -> bytes:
    """Return an image's bytes; a text is the path of a file.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, str | os.PathLike):
        return Path(photo).read_bytes()
    return photo.read()
