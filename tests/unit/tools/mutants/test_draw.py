"""The draw of mutants."""

from pathlib import Path

import pytest

from tools.mutants.draw import candidates, draw, read_equivalent
from tools.mutants.rules import mutants_of

TEXT = "".join(f"x{number} = {number} + a < b\n" for number in range(50))


def test_a_seed_draws_the_same_mutants_and_another_seed_others() -> None:
    mutants = mutants_of("m.py", TEXT)
    assert draw(mutants, 10, 1) == draw(mutants, 10, 1)
    assert draw(mutants, 10, 1) != draw(mutants, 10, 2)


def test_a_line_is_drawn_once() -> None:
    drawn = draw(mutants_of("m.py", TEXT), 100, 1)
    assert sorted(mutant.line for mutant in drawn) == list(range(1, 51))


def test_excluded_folders_and_equivalent_mutants_are_not_drawn(tmp_path: Path) -> None:
    for folder in ("services/index", "services/local", "services/locals"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "m.py").write_text("x = True\ny = True\n")
    equivalent = {("services/index/m.py", "x = True", "x = False")}
    mutants = candidates(tmp_path, ["services"], ["services/local"], equivalent)
    assert [(mutant.path, mutant.line) for mutant in mutants] == [
        ("services/index/m.py", 2),
        ("services/locals/m.py", 1),
        ("services/locals/m.py", 2),
    ]


def test_an_equivalent_mutant_needs_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "equivalent.toml"
    path.write_text('[[mutant]]\nfile = "m.py"\nbefore = "x = 1"\nafter = "x = 2"\n')
    with pytest.raises(ValueError, match=r"m\.py \(x = 1\) has no reason"):
        read_equivalent(path)


def test_the_projects_equivalent_mutants_exist() -> None:
    root = Path(__file__).resolve().parents[4]
    signatures = read_equivalent()
    paths = {path for path, _, _ in signatures}
    texts = {path: (root / path).read_text() for path in paths}
    existing = {mutant.signature(texts[path]) for path in paths for mutant in mutants_of(path, texts[path])}
    assert signatures <= existing
