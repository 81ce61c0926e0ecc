"""Schemathesis' hooks: bodies of images are real image files, so that searches get past the decoder."""

import base64
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.transport.serialization import Binary

from tests.fuzz.damage import image_files

FILES = image_files()
schemathesis.openapi.media_type("image/*", st.sampled_from(FILES))
schemathesis.openapi.format("binary", st.sampled_from(FILES).map(Binary))


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Replace the text of images by a real one: no generated text is an image."""
    if isinstance(body, dict) and isinstance(body.get("image_base64"), str):
        number = len(body["image_base64"]) % len(FILES)
        return {**body, "image_base64": base64.b64encode(FILES[number]).decode()}
    return body


@schemathesis.serializer("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
def serialize_lines(context: Any, value: Any) -> bytes:
    """Send a feed's text as it is."""
    return value if isinstance(value, bytes) else str(value).encode()
