"""Rules that are read ahead."""

import asyncio
from dataclasses import dataclass, field

from structlog.testing import capture_logs

from services.catalogue.merchandising import NO_RULES, Merchandising
from services.catalogue.store.rules import StoredRules
from services.contracts.domain.errors import CatalogueUnavailable
from services.gateway.ranking.rule_book import RuleBook
from tests.support.fakes.gateway_fakes import FakeRules

HIDING = Merchandising.model_validate({"rules": []})
STORED = StoredRules(HIDING.model_dump(mode="json"), 1)


@dataclass
class WatchedRules(FakeRules):
    """Tells when it is read."""

    reading: asyncio.Event = field(default_factory=asyncio.Event)

    async def get(self) -> StoredRules | None:
        self.reading.set()
        return await super().get()

    async def read_again(self) -> None:
        """Wait until two readings have begun: the first one has ended by then."""
        for _ in range(2):
            self.reading.clear()
            await self.reading.wait()


def test_rules_are_read_at_the_start_and_then_again_and_again() -> None:
    async def run() -> None:
        source, book = WatchedRules(), RuleBook()
        async with book.following({"default": source}, refresh_s=0.001):
            assert book.of(("default",)) == NO_RULES
            source.stored = STORED
            await source.read_again()
            assert book.of(("default",)) == HIDING
            source.stored = None
            await source.read_again()
            assert book.of(("default",)) == NO_RULES

    asyncio.run(run())


def test_rules_stay_while_they_cannot_be_read_and_the_log_says_so_once() -> None:
    async def run() -> None:
        source, book = FakeRules(STORED), RuleBook()
        await book.read({"default": source})
        source.trouble = CatalogueUnavailable("the database does not answer")
        for _ in range(3):
            await book.read({"default": source})
        assert book.of(("default",)) == HIDING
        source.trouble, source.stored = None, StoredRules({"rules": [{"id": "of a later version"}]}, 2)
        await book.read({"default": source})
        assert book.of(("default",)) == HIDING
        source.stored = None
        await book.read({"default": source})
        assert book.of(("default",)) == NO_RULES

    with capture_logs() as lines:
        asyncio.run(run())
    assert [(line["event"], line["catalogue"]) for line in lines] == [("merchandising_rules_not_read", "default")]


def test_without_the_database_a_gateway_starts_without_rules() -> None:
    async def run() -> None:
        source, book = FakeRules(trouble=CatalogueUnavailable("the database does not answer")), RuleBook()
        async with book.following({"default": source}, refresh_s=3600):
            assert book.of(("default",)) == NO_RULES

    asyncio.run(run())
