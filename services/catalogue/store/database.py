"""A catalogue in MongoDB: its products, pictures, models, notes, HTTP cache, events, and the installation's keys."""

import copy
from typing import Self

from services.catalogue.store.events.event_log import EventLog
from services.catalogue.store.http_cache import HttpCache
from services.catalogue.store.keys import KeyCollection
from services.catalogue.store.learned_orders import LearnedOrderCollection
from services.catalogue.store.models import CatalogueModels
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.dump import Dump
from services.catalogue.store.notes import NoteCollection
from services.catalogue.store.pictures import PictureCollection
from services.catalogue.store.products import ProductCollection
from services.catalogue.store.rules import RuleCollection
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE


class CatalogueDatabase:
    """One catalogue of an installation.

    Each catalogue has its own collections. The collections of the default catalogue have names without a prefix.

    Every method of every part raises CatalogueUnavailable when the database is unavailable, does not respond within the
    deadline, or refuses the operation.

    Attributes:
        catalogue: the catalogue's name.
        products: the product documents.
        pictures: the pictures that no web server of the shop has.
        models: which models the catalogue has vectors of, and the vectors themselves.
        notes: reports, import records and the import lease.
        http_cache: validators of images that were fetched from the web.
        events: searches and what shoppers did with their results.
        rules: the merchandising rules.
        learned_orders: orders that are learned from the log, and which one is active.
        keys: the API keys, the same for every catalogue.
        dump: whole documents, for backups.
    """

    catalogue: str
    products: ProductCollection
    pictures: PictureCollection
    models: CatalogueModels
    notes: NoteCollection
    http_cache: HttpCache
    events: EventLog
    rules: RuleCollection
    learned_orders: LearnedOrderCollection
    keys: KeyCollection
    dump: Dump

    def __init__(
        self,
        url: str,
        database: str = "lookalike",
        *,
        catalogue: str = DEFAULT_CATALOGUE,
        timeout_s: float = 10.0,
        scan_timeout_s: float = 300.0,
        connect_timeout_s: float = 2.0,
    ) -> None:
        """Describe the connection; the arguments are those of `Connection`."""
        self._connection = Connection(
            url, database, timeout_s=timeout_s, scan_timeout_s=scan_timeout_s, connect_timeout_s=connect_timeout_s
        )
        self._compose(catalogue)

    def _compose(self, catalogue: str) -> None:
        self.catalogue = catalogue
        self.notes = NoteCollection(self._connection, catalogue)
        self.pictures = PictureCollection(self._connection, catalogue)
        self.http_cache = HttpCache(self._connection, catalogue)
        self.events = EventLog(self._connection, catalogue)
        self.rules = RuleCollection(self._connection, catalogue)
        self.learned_orders = LearnedOrderCollection(self._connection, catalogue)
        self.keys = KeyCollection(self._connection)
        self.products = ProductCollection(self._connection, catalogue, self.pictures, self.http_cache)
        self.models = CatalogueModels(self._connection, self.products)
        self.dump = Dump(self._connection, catalogue)

    @property
    def database_name(self) -> str:
        """The database's name."""
        return self._connection.database_name

    @property
    def address(self) -> str:
        """The database's hosts, without user, password and options."""
        return self._connection.address

    def of(self, catalogue: str) -> Self:
        """Return another catalogue over the same connection."""
        other = copy.copy(self)
        other._compose(catalogue)
        return other

    async def connect(self) -> None:
        """Make the client. It contacts no server yet.

        Raises:
            CatalogueUnavailable: the URL is not valid.
        """
        self._connection.open()

    async def close(self) -> None:
        """Close the connection, for the other catalogues over it too."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ping(self) -> None:
        """Return when the database responds.

        Raises:
            CatalogueUnavailable: it does not.
        """
        await self._connection.ping()
