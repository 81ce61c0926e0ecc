"""The pages' own files: read once, compressed once, served under names that change with their content."""

import gzip
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

ROOT = "/assets"
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file: its bytes as they are and compressed, its media type, and its name for caches."""

    body: bytes
    packed: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> Self:
        """Compress a body. The same bytes give the same result in every process."""
        return cls(body, gzip.compress(body, 9, mtime=0), media_type, f'"{hashlib.sha256(body).hexdigest()[:16]}"')


class Assets:
    """The files below one folder. All of them are in memory: a few dozen, a few hundred kilobytes."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Take the files, by their path below the folder, with slashes."""
        self._files = {name: Asset.of(body, MEDIA_TYPES[Path(name).suffix]) for name, body in files.items()}
        whole = hashlib.sha256()
        for name in sorted(files):
            whole.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
        self.digest = whole.hexdigest()[:12]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read every file of a kind that pages have."""
        found = (path for path in sorted(folder.rglob("*")) if path.suffix in MEDIA_TYPES)
        return cls({path.relative_to(folder).as_posix(): path.read_bytes() for path in found})

    @property
    def prefix(self) -> str:
        """Where the files are: modules name one another relatively, so one digest in the path does for all of them."""
        return f"{ROOT}/{self.digest}"

    def find(self, name: str) -> Asset | None:
        """Return a file, or None."""
        return self._files.get(name)

    def page(self, name: str, *, modules: tuple[str, ...] = (), config: Mapping[str, Any] | None = None) -> Asset:
        """Return an HTML file with the addresses of its files and what the page has to know filled in.

        Args:
            name: the file.
            modules: folders whose scripts the browser is to fetch at once, instead of one import after the other.
            config: goes into the page as JSON in an attribute: no script in the page, so the policy stays strict.
        """
        classic = {"shared/boot.js"}
        scripts = [
            f for f in sorted(set(self._files) - classic) if f.endswith(".js") and f.partition("/")[0] in modules
        ]
        preloads = "\n  ".join(f'<link rel="modulepreload" href="{self.prefix}/{script}">' for script in scripts)
        values = {
            "__ASSETS__": self.prefix,
            "__PRELOADS__": preloads,
            "__CONFIG__": html.escape(orjson.dumps(dict(config or {})).decode(), quote=True),
        }
        text = self._files[name].body.decode()
        for place, value in values.items():
            text = text.replace(place, value)
        return Asset.of(text.encode(), MEDIA_TYPES[".html"])
