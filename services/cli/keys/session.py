"""The changes of keys that the commands make."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from services.catalogue.api_key import ApiKey, KeyRefused, Scope, key_id, new_key, revoked, rotated, without_previous

ATTEMPTS = 5  # to change a key that other processes change at the same time


class KeyStore(Protocol):
    """Where keys are stored."""

    async def list(self) -> list[ApiKey]: ...
    async def get(self, key_id: str) -> ApiKey | None: ...
    async def add(self, key: ApiKey) -> None: ...
    async def replace(self, old: ApiKey, new: ApiKey) -> bool: ...


class KeySession:
    """Creates and changes keys in a store. Each method raises KeyRefused with a sentence if it cannot."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    async def keys(self) -> list[ApiKey]:
        """Return every key, the oldest first."""
        return await self._store.list()

    async def create(self, name: str, scopes: Sequence[Scope], **values: Any) -> tuple[ApiKey, str]:
        """Store a new key; arguments as `new_key`. Returns it and its secret."""
        key, secret = new_key(name, scopes, **values)
        await self._store.add(key)
        return key, secret

    async def rotate(self, name: str, overlap: timedelta) -> tuple[ApiKey, str]:
        """Give a key a new secret. Returns the key and the secret."""
        secrets: list[str] = []

        def change(key: ApiKey) -> ApiKey:
            changed, secret = rotated(key, overlap)
            secrets.append(secret)
            return changed

        return await self._change(name, change), secrets[-1]

    async def revoke(self, name: str, *, previous: bool) -> ApiKey:
        """End a key, or only the secret before its last rotation. Returns the key."""
        return await self._change(name, without_previous if previous else revoked)

    async def _change(self, name: str, change: Callable[[ApiKey], ApiKey]) -> ApiKey:
        for _ in range(ATTEMPTS):
            key = await self._store.get(key_id(name) or name)
            if key is None:
                raise KeyRefused(f"there is no key {key_id(name) or name!r}: lookalike keys list names them")
            changed = change(key)
            if await self._store.replace(key, changed):
                return changed
        raise KeyRefused(f"the key {name} is being changed by other processes: try again")
