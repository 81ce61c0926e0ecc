"""Catalogues by their names: the products of a shop, or of a feed, kept apart from all others of the installation."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field
from pydantic_settings import NoDecode

from services.contracts.domain.errors import IndexNotReady, UnknownCatalogue

DEFAULT = "default"  # always there; who has no other never meets its name
ALL = "all"  # stands for every catalogue, where a search is asked for
SETTING = "CATALOGUES"
PATHS = "/catalogues/"
_NAME = re.compile(r"[a-z0-9-]{1,32}")


def all_catalogues(named: str | Iterable[str]) -> tuple[str, ...]:
    """Return the names of an installation's catalogues, the default one first.

    Args:
        named: what CATALOGUES names, in text with commas between them.

    Raises:
        ValueError: one of them cannot be a catalogue's name.
    """
    parts = named.split(",") if isinstance(named, str) else named
    names = [part.strip() for part in parts if part.strip()]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a catalogue: a name has 1 to 32 of the characters a-z, 0-9 and -")
        if name == ALL:
            raise ValueError(f"{ALL!r} cannot be a catalogue: it stands for every catalogue in a search")
    return tuple(dict.fromkeys([DEFAULT, *names]))


def known_catalogue(name: str, names: Sequence[str]) -> str:
    """Return a catalogue's name if it is one of the installation's.

    Raises:
        UnknownCatalogue: it is not.
    """
    if name not in names:
        raise UnknownCatalogue(f"there is no catalogue {name!r}: {SETTING} names {', '.join(names)}")
    return name


def not_indexed(name: str) -> IndexNotReady:
    """Return the error of a catalogue that the index has not been told of."""
    return IndexNotReady(f"the index has no catalogue {name!r}: its {SETTING} has to name it as well")


def within(collection: str, catalogue: str) -> str:
    """Return what a collection of the default catalogue is called in another one.

    No two catalogues share one: a name has no underscore, which stands for `-` because the stand-in for MongoDB takes no other.
    """
    return collection if catalogue == DEFAULT else f"{collection}_{catalogue.replace('-', '_')}"


def path_of(catalogue: str) -> str:
    """Return what the gateway's addresses of a catalogue begin with; nothing for the default one."""
    return "" if catalogue == DEFAULT else PATHS + catalogue


# The field of a service's settings. It holds every name, the default one first.
CataloguesSetting = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(lambda value: all_catalogues(value) if isinstance(value, (str, tuple, list)) else value),
    Field(
        validation_alias=AliasChoices(SETTING, SETTING.lower()),
        description="names of further catalogues beside the default one",
    ),
]
