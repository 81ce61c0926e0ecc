"""Small networks for all tests of training."""

from collections.abc import Iterator

import pytest

from training.networks import fashion

SIMILARITY_HIDDEN = 64  # numbers, where the real network has 2,048, most of the tests' time


@pytest.fixture(scope="module")
def narrow_networks() -> Iterator[None]:
    """Build the fashion networks of a module with a narrow similarity layer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fashion, "SIMILARITY_HIDDEN", SIMILARITY_HIDDEN)
        yield
