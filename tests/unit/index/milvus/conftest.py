"""What the tests of the engine Milvus share."""

from collections.abc import Iterator

import pytest

from tests.support.fakes.milvus import MemoryMilvus, milvus_in_memory


@pytest.fixture
def milvus() -> Iterator[MemoryMilvus]:
    """A Milvus in the memory of this process."""
    with milvus_in_memory() as milvus:
        yield milvus
