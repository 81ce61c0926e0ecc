"""What a run of the detector is made of."""

from dataclasses import dataclass

ROUND_SCENES, ROUND_EPOCHS = 1024, 3  # scenes drawn at a time, and how often each is learned from


@dataclass(frozen=True)
class DetectorPlan:
    """How many steps, of how many scenes each, and how fast.

    Composing a scene and running the fixed backbone over it costs as much as two steps of the head: a round draws scenes and learns
    from each several times.
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
