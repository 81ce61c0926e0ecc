"""What can be set of the embedding service, by environment variables with the prefix `EMBEDDING_`."""

import os
from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.contracts.images.preparation import ImageLimits
from services.contracts.wire.embedding import MAX_BATCH

MULTIPART_OVERHEAD = 64 * 1024


class EmbeddingSettings(BaseSettings):
    """Settings of the service that makes vectors of images."""

    model_config = SettingsConfigDict(env_prefix="EMBEDDING_", frozen=True, extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)
    log_json: bool = False
    log_level: str = "INFO"

    model_dir: Path = Field(
        default=Path("models/fashion/2"), description="version directory whose manifest says what the network is"
    )
    detector_dir: Path = Field(
        default=Path("models/detector/1"), description="version directory of the detector; the service works without it"
    )
    tfs_address: str = Field(default="127.0.0.1:8500", validation_alias=AliasChoices("TFS_ADDRESS", "tfs_address"))
    tfs_timeout_s: float = Field(default=5.0, gt=0, description="deadline of a call of the network, each 16 images")
    tfs_batch: int = Field(default=64, ge=1, le=MAX_BATCH, description="images in one call of the network, at most")

    max_image_bytes: int = Field(default=10 * 1024 * 1024, gt=0)
    max_image_pixels: int = Field(default=25_000_000, gt=0)
    max_batch_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="a whole batch request's body")
    decode_threads: int = Field(default_factory=lambda: min(4, os.cpu_count() or 1), ge=1, le=64)
    max_requests: int = Field(default=64, ge=1, description="requests under way; more are answered with 429")
    max_request_bytes: int = Field(
        default=256 * 1024 * 1024, gt=0, description="bodies of the requests under way, together"
    )
    ready_interval_s: float = Field(default=1.0, gt=0, description="time between two looks at TensorFlow Serving")

    @property
    def limits(self) -> ImageLimits:
        """Bounds on one image."""
        return ImageLimits(self.max_image_bytes, self.max_image_pixels)

    @property
    def max_single_body_bytes(self) -> int:
        """Bound on a single image's request: the image and the multipart headers around it."""
        return self.max_image_bytes + MULTIPART_OVERHEAD
