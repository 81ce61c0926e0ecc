"""Parts of a catalogue by a hash of the id."""

import pytest

from services.contracts.domain.parts import WHOLE, Part, hash_of

KEYS = [f"p{number}" for number in range(4000)]


def test_every_id_is_in_one_part() -> None:
    for of in (2, 3, 4, 64):
        parts = [Part(number, of) for number in range(1, of + 1)]
        counts = [sum(part.holds(key) for key in KEYS) for part in parts]
        assert sum(counts) == len(KEYS)
        assert min(counts) > 0.5 * len(KEYS) / of
        assert all(sum(part.holds(key) for part in parts) == 1 for key in KEYS[:50])


def test_a_part_is_made_of_the_parts_of_a_finer_split() -> None:
    assert all(Part(1, 2).holds(key) == (Part(1, 4).holds(key) or Part(3, 4).holds(key)) for key in KEYS)
    assert Part(1, 2).residues(4) == Part(1, 4).residues(4) | Part(3, 4).residues(4)


def test_the_hash_never_changes() -> None:
    # Nodes of two versions run at the same time, and snapshots outlive a version.
    assert [hash_of(key) for key in ("15970", "ä", "\ud800", "")] == [
        16416412641015142378,
        4152366542966443504,
        7497787021708494914,
        13020603013274838756,
    ]


def test_a_part_is_written_as_a_fraction() -> None:
    assert Part.parse("2/4") == Part(2, 4)
    assert str(Part(2, 4)) == "2/4"
    assert Part.parse("1/1") == WHOLE == Part()
    assert [Part.parse(text) for text in ("1/2", "4/4", "64/64")] == [Part(1, 2), Part(4, 4), Part(64, 64)]


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "1/65", "1/0", "-1/2", "a/b", "1/2/3", "1.0/2", "²/4"])
def test_other_texts_are_no_part(text: str) -> None:
    with pytest.raises(ValueError, match="is no part: write 2/4 for the second of four parts"):
        Part.parse(text)


def test_only_the_one_part_of_one_is_everything() -> None:
    assert [part.is_whole for part in (Part(), Part(1, 1), Part(1, 2), Part(2, 2))] == [True, True, False, False]
    assert all(WHOLE.holds(key) for key in KEYS[:20])


def test_a_part_has_every_hash_of_its_number() -> None:
    assert Part(2, 4).residues(8) == {1, 5}
    assert Part(4, 4).residues(4) == {3}
    assert WHOLE.residues(3) == {0, 1, 2}
