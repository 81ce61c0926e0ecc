"""The names of an installation's catalogues, and the addresses and collections that follow from a name.

A catalogue is the set of products of one shop or feed. No product is in more than one catalogue.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field
from pydantic_settings import NoDecode

from services.contracts.domain.errors import IndexNotReady, UnknownCatalogue

DEFAULT_CATALOGUE = "default"  # every installation has it; an address or a setting that names none means this one
ALL = "all"  # in an address: a search through every catalogue
SETTING = "CATALOGUES"
PATHS = "/catalogues/"
_NAME = re.compile(r"[a-z0-9-]{1,32}")


def all_catalogues(setting: str | Iterable[str]) -> tuple[str, ...]:
    """Return the names of an installation's catalogues, each once, the default one first.

    Args:
        setting: the value of CATALOGUES, names or a text with commas between them.

    Raises:
        ValueError: a name is not valid.
    """
    parts = setting.split(",") if isinstance(setting, str) else setting
    names = [part.strip() for part in parts if part.strip()]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a catalogue: a name has 1 to 32 of the characters a-z, 0-9 and -")
        if name == ALL:
            raise ValueError(f"{ALL!r} cannot be a catalogue: it stands for every catalogue in a search")
    return tuple(dict.fromkeys([DEFAULT_CATALOGUE, *names]))


def known_catalogue(name: str, names: Sequence[str]) -> str:
    """Return a catalogue's name if the installation has it.

    Raises:
        UnknownCatalogue: it is not one of `names`.
    """
    if name not in names:
        raise UnknownCatalogue(f"there is no catalogue {name!r}: {SETTING} names {', '.join(names)}")
    return name


def not_indexed(name: str) -> IndexNotReady:
    """Return the error for a catalogue that the index service does not hold."""
    return IndexNotReady(f"the index has no catalogue {name!r}: its {SETTING} has to name it as well")


def within(collection: str, catalogue: str) -> str:
    """Return the name of a catalogue's collection; the default catalogue has the plain name.

    Catalogues never share a collection: a catalogue's name has no underscore, so `_` can stand for `-`, which the
    stand-in for MongoDB does not accept.
    """
    return collection if catalogue == DEFAULT_CATALOGUE else f"{collection}_{catalogue.replace('-', '_')}"


def path_of(catalogue: str) -> str:
    """Return the prefix of the gateway's addresses for a catalogue; empty for the default one."""
    return "" if catalogue == DEFAULT_CATALOGUE else PATHS + catalogue


# The field of a service's settings: every name, the default one first.
CataloguesSetting = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(lambda value: all_catalogues(value) if isinstance(value, (str, tuple, list)) else value),
    Field(
        default=(DEFAULT_CATALOGUE,),
        validation_alias=AliasChoices(SETTING, SETTING.lower()),
        description="names of the catalogues in addition to the default one",
    ),
]
