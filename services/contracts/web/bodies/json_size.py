"""Measures JSON bodies as they arrive: how many of their bytes are not the text of an image in base64."""

import re

MAX_JSON_BYTES = 64 * 1024
IMAGE = re.compile(rb'"(?:image_)?base64"[ \t\r\n]{0,8}:[ \t\r\n]{0,8}"')
LONGEST = 64  # bytes; at least as long as any match of IMAGE


class JsonSize:
    """Counts the bytes of a JSON body without those between the quotes of `"image_base64": "…"` and `"base64": "…"`.

    The body is given piece by piece. The work is linear: each image adds at least ten bytes to the count, and the
    caller stops at its bound. An image's text ends at the first quote, because base64 contains none.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._in_image = False
        self._tail = b""  # the end of the last piece, which may hold the beginning of a match

    def add(self, data: bytes, max_bytes: int) -> bool:
        """Add a piece; return whether the count is still at most `max_bytes`."""
        text = self._tail + data
        at = counted = len(self._tail)
        if not self._in_image:
            at = 0
        while True:
            if self._in_image:
                at = text.find(b'"', at)
                if at < 0:
                    self._tail = b""
                    return True
                self._in_image, counted = False, at
            match = IMAGE.search(text, at)
            end = len(text) if match is None else match.end()
            self.bytes += end - counted
            if self.bytes > max_bytes:
                return False
            if match is None:
                self._tail = text[max(at, end - LONGEST) :]
                return True
            self._in_image, at = True, end
