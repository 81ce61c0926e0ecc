"""Recognises image formats by the first bytes, without a decoder."""

from services.contracts.images.other_formats import RAW_BRAND, brands, is_video

AVIF_BRANDS = frozenset({b"avif", b"avis"})
# ISO/IEC 23008-12, annexes B to E: pictures with HEVC, and files that do not say with which codec.
HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"heif", b"mif1", b"mif2", b"msf1"}
)


def sniff(data: bytes) -> str | None:
    """Return the accepted format that the first bytes indicate, or None."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:2] == b"BM":
        return "BMP"
    names = brands(data)
    if AVIF_BRANDS.intersection(names):
        return "AVIF"
    is_picture = HEIF_BRANDS.intersection(names) and not is_video(names[0]) and names[0] != RAW_BRAND
    return "HEIF" if is_picture else None
