"""The image of a request, in any of the forms it may have → its bytes."""

import asyncio
import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from services.contracts.domain.errors import ImageTooLarge, ImageUrlRefused, InvalidImage, InvalidRequest
from services.contracts.images.fetch import ImageFetcher
from services.contracts.images.formats import sniff
from services.contracts.images.structure import check_structure

URL_SAFE = bytes.maketrans(b"-_", b"+/")  # the characters in which base64url (RFC 4648, section 5) differs
WHITE_SPACE = b" \t\n\r\v\f"
PIECE = 1 << 18  # characters that are decoded at a time, in less than a millisecond
LARGE_BYTES = 1 << 20  # of a file that is checked here: to pass it on costs more than the check


@dataclass(frozen=True)
class ImageReader:
    """Reads images within the bound on their size. Without a fetcher, image URLs are refused."""

    max_bytes: int
    fetcher: ImageFetcher | None

    async def from_url(self, url: str) -> bytes:
        """Fetch the image.

        Raises:
            ImageUrlRefused: fetching is switched off, or the address may not be fetched.
            ImageUrlFailed, ImageTooLarge, UpstreamTimeout: as `ImageFetcher.fetch`.
        """
        if self.fetcher is None:
            raise ImageUrlRefused(
                "this installation fetches no image URLs: send the image, or set GATEWAY_FETCH_ENABLED"
            )
        return await self.fetcher.fetch(url)

    def from_base64(self, text: str) -> bytes:
        """Decode base64, or a data: URL that holds it: with line ends, of either alphabet, with or without padding.

        Raises:
            InvalidImage: the text is not base64.
        """
        try:
            return self.checked(b"".join(_decoded(_without_head(text))))
        except (binascii.Error, ValueError):
            raise InvalidImage("image_base64 is not valid base64") from None

    async def from_large_base64(self, text: str) -> bytes:
        """Decode as `from_base64`; other requests go on between two pieces.

        A thread would not do: it holds the interpreter's lock while it decodes, and several of them keep the event loop
        from it for long.

        Raises:
            InvalidImage: the text is not base64.
        """
        pieces = []
        try:
            for piece in _decoded(_without_head(text)):
                pieces.append(piece)
                await asyncio.sleep(0)
        except (binascii.Error, ValueError):
            raise InvalidImage("image_base64 is not valid base64") from None
        return self.checked(b"".join(pieces))

    def checked(self, data: bytes) -> bytes:
        """Return the bytes if there are any, not too many, and if a large file has an ordinary structure.

        Raises:
            InvalidImage, ImageTooLarge: there are none, too many, or the file has far too many parts.
        """
        if not data:
            raise InvalidImage("the image is empty: it has 0 bytes")
        if len(data) > self.max_bytes:
            raise ImageTooLarge(f"the image has {len(data):,} bytes: at most {self.max_bytes:,} are accepted")
        if len(data) > LARGE_BYTES and (kind := sniff(data)) is not None:
            check_structure(kind, data)
        return data

    async def one_of(self, url: str | None, text: str | None) -> bytes:
        """Return the image, given either its URL or its bytes in base64.

        Raises:
            InvalidRequest: neither or both are given.
        """
        if (url is None) == (text is None):
            raise InvalidRequest("give exactly one of image_url and image_base64")
        if url is not None:
            return await self.from_url(url)
        return await self.from_large_base64(text or "")


def _without_head(text: str) -> str:
    """Return the base64 of a text, without the beginning of a data: URL.

    Raises:
        InvalidImage: it is a data: URL of something else.
    """
    text = text.strip()
    if text[:5].lower() != "data:":
        return text
    head, _, rest = text.partition(",")
    if not head.lower().endswith(";base64"):
        raise InvalidImage("image_base64 is a data: URL without base64: it has to begin data:image/…;base64,")
    return rest


def _decoded(text: str) -> Iterator[bytes]:
    """Yield the bytes of base64 piece by piece, in time and memory of its size.

    Raises:
        ValueError: it is not base64.
    """
    rest, is_padded = b"", False
    for at in range(0, len(text), PIECE):
        piece = text[at : at + PIECE].encode("ascii").translate(URL_SAFE, WHITE_SPACE)
        characters = piece.rstrip(b"=")
        if b"=" in characters or (is_padded and characters):
            raise ValueError("there is padding before the end")
        is_padded = len(characters) < len(piece) or is_padded
        content = rest + characters
        whole = len(content) - len(content) % 4
        rest = content[whole:]
        yield base64.b64decode(content[:whole], validate=True)
    yield base64.b64decode(rest + b"=" * (-len(rest) % 4), validate=True)
