"""The API keys as the gateway knows them: read from the database every few seconds, kept while it is unavailable."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Protocol

import structlog

from services.catalogue.api_key import ApiKey, key_id
from services.contracts.domain.errors import CatalogueUnavailable

log = structlog.get_logger()
MIN_INTERVAL_S = 0.5  # between two readings that requests with unknown keys cause


class KeySource(Protocol):
    """Where the keys are stored."""

    async def list(self) -> list[ApiKey]: ...


class KeyRing:
    """All keys, by id. Requests never wait for the database, except those with a key that is not known yet."""

    def __init__(self, refresh_s: float) -> None:
        """Know no key yet.

        Args:
            refresh_s: seconds between two readings, and so the time until a revocation takes effect.
        """
        self._refresh_s = refresh_s
        self._keys: dict[str, ApiKey] = {}
        self._origins: frozenset[str] = frozenset()
        self._source: KeySource | None = None
        self._reading: asyncio.Task[None] | None = None
        self._begun_at = -float("inf")
        self._trouble: CatalogueUnavailable | None = CatalogueUnavailable("the keys have not been read yet")

    @property
    def origins(self) -> frozenset[str]:
        """The origins that a valid key allows."""
        return self._origins

    @property
    def size(self) -> int:
        """The number of known keys."""
        return len(self._keys)

    @contextlib.asynccontextmanager
    async def following(self, source: KeySource) -> AsyncIterator[None]:
        """Read the keys, and again after each interval, for as long as the block lasts."""
        self._source = source
        await self._read()
        task = asyncio.create_task(self._follow(), name="read the API keys")
        try:
            yield
        finally:
            for running in (task, self._reading):
                if running is not None:
                    running.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await running
            self._source = None

    def known(self, secret: str) -> ApiKey | None:
        """Return the key that a secret belongs to, as `find`, without reading the keys again."""
        name = key_id(secret)
        return None if name is None else self._matching(name, secret)

    async def find(self, secret: str) -> ApiKey | None:
        """Return the key that a secret belongs to, also one that has expired or been revoked; None if there is none.

        A secret that is not known may be a new one: the keys are then read again, at most every MIN_INTERVAL_S.

        Raises:
            CatalogueUnavailable: the secret is not known, and the database does not answer.
        """
        key = self.known(secret)
        if key is not None or key_id(secret) is None:
            return key
        await self._read()
        key = self.known(secret)
        if key is None and self._trouble is not None:
            raise CatalogueUnavailable("the key cannot be checked: the catalogue's database is not available")
        return key

    def _matching(self, name: str, secret: str) -> ApiKey | None:
        key = self._keys.get(name)
        if key is None or key.revoked_at is not None:
            return key
        return key if key.matches(secret, datetime.now(UTC)) else None

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._refresh_s)
            await self._read()

    async def _read(self) -> None:
        """Read the keys; several callers share one reading."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_once(), name="read the API keys once")
        await asyncio.shield(self._reading)

    async def _read_once(self) -> None:
        if self._source is None:
            return
        await asyncio.sleep(self._begun_at + MIN_INTERVAL_S - time.monotonic())
        self._begun_at = time.monotonic()
        try:
            keys = {key.id: key for key in await self._source.list()}
        except CatalogueUnavailable as error:
            if self._trouble is None:
                log.warning("api_keys_not_read", trouble=error.detail, known=len(self._keys))
            self._trouble = error
            return
        self._keys, self._trouble = keys, None
        now = datetime.now(UTC)
        self._origins = frozenset(
            origin for key in keys.values() if key.state(now) == "active" for origin in key.origins
        )
