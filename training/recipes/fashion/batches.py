"""The pictures and targets of each step, drawn from (seed, step) alone."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.material import NONE, UNKNOWN, People, Studio
from training.data.views import BACKGROUND, IN_SCENE, ON_WHITE, PHOTO, Light, composed, lit, motions, moved
from training.errors import TrainingError
from training.recipes.fashion.plan import Plan

RARER = -0.35  # exponent: a sender of four times as many photos is shown 4^0.65 = 2.5 times as often
SHADOW = (2, 2)  # pixels down and to the right
DARKEST = 0.6  # of shadows
SCENE_LIGHT = 0.6  # how much light, camera and compression do to a scene: see `Light.draw`


@dataclass(frozen=True)
class Draws:
    """The random choices of one step: positions, transforms and light of each kind of picture."""

    products: NDArray[np.int64]
    photos: NDArray[np.int64]
    grounds: NDArray[np.int64]
    on_white: NDArray[np.float32]
    in_scene: NDArray[np.float32]
    of_photos: NDArray[np.float32]
    of_grounds: NDArray[np.float32]
    lights: tuple[Light, Light, Light]
    shadow: NDArray[np.float32]


class Batches:
    """Makes the pictures and targets of a step.

    Raises:
        TrainingError: the training part has no product or no photo.
    """

    def __init__(self, plan: Plan, studio: Studio, people: People, grounds: NDArray[np.uint8]) -> None:
        self.plan, self.studio, self.people, self.grounds = plan, studio, people, grounds
        self.size = int(studio.images.shape[1])
        self.products = np.flatnonzero(studio.parts == "training")
        self.photos = np.flatnonzero(people.parts == "training")
        for what, found in (("products", self.products), ("photos", self.photos)):
            if not len(found):
                raise TrainingError(f"the training part has no {what}: the archive has too few")
        self.photo_shares = _even_shares(people.senders[self.photos], people.categories[self.photos])

    def __call__(self, step: int, size: int) -> tuple[Any, dict[str, Any]]:
        """Return float32 pictures (n, size, size, 3), 0 to 255, and what they show.

        In this order: products on white, the first of them in scenes, people's photos, backgrounds alone.
        """
        draws = self._draw(step, size)
        return self._pictures(draws, size, step), self._targets(draws)

    def _targets(self, draws: Draws) -> dict[str, Any]:
        """Return each attribute's classes, int32 (n,), and `ids`, int64, of the products on white."""
        plan, studio = self.plan, self.studio
        both = np.concatenate([draws.products, draws.products[: plan.scenes]])
        rest = np.full(plan.photos + plan.nothing, UNKNOWN, np.int32)
        targets = {
            name: np.concatenate([getattr(studio, name)[both], rest])
            for name in ("kinds", "colours", "pairs", "genders")
        }
        nothing = np.full(plan.nothing, NONE, np.int32)
        targets["categories"] = np.concatenate([studio.categories[both], self.people.categories[draws.photos], nothing])
        targets["ids"] = draws.products
        return targets

    def _draw(self, step: int, size: int) -> Draws:
        plan, source, patch = self.plan, self.size, self.grounds.shape[1]
        rng = np.random.default_rng([plan.seed, step])
        grounds = plan.scenes + plan.nothing
        return Draws(
            products=self._products(step, plan.products),
            photos=rng.choice(self.photos, plan.photos, p=self.photo_shares),
            grounds=rng.integers(0, len(self.grounds), grounds),
            on_white=_on_white(rng, plan, size, source),
            in_scene=motions(rng, plan.scenes, size, IN_SCENE, source),
            of_photos=motions(rng, plan.photos, size, PHOTO, source),
            of_grounds=motions(rng, grounds, size, BACKGROUND, patch),
            lights=(
                Light.draw(rng, plan.products, 0.03),
                Light.draw(rng, plan.scenes, SCENE_LIGHT),
                Light.draw(rng, plan.photos + plan.nothing, 0.9),
            ),
            shadow=rng.uniform(0, DARKEST, (plan.scenes, 1, 1, 1)).astype(np.float32),
        )

    def _products(self, step: int, count: int) -> NDArray[np.int64]:
        """Return the step's products: each once an epoch, in an order drawn for it."""
        first, total = step * count, len(self.products)
        orders = {
            epoch: np.random.default_rng([self.plan.seed, 2, epoch]).permutation(self.products)
            for epoch in range(first // total, (first + count - 1) // total + 1)
        }
        return np.array([orders[place // total][place % total] for place in range(first, first + count)])

    def scenes(self, products: NDArray[np.int64], number: int) -> Any:
        """Return products on backgrounds, float32 (n, h, w, 3) in the sources' size, drawn by the seed and this number.

        Args:
            products: positions among the studio shots.
            number: of the draw.
        """
        rng, count = np.random.default_rng([self.plan.seed, 9, number]), len(products)
        behind = self.grounds[rng.integers(0, len(self.grounds), count)]
        of_grounds = motions(rng, count, self.size, BACKGROUND, self.grounds.shape[1])
        in_scene = motions(rng, count, self.size, IN_SCENE, self.size)
        shadow = rng.uniform(0, DARKEST, (count, 1, 1, 1)).astype(np.float32)
        light = Light.draw(rng, count, SCENE_LIGHT)
        behind = moved(behind, of_grounds, self.size, 0.0, "REFLECT")
        return lit(self._composed(products, in_scene, behind, shadow), light, [number, 9])

    def _composed(self, products: NDArray[np.int64], in_scene: Any, behind: Any, shadow: Any) -> Any:
        size = int(behind.shape[1])
        alpha = moved(self.studio.alphas[products, :, :, None], in_scene, size, 0.0) / 255.0
        return composed(moved(self.studio.images[products], in_scene, size, 255.0), alpha, behind, shadow, SHADOW)

    def _pictures(self, draws: Draws, size: int, step: int) -> Any:
        scenes = self.plan.scenes
        on_white = moved(self.studio.images[draws.products], draws.on_white, size, 255.0)
        behind = moved(self.grounds[draws.grounds], draws.of_grounds, size, 0.0, "REFLECT")
        scene = self._composed(draws.products[:scenes], draws.in_scene, behind[:scenes], draws.shadow)
        photos = moved(self.people.images[draws.photos], draws.of_photos, size, 255.0)
        kinds = (on_white, scene, tf.concat([photos, behind[scenes:]], 0))
        parts = [
            lit(part, light, [step, place]) for place, (part, light) in enumerate(zip(kinds, draws.lights, strict=True))
        ]
        return tf.concat(parts, 0)


def _on_white(rng: np.random.Generator, plan: Plan, size: int, source: int) -> NDArray[np.float32]:
    """Return the transforms of the products on white: those that scenes show too are not mirrored, as the scenes are not."""
    straight = replace(ON_WHITE, mirrored=False)
    drawn = [motions(rng, plan.scenes, size, straight, source)]
    drawn.append(motions(rng, plan.products - plan.scenes, size, ON_WHITE, source))
    return np.concatenate(drawn)


def _even_shares(senders: NDArray[np.str_], categories: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return each photo's chance: a sender of many, and a category of many, count less than in proportion."""
    shares = np.ones(len(senders))
    for values in (senders, categories):
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        shares *= counts[inverse] ** RARER
    return np.asarray(shares / shares.sum())
