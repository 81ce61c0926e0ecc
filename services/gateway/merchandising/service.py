"""Reading, writing and trying the merchandising rules of a catalogue. Knows no HTTP."""

import asyncio
from dataclasses import dataclass

from services.catalogue.merchandising import NO_RULES, Merchandising
from services.catalogue.store.database import CatalogueDatabase
from services.contracts.domain.categories import resolve_category
from services.contracts.domain.errors import PreconditionFailed
from services.contracts.web.observability.telemetry import request_id
from services.gateway.merchandising.responses import PreviewResponse
from services.gateway.ranking.rule_book import RuleBook
from services.gateway.search.examples import PhotoQuery
from services.gateway.search.options import PhotoOptions, PreviewOptions, SearchOptions, SimilarOptions
from services.gateway.search.responses import SearchResponse, SimilarResponse
from services.gateway.search.service import SearchService

ATTEMPTS = 5  # to replace rules that other processes replace at the same time


@dataclass(frozen=True)
class MerchandisingService:
    """The rules of one catalogue.

    Attributes:
        store: where they are stored.
        book: the rules that this gateway's searches follow.
        search: searches of the catalogue.
    """

    store: CatalogueDatabase
    book: RuleBook
    search: SearchService

    async def rules(self) -> tuple[Merchandising, int]:
        """Return the stored rules and their revision; 0 if none have been stored.

        Raises:
            CatalogueUnavailable.
        """
        stored = await self.store.rules.get()
        if stored is None:
            return NO_RULES, 0
        return Merchandising.model_validate(stored.document), stored.revision

    async def replace(self, rules: Merchandising, revision: int | None) -> int:
        """Store rules in the place of all earlier ones, and follow them. Returns their revision.

        Args:
            rules: the new ones.
            revision: of the rules that they replace; None for any.

        Raises:
            UnknownCategory: they name a category that the model does not have.
            PreconditionFailed: the stored rules have another revision.
            CatalogueUnavailable, EmbeddingUnavailable, UpstreamTimeout.
        """
        await self._check_categories(rules)
        for _ in range(ATTEMPTS):
            stored = await self.store.rules.get()
            current = 0 if stored is None else stored.revision
            if revision not in (None, current):
                break
            if await self.store.rules.replace(rules.model_dump(mode="json"), current):
                self.book.take(self.store.catalogue, rules)
                return current + 1
        raise PreconditionFailed("the rules have been changed in the meantime: read them again")

    async def warnings(self, rules: Merchandising) -> list[str]:
        """Return what in rules has no effect: attributes that no product has, and pinned products that do not exist.

        Raises:
            CatalogueUnavailable.
        """
        pinned = list(dict.fromkeys(pin.id for rule in rules.rules for pin in rule.pins))
        lacking, products = await asyncio.gather(
            self.store.products.lacking(rules.attributes),
            asyncio.gather(*(self.store.products.get(key) for key in pinned)),
        )
        return [
            *(f"no product has the attribute {name!r}" for name in lacking),
            *(f"there is no product {key!r}" for key, item in zip(pinned, products, strict=True) if item is None),
        ]

    async def preview(self, photo: bytes | None, options: PreviewOptions) -> PreviewResponse:
        """Return the results of a search in the plain order and by rules: the request's, or the stored ones.

        Args:
            photo: to search by; None for the product that the options name.
            options: the request's.

        Raises: as `SearchService.by_image` and `by_product`.
        """
        rules = self.book.of(self.search.catalogues) if options.rules is None else options.rules
        plain, ruled = await asyncio.gather(
            self._results(photo, options.model_copy(update={"rules": NO_RULES, "out_of_stock": None, "diversity": 0})),
            self._results(photo, options.model_copy(update={"rules": rules})),
        )
        return PreviewResponse(
            outcome=ruled.outcome,
            category=ruled.category,
            plain=plain.results,
            ruled=ruled.results,
            warnings=ruled.warnings,
            model=ruled.model,
            request_id=request_id(),
        )

    async def _results(self, photo: bytes | None, options: PreviewOptions) -> SearchResponse | SimilarResponse:
        shared = {name: getattr(options, name) for name in SearchOptions.model_fields}
        if options.product is not None:
            return await self.search.by_product(options.product, SimilarOptions(**shared))
        return await self.search.by_image(PhotoQuery(photo), PhotoOptions(**shared, category=options.category))

    async def _check_categories(self, rules: Merchandising) -> None:
        """Return if the model has all categories that the rules name."""
        if not rules.categories:
            return
        names = (await self.search.binding.serving_facts()).categories
        for name in sorted(rules.categories):
            resolve_category(name, names)
