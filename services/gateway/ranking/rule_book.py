"""The merchandising rules as the gateway knows them: read ahead, and kept while the database is unavailable."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import structlog
from pydantic import ValidationError

from services.catalogue.merchandising import NO_RULES, Merchandising
from services.catalogue.store.rules import StoredRules
from services.contracts.domain.errors import CatalogueUnavailable
from services.contracts.web.background import in_background

log = structlog.get_logger()


class RuleSource(Protocol):
    """Where the rules of a catalogue are stored."""

    async def get(self) -> StoredRules | None: ...


class RuleBook:
    """The rules of each catalogue. A search never waits for the database."""

    def __init__(self) -> None:
        self._rules: dict[str, Merchandising] = {}
        self._unread: set[str] = set()

    def of(self, catalogues: tuple[str, ...]) -> Merchandising:
        """Return the rules of a search. One through several catalogues follows none: rules are of a catalogue."""
        return self._rules.get(catalogues[0], NO_RULES) if len(catalogues) == 1 else NO_RULES

    def take(self, catalogue: str, rules: Merchandising) -> None:
        """Use rules from now on."""
        self._rules[catalogue] = rules

    @contextlib.asynccontextmanager
    async def following(self, sources: Mapping[str, RuleSource], refresh_s: float) -> AsyncIterator[None]:
        """Read the rules, and again after each interval, for as long as the block lasts."""
        await self.read(sources)
        async with in_background(self._follow(sources, refresh_s), "read the merchandising rules"):
            yield

    async def read(self, sources: Mapping[str, RuleSource]) -> None:
        """Read the rules once. Those that cannot be read stay as they are."""
        for name, source in sources.items():
            try:
                stored = await source.get()
                rules = NO_RULES if stored is None else Merchandising.model_validate(stored.document)
            except (CatalogueUnavailable, ValidationError) as error:
                if name not in self._unread:
                    log.warning("merchandising_rules_not_read", catalogue=name, trouble=str(error).splitlines()[0])
                self._unread.add(name)
                continue
            self._unread.discard(name)
            self._rules[name] = rules

    async def _follow(self, sources: Mapping[str, RuleSource], refresh_s: float) -> None:
        while True:
            await asyncio.sleep(refresh_s)
            try:
                await self.read(sources)
            except Exception:
                log.exception("merchandising_rules_not_read")
