"""Files that are not accepted as images are named for what they are."""

import pytest

from services.contracts.domain.errors import UnsupportedImage
from services.contracts.domain.manifest import InputSize
from services.contracts.images.other_formats import brands, name_of
from services.contracts.images.preparation import prepare_image


def media(major: bytes, *compatible: bytes) -> bytes:
    box = b"ftyp" + major + b"\x00\x00\x00\x00" + b"".join(compatible)
    return (len(box) + 4).to_bytes(4, "big") + box + b"\x00\x00\x00\x08free"


CASES = [
    (media(b"qt  "), "a MOV video"),
    (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "a MOV video"),
    (b"\x00\x00\x10\x00moov\x00", "a MOV video"),
    (media(b"mp42", b"isom"), "an MP4 video"),
    (media(b"3gp5"), "an MP4 video"),
    (media(b"crx ", b"isom"), "a raw camera picture"),
    (media(b"zzzz"), "a media file of the kind 'zzzz'"),
    (b"\xff\x0a\x00\x01", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n....", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n....", "a JPEG 2000 picture"),
    (b"II*\x00\x08", "a TIFF or raw camera picture"),
    (b"%PDF-1.7", "a PDF document"),
    (b'<?xml version="1.0"?><!-- a --><SVG ', "an SVG drawing"),
    (b"\xef\xbb\xbf <!DOCTYPE html><html>", "an HTML page"),
    (b'<?xml version="1.0"?><rss>', "an XML document"),
    (b'{"image": 1}', "JSON"),
    (b"https://shop.example/a.jpg", "a web address as text"),
    (b"RIFF\x00\x00\x00\x00AVI LIST", "an AVI video"),
    (b"\x1aE\xdf\xa3", "a WebM or Matroska video"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"8BPS", "a Photoshop document"),
    (b"nothing known", None),
    (b"", None),
]


@pytest.mark.parametrize(("data", "name"), CASES)
def test_a_file_is_named_for_what_it_is(data: bytes, name: str | None) -> None:
    assert name_of(data) == name


def test_the_brands_of_a_box_end_with_it() -> None:
    assert brands(media(b"heic", b"mif1", b"miaf")) == [b"heic", b"mif1", b"miaf"]
    assert brands(b"\x00\x00\x00\x10ftypheic\x00\x00\x00\x00mif1") == [b"heic"]
    assert brands(b"\xff\xff\xff\xffftypheic") == [b"heic"]
    assert brands(b"not a box") == []


def test_the_error_names_the_file_and_what_to_send() -> None:
    with pytest.raises(UnsupportedImage, match="this is a JPEG XL picture: send a picture as JPEG"):
        prepare_image(b"\xff\x0a\x00\x01", InputSize(height=80, width=80))
