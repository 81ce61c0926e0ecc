"""The numbers of a detector run."""

from dataclasses import dataclass

ROUND_SCENES, ROUND_EPOCHS = 1024, 3


@dataclass(frozen=True)
class DetectorPlan:
    """The numbers of a run.

    To compose a scene and to run the fixed backbone over it costs as much as two steps of the head, so a round draws
    `round_scenes` scenes and trains on them for several `epochs`, `scenes` a step.
    """

    steps: int
    seed: int = 7
    scenes: int = 32
    round_scenes: int = ROUND_SCENES
    epochs: int = ROUND_EPOCHS
    peak_rate: float = 2e-3
    decay: float = 1e-4
    warm_up: int = 50

    @property
    def round_steps(self) -> int:
        """Steps of one round."""
        return self.epochs * (self.round_scenes // self.scenes)
