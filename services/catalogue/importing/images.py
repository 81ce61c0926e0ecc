"""The images of described rows: read from files in a thread, or fetched; a bounded number of bytes at a time."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from services.catalogue.importing.description import Described
from services.catalogue.importing.web_images import WebImages
from services.catalogue.product import StoredImage
from services.catalogue.retry import Stopped
from services.catalogue.sources.records.rows import RejectedRow, RowImage, SourceImageError
from services.catalogue.store.http_cache import CachedImage
from services.contracts.domain.errors import LookalikeError
from services.contracts.images.fetch import NO_VALIDATORS
from services.contracts.images.formats import sniff
from services.contracts.wire.embedding import MAX_BATCH

T = TypeVar("T")
READ_AT_ONCE = 32  # image files, between two looks at how many bytes are in memory
FETCH_AT_ONCE = 8  # the same of images from the web, by each batch: as many as one server is asked for
GROUP_BYTES = 16 * 1024 * 1024  # images that are handled together, and sent in one request


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """A further image of a row.

    Attributes:
        name: as the source calls it.
        url: where the shop shows it; None where it came as a file, and we keep the picture.
        data: its bytes; empty where the product's own image of this hash is as good.
        sha256: their hash.
        seen: how it can be recognised when it is fetched again.
    """

    name: str
    url: str | None
    data: bytes
    sha256: str
    seen: CachedImage | None = None

    @property
    def picture(self) -> StoredImage:
        """The image as the catalogue keeps it."""
        return kept_picture(self.data)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A described row with its image file's bytes.

    `seen` says how a fetched image can be recognised. With `not_modified` its server says that it is as it was then, and
    `data` is empty.
    """

    item: Described
    data: bytes
    sha256: str
    seen: CachedImage | None = None
    not_modified: bool = False
    further: tuple[LoadedImage, ...] = ()

    @property
    def key(self) -> str:
        """The product's key."""
        return self.item.row.key

    @property
    def picture(self) -> StoredImage:
        """The image as the catalogue keeps it."""
        return kept_picture(self.data)

    @property
    def listed(self) -> list[tuple[str | None, str]]:
        """URL and hash of each further image."""
        return [(image.url, image.sha256) for image in self.further]


class ImageLoader:
    """Loads images. Rows whose image cannot be had go to `reject`."""

    def __init__(self, web: WebImages, reject: Callable[[RejectedRow], None], stopping: asyncio.Event) -> None:
        """Remember where images come from; once `stopping` is set, nothing more is fetched."""
        self._web = web
        self._reject = reject
        self.stopping = stopping

    async def load(self, items: list[Described], recalled: Mapping[str, CachedImage]) -> AsyncIterator[list[Loaded]]:
        """Yield the rows with their images, in groups of about GROUP_BYTES at most; `recalled` ones only if they changed."""
        group: list[Loaded] = []
        at_once = FETCH_AT_ONCE if any(isinstance(item.row.image, str) for item in items) else READ_AT_ONCE
        for start in range(0, len(items), at_once):
            if self.stopping.is_set():
                break
            group += await self._some(items[start : start + at_once], recalled)
            if sum(len(loaded.data) for loaded in group) >= GROUP_BYTES:
                yield group
                group = []
        if group:
            yield group

    async def further(self, image: RowImage, seen: CachedImage | None) -> LoadedImage:
        """Return a further image of a row; without its bytes where its server says that it is as `seen` has it.

        Raises:
            SourceImageError, LookalikeError: it cannot be had.
            Stopped: we are told to stop.
        """
        if self.stopping.is_set():
            raise Stopped
        if image.load is None:
            sent, now = await self._get(image.name, seen)
            return LoadedImage(image.name, image.name, sent or b"", now.sha256, now)
        data = await asyncio.to_thread(image.load)
        return LoadedImage(image.name, None, data, sha256_of(data))

    async def whole(self, group: list[Loaded]) -> list[Loaded]:
        """Return the rows with all of their images; those that were not sent, for they are as they were, are fetched."""
        missing = [loaded.item for loaded in group if loaded.not_modified]
        return [loaded for loaded in group if not loaded.not_modified] + await self._some(missing, {})

    async def _some(self, items: list[Described], recalled: Mapping[str, CachedImage]) -> list[Loaded]:
        local = [item for item in items if not isinstance(item.row.image, str)]
        remote = [item for item in items if isinstance(item.row.image, str)]
        found: list[Loaded | RejectedRow | None] = []
        if local:
            found += await asyncio.to_thread(lambda: [_read(item) for item in local])
        found += await asyncio.gather(*(self._fetch(item, recalled.get(item.row.key)) for item in remote))
        for one in found:
            if isinstance(one, RejectedRow):
                self._reject(one)
        return [one for one in found if isinstance(one, Loaded)]

    async def _fetch(self, item: Described, seen: CachedImage | None) -> Loaded | RejectedRow | None:
        url = str(item.row.image)
        known = seen if seen is not None and seen.url == url else None
        if self.stopping.is_set():
            return None
        try:
            data, now = await self._get(url, known)
        except LookalikeError as error:
            return rejected(item, error.detail)
        except Stopped:
            return None
        return Loaded(item, data or b"", now.sha256, now, not_modified=data is None)

    async def _get(self, url: str, known: CachedImage | None) -> tuple[bytes | None, CachedImage]:
        """Return an image's bytes, or None where its server says that it is as `known` has it; and how to recognise it."""
        fetched = await self._web.get(url, NO_VALIDATORS if known is None else known.validators)
        if fetched.data is None:
            assert known is not None
            return None, CachedImage(url, known.sha256, fetched.validators)
        return fetched.data, CachedImage(url, sha256_of(fetched.data), fetched.validators)


def _read(item: Described) -> Loaded | RejectedRow:
    assert not isinstance(item.row.image, str)
    try:
        data = item.row.image()
    except SourceImageError as error:
        return rejected(item, str(error))
    return Loaded(item, data, sha256_of(data))


def sha256_of(data: bytes) -> str:
    """Return the hash by which an image is known."""
    return hashlib.sha256(data).hexdigest()


def kept_picture(data: bytes) -> StoredImage:
    """Return an image as the catalogue keeps it."""
    return StoredImage(f"image/{(sniff(data) or 'octet-stream').lower()}", data)


def rejected(item: Described, reason: str) -> RejectedRow:
    """Return the complaint about a row that looked like a product at first."""
    return RejectedRow(item.row.line, item.row.key, reason)


def requests(group: list[Loaded]) -> Iterator[list[Loaded]]:
    """Yield a group in parts that the embedding service takes in one request."""
    return in_requests(group, lambda loaded: len(loaded.data))


def in_requests(group: Iterable[T], size_of: Callable[[T], int], most: int = MAX_BATCH) -> Iterator[list[T]]:
    """Yield whatever has an image in parts that the embedding service takes in one request, of `most` images at most;
    `size_of` says an image's bytes.
    """
    part: list[T] = []
    size = 0
    for one in group:
        if part and (len(part) == most or size + size_of(one) > GROUP_BYTES):
            yield part
            part, size = [], 0
        part.append(one)
        size += size_of(one)
    if part:
        yield part
