"""The embedding service's clients of TensorFlow Serving: one for models that make vectors, one for those that find garments."""

from services.contracts.domain.garments import DetectedGarments
from services.contracts.domain.manifest import DetectorManifest, Manifest
from services.contracts.images.preparation import UInt8Image
from services.embedding.serving.serving_client import ServingClient
from services.embedding.serving.tensors import Float32Array


class EmbeddingModelClient(ServingClient):
    """Calls a model that makes vectors; arguments as of `ServingClient`."""

    def __init__(self, address: str, manifest: Manifest, timeout_s: float) -> None:
        super().__init__(address, manifest, timeout_s)
        self._shapes = {"probabilities": (len(manifest.categories),), "vector": (manifest.dimension,)}

    async def predict(self, images: UInt8Image) -> tuple[Float32Array, Float32Array]:
        """Run the network.

        Args:
            images: uint8, shape (n, height, width, 3), RGB, of the manifest's input size.

        Returns:
            The probabilities, shape (n, categories), 0 to 1, and the vectors as the network gives them, shape
            (n, dimension); both float32 and finite.

        Raises:
            EmbeddingUnavailable: TensorFlow Serving is away, does not serve this version, or answers nonsense.
            UpstreamTimeout: no answer within the deadline.
        """
        probabilities, vectors = await self.run(images, self._shapes)
        return self.probable(probabilities), vectors


class DetectorModelClient(ServingClient):
    """Calls a model that finds garments; arguments as of `ServingClient`."""

    def __init__(self, address: str, manifest: DetectorManifest, timeout_s: float) -> None:
        super().__init__(address, manifest, timeout_s)
        self._shapes = {"boxes": (manifest.boxes, 4), "probabilities": (manifest.boxes, len(manifest.categories))}

    async def detect(self, image: UInt8Image) -> DetectedGarments:
        """Return all boxes of one picture, uint8 (height, width, 3), edges as parts of its sides; errors as `EmbeddingModelClient.predict`."""
        boxes, probabilities = await self.run(image[None], self._shapes)
        return DetectedGarments(boxes[0], self.probable(probabilities)[0])
