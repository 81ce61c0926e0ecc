"""A product as rows of a Milvus collection: one row an image.

Ids are hashes of keys, so that no expression has to quote a key.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from services.catalogue.product import Float32Array
from services.engine.payload import attributes_of
from services.index.milvus.expressions import TooManyValues, row_attributes

DIGEST_BYTES = 16
MAX_TOKENS = 4096  # Milvus's largest array
MAX_CONTENT_BYTES = 65_535  # Milvus's longest text


@dataclass(frozen=True)
class MilvusEntry:
    """A product as a replica puts it.

    Attributes:
        category: its id.
        vectors: shape (images, dimension), the main image's first.
        payload: what a result shows.
        source: the legacy document that it is made of; None if Lookalike wrote it.
    """

    category: int
    vectors: Float32Array
    payload: bytes | None
    source: str | None = None


@dataclass(frozen=True)
class Stored:
    """What Milvus holds of a product: enough to compare and to replace it."""

    category: int
    version: str
    rows: frozenset[str]


def digest_of(key: str) -> str:
    """Return the hash by which rows name a product."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()


def version_of(key: str, entry: MilvusEntry) -> str:
    """Return a hash of everything that the rows of a product hold."""
    state = hashlib.blake2b(digest_size=DIGEST_BYTES)
    source = None if entry.source is None else _hex(entry.source)
    facts = [entry.category, source, _hex(key), entry.vectors.shape[0]]
    for part in (orjson.dumps(facts), np.ascontiguousarray(entry.vectors, "<f4").tobytes(), entry.payload or b""):
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.hexdigest()


def rows_of(catalogue: str, key: str, entry: MilvusEntry) -> list[dict[str, Any]]:
    """Return the rows of a product.

    Raises:
        TooManyValues: it does not fit into rows.
    """
    digest, version = digest_of(f"{catalogue}/{key}"), version_of(key, entry)
    attributes = row_attributes(attributes_of(entry.payload))
    content = _content(key, entry)
    if len(attributes.tokens) > MAX_TOKENS:
        raise TooManyValues(f"its attributes have more than {MAX_TOKENS} values")
    if len(content.encode()) > MAX_CONTENT_BYTES:
        raise TooManyValues(f"what a result shows of it takes more than {MAX_CONTENT_BYTES:,} bytes")
    return [
        {
            "row": f"{digest}{image:02x}",
            "product": digest,
            "version": version,
            "category": entry.category,
            "image": image,
            "legacy": entry.source is not None,
            "tokens": attributes.tokens,
            "numbers": attributes.numbers,
            "content": content,
            "vector": vector,
        }
        for image, vector in enumerate(entry.vectors)
    ]


def key_and_payload(content: str) -> tuple[str, bytes | None, str | None]:
    """Return a row's key, payload and legacy document."""
    fields: Mapping[str, Any] = orjson.loads(content)
    payload = None if fields["payload"] is None else fields["payload"].encode()
    return _text(fields["key"]), payload, None if fields["source"] is None else _text(fields["source"])


def _content(key: str, entry: MilvusEntry) -> str:
    payload = None if entry.payload is None else entry.payload.decode()
    source = None if entry.source is None else _hex(entry.source)
    return orjson.dumps({"key": _hex(key), "source": source, "payload": payload}).decode()


def _hex(text: str) -> str:
    """Return a text that JSON can hold; keys may hold lone surrogates, which it cannot."""
    return text.encode("utf-8", "surrogatepass").hex()


def _text(encoded: str) -> str:
    return bytes.fromhex(encoded).decode("utf-8", "surrogatepass")
