"""What an embedding model returns for images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class NetworkOutputs:
    """The outputs of n images.

    Attributes:
        probabilities: of the categories, float32, shape (n, categories), 0 to 1.
        vectors: float32, shape (n, dimension), finite, any length.
        other_clothing: probability of a garment that is in none of the categories, float32, shape (n,), 0 to 1; None
            if the model does not tell these garments from pictures without clothing.
    """

    probabilities: Float32Array
    vectors: Float32Array
    other_clothing: Float32Array | None = None
