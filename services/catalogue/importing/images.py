"""The images of rows: read from files in a thread, or fetched; a bounded number of bytes at a time."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.catalogue.importing.description import Described
from services.catalogue.importing.report import OutcomeLog
from services.catalogue.importing.web_images import WebImages
from services.catalogue.product import ProductImage, StoredImage
from services.catalogue.retry import Stopped
from services.catalogue.sources.records.rows import RowImage, SourceImageError
from services.catalogue.store.http_cache import CachedImage, cache_id
from services.contracts.domain.errors import LookalikeError
from services.contracts.images.fetch import NO_VALIDATORS
from services.contracts.images.formats import sniff
from services.contracts.images.metadata import without_metadata

FILES_AT_ONCE = 32  # main images read between two checks of the bytes in memory; the same number of additional ones
FETCHES_AT_ONCE = 8  # main images from the web between two checks: the requests to one server
GROUP_BYTES = 16 * 1024 * 1024  # images that are handled together, and sent in one request


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """An image of a row.

    Attributes:
        name: as the source calls it.
        url: where the shop shows it; None where the catalogue is to store the picture.
        data: its bytes; None where the image was not sent because it is as the product has it.
        sha256: their hash.
        cached: how it can be recognised when it is fetched again.
    """

    name: str
    url: str | None
    data: bytes | None
    sha256: str
    cached: CachedImage | None = None

    @property
    def picture(self) -> StoredImage:
        """The image as the catalogue stores it."""
        return stored_picture(self.content)

    @property
    def content(self) -> bytes:
        """Its bytes, which have to be there."""
        assert self.data is not None
        return self.data

    @property
    def size(self) -> int:
        """The number of bytes in memory."""
        return 0 if self.data is None else len(self.data)


@dataclass(frozen=True, slots=True)
class LoadedRow:
    """A described row with its images, the main one first."""

    item: Described
    images: tuple[LoadedImage, ...]

    @property
    def key(self) -> str:
        """The product's key."""
        return self.item.row.key

    @property
    def main(self) -> LoadedImage:
        """The main image."""
        return self.images[0]

    @property
    def product_images(self) -> tuple[ProductImage, ...]:
        """The images as the product is to have them."""
        return tuple(ProductImage(image.url, image.sha256) for image in self.images)

    @property
    def size(self) -> int:
        """Bytes of all images."""
        return sum(image.size for image in self.images)


class ImageLoader:
    """Loads images. A row without its main image is rejected; it goes without additional ones that cannot be loaded."""

    def __init__(self, web: WebImages, outcomes: OutcomeLog, stopping: asyncio.Event) -> None:
        """Remember where images come from; once `stopping` is set, nothing more is fetched."""
        self._web = web
        self._outcomes = outcomes
        self.stopping = stopping

    async def load(
        self, items: Sequence[Described], recalled: Mapping[str, CachedImage]
    ) -> AsyncIterator[list[LoadedRow]]:
        """Yield rows with their images, in groups of about GROUP_BYTES at most.

        Once `stopping` is set, rows whose images are not all loaded are left out.

        Args:
            items: the rows.
            recalled: images that are fetched only if they have changed; see `ImageCache.recall`.
        """
        group: list[LoadedRow] = []
        at_once = FETCHES_AT_ONCE if any(isinstance(item.row.image, str) for item in items) else FILES_AT_ONCE
        for start in range(0, len(items), at_once):
            if self.stopping.is_set():
                break
            for part in _portions(await self._main_images(items[start : start + at_once], recalled)):
                rows = await asyncio.gather(*(self._with_additional(row, recalled) for row in part))
                group += [row for row in rows if row is not None]
                if sum(row.size for row in group) >= GROUP_BYTES:
                    yield group
                    group = []
        if group:
            yield group

    async def with_main_bytes(self, rows: Iterable[LoadedRow]) -> list[LoadedRow]:
        """Return rows with the bytes of their main images; those that were not sent are fetched."""
        rows = list(rows)
        fetched = await self._main_images([row.item for row in rows if row.main.data is None], {})
        images = {row.key: row.main for row in fetched}
        full = (row if row.main.data is not None else _with_main(row, images.get(row.key)) for row in rows)
        return [row for row in full if row is not None]

    async def with_bytes(self, row: LoadedRow, image: LoadedImage) -> LoadedImage | None:
        """Return an additional image with its bytes; one that was not sent is fetched. None if it cannot be."""
        return image if image.data is not None else await self._additional(row, RowImage(image.name), None)

    async def _main_images(self, items: Sequence[Described], recalled: Mapping[str, CachedImage]) -> list[LoadedRow]:
        local = [item for item in items if not isinstance(item.row.image, str)]
        remote = [item for item in items if isinstance(item.row.image, str)]
        loaded: list[LoadedImage | str | None] = []
        if local:
            loaded += await asyncio.to_thread(lambda: [_read(item) for item in local])
        loaded += await asyncio.gather(*(self._fetch(item, recalled.get(item.row.key)) for item in remote))
        rows: list[LoadedRow] = []
        for item, image in zip([*local, *remote], loaded, strict=True):
            if isinstance(image, LoadedImage):
                rows.append(LoadedRow(item, (image,)))
            elif image is not None:
                self._outcomes.product_rejected(item, image)
        return rows

    async def _fetch(self, item: Described, known: CachedImage | None) -> LoadedImage | str | None:
        """Return a main image from the web, or why it cannot be loaded; None once `stopping` is set."""
        url = str(item.row.image)
        if self.stopping.is_set():
            return None
        try:
            return await self._get(url, known if known is not None and known.url == url else None, item.row.image_url)
        except LookalikeError as error:
            return error.detail
        except Stopped:
            return None

    async def _with_additional(self, row: LoadedRow, recalled: Mapping[str, CachedImage]) -> LoadedRow | None:
        """Return a row with its additional images; None if `stopping` is set meanwhile."""
        loading = [
            self._additional(row, image, recalled.get(cache_id(row.key, image.name))) for image in row.item.row.images
        ]
        results = await asyncio.gather(*loading, return_exceptions=True)  # waits for all of them
        if any(isinstance(result, Stopped) for result in results):
            return None
        if error := next((result for result in results if isinstance(result, BaseException)), None):
            raise error
        images = {image.sha256: image for image in results if isinstance(image, LoadedImage)}
        images.pop(row.main.sha256, None)  # the main image once more
        return replace(row, images=(row.main, *images.values()))

    async def _additional(self, row: LoadedRow, image: RowImage, known: CachedImage | None) -> LoadedImage | None:
        """Return an additional image; None if it cannot be loaded and the product does not have it.

        Raises:
            Stopped: `stopping` is set.
        """
        if self.stopping.is_set():
            raise Stopped
        try:
            if image.load is None:
                return await self._get(image.name, known, image.name)
            data = await asyncio.to_thread(lambda load: without_metadata(load()), image.load)
            return LoadedImage(image.name, None, data, sha256_of(data))
        except (SourceImageError, LookalikeError) as error:
            reason = error.detail if isinstance(error, LookalikeError) else str(error)
            self._outcomes.image_rejected(row.item, image.name, reason)
        # What the product has of this URL stays: a web server may be unavailable for an hour.
        return None if known is None else LoadedImage(image.name, image.name, None, known.sha256)

    async def _get(self, address: str, known: CachedImage | None, url: str | None) -> LoadedImage:
        """Return an image from the web, without its bytes where the server says that it is as `known`."""
        fetched = await self._web.get(address, NO_VALIDATORS if known is None else known.validators)
        if fetched.data is None:
            assert known is not None
            return LoadedImage(address, url, None, known.sha256, CachedImage(address, known.sha256, fetched.validators))
        sha256 = sha256_of(fetched.data)
        return LoadedImage(address, url, fetched.data, sha256, CachedImage(address, sha256, fetched.validators))


def _read(item: Described) -> LoadedImage | str:
    """Return a main image from a file, or why it cannot be read."""
    assert not isinstance(item.row.image, str)
    try:
        data = item.row.image()
    except SourceImageError as error:
        return str(error)
    if item.row.image_url is None:  # the catalogue stores the picture
        data = without_metadata(data)
    return LoadedImage(item.row.key, item.row.image_url, data, sha256_of(data))


def _with_main(row: LoadedRow, main: LoadedImage | None) -> LoadedRow | None:
    """Return a row with another main image, which may also have been among the additional ones."""
    if main is None:
        return None
    return replace(row, images=(main, *(image for image in row.images[1:] if image.sha256 != main.sha256)))


def _portions(rows: Sequence[LoadedRow]) -> Iterator[list[LoadedRow]]:
    """Yield rows with about FILES_AT_ONCE additional images together."""
    part: list[LoadedRow] = []
    count = 0
    for row in rows:
        part.append(row)
        count += len(row.item.row.images)
        if count >= FILES_AT_ONCE:
            yield part
            part, count = [], 0
    if part:
        yield part


def sha256_of(data: bytes) -> str:
    """Return the hash by which an image is known."""
    return hashlib.sha256(data).hexdigest()


def stored_picture(data: bytes) -> StoredImage:
    """Return an image as the catalogue stores it."""
    return StoredImage(f"image/{(sniff(data) or 'octet-stream').lower()}", data)
