"""Images in the portions that the embedding service accepts."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from services.catalogue.importing import images
from services.contracts.wire.embedding import MAX_BATCH

T = TypeVar("T")


def in_requests(items: Iterable[T], size_of: Callable[[T], int], most: int = MAX_BATCH) -> Iterator[list[T]]:
    """Yield items with an image in parts that fit in one request to the embedding service.

    Args:
        items: any objects with an image.
        size_of: returns the bytes of an item's image.
        most: images in one request.
    """
    part: list[T] = []
    size = 0
    for item in items:
        if part and (len(part) == most or size + size_of(item) > images.GROUP_BYTES):
            yield part
            part, size = [], 0
        part.append(item)
        size += size_of(item)
    if part:
        yield part
