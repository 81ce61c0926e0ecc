"""Any bytes and any box: the network's input of the right shape and content, or one of the typed errors."""

import io
import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.contracts.domain.box import Box
from services.contracts.domain.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    LookalikeError,
    UnsupportedImage,
)
from services.contracts.domain.manifest import InputSize
from services.contracts.images.formats import sniff
from services.contracts.images.preparation import MIN_PART_SIDE, ROTATED, ImageLimits, prepare_image
from tests.support.pictures import images

TYPED = (InvalidImage, ImageTooLarge, UnsupportedImage, InvalidRequest)
SMALL = ImageLimits(max_bytes=1_000_000, max_pixels=1_000_000)
SIGNATURES = (
    b"",
    b"\xff\xd8\xff",
    b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00",
    b"\x89PNG\r\n\x1a\n",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    b"RIFF\x00\x00\x00\x00WEBPVP8X",
    b"GIF89a",
    b"BM",
    b"\x00\x00\x00\x20ftypavif",
)
WHOLE = [data for data in images.ACCEPTED.values() if len(data) < 20_000]
sizes = st.builds(InputSize, height=st.integers(1, 96), width=st.integers(1, 96))


def check(data: bytes, size: InputSize, box: Box | None = None) -> LookalikeError | None:
    """Prepare an image, check the input against the file's facts, and return the error if there is one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on broken metadata
        try:
            picture, facts = prepare_image(data, size, SMALL, box)
        except TYPED as error:
            assert error.detail
            return error
    assert picture.shape == (size.height, size.width, 3)
    assert picture.dtype == np.uint8
    assert facts.format == sniff(data)
    assert 0 < facts.width * facts.height <= SMALL.max_pixels
    left, top, right, bottom = facts.placement
    assert 0 <= left < right <= size.width
    assert 0 <= top < bottom <= size.height
    assert (right - left == size.width) or (bottom - top == size.height)
    frame = np.ones(picture.shape[:2], bool)
    frame[top:bottom, left:right] = False
    assert (picture[frame] == 255).all()
    return None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SIGNATURES), st.binary(max_size=400), sizes)
def test_random_bytes_after_any_signature_are_an_input_or_a_typed_error(
    head: bytes, tail: bytes, size: InputSize
) -> None:
    error = check(head + tail, size)
    assert isinstance(error, UnsupportedImage) == (bool(head + tail) and sniff(head + tail) is None)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(WHOLE), sizes)
def test_every_accepted_image_becomes_an_input_of_any_size(data: bytes, size: InputSize) -> None:
    assert check(data, size) is None


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(WHOLE), sizes)
def test_images_with_changed_bytes_are_an_input_or_a_typed_error(
    data: st.DataObject, whole: bytes, size: InputSize
) -> None:
    damaged = bytearray(whole)
    header_first = st.one_of(st.integers(0, min(199, len(whole) - 1)), st.integers(0, len(whole) - 1))
    for position in data.draw(st.lists(header_first, min_size=1, max_size=8)):
        damaged[position] = data.draw(st.sampled_from((0, 1, 127, 128, 255)) | st.integers(0, 255))
    check(bytes(damaged), size)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(WHOLE), sizes)
def test_truncated_doubled_and_spliced_images_are_an_input_or_a_typed_error(
    data: st.DataObject, whole: bytes, size: InputSize
) -> None:
    first, second = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    filling = data.draw(st.sampled_from((b"", whole[first:second] * 2, bytes(64), b"\xff" * 64)))
    check(whole[:first] + filling + whole[second:], size)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), sizes)
def test_a_picture_of_any_size_keeps_its_aspect_within_half_a_pixel(width: int, height: int, size: InputSize) -> None:
    black = images.raw_png(width, height, 1, 0, (b"\x00" * (1 + (width + 7) // 8)) * height)
    picture, _ = prepare_image(black, size)
    is_black = (picture == 0).all(axis=2)
    shown_height, shown_width = int(is_black.any(axis=1).sum()), int(is_black.any(axis=0).sum())
    scale = min(size.width / width, size.height / height)
    assert abs(shown_width - max(1, width * scale)) <= 0.5
    assert abs(shown_height - max(1, height * scale)) <= 0.5
    assert (picture[~is_black] == 255).all()


starts = st.floats(0, 1, exclude_max=True)
lengths = st.floats(1e-6, 1)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(WHOLE), st.tuples(starts, starts, lengths, lengths), sizes)
def test_any_box_of_a_picture_is_an_input_unless_it_has_too_few_pixels(
    data: bytes, part: tuple[float, float, float, float], size: InputSize
) -> None:
    x, y, width, height = part
    box = Box(x=x, y=y, width=width * (1 - x), height=height * (1 - y))
    error = check(data, size, box)
    with Image.open(io.BytesIO(data)) as image:
        is_rotated = image.getexif().get(images.ORIENTATION_TAG, 1) in ROTATED
        full_width, full_height = image.size[::-1] if is_rotated else image.size
    shortest = min(box.width * full_width, box.height * full_height)
    required = min(MIN_PART_SIDE, full_width, full_height)
    if abs(shortest - required) > 0.001:  # rounding decides a box of just this size
        assert isinstance(error, InvalidRequest) == (shortest < required)
    assert error is None or isinstance(error, InvalidRequest)
