"""Hooks of `make docs`: pages outside docs/ become part of the site, and links between all pages resolve.

A path of the site is that of the repository, without a leading `docs/`. docs/index.md replaces the README.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
DOCS = "docs/"
PAGES = (
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "training/EXPERIMENTS.md",
    "models/*/*/README.md",
    "models/*/*/report/*",
)
PLACES = {"README.md": "index.md"}
_LINK = re.compile(r"(?P<start>!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()(?P<address>[^()\s]+)(?P<end>\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside docs/."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and path.suffix != ".json":
                files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the page with its links as the site's paths; a link to a file that the site lacks becomes text."""
    source = page.file.src_uri
    repository_path = source if (ROOT / source).is_file() and not (ROOT / DOCS / source).is_file() else DOCS + source

    def resolved(match: re.Match[str]) -> str:
        address, _, anchor = match["address"].partition("#")
        if not address or re.match(r"[a-z]+:", address):
            return match.group()
        target = posixpath.normpath(posixpath.join(posixpath.dirname(repository_path), address))
        place = PLACES.get(target, target.removeprefix(DOCS))
        if files.get_file_from_path(place) is None:
            return f"`{target}`" if (ROOT / target).exists() else match.group()
        relative = posixpath.relpath(place, posixpath.dirname(source) or ".")
        return match["start"] + relative + (f"#{anchor}" if anchor else "") + match["end"]

    return _LINK.sub(resolved, markdown)
