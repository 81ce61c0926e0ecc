"""The connection to MongoDB. The only module that imports Motor, so that another driver can take its place."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from services.catalogue.store.errors import database_call, shown_address
from services.contracts.domain.errors import CatalogueUnavailable

Collection = Any  # Motor's; it has no types


class Connection:
    """One client, shared by everything that reads and writes the database.

    Nothing is connected before the first call, so a service can start while its database is down.
    """

    def __init__(
        self, url: str, database: str, *, timeout_s: float, scan_timeout_s: float, connect_timeout_s: float
    ) -> None:
        """Remember the address.

        Args:
            url: MongoDB's connection string.
            database: the database's name.
            timeout_s: deadline of one call, in seconds.
            scan_timeout_s: deadline of one batch of a scan: the stand-in for MongoDB reads everything before it sends
                the first batch.
            connect_timeout_s: how long to look for a server, in seconds.
        """
        self.address = shown_address(url)
        self.timeout_s = timeout_s
        self.scan_timeout_s = scan_timeout_s
        self._url = url
        self.database_name = database
        self._connect_timeout_ms = int(connect_timeout_s * 1000)
        self._client: Any = None

    def open(self) -> None:
        """Make the client. It contacts no server yet.

        Raises:
            CatalogueUnavailable: the URL is not valid.
        """
        limit_ms = self._connect_timeout_ms
        options: dict[str, Any] = {"connectTimeoutMS": limit_ms, "serverSelectionTimeoutMS": limit_ms}
        options["socketTimeoutMS"] = int(self.timeout_s * 1000)  # ends calls that our own deadline has abandoned
        try:
            self._client = AsyncIOMotorClient(self._url, appname="lookalike", tz_aware=True, **options)
        except (PyMongoError, ValueError):
            raise CatalogueUnavailable("MONGO_URL is not a valid MongoDB address", self.address) from None

    def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def collection(self, name: str) -> Collection:
        """Return a collection.

        Raises:
            RuntimeError: the connection is not open.
        """
        return self._opened()[name]

    def call(self) -> AbstractAsyncContextManager[None]:
        """Return a context that gives a call its deadline and translates the driver's errors; see `database_call`."""
        return database_call(self.address, self.timeout_s)

    def scan_call(self) -> AbstractAsyncContextManager[None]:
        """Return the same for one batch of a scan."""
        return database_call(self.address, self.scan_timeout_s)

    async def ping(self) -> None:
        """Return when the database responds.

        Raises:
            CatalogueUnavailable: it does not.
        """
        async with self.call():
            await self._opened().command("ping")

    def _opened(self) -> Any:
        if self._client is None:
            raise RuntimeError("the database is not connected: call connect() first")
        return self._client[self.database_name]
