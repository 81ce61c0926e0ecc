"""Names what a file is that is none of the accepted image formats, so that an error can say it."""

# ISO base media files say what they are in the `ftyp` box at their start (ISO/IEC 14496-12, 4.3), by four letters:
# the major brand, and compatible ones.
VIDEO_BRANDS = frozenset((b"qt  ", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash"))
VIDEO_PREFIXES = (b"3gp", b"3g2", b"M4V", b"M4A", b"mmp", b"MSN", b"f4v", b"F4V")
RAW_BRAND = b"crx "  # of Canon's raw pictures, which have other brands, too
QUICKTIME_BOXES = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))
JPEG_XL = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n")
JPEG_2000 = (b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  \r\n\x87\n")
# The first bytes of other files that people send as pictures.
STARTS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    (JPEG_XL, "a JPEG XL picture"),
    (JPEG_2000, "a JPEG 2000 picture"),
    ((b"%PDF",), "a PDF document"),
    ((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"), "a TIFF or raw camera picture"),
    ((b"8BPS",), "a Photoshop document"),
    ((b"%!PS", b"\xc5\xd0\xd3\xc6"), "a PostScript drawing"),
    ((b"\x00\x00\x01\x00", b"\x00\x00\x02\x00"), "an icon (ICO)"),
    ((b"qoif",), "a QOI picture"),
    ((b"FUJIFILMCCD-RAW", b"IIU\x00", b"IIRO"), "a raw camera picture"),
    ((b"\x1aE\xdf\xa3",), "a WebM or Matroska video"),
    ((b"PK\x03\x04", b"PK\x05\x06"), "a ZIP archive or office document"),
    ((b"\x1f\x8b",), "a gzip archive"),
    ((b"Rar!", b"7z\xbc\xaf"), "an archive"),
    ((b"\xd7\xcd\xc6\x9a", b"\x01\x00\x00\x00"), "a Windows metafile drawing"),
)
_TEXT_STARTS = (
    ((b"<!doctype html", b"<html", b"<head", b"<body"), "an HTML page"),
    ((b"<?xml", b"<rss", b"<feed"), "an XML document"),
    ((b"{", b"["), "JSON"),
    ((b"data:image/",), "a data: URL as text"),
    ((b"http://", b"https://"), "a web address as text"),
)
SEEN = 4096  # bytes that may hold a drawing's first element


def name_of(data: bytes) -> str | None:
    """Return what a file is, with its article, such as "a MOV video"; None if it is not known."""
    head = data[:SEEN]
    if b"<svg" in head.lower():
        return "an SVG drawing"
    for starts, name in STARTS:
        if head.startswith(starts):
            return name
    if head[:4] == b"RIFF":
        return {b"AVI ": "an AVI video", b"WAVE": "a sound file"}.get(head[8:12])
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for starts, name in _TEXT_STARTS:
        if text.startswith(starts):
            return name
    return _media_file(head)


def brands(data: bytes) -> list[bytes]:
    """Return the major and the compatible brands of an ISO base media file; none of another file."""
    if data[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(data[:4], "big"), len(data), SEEN)
    return [data[8:12], *(data[place : place + 4] for place in range(16, end - 3, 4))]


def is_video(brand: bytes) -> bool:
    """Return whether a major brand is that of videos or of sound."""
    return brand in VIDEO_BRANDS or brand.startswith(VIDEO_PREFIXES)


def _media_file(data: bytes) -> str | None:
    names = brands(data)
    if not names:
        return "a MOV video" if data[4:8] in QUICKTIME_BOXES else None
    major = names[0]
    if major == RAW_BRAND:
        return "a raw camera picture"
    if major == b"qt  ":
        return "a MOV video"
    if is_video(major):
        return "an MP4 video"
    if VIDEO_BRANDS.intersection(names):
        return "an MP4 video"
    return f"a media file of the kind {major.decode('latin-1').strip()!r}"
