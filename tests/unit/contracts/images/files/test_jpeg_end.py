"""JPEG files without their end marker."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.contracts.domain.errors import InvalidImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.jpeg_end import with_end_marker
from services.contracts.images.preparation import ImageLimits, prepare_image
from tests.support.values.cases import CASES, needs_cases

SIZE = InputSize(width=64, height=64)
FORMS: dict[str, dict[str, object]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True, "subsampling": 2},
    "restarts in rows": {"restart_marker_rows": 1},
    "restarts in blocks": {"restart_marker_blocks": 3},
}


def _jpeg(form: str, mode: str = "RGB", side: int = 160) -> bytes:
    shape = (side, side + 13, 3) if mode == "RGB" else (side, side + 13)
    pixels = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=80, **FORMS[form])
    return file.getvalue()


def _prepared(data: bytes) -> bytes:
    return prepare_image(data, SIZE)[0].tobytes()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("form", FORMS)
def test_a_jpeg_file_without_its_end_marker_is_the_same_picture(form: str, mode: str) -> None:
    whole = _jpeg(form, mode)
    assert whole.endswith(b"\xff\xd9")
    for cut in (1, 2):
        assert with_end_marker(whole[:-cut]) == whole
        assert _prepared(whole[:-cut]) == _prepared(whole)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cut", [6, 20, 100, 1000, 5000])
def test_a_jpeg_file_that_is_cut_short_is_refused(form: str, mode: str, cut: int) -> None:
    with pytest.raises(InvalidImage, match="damaged or cut short"):
        _prepared(_jpeg(form, mode)[:-cut])


@pytest.mark.parametrize("form", FORMS)
def test_a_jpeg_file_that_ends_at_a_marker_is_refused(form: str) -> None:
    whole = _jpeg(form)
    scan = whole.find(b"\xff\xda")
    later = [at for at in range(scan + 2, len(whole) - 2) if whole[at] == 0xFF and whole[at + 1] != 0]
    for at in later[:: max(1, len(later) // 12)]:
        assert with_end_marker(whole[:at]) is None
        assert with_end_marker(whole[: at + 2]) is None


def test_a_file_with_its_end_marker_is_not_changed_and_the_largest_file_has_room_for_it() -> None:
    whole = _jpeg("baseline")
    assert with_end_marker(whole) is None
    prepare_image(whole[:-2], SIZE, ImageLimits(max_bytes=len(whole) - 2))


@given(st.binary(max_size=200), st.integers(0, 700))
def test_damaged_bytes_are_pictures_or_refused(tail: bytes, at: int) -> None:
    data = _jpeg("progressive", side=16)
    for damaged in (data[:at] + tail, data[:at] + tail + data[at + len(tail) : -2]):
        try:
            _prepared(damaged)
        except Exception as error:
            assert type(error).__module__ == "services.contracts.domain.errors"


@needs_cases
def test_the_reported_picture_without_its_end_marker_is_accepted_and_a_shorter_one_is_not() -> None:
    data = (CASES / "17-no-end-marker.jpg").read_bytes()
    assert _prepared(data) == _prepared(data + b"\xff\xd9")
    for cut in (10, 1000, 30_000):
        with pytest.raises(InvalidImage):
            _prepared(data[:-cut])
