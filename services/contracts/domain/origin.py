"""Origins of web pages, as browsers write them in the header Origin: `https://shop.example`."""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def parse_origin(text: str) -> str:
    """Return the origin of an address in the form that browsers send: lower case, without the default port.

    Raises:
        ValueError: the text is not an origin: a scheme, a host and possibly a port.
    """
    origin = origin_of(text.strip().removesuffix("/"))
    if origin is None or urlsplit(text.strip()).path not in ("", "/") or "?" in text or "#" in text or "@" in text:
        raise ValueError(f"{text!r} is not an origin: write a scheme and a host, such as https://shop.example")
    return origin


def origin_of(url: str) -> str | None:
    """Return the origin of a web address, such as that of the header Referer; None if it has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or any(character.isspace() for character in host):
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")
