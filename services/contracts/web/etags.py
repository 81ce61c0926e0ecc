"""Entity tags: whether a client has the current content of an address (RFC 9110, section 13.1.2)."""

import re

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def is_current(if_none_match: str | None, etag: str) -> bool:
    """Return whether an `If-None-Match` header names a tag, alone, in a list, or by `*`.

    The comparison is weak: a proxy that compresses the content makes `W/"…"` of `"…"`.
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return etag.removeprefix("W/") in _TAG.findall(if_none_match)
