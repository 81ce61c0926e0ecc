"""A product of the sample catalogue: its data and its picture."""

import io
import random
from dataclasses import dataclass, field

from PIL import Image

from services.sample_shop.drawing.fabric import Cloth
from services.sample_shop.drawing.palette import COLOURS, DENIM, Colour, darker, luminance, mix, varied
from services.sample_shop.drawing.patterns import PATTERNS
from services.sample_shop.drawing.raster import Canvas
from services.sample_shop.recipe import Cut, Family, Look

URL = "https://shop.example/products/{id}"
CURRENCY = "EUR"
JPEG_QUALITY = 88
BRANDS = ("Alder & Ash", "Brightwater", "Corvina", "Dune Road", "Eastmark", "Fennimore", "Halden", "Juniper Lane")
# Accent colours with contrast on dark and on light cloth.
ON_DARK = ("White", "Sky Blue", "Red", "Yellow", "Silver", "Orange", "Beige", "Turquoise Blue", "Pink", "White")
ON_LIGHT = ("Navy Blue", "Black", "Maroon", "Teal", "Red", "Charcoal", "Purple", "Green", "Brown", "Navy Blue")
ADJECTIVES = {
    "plain": "", "stripes": "striped", "bold stripes": "broad-striped", "pinstripes": "pinstriped",
    "vertical stripes": "vertically striped", "diagonal stripes": "diagonally striped", "gingham": "gingham",
    "tartan": "tartan", "windowpane": "windowpane-check", "dots": "polka-dot", "argyle": "argyle", "zigzag": "zigzag",
    "floral": "floral", "paisley": "paisley", "camouflage": "camouflage", "spots": "leopard-spot",
    "colour block": "colour-block", "chest band": "chest-band", "ombre": "ombré", "marl": "marled", "print": "printed",
}  # fmt: skip


@dataclass(frozen=True)
class SampleProduct:
    """A drawn product.

    Attributes:
        id: for example "sample-topwear-007".
        category: the name of the category.
        attributes: as in the Kaggle data, with `pattern` and `brand`.
    """

    id: str
    title: str
    category: str
    price: float
    attributes: dict[str, str]
    currency: str = CURRENCY
    _cut: Cut = field(repr=False, kw_only=True)
    _chance: str = field(repr=False, kw_only=True)

    @property
    def url(self) -> str:
        """The address of the product's page in a fictional shop."""
        return URL.format(id=self.id)

    def picture(self) -> Image.Image:
        """Draw the product: 360×480 pixels, RGB, on white, with the same pixels each time."""
        rng = random.Random(self._chance)
        canvas = Canvas(rng)
        self._cut.draw(canvas, _look(rng, self._cut, self.attributes))
        return canvas.image()

    def jpeg(self) -> bytes:
        """Draw the product and return it as a JPEG file."""
        return jpeg(self.picture())


def jpeg(picture: Image.Image, quality: int = JPEG_QUALITY) -> bytes:
    """Return a picture as a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def make_product(family: Family, number: int, seed: int) -> SampleProduct:
    """Return the product with this number (from 0) in its category; cuts, colours and patterns alternate."""
    cut, turn = family.cuts[number % len(family.cuts)], number // len(family.cuts)
    order = random.Random(f"{seed}/{family.category}/{cut.noun}")
    colour = order.sample(cut.colours, len(cut.colours))[turn % len(cut.colours)]
    pattern = order.sample(cut.patterns, len(cut.patterns))[turn % len(cut.patterns)]
    chance = f"{seed}/{family.category}/{number}"
    rng = random.Random(f"{chance}/facts")
    attributes = {
        "gender": rng.choice(cut.genders),
        "articleType": cut.article,
        "baseColour": colour,
        "pattern": pattern,
        "usage": cut.usage,
        "brand": rng.choice(BRANDS),
    }
    price = rng.randint(*cut.price) + rng.choice((0.0, 0.5, 0.9, 0.95))
    name = f"sample-{family.category.lower()}-{number + 1:03d}"
    return SampleProduct(name, _title(cut, attributes), family.category, price, attributes, _cut=cut, _chance=chance)


def _title(cut: Cut, attributes: dict[str, str]) -> str:
    words = (ADJECTIVES[attributes["pattern"]], attributes["baseColour"].lower(), cut.noun)
    title = " ".join(word for word in words if word)
    return title[0].upper() + title[1:]


def _look(rng: random.Random, cut: Cut, attributes: dict[str, str]) -> Look:
    names = DENIM if cut.texture == "denim" else COLOURS
    colour = varied(names[attributes["baseColour"]], rng.uniform(-0.012, 0.012), rng.uniform(-0.025, 0.03))
    pattern = attributes["pattern"]
    accent, third = _accents(rng, cut, colour, pattern)
    cloth = Cloth(
        colour, accent, third, pattern if pattern in PATTERNS else "plain", cut.texture, seed=rng.randrange(1, 1000)
    )
    return Look(rng, colour, accent, cloth, pattern, attributes["gender"] == "Women")


def _accents(rng: random.Random, cut: Cut, colour: Colour, pattern: str) -> tuple[Colour, Colour]:
    """Return a second and a third colour: the cut's accents, or colours with contrast to the first."""
    if pattern == "camouflage":
        return darker(colour, 0.4), mix(colour, (0.78, 0.72, 0.55), 0.6)
    if pattern == "spots":
        return darker(colour, 0.72), mix(colour, (0.45, 0.26, 0.12), 0.5)
    candidates = cut.accents or (ON_DARK if luminance(colour) < 0.45 else ON_LIGHT)
    strong = [n for n in candidates if cut.accents or abs(luminance(COLOURS[n]) - luminance(colour)) > 0.22]
    second = rng.choice(strong or list(candidates))
    others = [n for n in (*ON_DARK, *ON_LIGHT) if n != second and abs(luminance(COLOURS[n]) - luminance(colour)) > 0.1]
    return COLOURS[second], COLOURS[rng.choice(others)]
