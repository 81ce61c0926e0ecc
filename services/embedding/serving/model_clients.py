"""Clients of TensorFlow Serving: one for embedding models, one for detectors."""

from services.contracts.domain.garments import DetectedGarments
from services.contracts.domain.manifest import DetectorManifest, Manifest
from services.contracts.images.preparation import UInt8Image
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.embedding.serving.serving_client import ServingClient
from services.embedding.vision.network_outputs import NetworkOutputs

OTHER_CLOTHING = "other_clothing"


class EmbeddingModelClient(ServingClient):
    """Calls an embedding model; arguments as `ServingClient`."""

    def __init__(self, address: str, manifest: Manifest, timeout_s: float, calls: UpstreamCalls | None = None) -> None:
        super().__init__(address, manifest, timeout_s, calls)
        self._shapes: dict[str, tuple[int, ...]] = {
            "probabilities": (len(manifest.categories),),
            "vector": (manifest.dimension,),
            OTHER_CLOTHING: (),
        }

    async def predict(self, images: UInt8Image, *, probing: bool = False) -> NetworkOutputs:
        """Run the network.

        Args:
            images: uint8, shape (n, height, width, 3), RGB, of the manifest's input size.
            probing: as `ServingClient.run`.

        Returns:
            The outputs of each image. `other_clothing` is None if the model does not have this output.

        Raises:
            EmbeddingUnavailable: TensorFlow Serving is unavailable, without the version, or its response is invalid.
            UpstreamTimeout: no response before the deadline.
        """
        outputs = await self.run(images, self._shapes, optional={OTHER_CLOTHING}, probing=probing)
        other = outputs.get(OTHER_CLOTHING)
        return NetworkOutputs(
            self.clipped(outputs["probabilities"]), outputs["vector"], None if other is None else self.clipped(other)
        )


class DetectorModelClient(ServingClient):
    """Calls a detector; arguments as `ServingClient`."""

    def __init__(
        self, address: str, manifest: DetectorManifest, timeout_s: float, calls: UpstreamCalls | None = None
    ) -> None:
        super().__init__(address, manifest, timeout_s, calls)
        self._shapes = {"boxes": (manifest.boxes, 4), "probabilities": (manifest.boxes, len(manifest.categories))}

    async def detect(self, image: UInt8Image) -> DetectedGarments:
        """Return all boxes of a picture in fractions of its sides; errors as `EmbeddingModelClient.predict`.

        `image`: uint8, shape (height, width, 3), RGB, of the manifest's input size.
        """
        outputs = await self.run(image[None], self._shapes)
        return DetectedGarments(outputs["boxes"][0], self.clipped(outputs["probabilities"])[0])
