"""The products in MongoDB. The only module that imports Motor, so that another driver can take its place."""

import copy
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import orjson
import structlog
from bson.objectid import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from services.catalogue.documents.embeddings import current_models
from services.catalogue.documents.images import image_facts
from services.catalogue.documents.product_document import (
    Document,
    Record,
    key_variants,
    read_document,
    to_document,
)
from services.catalogue.product import Product
from services.catalogue.store.bulk_write import PutReport, Refused, upsert
from services.catalogue.store.errors import database_call, shown_address
from services.catalogue.store.http_cache import SeenImages
from services.catalogue.store.import_notes import ImportNotes
from services.catalogue.store.models import NOTES, ModelStore
from services.catalogue.store.pictures import PictureStore
from services.catalogue.store.product_reader import ProductReader
from services.contracts.domain.catalogues import DEFAULT, within
from services.contracts.domain.errors import CatalogueUnavailable

PRODUCTS = "products"
IMAGES = "images"
# The reports that are kept: how the last import went, what the doctor last found, how the last reembed went.
LAST_IMPORT = "last-import"
LAST_EXAMINATION = "last-examination"
LAST_REEMBED = "last-reembed"
# Every document that Lookalike writes has this field, and none of the older form.
OLD_FORM = {"category_source": None}
OLD_FORM_CHECK_S = 10.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """By what an import knows a product that has not changed."""

    image_sha256: str | None
    feed_sha256: str | None
    model: str | None
    category_source: str
    images: tuple[tuple[str | None, str | None], ...] = ()  # URL and hash of each further image
    beside: frozenset[str] = frozenset()  # further models with vectors of the image as it is

    def seen_by(self, model: str) -> bool:
        """Whether the product has a vector of a model."""
        return self.model == model or model in self.beside


class ProductStore(ProductReader, ModelStore, PictureStore, SeenImages, ImportNotes):
    """A catalogue's products, and the pictures that no web server of the shop has.

    Each catalogue has collections of its own; those of the default one are named without it.

    Every method raises CatalogueUnavailable when the database is away, does not answer within the deadline, or refuses.
    Nothing is connected before the first call, so a service can start while its database is down.
    """

    def __init__(
        self,
        url: str,
        database: str = "lookalike",
        *,
        catalogue: str = DEFAULT,
        timeout_s: float = 10.0,
        scan_timeout_s: float = 300.0,
        connect_timeout_s: float = 2.0,
    ) -> None:
        """Remember where the database is.

        Args:
            url: MongoDB's connection string.
            database: the database's name.
            catalogue: the catalogue's, as `all_catalogues` gives it.
            timeout_s: deadline of one call, in seconds.
            scan_timeout_s: the same of one batch of a scan: the stand-in for MongoDB reads all before it gives the first.
            connect_timeout_s: how long a server is looked for, in seconds.
        """
        self.address = shown_address(url)
        self.catalogue = catalogue
        self._url = url
        self._database = database
        self._timeout_s = timeout_s
        self._scan_timeout_s = scan_timeout_s
        self._connect_timeout_ms = int(connect_timeout_s * 1000)
        self._client: Any = None
        self._indexed = False
        self._old_forms = True
        self._old_forms_known_until = 0.0

    def of(self, catalogue: str) -> Self:
        """Return the store of another catalogue, over the connections of this one, which has to be connected."""
        self._connected()
        other = copy.copy(self)
        other.catalogue, other._indexed, other._old_forms_known_until = catalogue, False, 0.0
        return other

    async def connect(self) -> None:
        """Make the client. No server is asked for yet.

        Raises:
            CatalogueUnavailable: the URL is not valid.
        """
        limit_ms = self._connect_timeout_ms
        options: dict[str, Any] = {"connectTimeoutMS": limit_ms, "serverSelectionTimeoutMS": limit_ms}
        options["socketTimeoutMS"] = int(
            self._timeout_s * 1000
        )  # ends what a deadline of ours has given up waiting for
        try:
            self._client = AsyncIOMotorClient(self._url, appname="lookalike", tz_aware=True, **options)
        except (PyMongoError, ValueError):
            raise CatalogueUnavailable(f"MONGO_URL (hosts: {self.address}) is not a valid MongoDB address") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _connected(self) -> Any:
        if self._client is None:
            raise RuntimeError("the store is not connected: call connect() first")
        return self._client[self._database]

    def _collection(self, name: str) -> Any:
        return self._connected()[within(name, self.catalogue)]

    def _common(self, name: str) -> Any:
        return self._connected()[name]

    @property
    def _products(self) -> Any:
        return self._collection(PRODUCTS)

    @property
    def _images(self) -> Any:
        return self._collection(IMAGES)

    @property
    def _notes(self) -> Any:
        return self._collection(NOTES)

    async def ping(self) -> None:
        """Return when the database answers."""
        async with database_call(self.address, self._timeout_s):
            await self._products.database.command("ping")

    async def put(self, product: Product) -> None:
        """Write one product, in the place of what stands under its key.

        Raises:
            ValueError: the product cannot be stored: its key, its vector, or its size.
        """
        report = await self.put_many([product])
        if report.failures:
            raise ValueError(report.failures[0].reason)

    async def put_many(self, products: Iterable[Product], *, probably_new: bool = False) -> PutReport:
        """Write products in bulk, each in the place of what stands under its key; of a key given twice, the last.

        A product that cannot be stored is reported, and does not hold up the others. Where the keys are thought to be
        new, `probably_new` saves the server some work; what becomes of the products is the same.
        """
        documents: dict[str, Document] = {}
        failures: list[Refused] = []
        for product in products:
            try:
                documents[product.key] = to_document(product)
            except ValueError as error:
                failures.append(Refused(product.key, str(error)))
        async with database_call(self.address, self._timeout_s):
            report = await upsert(self._products, documents, probably_new=probably_new)
        if report.written:
            await self._ensure_indexes()
            await self._remove_old_forms(list(documents.keys() - {failure.key for failure in report.failures}))
        return PutReport(report.written, (*failures, *report.failures))

    async def get(self, key: str) -> Product | None:
        """Return the product of a key, from a document of either form; None when there is none that is whole."""
        async with database_call(self.address, self._timeout_s):
            document = await self._products.find_one({"_id": key}) or await self._products.find_one(_old_forms([key]))
        record = None if document is None else read_document(document)
        return record.product if isinstance(record, Record) and record.product.key == key else None

    async def delete(self, key: str) -> bool:
        """Remove a product, in whatever form it stands, and its pictures. Returns whether there was one."""
        async with database_call(self.address, self._timeout_s):
            # The stand-in for MongoDB takes a text of 24 hexadecimal digits for an ObjectId too: hence the `id`.
            ours = {"_id": key, "id": {"$in": [key, None]}}
            gone = int((await self._products.delete_one(ours)).deleted_count)
            await self._forget([key])
        await self._remove_images([key])
        if not gone:
            self._old_forms_known_until = 0.0  # only an older document can be it: look now
        return await self._remove_old_forms([key]) + gone > 0

    async def delete_many(self, keys: Sequence[str], *, written_before: datetime | None = None) -> int:
        """Remove products, in whatever form they stand, and their pictures. Returns how many documents went.

        With `written_before`, products that were written since then stay.
        """
        ours: Document = {"_id": {"$in": list(keys)}, "id": {"$in": [*keys, None]}}
        if written_before is not None:
            ours["$or"] = [{"updated_at": {"$lt": written_before}}, {"updated_at": None}]
        async with database_call(self.address, self._timeout_s):
            gone = int((await self._products.delete_many(ours)).deleted_count)
            left = await self._products.find({"_id": {"$in": list(keys)}}, {"_id": 1}).to_list(length=None)
            keys = sorted(set(keys) - {found["_id"] for found in left})
            await self._forget(keys)
        await self._remove_images(keys)
        if gone < len(keys):
            self._old_forms_known_until = 0.0  # the others can only be older documents: look now
        return gone + await self._remove_old_forms(keys)

    async def fingerprints(self, keys: Sequence[str]) -> dict[str, Fingerprint]:
        """Return what is known of those of the keys that Lookalike has written."""
        # The images come whole, vectors too: the stand-in for MongoDB gives no single fields of what is in a list.
        fields = {"image_sha256": 1, "feed_sha256": 1, "model": 1, "category_source": 1, "images": 1, "embeddings": 1}
        async with database_call(self.address, self._timeout_s):
            documents = await self._products.find({"_id": {"$in": list(keys)}}, fields).to_list(length=None)
        return {
            str(found["_id"]): Fingerprint(
                found.get("image_sha256"),
                found.get("feed_sha256"),
                found.get("model"),
                found.get("category_source") or "unknown",
                image_facts(found.get("images")),
                current_models(found.get("embeddings"), found.get("image_sha256")),
            )
            for found in documents
        }

    async def count(self) -> int:
        """Return the number of documents, from the collection's own counter."""
        async with database_call(self.address, self._timeout_s):
            return int(await self._products.estimated_document_count())

    async def put_note(self, name: str, facts: Mapping[str, Any]) -> None:
        """Keep a report under a name, in the place of the one before: as JSON, for its names may hold any character."""
        note: Document = {"_id": name, "json": orjson.dumps(facts, default=str).decode()}
        async with database_call(self.address, self._timeout_s):
            await upsert(self._notes, {name: note})

    async def get_note(self, name: str) -> dict[str, Any] | None:
        """Return the report kept under a name, or None."""
        async with database_call(self.address, self._timeout_s):
            found = await self._notes.find_one({"_id": name})
        return None if found is None else dict(orjson.loads(found["json"]))

    async def _ensure_indexes(self) -> None:
        """Make the indexes by which older documents are found. A user who may not make any goes without."""
        if self._indexed:
            return
        self._indexed = True
        try:
            async with database_call(self.address, self._timeout_s):
                await self._products.create_index("id")
                await self._products.create_index("category_source")
        except CatalogueUnavailable as error:
            log.warning("no_database_index", reason=error.detail)

    async def _remove_old_forms(self, keys: Sequence[str]) -> int:
        """Remove older documents of these keys. Whether there are any at all is looked up every ten seconds only."""
        async with database_call(self.address, self._timeout_s):
            if time.monotonic() > self._old_forms_known_until:
                self._old_forms = await self._products.find_one(OLD_FORM, {"_id": 1}) is not None
                self._old_forms_known_until = time.monotonic() + OLD_FORM_CHECK_S
            if not self._old_forms:
                return 0
            found = await self._products.find(_old_forms(keys), {"_id": 1}).to_list(length=None)
            ids = [document["_id"] for document in found if document["_id"] not in keys]
            return int((await self._products.delete_many({"_id": {"$in": ids}})).deleted_count) if ids else 0


def _old_forms(keys: Iterable[str]) -> Document:
    """Return the filter of older documents with these keys: as `id`, or as `_id` where they have none."""
    by_id = {"id": {"$in": [variant for key in keys for variant in key_variants(key)]}, **OLD_FORM}
    bare = [ObjectId(key) for key in keys if ObjectId.is_valid(key)]
    return {"$or": [by_id, {"_id": {"$in": bare}, "id": None, **OLD_FORM}]} if bare else by_id
