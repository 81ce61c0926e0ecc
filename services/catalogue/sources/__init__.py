"""Where products come from: one reader a kind of source, all giving the same rows. `open_source` tells which it is."""

from services.catalogue.sources.detect import open_source
from services.catalogue.sources.mapping import FeedMapping, load_mapping
from services.catalogue.sources.rows import RejectedRow, Source, SourceError, SourceImageError, SourceRow

__all__ = [
    "FeedMapping",
    "RejectedRow",
    "Source",
    "SourceError",
    "SourceImageError",
    "SourceRow",
    "load_mapping",
    "open_source",
]
