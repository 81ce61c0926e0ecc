"""Completes looks: for garments, the products of each other category that go with them. Knows no HTTP."""

import asyncio
import time
from collections.abc import Sequence

import numpy as np

from services.catalogue.merchandising import NO_RULES, Merchandising
from services.contracts.domain.categories import resolve_category
from services.contracts.domain.errors import UnknownProduct
from services.contracts.web.observability.telemetry import note, request_id
from services.contracts.web.public_address import use_absolute_urls
from services.contracts.wire.embedding import ModelFacts
from services.contracts.wire.index import IndexSearch, IndexVectors, attributes_of
from services.gateway.look import people
from services.gateway.look.apart import Piece, are_apart
from services.gateway.look.basket_book import BasketBook
from services.gateway.look.candidates import LookRequest, Worn, in_order, nearest, partners_of
from services.gateway.look.garments import PhotoGarment, garments_of
from services.gateway.look.options import LookOptions, ProductLookOptions
from services.gateway.look.responses import LookCategory, LookGarment, LookProduct, LookResponse
from services.gateway.ranking.candidate import Candidate
from services.gateway.ranking.rule_book import RuleBook
from services.gateway.search.responses import Outcome
from services.gateway.search.service import SearchService, category_names, ms_since
from services.look.bought_together import Partners
from services.look.compatibility import Compatibility, Garment

NEAREST = 10  # products that look like a garment of a photo, to learn for whom it is


class LookService:
    """Completes looks with products of a catalogue."""

    def __init__(
        self, search: SearchService, book: RuleBook, model: Compatibility | None, baskets: BasketBook | None = None
    ) -> None:
        """Put it together.

        Args:
            search: of the catalogue.
            book: the shop's rules.
            model: the look model; without one, products that are similar in style complete a look.
            baskets: what shoppers bought together; None if no events are kept.
        """
        self._search = search
        self._book = book
        self._model = model
        self._baskets = baskets

    @property
    def is_learned(self) -> bool:
        """Whether there is a look model."""
        return self._model is not None

    async def of_product(self, key: str, options: ProductLookOptions) -> LookResponse:
        """Return the products that go with a product.

        Raises:
            UnknownProduct: the index does not hold it.
            UnknownCategory: there is no category of a name in the options.
            IndexNotReady, ModelIndexMismatch, UpstreamTimeout: the index fails.
        """
        started, search = time.perf_counter(), self._search
        search.visible.check(options.filter)
        facts = await search.binding.facts(await search.binding.active())
        homes = search.catalogues if options.catalogue is None else (options.catalogue,)
        products = await search.index.vectors(IndexVectors(ids=[key], catalogues=homes, model=facts.model))
        if not products:
            raise UnknownProduct(f"there is no product {key!r} in the index")
        category, home = products[0].category, products[0].catalogue
        vector = products[0].vector
        query = IndexSearch(category=category, catalogues=(home,), vector=vector, model=facts.model, k=1, pinned=[key])
        itself = (await search.index.search(query)).pinned[:1]
        attributes = attributes_of(itself[0]) if itself else {}
        worn = Worn(
            Garment(category, np.array(vector, np.float32), "studio"),
            Piece(category_names(category, facts.categories[category]), attributes),
            people.group_of(attributes),
            None,
            itself,
        )
        return await self._completed([worn], "ok", facts, options, started, exclude=[key])

    async def of_photo(self, photo: bytes, options: LookOptions) -> LookResponse:
        """Return the garments of a photo, a product for each, and the products that complete the look.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the photo cannot be used.
            UnknownCategory: there is no category of a name in the options.
            EmbeddingUnavailable, IndexNotReady, ModelIndexMismatch, UpstreamTimeout: a service fails.
        """
        started, search = time.perf_counter(), self._search
        search.visible.check(options.filter)
        facts = await search.binding.facts(await search.binding.active())
        garments, outcome = await garments_of(search.embedding, photo, facts)
        request = LookRequest(options, facts, self._rules(options))
        pieces = await asyncio.gather(*(self._worn(request, garment) for garment in garments))
        return await self._completed(pieces, outcome, facts, options, started)

    async def _worn(self, request: LookRequest, garment: PhotoGarment) -> Worn:
        """Return a garment of a photo with the products that look most like it."""
        embedding = garment.embedding
        category = embedding.category.id
        hits = await nearest(self._search, request, category, embedding.array)
        group = people.shared_group(attributes_of(hit) for hit in hits[:NEAREST])
        ranked = in_order(request, category, hits, np.array([hit.score for hit in hits]))
        return Worn(
            Garment(category, embedding.array),
            Piece(category_names(category, embedding.category.name), {}),
            group,
            garment.box,
            [candidate.hit for candidate in ranked],
        )

    def _rules(self, options: LookOptions) -> Merchandising:
        """Return the shop's rules. Without any, a look has no products out of stock."""
        rules = self._book.of(self._search.catalogues)
        stock = options.out_of_stock or ("hide" if rules is NO_RULES else rules.out_of_stock)
        return rules.model_copy(update={"out_of_stock": stock})

    async def _completed(
        self,
        worn: Sequence[Worn],
        outcome: Outcome,
        facts: ModelFacts,
        options: LookOptions,
        started: float,
        exclude: Sequence[str] = (),
    ) -> LookResponse:
        if options.absolute_urls:
            use_absolute_urls()
        model = self._model_for(facts)
        groups = {piece.group for piece in worn if piece.group is not None}
        group = groups.pop() if len(groups) == 1 else None
        others = [] if group is None else [people.of_others(group)]
        request = LookRequest(options, facts, self._rules(options), worn, others, exclude, model)
        partners = await self._partners(request, self._categories(worn, facts, options, model))
        index_started = time.perf_counter()
        ranked = await asyncio.gather(*(partners_of(self._search, request, *wanted) for wanted in partners.items()))
        timings = {"index": ms_since(index_started), "total": ms_since(started)}
        note(model=facts.model, k=options.k, stages_ms=timings)
        names = facts.categories
        return LookResponse(
            outcome=outcome,
            garments=[self._garment(piece, group, options.k, names) for piece in worn],
            look=[
                LookCategory(
                    category=names[category],
                    results=[self._product(chosen, names) for chosen in candidates],
                    baskets=round(of_baskets.weight, 3) if (of_baskets := partners[category]) else 0.0,
                )
                for category, candidates in self._together(request, dict(zip(partners, ranked, strict=True))).items()
            ],
            basis="similarity" if model is None else "learned",
            warnings=[] if worn else ["the photo shows no garment to complete a look with"],
            model=facts.model,
            look_model=None if model is None else model.manifest.model_id,
            request_id=request_id(),
            timings_ms=timings,
        )

    async def _partners(self, request: LookRequest, categories: Sequence[int]) -> dict[int, Partners | None]:
        """Return what baskets say about each category; None where they say nothing."""
        baskets = self._baskets
        bought = None if baskets is None else baskets.of(self._search.catalogues, request.facts.model)
        if baskets is None or bought is None:
            return dict.fromkeys(categories)
        garments = [piece.garment for piece in request.worn]
        said = await asyncio.to_thread(
            lambda: [bought.partners(garments, category, baskets.weight) for category in categories]
        )
        return dict(zip(categories, said, strict=True))

    def _model_for(self, facts: ModelFacts) -> Compatibility | None:
        """Return the look model if it is for these vectors."""
        model = self._model
        return model if model is not None and model.manifest.embedding_model == facts.model else None

    def _categories(
        self, worn: Sequence[Worn], facts: ModelFacts, options: LookOptions, model: Compatibility | None
    ) -> list[int]:
        """Return the categories that complete the look: never one that is there already."""
        if not worn:
            return []
        wanted = [resolve_category(name, facts.categories) for name in options.categories]
        usual = range(len(facts.categories)) if model is None else model.worn_together
        present = {piece.garment.category for piece in worn}
        return [category for category in dict.fromkeys(wanted or usual) if category not in present]

    def _together(self, request: LookRequest, ranked: dict[int, list[Candidate]]) -> dict[int, list[Candidate]]:
        """Return the first products of each category that go together by the rules, and are for the same people."""
        rules, pieces = request.rules.apart, [piece.piece for piece in request.worn]
        group = next((piece.group for piece in request.worn if piece.group is not None), None)
        chosen: dict[int, list[Candidate]] = {}
        for category, candidates in ranked.items():
            names = category_names(category, request.facts.categories[category])
            allowed: list[Candidate] = []
            for candidate in candidates:
                piece, own = Piece(names, candidate.attributes), people.group_of(candidate.attributes)
                if len(allowed) == request.options.k or (None not in (own, group) and own != group):
                    continue
                if not any(are_apart(rules, piece, other) for other in pieces):
                    allowed.append(candidate)
                    group = own if group is None else group
            if allowed:
                chosen[category] = allowed
                pieces += [Piece(names, candidate.attributes) for candidate in allowed]
        return chosen

    def _garment(self, piece: Worn, group: int | None, k: int, names: list[str]) -> LookGarment:
        """Return a garment with the first products that look like it and are for the people of the look."""
        own = [hit for hit in piece.products if people.group_of(attributes_of(hit)) in (None, group)]
        hits = (own if group is not None and own else piece.products)[:k]
        results = [self._search.result(hit, names) for hit in hits]
        return LookGarment(
            category=names[piece.garment.category],
            garment=piece.box,
            product=results[0] if results else None,
            results=results,
        )

    def _product(self, candidate: Candidate, names: list[str]) -> LookProduct:
        return LookProduct(**self._search.summary(candidate.hit, names), compatibility=round(candidate.value, 4))
