"""The names of encodings of text."""

import codecs

# WHATWG's Encoding Standard reads these as Windows-1252, because the authors mean it.
LATIN = frozenset({"iso8859-1", "ascii"})
# Codecs that write other characters as text of ASCII.
ESCAPES = frozenset(
    {"utf-7", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "unicode_escape", "raw_unicode_escape"}
)


def known_codec(name: str) -> str:
    """Return Python's name of an encoding of text; ISO-8859-1 is read as Windows-1252.

    Raises:
        LookupError: Python does not have it, or it is no encoding of text.
    """
    try:
        codec = codecs.lookup(name.strip()).name
        is_wide = codec.startswith(("utf-16", "utf-32"))
        is_text = "id".encode(codec).decode(codec) == "id" and (is_wide or "id".encode(codec).endswith(b"id"))
    except (LookupError, ValueError, TypeError, AttributeError):
        is_text = False
    if not is_text or codec in ESCAPES:
        raise LookupError(f"unknown encoding: {name}")
    return "cp1252" if codec in LATIN else "utf-8" if codec == "utf-8-sig" else codec


def shown_name(codec: str) -> str:
    """Return the usual name of a codec: `Windows-1252` for `cp1252`."""
    return f"Windows-{codec.removeprefix('cp')}" if codec.startswith("cp125") else codec.upper().replace("_", "-")
