"""Parts of a catalogue: a stable hash of a product's id says in which of n parts the product is."""

import hashlib
from dataclasses import dataclass

MAX_PARTS = 64
HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` of `of`, counted from 1, such as 2/4. Part 1/1 is everything."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Return the part that a text such as `2/4` names.

        Raises:
            ValueError: it names none.
        """
        number, separator, of = text.partition("/")
        if separator and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= MAX_PARTS:
            return cls(int(number), int(of))
        raise ValueError(f"{text!r} is no part: write 2/4 for the second of four parts; at most {MAX_PARTS} parts")

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def is_whole(self) -> bool:
        """Whether it is everything."""
        return self.of == 1

    def holds(self, key: str) -> bool:
        """Return whether a product with this id is in the part."""
        return self.is_whole or hash_of(key) % self.of == self.number - 1

    def residues(self, modulus: int) -> frozenset[int]:
        """Return the hashes modulo a multiple of `of` that are in the part."""
        return frozenset(range(self.number - 1, modulus, self.of))


WHOLE = Part()


def hash_of(key: str) -> int:
    """Return a hash of an id that is the same in every process and version. Ids may hold lone surrogates."""
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()
    return int.from_bytes(digest, "little")
