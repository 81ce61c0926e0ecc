"""`services/catalogue/store/mongo/driver.py` with PyMongo's own asyncio client in place of Motor: see decision 23."""

from typing import Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection

Document = dict[str, Any]


class Driver:
    """One client, and what the drivers do in different ways."""

    def __init__(self, url: str, **options: Any) -> None:
        """Make the clients. They contact no server yet."""
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(url, **options)
        self._blocking: MongoClient[Document] = MongoClient(url, connect=False, **options)

    async def close(self) -> None:
        """Close the clients."""
        await self.client.close()
        self._blocking.close()

    def blocking(self, collection: AsyncCollection[Document]) -> Collection[Document]:
        """Return the same collection for calls that block, which are for threads."""
        return self._blocking[collection.database.name][collection.name]

    async def aggregate(self, collection: AsyncCollection[Document], stages: list[Document]) -> list[Document]:
        """Return the documents that a pipeline makes of a collection."""
        return await (await collection.aggregate(stages)).to_list()
