"""Real image files, and the same files damaged at random, reproducibly."""

import io
from collections.abc import Callable, Iterator
from random import Random

from PIL import Image

from services.sample_shop.catalogue import sample_query

KINDS: dict[str, dict[str, object]] = {
    "JPEG": {},
    "PNG": {},
    "WEBP": {},
    "GIF": {},
    "BMP": {},
    "AVIF": {"speed": 10},
}


def image_files() -> list[bytes]:
    """Return a small photo in each accepted format, and a progressive JPEG."""
    with Image.open(io.BytesIO(sample_query(3))) as photo:
        small = photo.convert("RGB").resize((90, 120))
    return [_encoded(small, kind, **options) for kind, options in KINDS.items()] + [
        _encoded(small, "JPEG", progressive=True),
        _encoded(small.convert("RGBA"), "PNG"),
    ]


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def damaged(seed: int) -> Iterator[bytes]:
    """Yield damaged files without end; the same seed gives the same files."""
    random = Random(seed)
    files = image_files()
    while True:
        data = bytearray(random.choice(files))
        for _ in range(random.randint(1, 4)):
            random.choice(DAMAGES)(data, random)
        yield bytes(data)


def _flip(data: bytearray, random: Random) -> None:
    for _ in range(random.randint(1, 20)):
        if data:
            data[random.randrange(len(data))] = random.randrange(256)


def _flip_in_header(data: bytearray, random: Random) -> None:
    for _ in range(random.randint(1, 4)):
        if data:
            data[random.randrange(min(len(data), 64))] = random.choice((0, 1, 0x7F, 0x80, 0xFF))


def _cut(data: bytearray, random: Random) -> None:
    del data[random.randint(0, len(data)) :]


def _remove(data: bytearray, random: Random) -> None:
    begin = random.randint(0, len(data))
    del data[begin : begin + random.randint(1, 200)]


def _repeat(data: bytearray, random: Random) -> None:
    begin = random.randint(0, len(data))
    data[begin:begin] = data[begin : begin + random.randint(1, 400)] * random.randint(1, 50)


def _fill(data: bytearray, random: Random) -> None:
    begin = random.randint(0, len(data))
    size = min(random.randint(1, 400), len(data) - begin)
    data[begin : begin + size] = bytes((random.choice((0, 0xFF)),)) * size


DAMAGES: tuple[Callable[[bytearray, Random], None], ...] = (_flip, _flip_in_header, _cut, _remove, _repeat, _fill)
