"""What a run trains on: the images in memory, how often each is drawn, and the targets of those that are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.archives.negatives import Negatives
from training.data.archives.street import StreetGarments
from training.data.archives.training_images import PeoplePhotos, StudioShots
from training.data.contents import NO_CLOTHING, UNKNOWN
from training.data.garment_types import PHOTO_TYPES, STREET_TYPES
from training.errors import TrainingError
from training.recipes.fashion.plan import FashionPlan

SENDER_BALANCE = -0.35  # exponent: a sender of four times as many photos is drawn 4^0.65 = 2.5 times as often
TYPE_BALANCE = -0.6  # a label of four times as many pictures is drawn 4^0.4 = 1.7 times as often
KIND_BALANCE = -0.45  # an article type of four times as many products is drawn 4^0.55 = 2.1 times as often
LABEL_BALANCE = -0.3  # of street garments, by label and by category
LAST_STAGE_BALANCE = -0.1  # of article types in the last stage
DETAILED_SHARE = 3.0  # how much more often a product is drawn that has a picture with more pixels
LAST_STAGE = "products of the last stage"
STREET_IDS = 10_000_000  # ids of street garments in the loss `same`: from here on, products are below
ATTRIBUTES = ("kinds", "colours", "pairs", "genders")
Places = NDArray[np.int64]
Targets = dict[str, NDArray[np.integer]]


@dataclass(frozen=True)
class DrawnImages:
    """Positions of the images of a step in their sources."""

    products: Places
    pairs: Places
    street: Places
    photos: Places
    negatives: Places
    backgrounds: Places


class Materials:
    """The sources of a run.

    Attributes:
        allowed: for each class of the loss `kind`, and then for each label of photos and street garments, which
            article types it allows: bool (classes + labels, classes).

    Raises:
        TrainingError: the training part has no product or no photo.
    """

    def __init__(
        self,
        studio: StudioShots,
        people: PeoplePhotos,
        backgrounds: NDArray[np.uint8],
        street: StreetGarments | None = None,
        negatives: Negatives | None = None,
    ) -> None:
        self.studio, self.people, self.backgrounds = studio, people, backgrounds
        self.street, self.negatives = street, negatives
        self.allowed, rows = allowed_types(studio.kind_names)
        self.photo_kinds = np.array([rows.get(("photo", label), UNKNOWN) for label in people.labels], np.int32)
        labels = street.labels if street else ()
        self.street_kinds = np.array([rows.get(("street", label), UNKNOWN) for label in labels], np.int32)
        self.street_categories = street.categories if street else np.zeros(0, np.int32)
        self.products = np.flatnonzero(studio.parts == "training")
        self.photos = np.flatnonzero(people.parts == "training")
        for name, positions in (("products", self.products), ("photos", self.photos)):
            if not len(positions):
                raise TrainingError(f"the training part has no {name}: the archive has too few")
        self.garments = np.flatnonzero(street.parts == "training") if street else self.products[:0]
        self.paired = self.garments[street.has_cutout[self.garments]] if street else self.garments
        self.pictures = np.flatnonzero(negatives.parts == "training") if negatives else self.products[:0]
        self._shares = self._all_shares()

    def counts(self, plan: FashionPlan) -> FashionPlan:
        """Return the plan without images of sources that are not there."""
        sources = {"pairs": self.paired, "street": self.garments, "negatives": self.pictures}
        missing = {name: 0 for name, positions in sources.items() if not len(positions)}
        return replace(plan, **missing)  # type: ignore[arg-type]

    def details(self) -> dict[str, Any]:
        """Return what a checkpoint has to hold to build the trainer again, ready for JSON."""
        rows = [np.flatnonzero(row).tolist() for row in self.allowed]
        return {"classes": self.studio.classes(), "allowed": rows}

    def draw(self, rng: np.random.Generator, plan: FashionPlan, last_stage: bool = False) -> DrawnImages:
        """Draw the images of a step. Rare types, and senders with few photos, are drawn more often than their share.

        In the last stage this holds less for products, and those with more pixels are drawn like the others: its
        aim is the precision of studio shots.
        """
        shares = self._shares
        return DrawnImages(
            products=_chosen(rng, self.products, plan.products, shares[LAST_STAGE if last_stage else "products"]),
            pairs=_chosen(rng, self.paired, plan.pairs, shares["pairs"]),
            street=_chosen(rng, self.garments, plan.street, shares["street"]),
            photos=_chosen(rng, self.photos, plan.photos, shares["photos"]),
            negatives=_chosen(rng, self.pictures, plan.negatives, shares["negatives"]),
            backgrounds=rng.integers(0, len(self.backgrounds), plan.backgrounds),
        )

    def targets(self, drawn: DrawnImages) -> Targets:
        """Return the targets in the order of a step's images: see `Batches`.

        `categories` are what the images show: a category, OTHER_CLOTHING or NO_CLOTHING. `kinds` are rows of `allowed`.
        `ids` are of the products on white and of the cut-outs, int64.
        """
        names = ("categories", *ATTRIBUTES)
        targets = {name: np.concatenate(self._groups(name, drawn)).astype(np.int32) for name in names}
        return targets | {"ids": np.concatenate([drawn.products, STREET_IDS + drawn.pairs])}

    def _groups(self, name: str, drawn: DrawnImages) -> list[NDArray[np.integer]]:
        """Return an attribute's classes of each group of images, in their order."""
        count = len(drawn.negatives) + len(drawn.backgrounds)
        if name == "categories":
            products, street, photos = self.studio.contents, self.street_categories, self.people.categories
            others = np.full(count, NO_CLOTHING)
        else:
            products, others = getattr(self.studio, name), np.full(count, UNKNOWN)
            street, photos = np.full(len(self.street_kinds), UNKNOWN), np.full(len(self.photo_kinds), UNKNOWN)
            if name == "kinds":
                street, photos = self.street_kinds, self.photo_kinds
        shown = [products[drawn.products], street[drawn.pairs]]
        return [*shown, *shown, street[drawn.street], photos[drawn.photos], others]

    def _all_shares(self) -> dict[str, NDArray[np.float64]]:
        studio, people, street, negatives = self.studio, self.people, self.street, self.negatives
        products, photos = self.products, self.photos
        detailed = np.where(studio.detailed[products], DETAILED_SHARE, 1.0)
        kinds = [(studio.kinds[products], KIND_BALANCE)]
        senders = [(people.senders[photos], SENDER_BALANCE), (people.labels[photos], TYPE_BALANCE)]
        labels = street.labels if street else np.zeros(0, str)
        families = negatives.families if negatives else np.zeros(0, str)
        return {
            "products": balanced_shares(kinds, detailed),
            LAST_STAGE: balanced_shares([(studio.kinds[products], LAST_STAGE_BALANCE)]),
            "photos": balanced_shares(senders),
            "street": balanced_shares(self._street_attributes(labels, self.garments)),
            "pairs": balanced_shares(self._street_attributes(labels, self.paired)),
            "negatives": balanced_shares([(families[self.pictures], TYPE_BALANCE)]),
        }

    def _street_attributes(self, labels: NDArray[np.str_], garments: Places) -> list[tuple[NDArray[Any], float]]:
        return [(labels[garments], LABEL_BALANCE), (self.street_categories[garments], LABEL_BALANCE)]


def allowed_types(kind_names: Sequence[str]) -> tuple[NDArray[np.bool_], dict[tuple[str, str], int]]:
    """Return which types each class and each label allows, and the row of each label that allows any.

    Returns:
        bool (classes + labels, classes); rows by source (`photo` or `street`) and label.
    """
    places = {name: place for place, name in enumerate(kind_names)}
    masks, rows = [np.eye(max(1, len(kind_names)), dtype=bool)], {}
    for source, table in (("photo", PHOTO_TYPES), ("street", STREET_TYPES)):
        for label, types in table.items():
            present = [places[name] for name in types if name in places]
            if not present:
                continue
            rows[source, label] = sum(len(mask) for mask in masks)
            mask = np.zeros((1, len(masks[0])), bool)
            mask[0, present] = True
            masks.append(mask)
    return np.concatenate(masks), rows


def balanced_shares(
    attributes: Sequence[tuple[NDArray[Any], float]], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return each image's probability, less than proportional for values that many images have.

    Args:
        attributes: values of each image, (n,), and the exponent of their counts.
        weights: additional weight of each image.
    """
    shares = np.ones(len(attributes[0][0])) if weights is None else weights.astype(np.float64)
    for values, exponent in attributes:
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        shares = shares * counts[inverse] ** exponent
    return np.asarray(shares / max(shares.sum(), 1e-12))


def _chosen(rng: np.random.Generator, positions: Places, count: int, shares: NDArray[np.float64]) -> Places:
    """Return `count` of the positions, none twice if there are enough."""
    if not count:
        return positions[:0]
    return rng.choice(positions, count, replace=count > int((shares > 0).sum()), p=shares)
