"""The messages of the embedding service's HTTP API."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, field_validator

from services.contracts.domain.box import Box
from services.contracts.domain.frozen_model import FrozenModel
from services.contracts.domain.manifest import Manifest

MAX_BATCH = 128
EXPLAINED_ROWS, EXPLAINED_COLUMNS = 7, 7  # cells of a picture whose part in a match is computed


class Category(FrozenModel):
    """One of the model's categories and its probability for this image."""

    id: int = Field(ge=0, examples=[0])
    name: str = Field(examples=["Topwear"])
    probability: float = Field(ge=0, le=1, examples=[0.98])


class Embedding(FrozenModel):
    """The network's outputs for one image."""

    category: Category
    probabilities: dict[str, float] = Field(examples=[{"Topwear": 0.98, "Shoes": 0.001}])
    vector: list[float] = Field(description="float32 values, unit length; 64 of them for the shipped models")
    model: str = Field(examples=["fashion/2"])
    other_clothing: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="probability of a garment in none of the categories; missing if the model does not return it",
    )
    secondary: "Embedding | None" = Field(
        default=None,
        description="the embedding of the same image by `secondary_model`; missing if that model does not respond",
    )

    @property
    def array(self) -> NDArray[np.float32]:
        """The vector, shape (dimension,)."""
        return np.asarray(self.vector, dtype=np.float32)


class EmbeddingResponse(Embedding):
    """An embedding with the time of each stage in milliseconds."""

    timings_ms: dict[str, float] = Field(examples=[{"decode": 2.1, "network": 3.0}])


class BatchError(FrozenModel):
    """The error of one image in a batch: `type`, `status` and `detail` of a problem document."""

    type: str
    status: int
    detail: str


class BatchEmbedding(FrozenModel):
    """The network's outputs for one image in a batch: as `Embedding`, with the vector as bytes, which parse faster."""

    model_config = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")

    category: Category
    probabilities: dict[str, float]
    vector: bytes = Field(description="float32 values, little-endian, unit length: 64 of them for the shipped models")
    model: str
    other_clothing: float | None = None
    secondary: "BatchEmbedding | None" = None

    @field_validator("vector")
    @classmethod
    def _whole(cls, value: bytes) -> bytes:
        if not value or len(value) % 4:
            raise ValueError("the length of the vector's bytes is not a multiple of 4 (float32)")
        return value

    @property
    def array(self) -> NDArray[np.float32]:
        """The vector, shape (dimension,)."""
        return np.frombuffer(self.vector, dtype="<f4")


class BatchItem(FrozenModel):
    """The outcome of one image in a batch: either `embedding` or `error` is set."""

    embedding: BatchEmbedding | None = None
    error: BatchError | None = None


class BatchResponse(FrozenModel):
    """The outcome of each image, in the order of the request."""

    items: list[BatchItem]
    timings_ms: dict[str, float]


class GarmentBox(FrozenModel):
    """A garment of a picture: its box in the upright picture, and its category."""

    box: Box
    category: Category


class DetectionResponse(FrozenModel):
    """The garments of a picture, by descending probability."""

    garments: list[GarmentBox]
    model: str = Field(examples=["detector/2"])
    timings_ms: dict[str, float] = Field(examples=[{"decode": 2.1, "network": 12.0, "total": 14.4}])


class CellGrid(FrozenModel):
    """The cells that an explanation divides each picture into."""

    rows: int = Field(examples=[EXPLAINED_ROWS])
    columns: int = Field(examples=[EXPLAINED_COLUMNS])


class MatchExplanation(FrozenModel):
    """Which parts of two pictures make them alike.

    The grid lies over a picture as the network sees it: fitted into a square, with white at its sides.
    """

    similarity: float = Field(description="cosine similarity of the two pictures' vectors", examples=[0.83])
    grid: CellGrid
    query: list[list[float]] = Field(
        description="rows of cells of the query's picture: by how much the cosine similarity drops when the cell is "
        "covered by the picture's mean colour; negative if it rises"
    )
    product: list[list[float]] = Field(description="the drops of the product's picture, as those of `query`")
    model: str = Field(examples=["fashion/2"])


class PairExplanationResponse(MatchExplanation):
    """An explanation with its time in milliseconds."""

    timings_ms: dict[str, float] = Field(examples=[{"total": 310.0}])


class ModelFacts(FrozenModel):
    """The part of a model's manifest that other services need."""

    model: str = Field(examples=["fashion/2"])
    categories: list[str]
    dimension: int
    input: dict[str, int]
    thresholds: dict[str, float]

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Return the facts of a manifest."""
        return cls(
            model=manifest.model_id,
            categories=list(manifest.categories),
            dimension=manifest.dimension,
            input=manifest.input.model_dump(),
            thresholds=manifest.thresholds,
        )


class ListedModel(FrozenModel):
    """A model of the service. `problem` says why it cannot be used; None if it can."""

    model: str = Field(examples=["fashion/2"])
    first: bool = Field(description="whether it is the model of the settings, which is the default")
    problem: str | None = None


class ServedModelsResponse(FrozenModel):
    """The models of the service."""

    models: list[ListedModel]
