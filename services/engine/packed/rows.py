"""The keys and payloads of a category's base. A row is an image; the rows of a product share its key and payload."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from services.engine.packed.codec import TextCodec
from services.engine.packed.texts import PackedTexts, TextNumbers

ImageArray = NDArray[np.uint8]
Hashes = NDArray[np.uint32]
SharedTexts = NDArray[np.uint32] | None  # the text of each row, shape (rows,); None if each row has its own
COMPRESSED_TEXTS = 50_000  # payloads of fewer products are not compressed: their memory does not matter
# A dictionary is made again once there are this many times as many payloads: the first ones may be of one shop only.
GROWTH = 4


class PackedKeys:
    """The key of each row, and the rows of each key. It is thread-safe."""

    def __init__(self, texts: PackedTexts, shared: SharedTexts, hashes: Hashes) -> None:
        """Hold keys.

        Args:
            texts: the keys, in UTF-8.
            shared: the text of each row.
            hashes: what `hash_key` returns for the key of each row, shape (rows,).
        """
        self.texts = texts
        self._shared = shared
        by_hash = np.argsort(hashes)
        # Python reads the elements of these faster than those of NumPy's arrays.
        self._hashes = array("I", hashes[by_hash].tobytes())
        self._rows = array("I", by_hash.astype(np.uint32).tobytes())

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> str:
        text = self.texts[row if self._shared is None else self._shared[row]]
        return text.decode("utf-8", "surrogatepass")

    def rows_of(self, key: str) -> list[int]:
        """Return the rows of a key, in any order."""
        wanted = hash_key(encoded(key))
        place, rows = bisect_left(self._hashes, wanted), []
        while place < len(self._hashes) and self._hashes[place] == wanted:
            row = self._rows[place]
            if self[row] == key:
                rows.append(row)
            place += 1
        return rows

    def take(self, rows: TextNumbers) -> PackedTexts:
        """Return the key of each of these rows."""
        return self.texts.take(_texts_of(rows, self._shared))

    def hashes(self) -> Hashes:
        """Return the hash of each row's key, shape (rows,)."""
        hashes = np.empty(len(self), np.uint32)
        hashes[np.frombuffer(self._rows, np.uint32)] = np.frombuffer(self._hashes, np.uint32)
        return hashes


class PackedPayloads:
    """The payload of each row. It is thread-safe."""

    def __init__(self, texts: PackedTexts, shared: SharedTexts, codec: TextCodec | None) -> None:
        """Hold payloads.

        Args:
            texts: the payloads, compressed if there is a codec; no payload is an empty text.
            shared: the text of each row.
            codec: of the texts.
        """
        self.texts = texts
        self.codec = codec
        self._rows = len(texts) if shared is None else len(shared)
        self._shared = shared

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, row: int) -> bytes | None:
        text = self.texts[row if self._shared is None else self._shared[row]]
        if self.codec is not None:
            text = self.codec.decode(text)
        return text or None

    def take(self, rows: TextNumbers) -> PackedTexts:
        """Return the payload of each of these rows, compressed if there is a codec."""
        return self.texts.take(_texts_of(rows, self._shared))

    def packed(self, payloads: Iterable[bytes | None]) -> PackedTexts:
        """Return other payloads as these are: compressed if there is a codec."""
        texts = (payload or b"" for payload in payloads)
        return PackedTexts.of(texts if self.codec is None else map(self.codec.encode, texts))


class PackedRows:
    """Keys and payloads of rows that never change. It is thread-safe.

    Attributes:
        keys: of each row.
        payloads: of each row.
    """

    def __init__(
        self, keys: PackedTexts, payloads: PackedTexts, shared: SharedTexts, hashes: Hashes, codec: TextCodec | None
    ) -> None:
        """Hold rows; see `PackedKeys` and `PackedPayloads`. Many payloads are compressed if they are not yet."""
        payloads, codec = _compressed(payloads, codec)
        self.keys = PackedKeys(keys, shared, hashes)
        self.payloads = PackedPayloads(payloads, shared, codec)
        self._shared = shared

    @classmethod
    def of(cls, keys: Sequence[str], payloads: Sequence[bytes | None], image_index: ImageArray) -> "PackedRows":
        """Pack the key and the payload of each row; see `of_texts`."""
        packed_payloads = PackedTexts.of(payload or b"" for payload in payloads)
        return cls.of_texts(PackedTexts.of(map(encoded, keys)), packed_payloads, image_index)

    @classmethod
    def of_texts(
        cls, keys: PackedTexts, payloads: PackedTexts, image_index: ImageArray, codec: TextCodec | None = None
    ) -> "PackedRows":
        """Return rows.

        Args:
            keys: the key of each row, in UTF-8.
            payloads: the payload of each row, compressed if there is a codec; only those of main images count.
            image_index: shape (rows,); the place of each row's image among its product's images. Each product has a
                row with 0.
            codec: of the payloads.
        """
        hashes = np.fromiter(map(hash_key, keys), np.uint32, len(keys))
        if not image_index.any():
            return cls(keys, payloads, None, hashes, codec)
        main_rows, shared = np.unique(_main_rows(keys, image_index, hashes), return_inverse=True)
        return cls(keys.take(main_rows), payloads.take(main_rows), shared.astype(np.uint32), hashes, codec)

    def __len__(self) -> int:
        return len(self.keys)

    def merged(
        self, keys: Sequence[str], payloads: Sequence[bytes | None], image_index: ImageArray, order: TextNumbers
    ) -> "PackedRows":
        """Return these rows and those of a tail, in another order.

        Args:
            keys: of each row of the tail.
            payloads: of each row of the tail.
            image_index: of each row of the tail. The rows of a product follow one another.
            order: shape (rows,); the previous number of each row. The tail's rows are counted after these ones.
        """
        own = np.arange(len(self)) if self._shared is None else self._shared
        of_tail = len(self.keys.texts) + np.arange(len(keys)) - image_index
        texts = np.concatenate([own, of_tail])[order]
        shared: SharedTexts = None
        if self._shared is not None or image_index.any():
            texts, inverse = np.unique(texts, return_inverse=True)
            shared = inverse.astype(np.uint32)
        tail_keys, codec = [encoded(key) for key in keys], self.payloads.codec
        hashes = np.fromiter(map(hash_key, tail_keys), np.uint32, len(tail_keys))
        # Only a main image's payload is a text of the new rows.
        tail_payloads = self.payloads.packed(
            None if image else payload for payload, image in zip(payloads, image_index.tolist(), strict=True)
        )
        return PackedRows(
            self.keys.texts.followed_by(PackedTexts.of(tail_keys)).take(texts),
            self.payloads.texts.followed_by(tail_payloads).take(texts),
            shared,
            np.concatenate([self.keys.hashes(), hashes])[order],
            codec,
        )


def encoded(key: str) -> bytes:
    """Return a key in UTF-8; a document's key may hold a lone surrogate."""
    return key.encode("utf-8", "surrogatepass")


def hash_key(text: bytes) -> int:
    """Return 32 bits of a hash of an encoded key. It is valid in this process only."""
    return hash(text) & 0xFFFFFFFF


def _texts_of(rows: TextNumbers, shared: SharedTexts) -> TextNumbers:
    return rows if shared is None else shared[rows].astype(np.int64)


def _compressed(payloads: PackedTexts, codec: TextCodec | None) -> tuple[PackedTexts, TextCodec | None]:
    """Return payloads and their codec: many of them are compressed, and again once there are many more."""
    if len(payloads) < (COMPRESSED_TEXTS if codec is None else GROWTH * codec.texts):
        return payloads, codec
    plain = payloads if codec is None else PackedTexts.of(map(codec.decode, payloads))
    codec = TextCodec.trained(plain)
    return PackedTexts.of(map(codec.encode, plain)), codec


def _main_rows(keys: PackedTexts, image_index: ImageArray, hashes: Hashes) -> TextNumbers:
    """Return the row of the main image of each row's product, shape (rows,). It is usually a few rows before."""
    main_rows, rows = np.arange(len(keys)), np.flatnonzero(image_index)
    guesses = np.maximum(rows - image_index[rows], 0)
    is_likely = (image_index[guesses] == 0) & (hashes[guesses] == hashes[rows])
    of_key: dict[bytes, int] = {}
    for row, guess, likely in zip(rows.tolist(), guesses.tolist(), is_likely.tolist(), strict=True):
        if not (likely and keys[guess] == keys[row]):
            of_key = of_key or {keys[main]: main for main in np.flatnonzero(image_index == 0).tolist()}
            guess = of_key[keys[row]]
        main_rows[row] = guess
    return main_rows
