"""The numbers of a detector run."""

from dataclasses import dataclass

ROUND_SCENES, ROUND_EPOCHS = 1024, 3
TUNED_ROUND_SCENES, TUNED_ROUND_EPOCHS = 512, 2


@dataclass(frozen=True)
class DetectorPlan:
    """The numbers of a run.

    To draw a scene and to run the fixed backbone over it costs as much as two steps of the head, so a round draws
    `round_scenes` scenes and trains on them for several `epochs`, `scenes` a step. `street` is the share of scenes that
    are street photos, where there are any. `edges` and `labels` are the weights of these losses. `side` is that of a
    training scene in pixels: parts of photos show garments as large as whole photos at the served size, and cost less.

    `backbone_rate` is the learning rate of the backbone's later stages, as a share of the head's; 0: they are fixed.
    `averaging` is the share of the mean weights that a step keeps; the network has the mean weights in the end. 0: the
    network has the last weights.
    """

    steps: int
    seed: int = 7
    scenes: int = 16
    round_scenes: int = ROUND_SCENES
    epochs: int = ROUND_EPOCHS
    street: float = 0.6
    peak_rate: float = 2e-3
    decay: float = 1e-3
    warm_up: int = 100
    edges: float = 2.0
    labels: float = 0.5
    side: int = 288
    backbone_rate: float = 0.0
    averaging: float = 0.0

    @classmethod
    def tuning(cls, steps: int, seed: int) -> "DetectorPlan":
        """Return the plan of a run that starts with a trained head."""
        return cls(
            steps,
            seed,
            round_scenes=TUNED_ROUND_SCENES,
            epochs=TUNED_ROUND_EPOCHS,
            street=0.8,
            peak_rate=1e-3,
            warm_up=30,
            edges=4.0,
            backbone_rate=0.25,
            averaging=0.99,
        )

    @property
    def round_steps(self) -> int:
        """Steps of one round."""
        return self.epochs * (self.round_scenes // self.scenes)
