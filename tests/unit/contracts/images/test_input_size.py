"""The default limits of pictures, inputs that are not square, and parts of pictures."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from services.contracts.domain.box import box_of
from services.contracts.domain.errors import ImageTooLarge, InvalidImage, InvalidRequest, UnsupportedImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageLimits, LargePicture, prepare_image
from tests.support.pictures import images

SIZE = InputSize(height=80, width=80)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG file that ends before its first pixel."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = struct.pack(">I", 1000) + b"IDAT"
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + pixels


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every picture be damaged that is decoded at all."""

    def load(_: ImageFile.ImageFile) -> None:
        raise OSError("it was decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)


def test_a_picture_has_at_most_ten_megabytes_by_default() -> None:
    with pytest.raises(UnsupportedImage):
        prepare_image(bytes(10_485_760), SIZE)
    with pytest.raises(ImageTooLarge, match="at most 10,485,760 are accepted"):
        prepare_image(bytes(10_485_761), SIZE)


@pytest.mark.usefixtures("decoded")
def test_a_picture_has_at_most_25_megapixels_by_default() -> None:
    with pytest.raises(InvalidImage, match="it was decoded"):
        prepare_image(png_header(25_000_000, 1), SIZE)
    with pytest.raises(ImageTooLarge, match="at most 25,000,000 pixels"):
        prepare_image(png_header(25_000_001, 1), SIZE)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.usefixtures("decoded")
def test_a_picture_takes_at_most_400_megabytes_to_decode_by_default() -> None:
    many = ImageLimits(max_pixels=200_000_000)
    with pytest.raises(InvalidImage, match="it was decoded"):
        prepare_image(png_header(100_000_000, 1), SIZE, many)
    with pytest.raises(ImageTooLarge, match="at most 400,000,000 are accepted"):
        prepare_image(png_header(100_000_001, 1), SIZE, many)


@pytest.mark.parametrize("size", [InputSize(height=40, width=120), InputSize(height=120, width=30)], ids=str)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_picture_fills_an_input_that_is_not_square(orientation: int, size: InputSize) -> None:
    expected, facts = prepare_image(images.png(), size)
    picture, rotated = prepare_image(images.rotated(orientation, "PNG"), size)
    assert rotated.placement == facts.placement
    assert np.abs(picture.astype(int) - expected.astype(int)).mean() < 1.5
    part = box_of("0.2,0.1,0.9,0.5")
    boxed, facts = prepare_image(images.png(), size, box=part)
    rotated_box, rotated = prepare_image(images.rotated(orientation, "PNG"), size, box=part)
    assert rotated.placement == facts.placement
    assert np.abs(rotated_box.astype(int) - boxed.astype(int)).mean() < 1.5


@pytest.mark.parametrize(
    ("width", "height", "placement"),
    [
        (60, 80, (10, 0, 70, 80)),
        (80, 60, (0, 10, 80, 70)),
        (61, 80, (9, 0, 70, 80)),
        (1, 1000, (39, 0, 40, 80)),
        (1000, 1, (0, 39, 80, 40)),
        (160, 40, (0, 30, 80, 50)),
    ],
)
def test_a_picture_is_centred_in_the_input(width: int, height: int, placement: tuple[int, ...]) -> None:
    picture, facts = prepare_image(images.png(width, height), SIZE)
    assert facts.placement == placement
    assert (facts.width, facts.height) == (width, height)
    left, top, right, bottom = placement
    frame = np.ones((80, 80), bool)
    frame[top:bottom, left:right] = False
    assert (picture[frame] == 255).all()


@pytest.mark.parametrize(
    ("width", "height", "box", "decoded"),
    [
        (640, 640, None, (160, 160)),
        (639, 639, None, (320, 320)),
        (1280, 1280, None, (160, 160)),
        (320, 320, None, (160, 160)),
        (159, 159, None, (159, 159)),
        (640, 320, None, (160, 80)),
        (320, 640, None, (80, 160)),
        (640, 640, "0,0,0.5,0.5", (320, 320)),
        (640, 640, "0.5,0,1,0.5", (320, 320)),
        (1280, 640, "0.25,0,0.75,1", (320, 160)),
        (640, 1280, "0,0.25,1,0.75", (160, 320)),
    ],
)
def test_a_jpeg_is_decoded_in_the_smallest_size_that_is_twice_that_of_the_input(
    width: int, height: int, box: str | None, decoded: tuple[int, int]
) -> None:
    data, part = images.jpeg(width, height), None if box is None else box_of(box)
    needed = decoded[0] * decoded[1] * 4
    prepare_image(data, SIZE, box=part, inline_bytes=needed)
    with pytest.raises(LargePicture):
        prepare_image(data, SIZE, box=part, inline_bytes=needed - 1)


@pytest.mark.parametrize(("width", "height"), [(640, 320), (320, 640)])
@pytest.mark.parametrize(("mode", "bands"), [("L", 1), ("RGB", 3), ("CMYK", 4)])
def test_a_progressive_jpeg_keeps_two_bytes_for_each_pixel_and_band(
    width: int, height: int, mode: str, bands: int
) -> None:
    data = images.encode(images.garment(width, height).convert(mode), progressive=True)
    drafted = 160 * 80 * (1 if mode == "L" else 4)
    needed = drafted + 640 * 320 * 2 * bands
    prepare_image(data, SIZE, inline_bytes=needed)
    with pytest.raises(LargePicture):
        prepare_image(data, SIZE, inline_bytes=needed - 1)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_box_in_a_picture_of_an_undefined_orientation_is_where_it_is_stored(value: int) -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION_TAG] = value
    data, part = images.encode(images.garment(), "PNG", exif=exif), box_of("0.2,0.1,0.5,0.9")
    assert (prepare_image(data, SIZE, box=part)[0] == prepare_image(images.png(), SIZE, box=part)[0]).all()


@pytest.mark.parametrize(("side", "is_accepted"), [(7.9, False), (7.996, False), (7.9996, True), (8, True)])
def test_a_part_has_eight_pixels_to_a_thousandth(side: float, is_accepted: bool) -> None:
    for size, edges in ((1000, 20), f"0,0,{side / 1000},1"), ((20, 1000), f"0,0,1,{side / 1000}"):
        data = images.png(*size)
        if is_accepted:
            prepare_image(data, SIZE, box=box_of(edges))
        else:
            with pytest.raises(InvalidRequest, match="at least 8×8 are required"):
                prepare_image(data, SIZE, box=box_of(edges))


@pytest.mark.parametrize(("width", "height"), [(5, 100), (100, 5), (1, 1)])
def test_a_part_of_a_small_picture_has_its_smaller_side(width: int, height: int) -> None:
    data = images.png(width, height)
    prepare_image(data, SIZE, box=box_of("0,0,1,1"))
    with pytest.raises(InvalidRequest):
        prepare_image(data, SIZE, box=box_of("0,0,0.9,1" if width <= height else "0,0,1,0.9"))


@pytest.mark.parametrize(("width", "height", "edges"), [(1, 1000, "0,0,1,0.5"), (1000, 1, "0,0,0.5,1")])
def test_a_part_of_a_line_has_its_colour(width: int, height: int, edges: str) -> None:
    data = images.encode(Image.new("RGB", (width, height), "red"), "PNG")
    picture, facts = prepare_image(data, SIZE, box=box_of(edges))
    left, top, right, bottom = facts.placement
    assert (picture[top:bottom, left:right] == (255, 0, 0)).all()


@pytest.mark.parametrize(("options", "scans"), [({}, 1), ({"progressive": True}, 10), ({"comment": b"\xff\xda"}, 2)])
def test_the_pixels_that_a_caller_has_time_for_are_those_of_all_scans(options: dict[str, Any], scans: int) -> None:
    data = images.jpeg(320, 200, **options)
    assert data.count(b"\xff\xda") == scans
    pixels = scans * 320 * 200
    prepare_image(data, SIZE, inline_pixels=pixels)
    with pytest.raises(LargePicture):
        prepare_image(data, SIZE, inline_pixels=pixels - 1)
    with pytest.raises(LargePicture):
        prepare_image(data[:-2], SIZE, inline_pixels=pixels - 1)
    prepare_image(data[:-2], SIZE, inline_pixels=pixels)  # without its end marker
