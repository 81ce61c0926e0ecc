"""The numbers of a fashion run; training/EXPERIMENTS.md records the attempts."""

from dataclasses import dataclass, replace

SMALL_UNTIL = 0.85  # share of the steps with images of a reduced size
SMALLEST_UNTIL = 0.45  # share of the steps with images of the smallest size
LOSSES = ("category", "kind", "colour", "pair", "gender", "same")


@dataclass(frozen=True)
class FashionPlan:
    """The numbers of a run.

    Attributes:
        steps: how many steps the whole network is trained.
        seed: of all draws.
        products, scenes, photos, backgrounds: images a step: products on white, the first of them in scenes too,
            people's photos, and backgrounds without a product.
        memory: earlier products whose vectors are additional negatives.
        peak_rate, backbone_rate, warm_up: the highest learning rate, the backbone's share of it, and the steps of the
            rise.
        decay: weight decay.
        average_decay: of the running average of the weights.
        same_product_temperature: what similarities are divided by in the loss `same`.
        weights: of the losses, in the order of LOSSES.
        small, smallest: the reduced image sizes, in pixels a side.
        finetune_scenes, finetune_products, finetune_epochs: of the last stage, in which the vectors' layers are trained
            alone: scenes computed for each product, products a step, and epochs.
    """

    steps: int
    seed: int = 7
    products: int = 56
    scenes: int = 28
    photos: int = 10
    backgrounds: int = 6
    memory: int = 4096
    peak_rate: float = 1.6e-3
    backbone_rate: float = 0.35
    warm_up: int = 150
    decay: float = 2e-5
    average_decay: float = 0.998
    same_product_temperature: float = 0.07
    weights: tuple[float, ...] = (1.0, 1.0, 1.0, 0.7, 0.05, 0.5)
    small: int = 80
    smallest: int = 64
    finetune_scenes: int = 2
    finetune_products: int = 512
    finetune_epochs: int = 30

    def size_at(self, step: int, full: int) -> int:
        """Return the width and height of the images of a step: the first ones are smaller, and cost less."""
        if step < SMALLEST_UNTIL * self.steps:
            return min(self.smallest, full)
        return min(self.small, full) if step < self.full_size_from() else full

    def full_size_from(self) -> float:
        """Return the step from which on the images have their full size."""
        return SMALL_UNTIL * self.steps

    def finetune(self, products: int) -> "FashionPlan":
        """Return the plan of the last stage: see `head_finetune.py`.

        Args:
            products: how many there are.
        """
        batch = min(self.finetune_products, products)
        counts = {"products": batch, "scenes": batch, "photos": 0, "backgrounds": 0, "memory": 2 * batch}
        rates = {"peak_rate": 3e-3, "decay": 3e-2, "warm_up": 50, "average_decay": 0.99}
        steps = self.finetune_epochs * (products // batch)
        return replace(self, steps=steps, **counts, **rates)  # type: ignore[arg-type]
