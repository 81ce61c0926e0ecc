"""Damaged images are the same for the same seed, and differ from the real ones."""

from itertools import islice

from tests.fuzz.damage import damaged, image_files


def test_the_same_seed_gives_the_same_files() -> None:
    first, again, other = (list(islice(damaged(seed), 50)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sum(data in image_files() for data in first) < 5
