"""The asyncio driver of MongoDB. The only module that imports Motor, so that another driver can take its place.

Decision 23 says by which one, and when; `tests/support/values/pymongo_driver.py` is this module with that driver.
"""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

Client = Any  # Motor's; it has no types
Collection = Any


class Driver:
    """One client, and what the drivers do in different ways."""

    def __init__(self, url: str, **options: Any) -> None:
        """Make the client. It contacts no server yet.

        Raises:
            PyMongoError: the URL is not valid.
            ValueError: an option of the URL is not valid.
        """
        self.client: Client = AsyncIOMotorClient(url, **options)

    async def close(self) -> None:
        """Close the client."""
        self.client.close()

    def blocking(self, collection: Collection) -> Any:
        """Return the same collection for calls that block, which are for threads."""
        return collection.delegate

    async def aggregate(self, collection: Collection, stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the documents that a pipeline makes of a collection."""
        documents: list[dict[str, Any]] = await collection.aggregate(stages).to_list(length=None)
        return documents
