"""Which reader a path is for."""

from pathlib import Path

from services.catalogue.kaggle import SEARCH_DEPTH, TABLE
from services.catalogue.sources.archive import KaggleSource
from services.catalogue.sources.csv_feed import CsvFeed
from services.catalogue.sources.folder import ImageFolder
from services.catalogue.sources.mapping import FeedMapping
from services.catalogue.sources.ndjson_feed import NdjsonFeed
from services.catalogue.sources.rows import Source, SourceError

CSV = frozenset({".csv", ".tsv"})
NDJSON = frozenset({".ndjson", ".jsonl"})
ACCEPTED = (
    "the Kaggle archive (a zip, or a folder with styles.csv), a folder of images, "
    "a CSV feed (.csv, .tsv) or an NDJSON feed (.ndjson, .jsonl)"
)


def open_source(path: Path, mapping: FeedMapping | None = None, images_root: Path | None = None) -> Source:
    """Return the reader for what lies at a path.

    Args:
        path: the archive, folder or feed.
        mapping: names of the feed's columns and categories in our terms.
        images_root: the folder that a feed's image paths are relative to and may not leave; the feed's own unless told.

    Raises:
        SourceError: there is nothing, it is none of these, or it cannot be read.
    """
    suffix = path.suffix.lower()
    if not path.exists():
        raise SourceError(f"there is nothing at {path}: give {ACCEPTED}")
    if path.is_dir():
        return KaggleSource(path) if _is_archive(path) else ImageFolder(path)
    if suffix == ".zip":
        return KaggleSource(path)
    if suffix in CSV | NDJSON:
        reader = CsvFeed if suffix in CSV else NdjsonFeed
        return reader(path, mapping or FeedMapping(), images_root or path.parent)
    raise SourceError(f"{path} is none of what can be imported: {ACCEPTED}")


def _is_archive(path: Path) -> bool:
    patterns = ("/".join(["*"] * depth + [TABLE]) for depth in range(SEARCH_DEPTH))
    return any(next(path.glob(pattern), None) is not None for pattern in patterns)
