"""Rules for all tests."""

from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
BROWSER_TESTS = TESTS / "e2e"
settings.register_profile("lookalike", deadline=None)  # a busy machine is no error
settings.load_profile("lookalike")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests in a browser last, and those that share a process on one worker.

    Playwright's event loop runs in this thread until the tests in a browser end, and bars all others.
    """
    items.sort(key=lambda item: BROWSER_TESTS in item.path.parents)
    with_stack = {item.path for item in items if "stack" in getattr(item, "fixturenames", ())}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.path, with_stack)))


def _group(path: Path, with_stack: set[Path]) -> str:
    """Return the name of the group that runs on one worker: the file, or the files that share a stack."""
    if BROWSER_TESTS in path.parents:
        return "pages"
    return "stack" if path in with_stack else path.relative_to(TESTS).as_posix()
