"""All kinds of image files, and the network's input that they become."""

import io

import numpy as np
import pytest
from PIL import Image

from services.contracts.domain.box import Box, box_of
from services.contracts.domain.errors import ImageTooLarge, InvalidRequest, LookalikeError, UnsupportedImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.formats import sniff
from services.contracts.images.preparation import FORMATS, ImageLimits, UInt8Image, prepare_image
from tests.support.pictures import images

SIZE = InputSize(height=80, width=80)
WHITE = [255, 255, 255]


def prepared(
    data: bytes, size: InputSize = SIZE, limits: ImageLimits | None = None, box: Box | None = None
) -> UInt8Image:
    return prepare_image(data, size, limits or ImageLimits(), box)[0]


def expected(width: int = 60, height: int = 80) -> UInt8Image:
    """The network's input of the garment, from a lossless file."""
    return prepared(images.png(width, height))


def difference(left: UInt8Image, right: UInt8Image) -> float:
    """Mean absolute difference, 0 to 255."""
    return float(np.abs(left.astype(int) - right.astype(int)).mean())


@pytest.mark.parametrize("name", images.ACCEPTED)
def test_every_accepted_format_becomes_the_networks_input(name: str) -> None:
    picture = prepared(images.ACCEPTED[name])
    assert picture.shape == (80, 80, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("name", images.REFUSED)
def test_every_unusable_file_raises_its_error(name: str) -> None:
    data, slug = images.REFUSED[name]
    with pytest.raises(LookalikeError) as caught:
        prepared(data)
    assert caught.value.slug == slug
    assert "object at 0x" not in caught.value.detail


@pytest.mark.parametrize("kind", FORMATS)
def test_the_format_is_recognised_by_content(kind: str) -> None:
    data = images.encode(images.garment(), kind)
    assert sniff(data) == kind
    facts = prepare_image(data, SIZE)[1]
    assert (facts.format, facts.width, facts.height) == (kind, 60, 80)


def test_a_multi_picture_jpeg_is_a_jpeg_with_its_first_picture() -> None:
    data = images.multi_picture_jpeg()
    picture, facts = prepare_image(data, SIZE)
    assert (facts.format, facts.width, facts.height) == ("JPEG", 1200, 1600)
    assert difference(picture, expected(1200, 1600)) < 3


def test_other_formats_of_pillow_are_unsupported() -> None:
    for kind in ("TIFF", "PPM", "ICO", "PCX", "TGA"):
        with pytest.raises(UnsupportedImage, match="AVIF"):
            prepared(images.encode(images.garment(), kind))


@pytest.mark.parametrize(("data", "word"), [(images.PDF, "PDF"), (images.SVG, "SVG")], ids=["pdf", "svg"])
def test_common_unsupported_formats_are_named(data: bytes, word: str) -> None:
    with pytest.raises(UnsupportedImage, match=word):
        prepared(data)


def test_a_portrait_picture_is_centred_on_white_with_its_aspect_kept() -> None:
    picture = expected()
    assert (picture[:, :10] == 255).all()
    assert (picture[:, 70:] == 255).all()
    inner = np.asarray(images.garment())
    assert (picture[:, 10:70] == inner).all()


def test_a_landscape_picture_is_centred_on_white_with_its_aspect_kept() -> None:
    picture = prepared(images.encode(Image.new("RGB", (160, 40), "black"), "PNG"))
    assert (picture[:30] == 255).all()
    assert (picture[30:50] == 0).all()
    assert (picture[50:] == 255).all()


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_placement_is_that_of_the_upright_picture(orientation: int) -> None:
    picture, facts = prepare_image(images.rotated(orientation), SIZE)
    left, top, right, bottom = facts.placement
    assert (left, top, right, bottom) == (10, 0, 70, 80)
    assert (picture[:, :left] == 255).all()
    assert (picture[:, right:] == 255).all()
    assert (picture[top:bottom, left:right] != 255).any()


def test_an_input_that_is_not_square_has_the_right_orientation() -> None:
    picture = prepared(images.png(60, 80), InputSize(height=80, width=60))
    assert picture.shape == (80, 60, 3)
    assert (picture == np.asarray(images.garment())).all()


def test_a_small_picture_is_enlarged_to_the_canvas() -> None:
    assert (prepared(images.ACCEPTED["one pixel"]) == (255, 0, 0)).all()


def test_a_line_one_pixel_wide_stays_visible() -> None:
    picture = prepared(images.ACCEPTED["1×5000"])
    columns = np.flatnonzero((picture != 255).any(axis=(0, 2)))
    assert len(columns) == 1
    assert (picture[:, columns[0]] == (255, 0, 0)).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_same_upright_picture(orientation: int, kind: str) -> None:
    assert (prepared(images.rotated(orientation, kind)) == expected()).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_large_rotated_photos_become_upright(orientation: int) -> None:
    """Resizing comes before rotation, so mirrored pixels may be rounded differently."""
    picture = prepared(images.rotated(orientation, "JPEG", 900, 1200))
    assert difference(picture, expected(900, 1200)) < 1.5


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_undefined_orientation_is_ignored(value: int) -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION_TAG] = value
    data = images.encode(images.garment(), "PNG", exif=exif)
    assert (prepared(data) == expected()).all()
    wide = InputSize(height=40, width=160)
    assert (prepared(data, wide) == prepared(images.png(), wide)).all()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_data_is_ignored() -> None:
    data = images.encode(images.garment(), "PNG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert (prepared(data) == expected()).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_becomes_white(kind: str) -> None:
    picture = prepared(images.half_transparent(kind))
    assert (picture[:, :40] == 255).all()
    assert (picture[:, 40:70] == (255, 0, 0)).all()


def test_the_transparency_of_a_palette_becomes_white() -> None:
    picture = prepared(images.palette_png_with_alpha())
    assert (picture[:, :40] == 255).all()
    assert (picture[:, 40:70] == (255, 0, 0)).all()


def test_transparent_edges_do_not_darken_when_a_picture_is_resized() -> None:
    picture = prepared(images.half_transparent("PNG", 600, 800))
    assert picture[40, 39:42].min(axis=0)[0] == 255  # no black is mixed into the red


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65_535, 80).astype(np.uint16)
    picture = prepared(images.grey16_png(np.tile(ramp, (80, 1))))
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[0, 79].tolist() == WHITE
    assert abs(int(picture[0, 40, 0]) - 129) <= 1
    assert (np.diff(picture[0, :, 0].astype(int)) >= 3).all()


def test_16_bit_colour_is_scaled_and_not_clipped() -> None:
    assert prepared(images.rgb16_png((65_535, 0, 32_768)))[40, 40].tolist() == [255, 0, 128]


def test_cmyk_keeps_its_colours() -> None:
    assert difference(prepared(images.cmyk_jpeg()), expected()) < 6


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_becomes_its_first_frame(kind: str) -> None:
    assert difference(prepared(images.animation(kind)), expected()) < 6


def test_a_gif_frame_larger_than_its_screen_does_not_evade_the_limit() -> None:
    data = bytearray(images.encode(images.garment(), "GIF"))
    data[6:10] = (1).to_bytes(2, "little") * 2
    with pytest.raises(ImageTooLarge, match="60×80"):
        prepared(bytes(data), limits=ImageLimits(max_pixels=4799))


def test_decoding_a_large_jpeg_in_draft_mode_changes_it_little() -> None:
    image = images.garment(1200, 1600)
    assert difference(prepared(images.encode(image, "JPEG", quality=95)), expected(1200, 1600)) < 1.5


def test_the_limits_are_checked_before_any_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("a pixel was decoded"))
    for name in ("50 megapixels", "a decompression bomb", "a JPEG header of 4 gigapixels"):
        with pytest.raises(ImageTooLarge):
            prepared(images.REFUSED[name][0])


def test_a_picture_at_the_limits_is_accepted_and_a_larger_one_is_not() -> None:
    data = images.png(60, 80)
    prepared(data, limits=ImageLimits(max_bytes=len(data), max_pixels=4800))
    with pytest.raises(ImageTooLarge, match="bytes"):
        prepared(data, limits=ImageLimits(max_bytes=len(data) - 1))
    with pytest.raises(ImageTooLarge, match="60×80"):
        prepared(data, limits=ImageLimits(max_pixels=4799))


def test_running_out_of_memory_is_an_image_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", exhausted)
    with pytest.raises(ImageTooLarge, match="memory"):
        prepared(images.png())


# In a picture of 60×80 pixels: columns 12 to 36 and rows 16 to 64.
BOX = box_of("0.2,0.2,0.6,0.8")
WHOLE = box_of("0,0,1,1")


def cropped(width: int = 60, height: int = 80) -> UInt8Image:
    """The part of the garment in the box, cropped before it became a file."""
    edges = (width // 5, height // 5, width * 3 // 5, height * 4 // 5)
    return prepared(images.encode(images.garment(width, height).crop(edges), "PNG"))


@pytest.mark.parametrize(("width", "height"), [(60, 80), (600, 800)])
def test_a_box_has_the_same_result_as_a_file_of_that_part(width: int, height: int) -> None:
    assert (prepared(images.png(width, height), box=BOX) == cropped(width, height)).all()
    assert not (cropped(width, height) == expected(width, height)).all()


@pytest.mark.parametrize("name", [name for name in images.ACCEPTED if name != "1×5000"])
def test_a_box_around_the_whole_picture_changes_nothing(name: str) -> None:
    assert (prepared(images.ACCEPTED[name], box=WHOLE) == prepared(images.ACCEPTED[name])).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_refers_to_the_upright_picture(orientation: int, kind: str) -> None:
    """Resizing comes before rotation, so mirrored pixels may be rounded differently."""
    assert difference(prepared(images.rotated(orientation, kind, 600, 800), box=BOX), cropped(600, 800)) < 1.5


def test_a_part_of_a_large_jpeg_is_as_sharp_as_a_file_of_that_part() -> None:
    """The draft mode leaves enough pixels for the part, not only for the whole picture."""
    stripes = np.zeros((1600, 1600, 3), np.uint8)
    stripes[:, ::20] = stripes[:, 1::20] = stripes[:, 2::20] = 255
    data = images.encode(Image.fromarray(stripes), "JPEG", quality=95)
    part = prepared(data, box=box_of("0.5,0.5,0.6,0.6"))
    alone = prepared(images.encode(Image.fromarray(stripes[800:960, 800:960]), "PNG"))
    assert difference(part, alone) < 6


def test_transparency_in_a_box_becomes_white() -> None:
    picture = prepared(images.half_transparent("PNG"), box=box_of("0.25,0.25,0.75,0.75"))
    assert (picture[:, :38] == 255).all()
    assert (picture[:, 42:70] == (255, 0, 0)).all()


def test_a_box_with_too_few_pixels_is_rejected_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("a pixel was decoded"))
    with pytest.raises(InvalidRequest, match=r"box: it covers 6×8 pixels of this picture: at least 8×8 are required"):
        prepared(images.jpeg(60, 80), box=box_of("0.1,0.1,0.2,0.2"))


def test_a_box_with_the_fewest_pixels_is_accepted() -> None:
    assert prepared(images.png(80, 80), box=box_of("0.5,0.5,0.6,0.6")).shape == (80, 80, 3)


def test_an_orientation_in_the_xmp_data_of_a_jpeg_is_applied() -> None:
    file = io.BytesIO()
    picture = Image.new("RGB", (40, 80), "white")
    picture.paste("black", (0, 0, 40, 20))
    picture.save(file, "JPEG", quality=95, xmp=b"<x:xmpmeta><tiff:Orientation>6</tiff:Orientation></x:xmpmeta>")
    rotated = prepared(file.getvalue())
    assert rotated[40, 70].max() < 60
    assert rotated[40, 10].min() > 200
