"""Small training images for the fashion recipe, and a small network: drawn squares as products."""

from pathlib import Path
from typing import Any

import numpy as np

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.domain.manifest import InputSize
from tests.support.pictures.archives import jpeg, make_archive, make_photos
from training.data.archives.negatives import Negatives
from training.data.archives.street import StreetGarments
from training.data.archives.training_images import PeoplePhotos, StudioShots
from training.data.contents import NONE, OTHER_CLOTHING
from training.networks.architectures import Architecture
from training.networks.backbone import Stages
from training.networks.fashion import BACKBONE_LAYERS, DIMENSION, fashion
from training.recipes.fashion.batches import Batches
from training.recipes.fashion.materials import Materials
from training.recipes.fashion.plan import FashionPlan

STAGES: Stages = (
    (1, 3, 1, 1, 4),
    (1, 3, 2, 2, 4),
    (1, 3, 2, 2, 8),
    (1, 3, 1, 2, 8),
    (1, 3, 1, 2, 8),
    (1, 3, 2, 2, 12),
)
SIZE = 24
LAST_STAGE = {
    "finetune_scenes": 2,
    "finetune_scene_share": 1.0,
    "finetune_views": 2,
    "finetune_products": 8,
    "finetune_others": 1.0,
    "finetune_epochs": 1,
}
PARAMETERS = 679_155
KIND_NAMES = ("Jeans", "Shirts", "Tshirts")


def network(categories: int = len(CATEGORIES)) -> Any:
    """Return a network of random weights, which are large enough that the output depends on the image."""
    built = fashion(categories, stages=STAGES)
    for layer in built.layers:
        if layer.name.startswith(BACKBONE_LAYERS) and layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([2.5 * kernel, bias])
    return built


ARCHITECTURE = Architecture(
    "tiny",
    InputSize(height=SIZE, width=SIZE),
    DIMENSION,
    True,
    PARAMETERS,
    lambda size, categories: network(categories),
    recipe="fashion",
)


def plan(steps: int = 10, **changes: Any) -> FashionPlan:
    return FashionPlan(
        **{
            "steps": steps,
            "products": 8,
            "pairs": 3,
            "street": 2,
            "photos": 4,
            "negatives": 2,
            "backgrounds": 2,
            "memory": 33,
            "small": SIZE,
        }
        | LAST_STAGE
        | changes
    )


def studio(count: int = 30, part: str = "training") -> StudioShots:
    """Return squares on white: the colour is the category, the size the kind."""
    rng = np.random.default_rng(1)
    images, alphas = np.full((count, SIZE, SIZE, 3), 255, np.uint8), np.zeros((count, SIZE, SIZE), np.uint8)
    categories, kinds = rng.integers(0, NONE + 1, count), rng.integers(0, 3, count)
    for image, alpha, category, kind in zip(images, alphas, categories, kinds, strict=True):
        inside = slice(8 - 2 * kind, 16 + 2 * kind)
        image[inside, inside] = (25 * category, 240 - 25 * category, 80)
        alpha[inside, inside] = 255
    return StudioShots(
        ids=np.arange(count).astype(str),
        images=images,
        alphas=alphas,
        categories=categories.astype(np.int32),
        kinds=kinds.astype(np.int32),
        colours=(categories % 4).astype(np.int32),
        pairs=kinds.astype(np.int32),
        genders=(kinds % 2).astype(np.int32),
        parts=np.array([part] * count),
        contents=categories.astype(np.int32),
        kind_names=KIND_NAMES,
        detailed=np.zeros(count, bool),
    )


def people(count: int = 12, part: str = "training") -> PeoplePhotos:
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
    senders = np.array([f"sender {i % 3}" for i in range(count)])
    categories, labels = rng.integers(0, 10, count).astype(np.int32), np.array(["T-Shirt", "Body"] * (count // 2))
    return PeoplePhotos(images, categories, senders, np.array([part] * count), labels)


def street(count: int = 10) -> StreetGarments:
    """Return crops and cut-outs of jeans and belts by turns; those of an even number have a cut-out."""
    rng, places = np.random.default_rng(5), np.arange(count)
    crops, cutouts = (rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8) for _ in range(2))
    return StreetGarments(
        name="street.zip",
        crops=crops,
        cutouts=cutouts,
        has_cutout=places % 2 == 0,
        categories=np.where(places % 4 < 2, CATEGORIES.index("Bottomwear"), OTHER_CLOTHING).astype(np.int32),
        items=np.array([f"item {place}" for place in places]),
        labels=np.where(places % 4 < 2, "jeans", "belt"),
        photos=np.array([f"photo {place // 2}" for place in places]),
        parts=np.array(["training"] * (count - 2) + ["test"] * 2),
    )


def negatives(count: int = 8) -> Negatives:
    images = np.random.default_rng(6).integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)
    kinds = np.array([f"animal:{place % 4}" for place in range(count)])
    parts = np.array(["training"] * (count - 2) + ["test"] * 2)
    return Negatives("negatives.zip", images, kinds, np.full(count, "animal"), np.ones(count, bool), parts)


def backgrounds(count: int = 5) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 128, 128, 3), np.uint8)


def batches(plan: FashionPlan) -> Batches:
    return Batches(plan, materials())


def materials() -> Materials:
    return Materials(studio(), people(), backgrounds(), street(), negatives())


def archives(folder: Path, per_category: int = 12) -> tuple[Path, Path]:
    """Write an archive of products, some outside the nine categories, and one of photos by twelve senders."""
    rng, outside = np.random.default_rng(4), range(5000, 5020)
    lines = tuple(f"{n},Women,Footwear,Sandal,Heels,Red,Fall,2011,Casual,Name" for n in outside)
    pictures = {str(n): jpeg(CATEGORIES[n % 9], "Red", rng) for n in outside}
    products = make_archive(folder / "products.zip", per_category, lines, extra_pictures=pictures)
    labels = ("T-Shirt", "Pants", "Shoes", "Undershirt", "Dress", "Not sure")
    rows = [(f"p{n}", n % 12, labels[n % 6]) for n in range(72)]
    photos = {name: jpeg(CATEGORIES[sender % 9], "Blue", rng) for name, sender, _ in rows}
    lines = tuple(f"{name},{sender},{label},False" for name, sender, label in rows)
    return products, make_photos(folder / "photos.zip", lines, photos)
