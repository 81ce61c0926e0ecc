"""The connection to MongoDB: deadlines, and the errors of the driver as the project's own."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from pymongo.errors import PyMongoError

from services.catalogue.store.mongo.driver import Collection, Driver
from services.catalogue.store.mongo.errors import database_call, shown_address
from services.contracts.domain.errors import CatalogueUnavailable


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
        self._driver: Driver | None = None

    def open(self) -> None:
        """Make the client. It contacts no server yet.

        Raises:
            CatalogueUnavailable: the URL is not valid.
        """
        limit_ms = self._connect_timeout_ms
        options: dict[str, Any] = {"connectTimeoutMS": limit_ms, "serverSelectionTimeoutMS": limit_ms}
        options["socketTimeoutMS"] = int(self.timeout_s * 1000)  # ends calls that our own deadline has abandoned
        try:
            self._driver = Driver(self._url, appname="lookalike", tz_aware=True, **options)
        except (PyMongoError, ValueError):
            raise CatalogueUnavailable("MONGO_URL is not a valid MongoDB address", self.address) from None

    async def close(self) -> None:
        """Close the client."""
        if self._driver is not None:
            driver, self._driver = self._driver, None
            await driver.close()

    def collection(self, name: str) -> Collection:
        """Return a collection.

        Raises:
            RuntimeError: the connection is not open.
        """
        return self._database()[name]

    def blocking_collection(self, name: str) -> Any:
        """Return a collection for calls that block, which are for threads.

        Raises:
            RuntimeError: the connection is not open.
        """
        return self._opened().blocking(self._database()[name])

    async def aggregate(self, collection: Collection, stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the documents that a pipeline makes of a collection. Call it within `call`."""
        return await self._opened().aggregate(collection, stages)

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
            await self._database().command("ping")

    def _database(self) -> Any:
        return self._opened().client[self.database_name]

    def _opened(self) -> Driver:
        if self._driver is None:
            raise RuntimeError("the database is not connected: call connect() first")
        return self._driver
