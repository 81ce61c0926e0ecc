"""Rules for all tests."""

import gc
import os
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
# In these folders, the files share processes that a fixture of the folder starts.
SHARED = ("tests/e2e/", "tests/integration/stack/", "tests/integration/imports/")
# The order of the tests: those that take long come first, so that the workers end at about the same time.
ORDER = ("e2e", "integration/stack", "integration/imports", "integration", "unit/training", "contract", "property", "")
settings.register_profile("lookalike", deadline=None)  # a busy machine is no error
settings.load_profile("lookalike")
# structlog's own way to print an exception, with colours and the values of all variables, takes seconds.
PRINTED = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], PRINTED])
gc.disable()  # until all tests are collected


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by their folders, as in `ORDER`; the order within a folder stays."""
    items.sort(key=lambda item: _rank(item.path.relative_to(TESTS).as_posix()))


def pytest_collection_finish() -> None:
    """Leave what the collection has made out of later garbage collections, of which each would search all of it."""
    gc.freeze()
    gc.enable()


def _rank(path: str) -> int:
    return next(rank for rank, folder in enumerate(ORDER) if path.startswith(folder))


class SharedProcesses(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Runs the tests that share processes on one worker: those of a file, and those of a folder in `SHARED`."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the group of a test."""
        file = nodeid.partition("::")[0]
        return next((folder for folder in SHARED if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharedProcesses | None:
    """Distribute the tests by what they share, in the order in which they are collected, unless `--dist` is given."""
    if config.getoption("dist") != "load":
        return None
    config.option.loadscopereorder = False
    return SharedProcesses(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers of `-n auto`: two for each core, as many tests wait for processes and leases."""
    return 2 * (os.cpu_count() or 1)
