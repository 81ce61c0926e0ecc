"""The processes that imports need, started once for all tests of imports."""

from collections.abc import Iterator

import pytest

from tests.support.servers.import_stack import ImportStack, running_import_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportStack]:
    with running_import_stack(tmp_path_factory.mktemp("imports")) as running:
        yield running
