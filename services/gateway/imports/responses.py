"""The responses that say how imports go."""

from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, Field


class RejectedRowSummary(BaseModel):
    """A row of the feed that could not be imported."""

    line: int | None
    id: str | None
    reason: str
    image: str | None = Field(default=None, description="an additional image; its product was imported without it")
    column: str | None = Field(
        default=None, description="a column; the product was imported, the value is not understood"
    )


class ImportResponse(BaseModel):
    """An import, under way or ended.

    The counts are those of `lookalike import --json`. `progress` is the part of the feed that has been read and
    the feed's size, in bytes for most feeds.
    """

    id: str
    state: Literal["receiving", "running", "done", "failed", "cancelled", "interrupted"]
    source: str = Field(description="the feed's name, for people")
    reason: str | None = Field(default=None, description="why it ended early")
    model: str | None = None
    started_at: str
    updated_at: str
    finished_at: str | None = None
    seconds: float = 0.0
    rate: float = Field(default=0.0, description="products a second, over the whole run")
    progress: tuple[int, int] = (0, 0)
    read: int = 0
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    embedded: int = 0
    not_modified: int = 0
    # The aliases are the names in records of version 0.1.
    skipped: int = Field(
        default=0, validation_alias=AliasChoices("skipped", "outside"), description="rows outside the categories"
    )
    hidden: int = Field(default=0, description="products that the shop does not show")
    rejected: int = 0
    images_rejected: int = 0
    values_not_understood: int = Field(default=0, description="values such as prices, of imported products")
    removed: int = 0
    category_conflicts: int = Field(
        default=0,
        validation_alias=AliasChoices("category_conflicts", "disagreeing"),
        description="products whose category by the feed differs from the predicted one",
    )
    category_sources: dict[str, int] = {}
    left_out: dict[str, int] = {}
    notes: list[str] = Field(default=[], description="the oddities of the source that did no harm")
    searchable: bool | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="whether searches see the imported products; only at the end of an import with `wait`",
    )
    rejected_rows: list[RejectedRowSummary] = Field(default=[], description="the first 200 of them")

    @classmethod
    def of(cls, record: dict[str, Any]) -> "ImportResponse":
        """Return the response for an import's record."""
        return cls.model_validate(record)


class ImportsResponse(BaseModel):
    """The last imports, the latest first, without their rejected rows."""

    imports: list[ImportResponse]
