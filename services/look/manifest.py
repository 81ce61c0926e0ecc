"""`manifest.json` of a look model, the description of the file of numbers next to it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class LookManifest(BaseModel):
    """What a look model was learned from, and for which vectors.

    Attributes:
        embedding_model: the model of the vectors; others cannot be used.
        categories: of the embedding model, in its order.
        outfits: how many outfits of the training data have each category.
        pairs: how many outfits have two categories, by `first+second`, their names in the order of `categories`.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    version: int = Field(ge=1)
    embedding_model: str
    categories: tuple[str, ...] = Field(min_length=2)
    dimension: int = Field(ge=1)
    outfits: dict[str, int]
    pairs: dict[str, int]
    metrics: dict[str, Any] = Field(default_factory=dict)
    dataset: dict[str, Any] = Field(default_factory=dict)
    seed: int
    command: str
    created: str

    @property
    def model_id(self) -> str:
        """The id in responses, for example `look/1`."""
        return f"{self.name}/{self.version}"
