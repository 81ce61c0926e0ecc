"""The images and targets of each step, drawn from (seed, step) alone."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.training_images import NONE, UNKNOWN, PeoplePhotos, StudioShots
from training.data.views import BACKGROUND, IN_SCENE, ON_WHITE, PHOTO, Light, composed, lit, motions, moved
from training.errors import TrainingError
from training.recipes.fashion.plan import FashionPlan

BALANCE = -0.35  # exponent: a sender of four times as many photos is drawn 4^0.65 = 2.5 times as often
SHADOW_OFFSET = (2, 2)  # pixels down and to the right
DARKEST_SHADOW = 0.6
SCENE_LIGHT = 0.6  # how much light, camera and compression change a scene: see `Light.draw`
ATTRIBUTES = ("kinds", "colours", "pairs", "genders")


@dataclass(frozen=True)
class StepDraws:
    """The random choices of one step: positions, transforms and light of each sort of image."""

    products: NDArray[np.int64]
    photos: NDArray[np.int64]
    backgrounds: NDArray[np.int64]
    white_motions: NDArray[np.float32]
    scene_motions: NDArray[np.float32]
    photo_motions: NDArray[np.float32]
    background_motions: NDArray[np.float32]
    lights: tuple[Light, Light, Light]
    shadow: NDArray[np.float32]


class Batches:
    """Makes the images and targets of a step.

    Raises:
        TrainingError: the training part has no product or no photo.
    """

    def __init__(
        self, plan: FashionPlan, studio: StudioShots, people: PeoplePhotos, backgrounds: NDArray[np.uint8]
    ) -> None:
        self.plan, self.studio, self.people, self.backgrounds = plan, studio, people, backgrounds
        self.size = int(studio.images.shape[1])
        self.products = np.flatnonzero(studio.parts == "training")
        self.photos = np.flatnonzero(people.parts == "training")
        for name, positions in (("products", self.products), ("photos", self.photos)):
            if not len(positions):
                raise TrainingError(f"the training part has no {name}: the archive has too few")
        self.photo_shares = _balanced_shares(people.senders[self.photos], people.categories[self.photos])

    def __call__(self, step: int, size: int) -> tuple[Any, dict[str, Any]]:
        """Return float32 images (n, size, size, 3), 0 to 255, and their targets.

        In this order: products on white, the first of them in scenes, people's photos, backgrounds alone.
        """
        draws = self._draw(step, size)
        return self._images(draws, size, step), self._targets(draws)

    def _targets(self, draws: StepDraws) -> dict[str, Any]:
        """Return each attribute's classes, int32 (n,), and `ids`, int64, of the products on white."""
        plan, studio = self.plan, self.studio
        products = np.concatenate([draws.products, draws.products[: plan.scenes]])
        unknown = np.full(plan.photos + plan.backgrounds, UNKNOWN, np.int32)
        targets = {name: np.concatenate([getattr(studio, name)[products], unknown]) for name in ATTRIBUTES}
        none = np.full(plan.backgrounds, NONE, np.int32)
        categories = [studio.categories[products], self.people.categories[draws.photos], none]
        return targets | {"categories": np.concatenate(categories), "ids": draws.products}

    def _draw(self, step: int, size: int) -> StepDraws:
        plan, source, patch = self.plan, self.size, self.backgrounds.shape[1]
        rng = np.random.default_rng([plan.seed, step])
        backgrounds = plan.scenes + plan.backgrounds
        return StepDraws(
            products=self._products(step, plan.products),
            photos=rng.choice(self.photos, plan.photos, p=self.photo_shares),
            backgrounds=rng.integers(0, len(self.backgrounds), backgrounds),
            white_motions=_white_motions(rng, plan, size, source),
            scene_motions=motions(rng, plan.scenes, size, IN_SCENE, source),
            photo_motions=motions(rng, plan.photos, size, PHOTO, source),
            background_motions=motions(rng, backgrounds, size, BACKGROUND, patch),
            lights=(
                Light.draw(rng, plan.products, 0.03),
                Light.draw(rng, plan.scenes, SCENE_LIGHT),
                Light.draw(rng, plan.photos + plan.backgrounds, 0.9),
            ),
            shadow=rng.uniform(0, DARKEST_SHADOW, (plan.scenes, 1, 1, 1)).astype(np.float32),
        )

    def _products(self, step: int, count: int) -> NDArray[np.int64]:
        """Return the step's products: each once an epoch, in an order drawn for the epoch."""
        first, total = step * count, len(self.products)
        orders = {
            epoch: np.random.default_rng([self.plan.seed, 2, epoch]).permutation(self.products)
            for epoch in range(first // total, (first + count - 1) // total + 1)
        }
        return np.array([orders[place // total][place % total] for place in range(first, first + count)])

    def scenes(self, products: NDArray[np.int64], number: int) -> Any:
        """Return products on backgrounds, float32 (n, h, w, 3) in the sources' size, drawn from (seed, number) alone.

        Args:
            products: positions among the studio shots.
            number: of the draw.
        """
        rng, count = np.random.default_rng([self.plan.seed, 9, number]), len(products)
        backgrounds = self.backgrounds[rng.integers(0, len(self.backgrounds), count)]
        background_motions = motions(rng, count, self.size, BACKGROUND, self.backgrounds.shape[1])
        scene_motions = motions(rng, count, self.size, IN_SCENE, self.size)
        shadow = rng.uniform(0, DARKEST_SHADOW, (count, 1, 1, 1)).astype(np.float32)
        light = Light.draw(rng, count, SCENE_LIGHT)
        backgrounds = moved(backgrounds, background_motions, self.size, 0.0, "REFLECT")
        return lit(self._composed(products, scene_motions, backgrounds, shadow), light, [number, 9])

    def _composed(self, products: NDArray[np.int64], scene_motions: Any, backgrounds: Any, shadow: Any) -> Any:
        size = int(backgrounds.shape[1])
        alpha = moved(self.studio.alphas[products, :, :, None], scene_motions, size, 0.0) / 255.0
        images = moved(self.studio.images[products], scene_motions, size, 255.0)
        return composed(images, alpha, backgrounds, shadow, SHADOW_OFFSET)

    def _images(self, draws: StepDraws, size: int, step: int) -> Any:
        scenes = self.plan.scenes
        on_white = moved(self.studio.images[draws.products], draws.white_motions, size, 255.0)
        backgrounds = moved(self.backgrounds[draws.backgrounds], draws.background_motions, size, 0.0, "REFLECT")
        in_scene = self._composed(draws.products[:scenes], draws.scene_motions, backgrounds[:scenes], draws.shadow)
        photos = moved(self.people.images[draws.photos], draws.photo_motions, size, 255.0)
        groups = (on_white, in_scene, tf.concat([photos, backgrounds[scenes:]], 0))
        seeds = ([step, place] for place in range(len(groups)))
        lit_groups = [lit(*group) for group in zip(groups, draws.lights, seeds, strict=True)]
        return tf.concat(lit_groups, 0)


def _white_motions(rng: np.random.Generator, plan: FashionPlan, size: int, source: int) -> NDArray[np.float32]:
    """Return the transforms of the products on white. Those that are in a scene too are not mirrored."""
    straight = replace(ON_WHITE, mirrored=False)
    in_scenes = motions(rng, plan.scenes, size, straight, source)
    return np.concatenate([in_scenes, motions(rng, plan.products - plan.scenes, size, ON_WHITE, source)])


def _balanced_shares(senders: NDArray[np.str_], categories: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return each photo's probability, less than proportional for senders and categories with many photos."""
    shares = np.ones(len(senders))
    for values in (senders, categories):
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        shares *= counts[inverse] ** BALANCE
    return np.asarray(shares / shares.sum())
