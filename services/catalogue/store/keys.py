"""The API keys of an installation, which all catalogues share. Secrets are stored as hashes only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.catalogue.api_key import ApiKey, Scope, StoredSecret
from services.catalogue.documents.product_document import Document
from services.catalogue.store.mongo.connection import Connection
from services.catalogue.store.mongo.driver import Collection
from services.contracts.domain.quota import Quota

KEYS = "keys"


class KeyCollection:
    """The keys: one document a key, under its id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def _keys(self) -> Collection:
        return self._connection.collection(KEYS)

    async def list(self) -> list[ApiKey]:
        """Return every key, revoked ones too, the oldest first."""
        async with self._connection.call():
            documents = await self._keys.find({}).to_list(length=None)
        return sorted((_read(document) for document in documents), key=lambda key: (key.created_at, key.id))

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key, or None."""
        async with self._connection.call():
            document = await self._keys.find_one({"_id": key_id})
        return None if document is None else _read(document)

    async def add(self, key: ApiKey) -> None:
        """Store a new key."""
        async with self._connection.call():
            await self._keys.insert_one({"_id": key.id, **_fields(key)})

    async def replace(self, old: ApiKey, new: ApiKey) -> bool:
        """Replace a key that was read. Returns False if it has changed since: no change of another process is lost."""
        unchanged = {"_id": old.id, "revision": old.revision}
        async with self._connection.call():
            return bool((await self._keys.update_one(unchanged, {"$set": _fields(new)})).matched_count)


def _fields(key: ApiKey) -> Document:
    """Return a key's fields. Times are text: the stand-in for MongoDB does not keep dates that an update sets."""
    return {
        "name": key.name,
        "scopes": sorted(key.scopes),
        "catalogues": list(key.catalogues),
        "origins": list(key.origins),
        "quota": None if key.quota is None else str(key.quota),
        "created_at": key.created_at.isoformat(),
        "expires_at": _text(key.expires_at),
        "revoked_at": _text(key.revoked_at),
        "secrets": [
            {
                "sha256": stored.sha256,
                "created_at": stored.created_at.isoformat(),
                "expires_at": _text(stored.expires_at),
            }
            for stored in key.secrets
        ],
        "revision": key.revision,
    }


def _read(document: Mapping[str, Any]) -> ApiKey:
    quota = document["quota"]
    return ApiKey(
        id=str(document["_id"]),
        name=str(document["name"]),
        scopes=frozenset(Scope(scope) for scope in document["scopes"]),
        created_at=datetime.fromisoformat(document["created_at"]),
        catalogues=tuple(document["catalogues"]),
        origins=tuple(document["origins"]),
        quota=None if quota is None else Quota.parse(quota),
        expires_at=_moment(document["expires_at"]),
        revoked_at=_moment(document["revoked_at"]),
        secrets=tuple(
            StoredSecret(
                str(stored["sha256"]), datetime.fromisoformat(stored["created_at"]), _moment(stored["expires_at"])
            )
            for stored in document["secrets"]
        ),
        revision=int(document["revision"]),
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
