"""Every kind of file that shops and shoppers send, and what becomes of it."""

import io

import numpy as np
import pytest
from PIL import Image

from services.contracts.domain.box import Box, box_of
from services.contracts.domain.errors import ImageTooLarge, InvalidRequest, LookalikeError, UnsupportedImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.formats import sniff
from services.contracts.images.preparation import FORMATS, ImageLimits, UInt8Image, prepare_image
from tests.support import images

SIZE = InputSize(height=80, width=80)
WHITE = [255, 255, 255]


def prepared(
    data: bytes, size: InputSize = SIZE, limits: ImageLimits | None = None, box: Box | None = None
) -> UInt8Image:
    return prepare_image(data, size, limits or ImageLimits(), box)[0]


def expected(width: int = 60, height: int = 80) -> UInt8Image:
    """The garment on the network's canvas, prepared from a lossless file."""
    return prepared(images.png(width, height))


def difference(one: UInt8Image, other: UInt8Image) -> float:
    """Mean absolute difference, of 255."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("name", images.ACCEPTED)
def test_every_accepted_kind_gives_the_networks_input(name: str) -> None:
    picture = prepared(images.ACCEPTED[name])
    assert picture.shape == (80, 80, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("name", images.REFUSED)
def test_every_refused_kind_raises_its_own_error(name: str) -> None:
    data, slug = images.REFUSED[name]
    with pytest.raises(LookalikeError) as caught:
        prepared(data)
    assert caught.value.slug == slug
    assert "object at 0x" not in caught.value.detail


@pytest.mark.parametrize("kind", FORMATS)
def test_the_format_is_told_by_content_and_reported(kind: str) -> None:
    data = images.encode(images.garment(), kind)
    assert sniff(data) == kind
    facts = prepare_image(data, SIZE)[1]
    assert (facts.format, facts.width, facts.height) == (kind, 60, 80)


def test_a_multi_picture_jpeg_is_a_jpeg_and_its_first_picture_counts() -> None:
    data = images.multi_picture_jpeg()
    picture, facts = prepare_image(data, SIZE)
    assert (facts.format, facts.width, facts.height) == ("JPEG", 1200, 1600)
    assert difference(picture, expected(1200, 1600)) < 3


def test_what_pillow_could_open_but_is_not_accepted_is_refused_by_name_of_what_is() -> None:
    for kind in ("TIFF", "PPM", "ICO", "PCX", "TGA"):
        with pytest.raises(UnsupportedImage, match="AVIF"):
            prepared(images.encode(images.garment(), kind))


@pytest.mark.parametrize(
    ("data", "word"), [(images.HEIC, "HEIC"), (images.PDF, "PDF"), (images.SVG, "SVG")], ids=["heic", "pdf", "svg"]
)
def test_common_mistakes_are_called_by_their_name(data: bytes, word: str) -> None:
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
def test_it_is_told_where_the_upright_picture_stands_in_the_input(orientation: int) -> None:
    picture, facts = prepare_image(images.turned(orientation), SIZE)
    left, top, right, bottom = facts.shown
    assert (left, top, right, bottom) == (10, 0, 70, 80)
    assert (picture[:, :left] == 255).all()
    assert (picture[:, right:] == 255).all()
    assert (picture[top:bottom, left:right] != 255).any()


def test_an_input_that_is_not_square_is_filled_the_right_way_round() -> None:
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
    assert (prepared(images.turned(orientation, kind)) == expected()).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_large_turned_photos_come_out_upright_too(orientation: int) -> None:
    """Resizing comes before turning, so replica_of pixels may be rounded differently."""
    picture = prepared(images.turned(orientation, "JPEG", 900, 1200))
    assert difference(picture, expected(900, 1200)) < 1.5


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_passed_over(value: int) -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION_TAG] = value
    assert (prepared(images.encode(images.garment(), "PNG", exif=exif)) == expected()).all()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_is_no_reason_to_refuse_a_picture() -> None:
    data = images.encode(images.garment(), "PNG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert (prepared(data) == expected()).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_laid_onto_white(kind: str) -> None:
    picture = prepared(images.half_transparent(kind))
    assert (picture[:, :40] == 255).all()
    assert (picture[:, 40:70] == (255, 0, 0)).all()


def test_a_palettes_transparency_is_laid_onto_white() -> None:
    picture = prepared(images.palette_png_with_alpha())
    assert (picture[:, :40] == 255).all()
    assert (picture[:, 40:70] == (255, 0, 0)).all()


def test_transparent_edges_do_not_darken_when_a_picture_is_made_smaller() -> None:
    picture = prepared(images.half_transparent("PNG", 600, 800))
    assert picture[40, 39:42].min(axis=0)[0] == 255  # red stays full everywhere: black never mixes in


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65_535, 80).astype(np.uint16)
    picture = prepared(images.grey16_png(np.tile(ramp, (80, 1))))
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[0, 79].tolist() == WHITE
    assert abs(int(picture[0, 40, 0]) - 129) <= 1
    assert (np.diff(picture[0, :, 0].astype(int)) >= 3).all()


def test_16_bit_colour_is_scaled_and_not_clipped() -> None:
    assert prepared(images.rgb16_png((65_535, 0, 32_768)))[40, 40].tolist() == [255, 0, 128]


def test_cmyk_has_the_colours_it_was_made_of() -> None:
    assert difference(prepared(images.cmyk_jpeg()), expected()) < 6


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(kind: str) -> None:
    assert difference(prepared(images.animation(kind)), expected()) < 6


def test_a_gif_frame_larger_than_its_screen_is_no_way_round_the_size_check() -> None:
    data = bytearray(images.encode(images.garment(), "GIF"))
    data[6:10] = (1).to_bytes(2, "little") * 2
    with pytest.raises(ImageTooLarge, match="60×80"):
        prepared(bytes(data), limits=ImageLimits(max_pixels=4799))


def test_decoding_a_large_jpeg_at_a_smaller_scale_changes_it_little() -> None:
    image = images.garment(1200, 1600)
    assert difference(prepared(images.encode(image, "JPEG", quality=95)), expected(1200, 1600)) < 1.5


def test_the_limits_are_checked_before_any_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("a pixel was decoded"))
    for name in ("50 megapixels", "a decompression bomb", "a JPEG header of 4 gigapixels"):
        with pytest.raises(ImageTooLarge):
            prepared(images.REFUSED[name][0])


def test_a_picture_at_its_limits_passes_and_one_over_does_not() -> None:
    data = images.png(60, 80)
    prepared(data, limits=ImageLimits(max_bytes=len(data), max_pixels=4800))
    with pytest.raises(ImageTooLarge, match="bytes"):
        prepared(data, limits=ImageLimits(max_bytes=len(data) - 1))
    with pytest.raises(ImageTooLarge, match="60×80"):
        prepared(data, limits=ImageLimits(max_pixels=4799))


def test_running_out_of_memory_is_the_images_fault_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", exhausted)
    with pytest.raises(ImageTooLarge, match="memory"):
        prepared(images.png())


# Of a picture of 60×80 pixels these are the pixels from 12 to 36 and from 16 to 64.
BOX = box_of("0.2,0.2,0.6,0.8")
WHOLE = box_of("0,0,1,1")


def cut(width: int = 60, height: int = 80) -> UInt8Image:
    """The boxed part of the garment, cut out before it was made a file."""
    edges = (width // 5, height // 5, width * 3 // 5, height * 4 // 5)
    return prepared(images.encode(images.garment(width, height).crop(edges), "PNG"))


@pytest.mark.parametrize(("width", "height"), [(60, 80), (600, 800)])
def test_a_box_gives_what_a_file_of_that_part_alone_gives(width: int, height: int) -> None:
    assert (prepared(images.png(width, height), box=BOX) == cut(width, height)).all()
    assert not (cut(width, height) == expected(width, height)).all()


@pytest.mark.parametrize("name", [name for name in images.ACCEPTED if name != "1×5000"])
def test_a_box_around_everything_changes_nothing(name: str) -> None:
    assert (prepared(images.ACCEPTED[name], box=WHOLE) == prepared(images.ACCEPTED[name])).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_of_the_upright_picture(orientation: int, kind: str) -> None:
    """Resizing comes before turning, so replica_of pixels may be rounded differently."""
    assert difference(prepared(images.turned(orientation, kind, 600, 800), box=BOX), cut(600, 800)) < 1.5


def test_a_part_of_a_large_jpeg_is_as_sharp_as_the_part_alone() -> None:
    """It is decoded at a scale that leaves the part enough pixels, not at the one that the whole would do with."""
    stripes = np.zeros((1600, 1600, 3), np.uint8)
    stripes[:, ::20] = stripes[:, 1::20] = stripes[:, 2::20] = 255
    data = images.encode(Image.fromarray(stripes), "JPEG", quality=95)
    part = prepared(data, box=box_of("0.5,0.5,0.6,0.6"))
    alone = prepared(images.encode(Image.fromarray(stripes[800:960, 800:960]), "PNG"))
    assert difference(part, alone) < 6


def test_transparency_within_a_box_is_laid_onto_white() -> None:
    picture = prepared(images.half_transparent("PNG"), box=box_of("0.25,0.25,0.75,0.75"))
    assert (picture[:, :38] == 255).all()
    assert (picture[:, 42:70] == (255, 0, 0)).all()


def test_a_box_with_too_few_pixels_is_refused_before_any_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("a pixel was decoded"))
    with pytest.raises(InvalidRequest, match=r"box: it is 6×8 pixels of this picture: at least 8×8 are needed"):
        prepared(images.jpeg(60, 80), box=box_of("0.1,0.1,0.2,0.2"))


def test_a_box_of_as_few_pixels_as_are_needed_is_taken() -> None:
    assert prepared(images.png(80, 80), box=box_of("0.5,0.5,0.6,0.6")).shape == (80, 80, 3)


def test_an_orientation_that_only_the_xmp_data_of_a_jpeg_tells_is_heeded() -> None:
    file = io.BytesIO()
    picture = Image.new("RGB", (40, 80), "white")
    picture.paste("black", (0, 0, 40, 20))
    picture.save(file, "JPEG", quality=95, xmp=b"<x:xmpmeta><tiff:Orientation>6</tiff:Orientation></x:xmpmeta>")
    turned = prepared(file.getvalue())
    assert turned[40, 70].max() < 60
    assert turned[40, 10].min() > 200
