"""Methods of messages."""

import pytest

from services.contracts.wire.index import MAX_REACH, Page


@pytest.mark.parametrize("k", [1, 10, 30, 100])
def test_following_the_pages_reaches_every_position_once(k: int) -> None:
    positions: list[int] = []
    page: Page | None = Page(k=k)
    while page is not None:
        positions += range(page.offset, page.end)
        page = page.following()
    assert positions == list(range(MAX_REACH))
