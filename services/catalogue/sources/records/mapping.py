"""`--mapping FILE`: the names of a feed's columns and categories in Lookalike's terms."""

import tomllib
from pathlib import Path
from typing import Literal, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from services.catalogue.sources.records.encodings import known_codec
from services.catalogue.sources.records.money import DecimalSeparator, currency_code
from services.catalogue.sources.records.rows import SourceError
from services.contracts.domain.errors import validation_message
from services.contracts.images.web_address import WebAddressError, normalised

ValueType = Literal["text", "number", "boolean"]
FeedFormat = Literal["csv", "google", "magento", "meta", "prestashop", "shopify", "woocommerce"]
FORMATS: tuple[str, ...] = get_args(FeedFormat)


class FeedMapping(BaseModel):
    """The names of a feed's columns and categories in Lookalike's terms.

    Attributes:
        columns: column → field (id, title, url, image, image_url, images, category) or attribute name. Several columns
            may be `images`.
        categories: the feed's category → one of the model's categories, or null or "" to skip its rows.
        types: column → type of its text, in a CSV feed.
        ignore: columns to ignore.
        decimal_separator: the decimal separator of prices such as `1.299`. Default: three digits after a single
            separator are a group of thousands.
        currency: the ISO 4217 code of prices without one.
        format: the format of the feed. Default: recognised by its path and its columns.
        image_base_url: the web address that image paths are relative to. Default: they are files.
        encoding: the encoding of the feed. Default: UTF-8, the encoding that an XML feed declares, or a detected one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: dict[str, str] = Field(default_factory=dict)
    categories: dict[str, str | None] = Field(default_factory=dict)
    types: dict[str, ValueType] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    decimal_separator: DecimalSeparator | None = None
    currency: str | None = None
    encoding: str | None = None
    format: FeedFormat | None = None
    image_base_url: str | None = None

    @field_validator("currency")
    @classmethod
    def _is_currency(cls, value: str | None) -> str | None:
        code = None if value is None else currency_code(value)
        if value is not None and code is None:
            raise ValueError(f"{value!r} is not a currency: give a code of ISO 4217, such as USD")
        return code

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, value: str | None) -> str | None:
        try:
            return None if value is None else known_codec(value)
        except LookupError:
            raise ValueError(f"{value!r} is not an encoding: give a name such as utf-8 or windows-1252") from None

    @field_validator("image_base_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return None if value is None else base_address(value)

    def with_settings(self, **settings: str | None) -> "FeedMapping":
        """Return the mapping with settings such as `currency`; None keeps the mapping's own.

        Raises:
            ValidationError: a setting is not valid.
        """
        return FeedMapping.model_validate(
            self.model_dump() | {name: value for name, value in settings.items() if value is not None}
        )

    @field_validator("categories")
    @classmethod
    def _fold(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        return {word.strip().casefold(): target or None for word, target in value.items()}

    @model_validator(mode="after")
    def _one_column_a_field(self) -> "FeedMapping":
        targets = list(self.columns.values())
        duplicate = next((name for name in targets if targets.count(name) > 1 and name != "images"), None)
        if duplicate is not None:
            raise ValueError(f"two columns are mapped to {duplicate!r}")
        return self


def base_address(text: str) -> str:
    """Return the web address of a folder as browsers normalise it, without a slash at its end.

    Raises:
        ValueError: it is not a web address.
    """
    try:
        return normalised(text).rstrip("/")
    except WebAddressError as error:
        raise ValueError(f"{text!r} is not a web address: it {error}") from None


def load_mapping(path: Path) -> FeedMapping:
    """Read a mapping from a JSON or TOML file.

    Raises:
        SourceError: the file cannot be read or is not a mapping.
    """
    try:
        data = path.read_bytes()
        document = tomllib.loads(data.decode("utf-8")) if path.suffix.lower() == ".toml" else orjson.loads(data)
        return FeedMapping.model_validate(document)
    except OSError as error:
        raise SourceError(f"the mapping {path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise SourceError(
            f"the mapping {path} is not valid: {where}: {validation_message(first, FeedMapping)}"
        ) from None
    except ValueError as error:  # also UnicodeDecodeError, JSONDecodeError and TOMLDecodeError
        raise SourceError(f"the mapping {path} is neither JSON nor TOML: {error}") from None
