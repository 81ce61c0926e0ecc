"""The database that contracts are held against: MONGO_URL's, or the stand-in, started once for each worker.

With CONTRACT_DRIVER=pymongo, PyMongo's own asyncio client takes the place of Motor (decision 23).
"""

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pymongo
import pytest
from pymongo.collection import Collection

from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.mongo import connection
from services.catalogue.store.mongo import driver as motor_driver
from tests.support.servers.mongo import any_mongo, fresh_database
from tests.support.values import pymongo_driver

DRIVERS: dict[str, type] = {"motor": motor_driver.Driver, "pymongo": pymongo_driver.Driver}


@pytest.fixture(autouse=True)
def driver(monkeypatch: pytest.MonkeyPatch) -> object:
    """The driver that CONTRACT_DRIVER names."""
    chosen = DRIVERS[os.environ.get("CONTRACT_DRIVER", "motor")]
    monkeypatch.setattr(connection, "Driver", chosen)
    return chosen


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with any_mongo(tmp_path_factory.mktemp("mongo")) as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[str]:
    with fresh_database(url) as name:
        yield name


@pytest.fixture
def raw(url: str, database: str) -> Iterator[Collection[dict[str, Any]]]:
    """The products' collection itself, as another program would reach it."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client:
        yield client[database]["products"]


@pytest.fixture
async def store(url: str, database: str) -> AsyncIterator[CatalogueDatabase]:
    async with CatalogueDatabase(url, database) as store:
        yield store
