"""A shop's own page: its name, logo, colours, links, first products and texts, from one JSON file."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator

from services.contracts.domain.frozen_model import FrozenModel
from services.gateway.languages import LANGUAGES

MAX_BYTES = 256 * 1024
MAX_STARTERS = 8
# A colour of CSS, or light-dark() of two. No other characters: the value becomes a custom property.
Colour = Annotated[str, StringConstraints(pattern=r"^[#a-zA-Z0-9(),.%/ -]{1,80}$")]
COLOURS = frozenset({"bg", "surface", "sunken", "ink", "muted", "line", "edge", "accent"})
Address = Annotated[str, StringConstraints(pattern=r"^(https?://|/)\S+$", max_length=2000)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Link(FrozenModel):
    """A link in the header."""

    text: Text
    url: Address


class ShopPage(FrozenModel, extra="forbid"):
    """What a shop says of itself on the search page. The fields are those of the file."""

    name: Text = "Lookalike"
    logo: Address | None = None
    language: str | None = Field(default=None, description="the page's only language; default: the browser's")
    colours: dict[str, Colour] = Field(default_factory=dict)
    links: list[Link] = Field(default_factory=list, max_length=6)
    starters: list[Text] = Field(default_factory=list, max_length=MAX_STARTERS)
    look: bool = Field(default=True, description="whether the page shows what completes a look")
    strings: dict[str, dict[str, Any]] = Field(default_factory=dict, description="texts to replace, by language")

    @field_validator("language")
    @classmethod
    def _is_language(cls, value: str | None) -> str | None:
        if value is not None and value not in LANGUAGES:
            raise ValueError(f"there is no language {value!r}: the page has {', '.join(LANGUAGES)}")
        return value

    @field_validator("colours")
    @classmethod
    def _are_colours(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(value) - COLOURS)
        if unknown:
            raise ValueError(f"there is no colour {unknown[0]!r}: the page has {', '.join(sorted(COLOURS))}")
        return value

    @field_validator("strings")
    @classmethod
    def _are_texts(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for language, texts in value.items():
            if language not in LANGUAGES:
                raise ValueError(f"there is no language {language!r}: the page has {', '.join(LANGUAGES)}")
            _check_texts(texts, language)
        return value

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Return the page that a file describes; the default one without a file.

        Raises:
            ValueError: the file cannot be read, is too large, or has a wrong value. The text says which and where.
        """
        if path is None:
            return cls()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        if len(data) > MAX_BYTES:
            raise ValueError(f"{path} has {len(data):,} bytes: at most {MAX_BYTES:,} are accepted")
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"{path}: {place + ': ' if place else ''}{first['msg']}") from None


def _check_texts(texts: dict[str, Any], place: str) -> None:
    """Check that every leaf is a text.

    Raises:
        ValueError: one is not; the error names its place.
    """
    for name, value in texts.items():
        inner = f"{place}.{name}"
        if isinstance(value, dict):
            _check_texts(value, inner)
        elif not isinstance(value, str):
            raise ValueError(f"{inner} is not a text")
