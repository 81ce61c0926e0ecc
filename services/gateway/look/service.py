"""Completes looks: for garments, the products of each other category that go with them. Knows no HTTP."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from services.catalogue.merchandising import NO_RULES, Merchandising
from services.contracts.domain.categories import resolve_category
from services.contracts.domain.errors import UnknownProduct
from services.contracts.domain.filters import Filter, any_of
from services.contracts.web.public_address import use_absolute_urls
from services.contracts.web.telemetry import note, request_id
from services.contracts.wire.embedding import GarmentBox, ModelFacts
from services.contracts.wire.index import Hit, IndexSearch, IndexVectors, attributes_of
from services.gateway.look import people
from services.gateway.look.apart import Piece, are_apart
from services.gateway.look.garments import garments_of
from services.gateway.look.options import LookOptions, ProductLookOptions
from services.gateway.look.responses import LookCategory, LookGarment, LookProduct, LookResponse
from services.gateway.ranking.boosts import boosted
from services.gateway.ranking.candidate import Candidate, by_value
from services.gateway.ranking.diversity import diverse
from services.gateway.ranking.ranking import WINDOW
from services.gateway.ranking.rule_book import RuleBook
from services.gateway.search.responses import Outcome
from services.gateway.search.service import SearchService, category_names, ms_since
from services.look.compatibility import Compatibility, Garment

NEAREST = 10  # products that look like a garment of a photo, to learn for whom it is


@dataclass(frozen=True)
class Worn:
    """A garment of the look that is to be completed.

    Attributes:
        garment: for the look model.
        piece: for the shop's rules.
        group: for whom it is; see `people`.
        box: its part of the photo.
        product: itself, or the product that looks most like it.
    """

    garment: Garment
    piece: Piece
    group: int | None
    box: GarmentBox | None
    product: Hit | None


@dataclass(frozen=True)
class _Request:
    """What all categories of a look have in common."""

    options: LookOptions
    facts: ModelFacts
    worn: Sequence[Worn]
    rules: Merchandising
    hidden: Sequence[Filter]
    exclude: Sequence[str]


class LookService:
    """Completes looks with products of a catalogue."""

    def __init__(self, search: SearchService, book: RuleBook, model: Compatibility | None) -> None:
        """Put it together.

        Args:
            search: of the catalogue.
            book: the shop's rules.
            model: the look model; without one, products that are similar in style complete a look.
        """
        self._search = search
        self._book = book
        self._model = model

    async def of_product(self, key: str, options: ProductLookOptions) -> LookResponse:
        """Return the products that go with a product.

        Raises:
            UnknownProduct: the index does not hold it.
            UnknownCategory: there is no category of a name in the options.
            IndexNotReady, ModelIndexMismatch, UpstreamTimeout: the index fails.
        """
        started, search = time.perf_counter(), self._search
        facts = await search.binding.facts(await search.binding.active())
        homes = search.catalogues if options.catalogue is None else (options.catalogue,)
        products = await search.index.vectors(IndexVectors(ids=[key], catalogues=homes, model=facts.model))
        if not products:
            raise UnknownProduct(f"there is no product {key!r} in the index")
        category, home = products[0].category, products[0].catalogue
        vector = products[0].vector
        query = IndexSearch(category=category, catalogues=(home,), vector=vector, model=facts.model, k=1, pinned=[key])
        itself = next(iter((await search.index.search(query)).pinned), None)
        attributes = attributes_of(itself) if itself else {}
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
        facts = await search.binding.facts(await search.binding.active())
        garments, outcome = await garments_of(search.embedding, photo, facts)
        rules = self._rules(options)

        async def worn(number: int) -> Worn:
            embedding, box = garments[number].embedding, garments[number].box
            category, names = embedding.category.id, category_names(embedding.category.id, embedding.category.name)
            hidden = rules.hidden(datetime.now(UTC), names)
            query = IndexSearch(
                category=category,
                catalogues=search.catalogues,
                vector=embedding.vector,
                model=facts.model,
                k=NEAREST,
                hide=any_of(hidden) if hidden else None,
            )
            hits = (await search.index.search(query)).hits
            group = people.shared_group(attributes_of(hit) for hit in hits)
            return Worn(Garment(category, embedding.array), Piece(names, {}), group, box, hits[0] if hits else None)

        pieces = await asyncio.gather(*(worn(number) for number in range(len(garments))))
        return await self._completed(pieces, outcome, facts, options, started)

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
        self._search.visible.check(options.filter)
        model = self._model_for(facts)
        categories = self._categories(worn, facts, options, model)
        groups = {piece.group for piece in worn if piece.group is not None}
        others = [people.of_others(groups.pop())] if len(groups) == 1 else []
        request = _Request(options, facts, worn, self._rules(options), others, exclude)
        index_started = time.perf_counter()
        found = await asyncio.gather(*(self._candidates(request, model, category) for category in categories))
        timings = {"index": ms_since(index_started), "total": ms_since(started)}
        note(model=facts.model, k=options.k, stages_ms=timings)
        names = facts.categories
        return LookResponse(
            outcome=outcome,
            garments=[self._garment(piece, names) for piece in worn],
            look=[
                LookCategory(category=names[category], results=[self._product(chosen, names) for chosen in candidates])
                for category, candidates in self._together(request, dict(zip(categories, found, strict=True))).items()
            ],
            basis="similarity" if model is None else "learned",
            warnings=[] if worn else ["the photo shows no garment to complete a look with"],
            model=facts.model,
            look_model=None if model is None else model.manifest.model_id,
            request_id=request_id(),
            timings_ms=timings,
        )

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

    async def _candidates(self, request: _Request, model: Compatibility | None, category: int) -> list[Candidate]:
        """Return the products of a category that go with the garments, best first, one of each style."""
        garments = [piece.garment for piece in request.worn]
        target = garments[0].vector if model is None else model.target(garments, category)
        if target is None:
            return []
        options, now = request.options, datetime.now(UTC)
        names = category_names(category, request.facts.categories[category])
        hidden = [*request.rules.hidden(now, names), *request.hidden]
        query = IndexSearch(
            category=category,
            catalogues=self._search.catalogues,
            vector=target.tolist(),
            model=request.facts.model,
            k=WINDOW,
            filter=options.filter,
            hide=any_of(hidden) if hidden else None,
            exclude=list(request.exclude),
            vectors=True,
        )
        hits = [hit for hit in (await self._search.index.search(query)).hits if hit.vector is not None]
        if not hits:
            return []
        vectors = np.stack([hit.vector for hit in hits if hit.vector is not None])
        values = [hit.score for hit in hits] if model is None else model.scores(garments, category, vectors).tolist()
        scored = [Candidate(hit, place, value) for place, (hit, value) in enumerate(zip(hits, values, strict=True))]
        ruled = boosted(by_value(scored), request.rules.holding(now, names, "boost", "bury"))
        return diverse(_one_of_each_style(ruled), options.diversity)

    def _together(self, request: _Request, found: dict[int, list[Candidate]]) -> dict[int, list[Candidate]]:
        """Return the first products of each category that go together by the rules, and are for the same people."""
        rules, pieces = request.rules.apart, [piece.piece for piece in request.worn]
        group = next((piece.group for piece in request.worn if piece.group is not None), None)
        chosen: dict[int, list[Candidate]] = {}
        for category, candidates in found.items():
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

    def _garment(self, piece: Worn, names: list[str]) -> LookGarment:
        product = None if piece.product is None else self._search.result(piece.product, names)
        return LookGarment(category=names[piece.garment.category], garment=piece.box, product=product)

    def _product(self, candidate: Candidate, names: list[str]) -> LookProduct:
        return LookProduct(**self._search.summary(candidate.hit, names), compatibility=round(candidate.value, 4))


def _one_of_each_style(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates without the later variants of a style."""
    styles: set[tuple[str, str]] = set()
    kept = []
    for candidate in candidates:
        style = (candidate.hit.catalogue, candidate.hit.group or f"\0{candidate.hit.id}")
        if style not in styles:
            styles.add(style)
            kept.append(candidate)
    return kept
