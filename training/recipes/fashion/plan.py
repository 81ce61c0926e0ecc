"""The numbers of a fashion run; training/EXPERIMENTS.md records the attempts."""

from dataclasses import dataclass, replace
from typing import Any

LOSSES = ("category", "kind", "colour", "pair", "gender", "same", "aligned")


@dataclass(frozen=True)
class FashionPlan:
    """The numbers of a run.

    Attributes:
        steps: how many steps the whole network is trained.
        seed: of all draws.
        products, pairs, street, photos, negatives, backgrounds: images a step: products on white, and the same in
            scenes; street garments with a cut-out, and their cut-outs; other street garments; people's photos;
            real pictures without clothing; and backgrounds without a product.
        memory: earlier products and cut-outs whose vectors are additional negatives.
        peak_rate, backbone_rate, warm_up: the highest learning rate, the backbone's share of it, and the steps of the
            rise.
        decay: weight decay.
        average_decay: of the running average of the weights.
        same_product_temperature: what similarities are divided by in the loss `same`.
        weights: of the losses, in the order of LOSSES.
        small, small_until: the reduced image size, in pixels a side, and the share of the steps with it.
        finetune_scenes, finetune_scene_share, finetune_views, finetune_products, finetune_others, finetune_epochs: of
            the last stage, in which the layers after the features are trained alone: how often scenes are computed, for
            which share of the products, views for each other picture, products a step, how many times as many other
            pictures as in a step of the whole network, and epochs.
        finetune_weights: of the losses in the last stage.
    """

    steps: int
    seed: int = 7
    products: int = 18
    pairs: int = 8
    street: int = 18
    photos: int = 22
    negatives: int = 10
    backgrounds: int = 2
    memory: int = 4096
    peak_rate: float = 1.2e-3
    backbone_rate: float = 0.2
    warm_up: int = 60
    decay: float = 2e-5
    average_decay: float = 0.995
    same_product_temperature: float = 0.07
    weights: tuple[float, ...] = (1.0, 1.0, 0.7, 0.5, 0.05, 0.5, 0.3)
    small: int = 96
    small_until: float = 0.0
    finetune_scenes: int = 1
    finetune_scene_share: float = 0.35
    finetune_views: int = 1
    finetune_products: int = 512
    finetune_others: float = 8.9
    finetune_epochs: int = 24
    finetune_weights: tuple[float, ...] = (1.0, 1.2, 1.2, 1.0, 0.05, 0.4, 0.1)

    def size_at(self, step: int, full: int) -> int:
        """Return the width and height of the images of a step: the first ones are smaller, and cost less."""
        return min(self.small, full) if step < self.full_size_from() else full

    def full_size_from(self) -> float:
        """Return the step from which on the images have their full size."""
        return self.small_until * self.steps

    @property
    def shown(self) -> int:
        """How many images of a step are of the gallery of the loss `same`: products on white, and cut-outs."""
        return self.products + self.pairs

    @property
    def images(self) -> int:
        """How many images a step has."""
        return 2 * self.shown + self.street + self.photos + self.negatives + self.backgrounds

    def finetune(self, products: int) -> "FashionPlan":
        """Return the plan of the last stage: see `head_finetune.py`.

        Args:
            products: how many there are.
        """
        batch = min(self.finetune_products, products)
        names = ("pairs", "street", "photos", "negatives", "backgrounds")
        counts = {name: round(self.finetune_others * getattr(self, name)) for name in names}
        shown = batch + counts["pairs"]
        rates: dict[str, Any] = {"weights": self.finetune_weights}
        rates |= {"peak_rate": 3e-3, "decay": 3e-2, "warm_up": 50, "average_decay": 0.99}
        steps = self.finetune_epochs * (products // batch)
        return replace(self, steps=steps, products=batch, memory=2 * shown, **counts, **rates)
