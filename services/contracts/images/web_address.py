"""Normalises web addresses as browsers do: the URL Standard of WHATWG, https://url.spec.whatwg.org.

Feeds and redirects contain spaces, letters that are not ASCII, backslashes and addresses without a scheme.
"""

import re

import ada_url

# Two slashes before the host. Browsers also accept one or three: in a feed they are a mistake.
START = re.compile(r"(?:https?:[/\\]{2}|//)(?![/\\])", re.IGNORECASE)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")  # a name in IDNA form, IPv4, or IPv6 without a zone
# An address that is normalised already: most are, and checking that is ten times as fast as parsing. The host has no
# label in IDNA form and no number at its end, the path has no segment that begins with a point, there is no fragment.
NORMALISED = re.compile(
    r"https?://(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,24}(?:/(?!\.)[A-Za-z0-9._~!$&'()*+,;=:@-]*)+"
    r"(?:\?[A-Za-z0-9._~!$&()*+,;=:@/-]*)?"
)
IDNA = "xn--"
DEFAULT_SCHEME = "https:"  # of an address that begins with //


class WebAddressError(ValueError):
    """The text is not a web address. The error says why, without a subject."""


def normalised(text: str, base: str | None = None) -> str:
    """Return a web address in ASCII: percent-encoded, with its host in IDNA form.

    Args:
        text: the address; tabs, line ends and surrounding spaces are removed.
        base: the normalised address to which a relative one refers. Default: it must be absolute.

    Raises:
        WebAddressError: it is not http or https, has no valid host, or has credentials.
    """
    if is_normalised(text):
        return text
    text = re.sub(r"[\t\r\n]", "", text).strip(" ")
    if base is None or SCHEME.match(text):
        _check_start(text)
    if "\0" in text:
        raise WebAddressError("has a NUL character")
    if base is None and text.startswith("//"):
        text = DEFAULT_SCHEME + text
    try:
        url = ada_url.URL(text, base=base)
    except (ValueError, UnicodeError):
        raise WebAddressError(_reason(text)) from None
    if HOST.fullmatch(url.hostname) is None:
        raise WebAddressError("has no valid host")
    if url.username or url.password:
        raise WebAddressError("must not contain a user name or password")
    return str(url.href)


def is_normalised(text: str) -> bool:
    """Return whether an address is normalised already; false if only a parser can say so."""
    return NORMALISED.fullmatch(text) is not None and IDNA not in text


def _check_start(text: str) -> None:
    if not text:
        raise WebAddressError("is empty")
    if START.match(text) is None:
        is_web = re.match(r"https?:[/\\]{2}", text, re.IGNORECASE)
        raise WebAddressError("has no valid host" if is_web else "must start with http:// or https://")


def _reason(text: str) -> str:
    host = re.split(r"[/\\?#]", START.sub("", text, count=1), maxsplit=1)[0]
    if any(character.isspace() for character in host):
        return f"has a space in its host {host[:100]!r}"
    return f"has no valid host or port: {host[:100]!r}"


def normalised_path(text: str) -> str:
    """Return a path of the shop's own site, percent-encoded.

    Raises:
        WebAddressError: it is not a path of the site.
    """
    site = "https://site.invalid"
    address = normalised(text, site)
    if not address.startswith(f"{site}/"):
        raise WebAddressError("is not a path of the shop's site")
    return address.removeprefix(site)
