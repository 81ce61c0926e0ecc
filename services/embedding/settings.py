"""The embedding service's settings: environment variables with the prefix `EMBEDDING_`."""

from pathlib import Path

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.contracts.domain.machine import available_processors
from services.contracts.domain.setting_types import HeaderSecret, HostAndPort, LogLevel, TracesEndpoint, TracesRatio
from services.contracts.images.preparation import ImageLimits
from services.contracts.wire.embedding import MAX_BATCH

MULTIPART_OVERHEAD = 64 * 1024


class EmbeddingSettings(BaseSettings):
    """Settings of the embedding service."""

    model_config = SettingsConfigDict(env_prefix="EMBEDDING_", frozen=True, extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)
    log_json: bool = False
    log_level: LogLevel = "INFO"
    traces_endpoint: TracesEndpoint
    traces_ratio: TracesRatio

    model_dir: Path = Field(default=Path("models/fashion/3"), description="version directory of the default model")
    detector_dir: Path = Field(
        default=Path("models/detector/2"), description="version directory of the detector; optional"
    )
    tfs_address: HostAndPort = Field(
        default="127.0.0.1:8500", validation_alias=AliasChoices("TFS_ADDRESS", "tfs_address")
    )
    tfs_timeout_s: float = Field(
        default=5.0, gt=0, description="deadline of a network call in seconds, for each 16 images"
    )
    tfs_batch: int = Field(default=64, ge=1, le=MAX_BATCH, description="the most images in one network call")

    service_token: HeaderSecret | None = Field(
        None,
        validation_alias=AliasChoices("SERVICE_TOKEN", "service_token"),
        description="token by which gateway, embedding and index know each other",
    )
    max_image_bytes: int = Field(default=10 * 1024 * 1024, gt=0)
    max_image_pixels: int = Field(default=25_000_000, gt=0)
    max_image_memory_bytes: int = Field(default=400_000_000, gt=0, description="the most memory to decode an image")
    max_batch_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="the largest body of a batch request")
    decode_threads: int = Field(default_factory=lambda: min(4, available_processors()), ge=1, le=64)
    decode_cpu_s: int = Field(default=5, ge=1, description="the most processor time to decode a large picture")
    max_requests: int = Field(default=64, ge=1, description="the most requests in progress; others get 429")
    max_request_bytes: int = Field(
        default=256 * 1024 * 1024, gt=0, description="the most bytes of the bodies of requests in progress"
    )
    ready_interval_s: float = Field(default=1.0, gt=0, description="seconds between two readiness checks")

    @field_validator("service_token", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def limits(self) -> ImageLimits:
        """The largest accepted image."""
        return ImageLimits(self.max_image_bytes, self.max_image_pixels, self.max_image_memory_bytes)

    @property
    def max_single_body_bytes(self) -> int:
        """The largest body of a request with one image: the image and the multipart headers."""
        return self.max_image_bytes + MULTIPART_OVERHEAD
