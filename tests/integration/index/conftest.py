"""A database of each test's own, and its products as another program writes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.support.servers.mongo import MongoStandIn, private_mongo


@pytest.fixture
def mongo(tmp_path: Path) -> Iterator[MongoStandIn]:
    with private_mongo(tmp_path) as server:
        yield server


@pytest.fixture
def raw(mongo: MongoStandIn) -> Iterator[Collection[dict[str, Any]]]:
    with mongo.products() as products:
        yield products
