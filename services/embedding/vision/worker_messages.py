"""The messages between the service and the process that decodes large pictures: JSON and bytes, nothing executable."""

import struct
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import numpy as np
import orjson

from services.contracts.domain.box import Box
from services.contracts.domain.errors import LookalikeError, error_types
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageFacts, ImageLimits, UInt8Image

_LENGTHS = struct.Struct("!II")  # of the JSON and of the bytes that follow it
Frame = tuple[dict[str, Any], bytes]


@dataclass(frozen=True)
class DecodeRequest:
    """What `prepare_image` gets, and the processor time that it may take in seconds."""

    file: bytes
    size: InputSize
    limits: ImageLimits
    box: Box | None
    cpu_s: int

    def frame(self) -> bytes:
        """Return the message."""
        box = None if self.box is None else self.box.model_dump()
        facts = {"size": self.size.model_dump(), "limits": asdict(self.limits), "box": box, "cpu_s": self.cpu_s}
        return pack(facts, self.file)


def pack(facts: dict[str, Any], data: bytes) -> bytes:
    """Return a message of JSON and bytes."""
    head = orjson.dumps(facts)
    return _LENGTHS.pack(len(head), len(data)) + head + data


def lengths(head: bytes) -> tuple[int, int]:
    """Return the lengths of the JSON and of the bytes, from the first LENGTH_BYTES of a message."""
    facts, data = _LENGTHS.unpack(head)
    return facts, data


LENGTH_BYTES = _LENGTHS.size


def read_frame(source: BinaryIO) -> Frame | None:
    """Return the next message, or None at the end of the input."""
    head = source.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    facts, data = lengths(head)
    return orjson.loads(source.read(facts)), source.read(data)


def read_request(frame: Frame) -> DecodeRequest:
    """Return the request of a message."""
    facts, file = frame
    return DecodeRequest(
        file,
        InputSize(**facts["size"]),
        ImageLimits(**facts["limits"]),
        None if facts["box"] is None else Box.model_validate(facts["box"]),
        facts["cpu_s"],
    )


READY = {"ready": True}  # the first message of the process


def success(picture: UInt8Image, facts: ImageFacts) -> bytes:
    """Return the message of a decoded picture."""
    return pack({"shape": picture.shape, "facts": asdict(facts)}, picture.tobytes())


def failure(error: LookalikeError) -> bytes:
    """Return the message of an error."""
    return pack({"slug": error.slug, "detail": error.detail}, b"")


def result_of(frame: Frame) -> tuple[UInt8Image, ImageFacts]:
    """Return the picture of a result.

    Raises:
        LookalikeError: the result is an error.
    """
    facts, data = frame
    if "slug" in facts:
        raise error_types().get(facts["slug"], LookalikeError)(facts["detail"])
    placement = tuple(facts["facts"].pop("placement"))
    picture: UInt8Image = np.frombuffer(data, np.uint8).reshape(facts["shape"])
    return picture, ImageFacts(**facts["facts"], placement=placement)
