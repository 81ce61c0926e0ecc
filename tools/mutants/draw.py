"""Draws mutants by a seed."""

import random
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tools.mutants.mutant import Mutant
from tools.mutants.rules import mutants_of

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
Signature = tuple[str, str, str]


def candidates(
    root: Path, packages: Sequence[str], excluded: Sequence[str], equivalent: set[Signature]
) -> list[Mutant]:
    """Return every mutant of the packages' modules but those that are known to be equivalent."""
    mutants = []
    for path in sorted(path for package in packages for path in _modules(root / package)):
        name = path.relative_to(root).as_posix()
        if any(name == folder or name.startswith(f"{folder}/") for folder in excluded):
            continue
        text = path.read_text()
        mutants += [mutant for mutant in mutants_of(name, text) if mutant.signature(text) not in equivalent]
    return mutants


def draw(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return at most `count` mutants, one a line: every line is as likely as any other."""
    by_line: dict[tuple[str, int], list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_line[mutant.path, mutant.line].append(mutant)
    generator = random.Random(seed)
    lines = generator.sample(sorted(by_line), min(count, len(by_line)))
    return [generator.choice(by_line[line]) for line in lines]


def read_equivalent(path: Path = EQUIVALENT) -> set[Signature]:
    """Return the signatures of the mutants that are known to be equivalent.

    Raises:
        ValueError: an entry has no reason.
    """
    entries = tomllib.loads(path.read_text()).get("mutant", [])
    for entry in entries:
        if not entry.get("reason"):
            raise ValueError(f"{path.name}: the mutant of {entry['file']} ({entry['before']}) has no reason")
    return {(entry["file"], entry["before"].strip(), entry["after"].strip()) for entry in entries}


def _modules(package: Path) -> list[Path]:
    return [package] if package.suffix == ".py" else list(package.rglob("*.py"))
