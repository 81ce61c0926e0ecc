"""Rules for all tests."""

from pathlib import Path

import pytest
from hypothesis import settings

BROWSER_TESTS = Path(__file__).parent / "e2e"
settings.register_profile("lookalike", deadline=None)  # a busy machine is no error
settings.load_profile("lookalike")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests in a browser last: Playwright's event loop runs in this thread until they end, and bars all others."""
    items.sort(key=lambda item: BROWSER_TESTS in item.path.parents)
