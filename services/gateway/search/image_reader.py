"""The image of a request, in any of the forms it may have → its bytes."""

import base64
import binascii
from dataclasses import dataclass

from services.contracts.domain.errors import ImageTooLarge, ImageUrlRefused, InvalidImage, InvalidRequest
from services.contracts.images.fetch import ImageFetcher

URL_SAFE = str.maketrans("-_", "+/")  # the characters in which base64url (RFC 4648, section 5) differs


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
        text = text.strip()
        if text[:5].lower() == "data:":
            head, _, text = text.partition(",")
            if not head.lower().endswith(";base64"):
                raise InvalidImage("image_base64 is a data: URL without base64: it has to begin data:image/…;base64,")
        text = "".join(text.split()).rstrip("=")
        if "-" in text or "_" in text:
            text = text.translate(URL_SAFE)
        try:
            return self.checked(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except (binascii.Error, ValueError):
            raise InvalidImage("image_base64 is not valid base64") from None

    def checked(self, data: bytes) -> bytes:
        """Return the bytes if there are any, and not too many.

        Raises:
            InvalidImage, ImageTooLarge: there are none, or too many.
        """
        if not data:
            raise InvalidImage("the image is empty: it has 0 bytes")
        if len(data) > self.max_bytes:
            raise ImageTooLarge(f"the image has {len(data):,} bytes: at most {self.max_bytes:,} are accepted")
        return data

    async def one_of(self, url: str | None, text: str | None) -> bytes:
        """Return the image, given either its URL or its bytes in base64.

        Raises:
            InvalidRequest: neither or both are given.
        """
        if (url is None) == (text is None):
            raise InvalidRequest("give exactly one of image_url and image_base64")
        return await self.from_url(url) if url is not None else self.from_base64(text or "")
