"""The pages' files: read once, compressed once, served at addresses that change with their content."""

import gzip
import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from services.gateway.pages.bundle import bundle

ROOT = "/assets"
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Scripts that are served as one file with all that they import: a request less for each module.
BUNDLED = {"search/app.js": "search/bundle.js", "widget/widget.js": "widget/bundle.js"}
STRINGS = "shared/strings/"  # one file a language
# Comments on lines of their own in scripts. They are for readers of the repository: a third of what a script weighs.
COMMENTS = re.compile(rb"^[ \t]*(?:/\*.*?\*/[ \t]*|//[^\n]*)\n", re.DOTALL | re.MULTILINE)
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file: its bytes, plain and compressed, its media type and its ETag."""

    body: bytes
    compressed: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> Self:
        """Return the asset of a body. The same bytes give the same asset in every process."""
        return cls(body, gzip.compress(body, 9, mtime=0), media_type, f'"{hashlib.sha256(body).hexdigest()[:16]}"')


class Assets:
    """The files below one folder, all in memory: a few dozen, a few hundred kilobytes."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Take the files by their path below the folder, with slashes."""
        served = {name: _served(name, body) for name, body in files.items()}
        for entry in set(BUNDLED) & set(served):
            served[BUNDLED[entry]] = bundle(entry, served)
        self._files = {name: Asset.of(body, MEDIA_TYPES[Path(name).suffix]) for name, body in served.items()}
        whole = hashlib.sha256()
        for name in sorted(served):
            whole.update(f"{name}\0{len(served[name])}\0".encode() + served[name])
        self.digest = whole.hexdigest()[:12]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read every file of a type that pages use."""
        paths = (path for path in sorted(folder.rglob("*")) if path.suffix in MEDIA_TYPES)
        return cls({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})

    @property
    def prefix(self) -> str:
        """Prefix of the files' addresses. Modules import each other by relative paths, so they share one digest."""
        return f"{ROOT}/{self.digest}"

    def find(self, name: str) -> Asset | None:
        """Return a file; None if there is none of that name."""
        return self._files.get(name)

    def page(
        self,
        name: str,
        *,
        root: str = "",
        modules: tuple[str, ...] = (),
        config: Mapping[str, Any] | None = None,
        texts: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Asset:
        """Return an HTML file with the addresses of its files and the page's configuration.

        Args:
            name: the file.
            root: the path before the gateway's paths.
            modules: scripts, and folders of scripts, that the browser preloads.
            config: JSON in an attribute of the page. It is not a script, so the policy forbids inline scripts.
            texts: other places of the page, and their HTML.
            language: the file in STRINGS to preload; those of the other languages are not.
        """
        classic = {"shared/boot.js"}
        scripts = [
            f
            for f in sorted(set(self._files) - classic)
            if (f in modules or f.partition("/")[0] in modules) and f.endswith(".js") and _is_in_language(f, language)
        ]
        preloads = "\n  ".join(f'<link rel="modulepreload" href="{root}{self.prefix}/{script}">' for script in scripts)
        values = {
            "__ROOT__": root,
            "__ASSETS__": root + self.prefix,
            "__PRELOADS__": preloads,
            "__CONFIG__": html.escape(orjson.dumps(dict(config or {})).decode(), quote=True),
            **(texts or {}),
        }
        text = self._files[name].body.decode()
        for place, value in values.items():
            text = text.replace(place, value)
        return Asset.of(text.encode(), MEDIA_TYPES[".html"])


def _is_in_language(name: str, language: str) -> bool:
    """Return whether a file is needed in a language."""
    return not name.startswith(STRINGS) or name == f"{STRINGS}{language}.js"


def _served(name: str, body: bytes) -> bytes:
    """Return a file as browsers get it: a script without its comments."""
    return COMMENTS.sub(b"", body) if name.endswith(".js") else body
