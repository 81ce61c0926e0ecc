"""Names of fields as MongoDB accepts them in every place: no dot, no NUL, no leading dollar."""

from functools import lru_cache
from urllib.parse import unquote

CACHED_NAMES = 4096


@lru_cache(CACHED_NAMES)
def stored_name(name: str) -> str:
    """Return a name as a document holds it, with percent escapes."""
    escaped = name.replace("%", "%25").replace(".", "%2E").replace("\0", "%00")
    return "%24" + escaped[1:] if escaped.startswith("$") else escaped


shown_name = lru_cache(CACHED_NAMES)(unquote)
