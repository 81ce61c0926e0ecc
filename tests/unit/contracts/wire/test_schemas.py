"""What messages say beyond their fields."""

import pytest

from services.contracts.wire.index import MAX_REACH, Page


@pytest.mark.parametrize("k", [1, 10, 30, 100])
def test_following_the_pages_reaches_every_place_once_and_no_further(k: int) -> None:
    places, page = [], Page(k=k)
    while page is not None:
        places += range(page.offset, page.end)
        page = page.following()
    assert places == list(range(MAX_REACH))
