"""Addresses in requests: http and https only, as browsers normalise them. A result shows them as links."""

from typing import Annotated

from pydantic import AfterValidator

from services.contracts.images.web_address import WebAddressError, normalised, normalised_path

MAX_ADDRESS = 2048
RELATIVE = ("//", "/\\")


def web_address(text: str) -> str:
    """Return a web address.

    Raises:
        ValueError: it is not http or https, is not valid, or is too long.
    """
    try:
        address = normalised(text)
    except WebAddressError as error:
        raise ValueError(f"the address {error}") from None
    if len(address) > MAX_ADDRESS:
        raise ValueError(f"the address has more than {MAX_ADDRESS} characters when it is percent-encoded")
    return address


def page_address(text: str) -> str:
    """Return the address of a page: a web address, or a path of the shop's own site, as in feeds.

    Raises:
        ValueError: as `web_address`.
    """
    if not text.startswith("/") or text.startswith(RELATIVE):
        return web_address(text)
    try:
        return normalised_path(text)
    except WebAddressError as error:
        raise ValueError(f"the address {error}") from None


WebAddress = Annotated[str, AfterValidator(web_address)]
PageAddress = Annotated[str, AfterValidator(page_address)]
