"""Imports as the API takes and shows them."""

from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from services.catalogue.sources.records.mapping import FeedMapping


class ImportOptionsBody(BaseModel):
    """How to import; in the query string, where `mapping` is JSON in text."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="api", min_length=1, max_length=200, description="what to call the feed, for people")
    url_template: str | None = Field(
        default=None, max_length=2048, description="a product page's address, `{id}` in it, for rows without one"
    )
    limit: int | None = Field(default=None, ge=1, description="take this many products at most")
    mapping: FeedMapping = Field(
        default_factory=FeedMapping, description="what the feed's columns and categories are called here"
    )
    sync: bool = Field(default=False, description="also remove products that the feed no longer has")
    sync_limit: float = Field(default=0.2, ge=0, le=1, description="with `sync`: remove nothing if more would go")

    @field_validator("mapping", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"the mapping is no JSON object: {error}") from None

    @field_validator("url_template")
    @classmethod
    def _has_a_place_for_the_id(cls, value: str | None) -> str | None:
        if value is not None and "{id}" not in value:
            raise ValueError("the template needs {id} where the product's id goes")
        return value

    @model_validator(mode="after")
    def _whole_feed(self) -> "ImportOptionsBody":
        if self.sync and self.limit is not None:
            raise ValueError("sync needs the whole feed: leave limit out")
        return self


class RejectedView(BaseModel):
    """A row that could not be taken."""

    line: int | None
    id: str | None
    reason: str
    image: str | None = Field(default=None, description="a further image of a product that was taken without it")


class ImportView(BaseModel):
    """An import: how it goes, or went.

    The counts are those of `lookalike import --json`; `progress` is how much of the feed has been read, and how much there
    is, in bytes for most feeds.
    """

    id: str
    state: Literal["receiving", "running", "done", "failed", "cancelled", "interrupted"]
    source: str = Field(description="what is imported, for people")
    reason: str | None = Field(default=None, description="why it did not come to its end")
    model: str | None = None
    started_at: str
    updated_at: str
    finished_at: str | None = None
    seconds: float = 0.0
    rate: float = Field(default=0.0, description="products a second, of the whole run")
    progress: tuple[int, int] = (0, 0)
    read: int = 0
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    embedded: int = 0
    not_modified: int = 0
    outside: int = 0
    rejected: int = 0
    images_rejected: int = 0
    removed: int = 0
    disagreeing: int = 0
    category_sources: dict[str, int] = {}
    left_out: dict[str, int] = {}
    rejected_rows: list[RejectedView] = Field(default=[], description="the first 200 of them")

    @classmethod
    def of(cls, note: dict[str, Any]) -> "ImportView":
        """Return the view of an import's note."""
        return cls.model_validate(note)


class ImportsAnswer(BaseModel):
    """The last imports, the latest first; their rejected rows are left out."""

    imports: list[ImportView]
