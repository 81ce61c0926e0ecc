"""The stack that the states are shown with, and the photo."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.sample_shop.catalogue import sample_query
from tools.sample_stack import running_shop
from tools.screenshots import PRODUCTS_PER_CATEGORY, VARIABLES, stack_settings


def drawn_photo(folder: Path) -> Path:
    """Write a drawn photo of a bag, and return its path."""
    photo = folder / "photo.jpg"
    photo.write_bytes(sample_query(77, "Bags"))
    return photo


@contextmanager
def gateway_url(url: str | None, folder: Path) -> Iterator[str]:
    """Yield the address of a gateway: the given one, or that of a stack with drawn products in a folder."""
    if url is not None:
        yield url
        return
    count = PRODUCTS_PER_CATEGORY
    settings = stack_settings(folder / "stack")
    with running_shop(settings, shoes=count, others=count, variables=VARIABLES) as shop:
        yield shop.url
