"""The options of an import through the API."""

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from services.catalogue.sources.records.encodings import known_codec
from services.catalogue.sources.records.mapping import FeedFormat, FeedMapping, base_address
from services.catalogue.sources.records.money import DecimalSeparator, currency_code


class ImportParameters(BaseModel):
    """How to import a feed. The options stand in the query string, where `mapping` is JSON in text."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="api", min_length=1, max_length=200, description="a name for the feed, for people")
    url_template: str | None = Field(
        default=None, max_length=2048, description="URL of a product's page, with `{id}`, for rows without one"
    )
    limit: int | None = Field(default=None, ge=1, description="number of products to import, at most")
    mapping: FeedMapping = Field(
        default_factory=FeedMapping, description="the feed's names of columns and categories, and ours"
    )
    decimal_separator: DecimalSeparator | None = Field(
        default=None, description="the decimal separator of prices such as `1.299`, which otherwise is 1299"
    )
    currency: str | None = Field(default=None, max_length=8, description="the currency of prices without one: `USD`")
    encoding: str | None = Field(
        default=None,
        max_length=40,
        description="the encoding of the feed, such as `windows-1252`. By default it is detected",
    )
    format: FeedFormat | None = Field(
        default=None, description="the format of a table; by default it is recognised by its columns"
    )
    image_base_url: str | None = Field(
        default=None, max_length=2048, description="the web address that image paths in the feed are relative to"
    )
    sync: bool = Field(default=False, description="also remove products that are no longer in the feed")
    sync_limit: float = Field(
        default=0.2, ge=0, le=1, description="with `sync`: remove nothing if a greater share would be removed"
    )

    @field_validator("mapping", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"the mapping is not a JSON object: {error}") from None

    @field_validator("currency")
    @classmethod
    def _is_currency(cls, value: str | None) -> str | None:
        if value is not None and currency_code(value) is None:
            raise ValueError("it is not a currency: give a code of ISO 4217, such as USD")
        return value

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, value: str | None) -> str | None:
        try:
            return None if value is None else known_codec(value)
        except LookupError:
            raise ValueError("it is not an encoding: give a name such as utf-8 or windows-1252") from None

    @field_validator("image_base_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return None if value is None else base_address(value)

    @property
    def feed_mapping(self) -> FeedMapping:
        """The mapping with the options that are also its own."""
        return self.mapping.with_settings(
            decimal_separator=self.decimal_separator,
            currency=self.currency,
            encoding=self.encoding,
            format=self.format,
            image_base_url=self.image_base_url,
        )

    @field_validator("url_template")
    @classmethod
    def _has_id(cls, value: str | None) -> str | None:
        if value is not None and "{id}" not in value:
            raise ValueError("the template needs {id} in the place of the product's id")
        return value

    @model_validator(mode="after")
    def _whole_feed(self) -> "ImportParameters":
        if self.sync and self.limit is not None:
            raise ValueError("sync needs the whole feed: leave limit out")
        return self
