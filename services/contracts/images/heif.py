"""HEIF pictures, such as the HEIC photos of telephones: registers libheif's decoder with Pillow.

pi-heif is pillow-heif without encoders: a sixth of its size, and without x265, whose licence is the GPL.
"""

import pi_heif  # type: ignore[import-untyped]
from pi_heif.as_plugin import HeifImageFile  # type: ignore[import-untyped]
from PIL import Image

FORMAT = "HEIF"

pi_heif.options.DECODE_THREADS = 1  # the callers bound the number of decoders
Image.register_open(FORMAT, HeifImageFile)  # without a check of the brand: `formats.sniff` has it
