"""The bodies of the embedding service's HTTP API."""

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, field_validator

from services.contracts.domain.box import Box
from services.contracts.domain.frozen_model import FrozenModel

MAX_BATCH = 128


class Category(FrozenModel):
    """One of the model's categories, with the probability the network gives it for this image."""

    id: int = Field(ge=0, examples=[0])
    name: str = Field(examples=["Topwear"])
    probability: float = Field(ge=0, le=1, examples=[0.98])


class Embedding(FrozenModel):
    """What the network makes of one image. `vector` has unit length."""

    category: Category
    probabilities: dict[str, float] = Field(examples=[{"Topwear": 0.98, "Shoes": 0.001}])
    vector: list[float] = Field(description="float32 values, unit length; 64 of them for the shipped models")
    model: str = Field(examples=["fashion/2"])
    beside: "Embedding | None" = Field(
        default=None,
        description="what the model named by `beside` makes of the same image; missing where it cannot say",
    )

    @property
    def array(self) -> NDArray[np.float32]:
        """The vector, shape (dimension,)."""
        return np.asarray(self.vector, dtype=np.float32)


class EmbeddingResponse(Embedding):
    """An embedding with the time each stage took, in milliseconds."""

    timings_ms: dict[str, float] = Field(examples=[{"decode": 2.1, "network": 3.0}])


class BatchError(FrozenModel):
    """Why one image of a batch has no embedding: a problem's `type`, `status` and `detail`."""

    type: str
    status: int
    detail: str


class BatchEmbedding(FrozenModel):
    """What the network makes of one image of a batch: as `Embedding`, but with a vector that is cheap to read."""

    model_config = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")

    category: Category
    probabilities: dict[str, float]
    vector: bytes = Field(description="float32 values, little-endian, unit length: 64 of them for the shipped models")
    model: str
    beside: "BatchEmbedding | None" = None

    @field_validator("vector")
    @classmethod
    def _whole(cls, value: bytes) -> bytes:
        if not value or len(value) % 4:
            raise ValueError("the vector's bytes are no whole number of float32 values")
        return value

    @property
    def array(self) -> NDArray[np.float32]:
        """The vector, shape (dimension,)."""
        return np.frombuffer(self.vector, dtype="<f4")


class BatchItem(FrozenModel):
    """The outcome of one image of a batch: exactly one of the two is set."""

    embedding: BatchEmbedding | None = None
    error: BatchError | None = None


class BatchResponse(FrozenModel):
    """One item an image, in the order they were sent."""

    items: list[BatchItem]
    timings_ms: dict[str, float]


class GarmentBox(FrozenModel):
    """A garment of a picture: where it is, as parts of the upright picture's sides, and of which kind."""

    box: Box
    category: Category


class DetectionResponse(FrozenModel):
    """The garments of a picture, the surest first."""

    garments: list[GarmentBox]
    model: str = Field(examples=["detector/1"])
    timings_ms: dict[str, float] = Field(examples=[{"decode": 2.1, "network": 12.0, "total": 14.4}])


class ModelFacts(FrozenModel):
    """What the other services need of the active model's manifest."""

    model: str = Field(examples=["fashion/2"])
    categories: list[str]
    dimension: int
    input: dict[str, int]
    thresholds: dict[str, float]


class ListedModel(FrozenModel):
    """A model that lies beside the others, and what keeps it from being used; None when it answers."""

    model: str = Field(examples=["fashion/2"])
    first: bool = Field(description="whether it is the one of the settings, which is meant where none is named")
    problem: str | None = None


class ServedModelsResponse(FrozenModel):
    """The models that images can be embedded with."""

    models: list[ListedModel]
