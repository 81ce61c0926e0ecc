"""The search: image → embedding → index → results. Knows no HTTP."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.box import Box
from services.contracts.domain.catalogues import DEFAULT
from services.contracts.domain.categories import resolve_category
from services.contracts.domain.errors import ModelIndexMismatch, UnknownModel
from services.contracts.domain.filters import EVERYTHING, Filter
from services.contracts.domain.similarity import CLOSE
from services.contracts.web.telemetry import note, request_id
from services.contracts.wire.embedding import EmbeddingResponse, ModelFacts
from services.contracts.wire.index import IndexAnswer, IndexSearch, IndexSimilar, Listed, Page
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.search.links import Links
from services.gateway.search.models import Models
from services.gateway.search.responses import (
    Outcome,
    Result,
    SearchAnswer,
    SearchedCategory,
    Shown,
    SimilarAnswer,
    Similarity,
)

FIRST_PAGE = Page()


@dataclass(frozen=True)
class SearchOptions:
    """How to search: which page of the results, in a category other than the predicted one, among those that match.

    `box` is the part of the photo to search with; all of it when None.
    """

    page: Page = FIRST_PAGE
    category: str | None = None
    filter: Filter = EVERYTHING
    min_score: float | None = None
    facets: bool = False
    box: Box | None = None


def judge(found: IndexAnswer, thresholds: Mapping[str, float], probability: float | None) -> Outcome:
    """Return the search's outcome: is there clothing, and is anything close to it?

    Args:
        found: by the index.
        thresholds: the model's; `no_clothing` is the least probability of the predicted category.
        probability: of the predicted category, the greatest; None where the caller chose the category, or a product.
    """
    if probability is not None and probability < thresholds.get("no_clothing", 0.0):
        return "no_clothing"
    if found.best_score is None or (found.best_similarity is not None and found.best_similarity < CLOSE):
        return "no_close_match"
    return "ok"


class SearchService:
    """Answers searches by photo and by product."""

    def __init__(
        self,
        embedding: EmbeddingClient,
        index: IndexNodes,
        links: Links,
        models: Models | None = None,
        catalogues: tuple[str, ...] = (DEFAULT,),
    ) -> None:
        """Put a search together.

        Args:
            embedding: the way to the network.
            index: the way to the index.
            links: makes the addresses of results.
            models: what is known of the models, where several services share it.
            catalogues: where is searched; results of several say which one they are of.
        """
        self.embedding = embedding
        self.index = index
        self.links = links
        self.models = models or Models(embedding, index)
        self.catalogues = catalogues
        self._names: tuple[str, list[str]] | None = None

    async def names(self, model: str | None = None) -> list[str]:
        """Return the categories' names by the index, in the order of their ids; of this model if one is named."""
        if self._names is None or (model is not None and self._names[0] != model):
            status = await self.index.status()
            self._names = (status.model, [category.name for category in status.categories])
        return self._names[1]

    async def by_image(self, data: bytes, options: SearchOptions) -> SearchAnswer:
        """Return the products that look like the photo.

        Args:
            data: the image file's bytes.
            options: with which part of it, how many, in which category, among which, how alike at least.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image's fault.
            InvalidRequest: the box has too few pixels of it.
            UnknownCategory: the override names none.
            EmbeddingUnavailable, IndexNotReady, ModelIndexMismatch, UpstreamTimeout: a service's fault.
        """
        started = time.perf_counter()
        model = await self.models.active()
        try:
            return await self._by_image(data, options, model, started)
        except (ModelIndexMismatch, UnknownModel):
            newer = await self.models.look()
            if newer == model:
                raise
        return await self._by_image(data, options, newer, started)  # the model has gone since we last heard of it

    async def _by_image(self, data: bytes, options: SearchOptions, model: str, started: float) -> SearchAnswer:
        """Search with one model from beginning to end."""
        seen = await self.embedding.embed(data, model, box=options.box)
        facts = await self.models.facts(model)
        category = (
            seen.category.id if options.category is None else resolve_category(options.category, facts.categories)
        )
        asked = time.perf_counter()
        found = await self.index.search(_index_query(seen, category, options, self.catalogues))
        self.models.told(found.active)
        timings = {**seen.timings_ms, "index": _ms_since(asked), "total": _ms_since(started)}
        note(
            k=options.page.k,
            offset=options.page.offset,
            category=facts.categories[category],
            model=seen.model,
            stages_ms=timings,
        )
        sure = seen.category.probability if options.category is None else None
        return SearchAnswer(
            outcome=judge(found, facts.thresholds, sure),
            category=_searched(category, facts, seen),
            probabilities=seen.probabilities,
            results=self._results(found, facts.categories),
            next_page=found.next_page,
            facets=found.facets,
            model=found.model,
            request_id=request_id(),
            timings_ms=timings,
        )

    async def by_product(self, query: IndexSimilar) -> SimilarAnswer:
        """Return the products that look like one of the catalogue, itself left out. The network is not needed.

        Raises:
            UnknownProduct: the index does not hold it.
            IndexNotReady, UpstreamTimeout: the index's fault.
        """
        started = time.perf_counter()
        found = await self.index.similar(query.model_copy(update={"catalogues": self.catalogues}))
        self.models.told(found.active)
        asked = _ms_since(started)
        names = await self.names(found.model)
        timings = {"index": asked, "total": _ms_since(started)}
        note(k=query.k, offset=query.offset, category=names[found.category], model=found.model, stages_ms=timings)
        return SimilarAnswer(
            outcome=judge(found, {}, None),
            category=SearchedCategory(id=found.category, name=names[found.category], probability=None),
            results=self._results(found, names),
            next_page=found.next_page,
            facets=found.facets,
            model=found.model,
            request_id=request_id(),
            timings_ms=timings,
        )

    async def sample(self, count: int, category: str | None) -> list[Shown]:
        """Return products chosen by chance, of one category if one is named.

        Raises:
            UnknownCategory: there is none of that name.
            IndexNotReady, UpstreamTimeout: the index's fault.
        """
        names = await self.names()
        number = None if category is None else resolve_category(category, names)
        found = await self.index.sample(count, number, self.catalogues)
        return [Shown(**self._shown(product, names)) for product in found.products]

    def _results(self, found: IndexAnswer, names: list[str]) -> list[Result]:
        return [
            Result(
                **self._shown(hit, names), score=hit.score, image=hit.image, similarity=Similarity.of(hit.similarity)
            )
            for hit in found.hits
        ]

    def _shown(self, item: Listed, names: list[str]) -> dict[str, Any]:
        links = self.links.of(item.catalogue)
        return {
            "id": item.id,
            "catalogue": item.catalogue if len(self.catalogues) > 1 else None,
            "url": links.product(item),
            "image_url": links.image(item),
            "title": item.title,
            "category": names[item.category],
            "attributes": item.attributes,
        }


def _index_query(
    seen: EmbeddingResponse, category: int, options: SearchOptions, catalogues: tuple[str, ...]
) -> IndexSearch:
    return IndexSearch(
        category=category,
        catalogues=catalogues,
        vector=seen.vector,
        model=seen.model,
        k=options.page.k,
        offset=options.page.offset,
        filter=options.filter,
        min_score=options.min_score,
        facets=options.facets,
    )


def _searched(category: int, facts: ModelFacts, seen: EmbeddingResponse) -> SearchedCategory:
    name = facts.categories[category]
    return SearchedCategory(id=category, name=name, probability=seen.probabilities[name])


def _ms_since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 3)
