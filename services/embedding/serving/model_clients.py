"""Clients of TensorFlow Serving: one for embedding models, one for detectors."""

from services.contracts.domain.garments import DetectedGarments
from services.contracts.domain.manifest import DetectorManifest, Manifest
from services.contracts.images.preparation import UInt8Image
from services.embedding.serving.serving_client import ServingClient
from services.embedding.serving.tensors import Float32Array


class EmbeddingModelClient(ServingClient):
    """Calls an embedding model; arguments as `ServingClient`."""

    def __init__(self, address: str, manifest: Manifest, timeout_s: float) -> None:
        super().__init__(address, manifest, timeout_s)
        self._shapes = {"probabilities": (len(manifest.categories),), "vector": (manifest.dimension,)}

    async def predict(self, images: UInt8Image) -> tuple[Float32Array, Float32Array]:
        """Run the network.

        Args:
            images: uint8, shape (n, height, width, 3), RGB, of the manifest's input size.

        Returns:
            The probabilities, shape (n, categories), 0 to 1, and the vectors of any length, shape (n, dimension); both
            float32 and finite.

        Raises:
            EmbeddingUnavailable: TensorFlow Serving is unavailable, without the version, or its response is invalid.
            UpstreamTimeout: no response before the deadline.
        """
        probabilities, vectors = await self.run(images, self._shapes)
        return self.clipped(probabilities), vectors


class DetectorModelClient(ServingClient):
    """Calls a detector; arguments as `ServingClient`."""

    def __init__(self, address: str, manifest: DetectorManifest, timeout_s: float) -> None:
        super().__init__(address, manifest, timeout_s)
        self._shapes = {"boxes": (manifest.boxes, 4), "probabilities": (manifest.boxes, len(manifest.categories))}

    async def detect(self, image: UInt8Image) -> DetectedGarments:
        """Return all boxes of a picture in fractions of its sides; errors as `EmbeddingModelClient.predict`.

        `image`: uint8, shape (height, width, 3), RGB, of the manifest's input size.
        """
        boxes, probabilities = await self.run(image[None], self._shapes)
        return DetectedGarments(boxes[0], self.clipped(probabilities)[0])
