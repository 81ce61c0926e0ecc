"""The database that contracts are held against: MONGO_URL's, or the stand-in, started once for each file of tests."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pymongo
import pytest
from pymongo.collection import Collection

from services.catalogue.store.database import CatalogueDatabase
from tests.support.mongo import any_mongo, fresh_database


@pytest.fixture(scope="module")
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
