"""The search: image → embedding → index → results. Knows no HTTP."""

import time
from collections.abc import Mapping
from typing import Any

from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.categories import resolve_category
from services.contracts.domain.errors import ModelIndexMismatch, UnknownModel
from services.contracts.domain.similarity import CLOSE
from services.contracts.web.telemetry import note, request_id
from services.contracts.wire.embedding import EmbeddingResponse, ModelFacts
from services.contracts.wire.index import IndexedProduct, IndexResponse, IndexSearch, IndexSimilar
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.index_nodes.overview import combined
from services.gateway.search.garment_crop import GarmentCrop
from services.gateway.search.links import Links
from services.gateway.search.model_binding import ModelBinding
from services.gateway.search.options import PhotoOptions, SimilarOptions
from services.gateway.search.responses import (
    Outcome,
    ProductSummary,
    SearchedCategory,
    SearchResponse,
    SearchResult,
    Similarity,
    SimilarResponse,
)

LIKELY = 0.5  # probability of other clothing from which on a photo shows it, if the model has no threshold of its own


def judge(
    response: IndexResponse,
    thresholds: Mapping[str, float],
    probability: float | None,
    other_clothing: float | None = None,
) -> Outcome:
    """Return the search's outcome: whether the photo shows clothing, and whether a product is a close match.

    Args:
        response: the index's.
        thresholds: the model's; `no_clothing` is the least probability of the predicted category, `other_clothing` the
            least probability that a photo below it shows a garment of none of the categories.
        probability: of the predicted category; None if the caller chose the category or the query is a product.
        other_clothing: probability of a garment of none of the categories; None if the model does not return it.
    """
    if probability is not None and probability < thresholds.get("no_clothing", 0.0):
        is_other = other_clothing is not None and other_clothing >= thresholds.get("other_clothing", LIKELY)
        return "other_clothing" if is_other else "no_clothing"
    if response.best_score is None or (response.best_similarity is not None and response.best_similarity < CLOSE):
        return "no_close_match"
    return "ok"


class SearchService:
    """Searches by photo and by product."""

    def __init__(
        self,
        embedding: EmbeddingClient,
        index: IndexNodes,
        links: Links,
        binding: ModelBinding,
        catalogues: tuple[str, ...],
    ) -> None:
        """Put a search together.

        Args:
            embedding: client of the embedding service.
            index: the index nodes.
            links: makes the URLs of results.
            binding: knows the active model; several services share it.
            catalogues: the catalogues to search. Results of several name theirs.
        """
        self.embedding = embedding
        self.index = index
        self.links = links
        self.binding = binding
        self.catalogues = catalogues
        self._crop = GarmentCrop(embedding)
        self._names: tuple[str, list[str]] | None = None

    async def names(self, model: str | None = None) -> list[str]:
        """Return the categories' names in the order of their ids, of a model or of the active one.

        Raises:
            IndexNotReady, UpstreamTimeout: the index does not answer.
        """
        if self._names is None or (model is not None and self._names[0] != model):
            status = await self.index.status()
            categories = combined(status, self.catalogues).categories
            self._names = (status.model, [category.name for category in categories])
        return self._names[1]

    async def by_image(self, data: bytes, options: PhotoOptions) -> SearchResponse:
        """Return the products that look like the photo.

        Args:
            data: the image file's bytes.
            options: the request's.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the image cannot be used.
            InvalidRequest: the box covers too few pixels.
            UnknownCategory: there is no category of the chosen name.
            EmbeddingUnavailable, IndexNotReady, ModelIndexMismatch, UpstreamTimeout: a service fails.
        """
        started = time.perf_counter()
        model = await self.binding.active()
        try:
            return await self._by_image(data, options, model, started)
        except (ModelIndexMismatch, UnknownModel):
            newer = await self.binding.refresh()
            if newer == model:
                raise
        return await self._by_image(data, options, newer, started)  # the model has been removed in the meantime

    async def _by_image(self, data: bytes, options: PhotoOptions, model: str, started: float) -> SearchResponse:
        """Search with one model from beginning to end."""
        facts = await self.binding.facts(model)
        chosen = None if options.category is None else resolve_category(options.category, facts.categories)
        view = await self._crop.view(data, options, model, None if chosen is None else facts.categories[chosen])
        embedding = view.embedding
        category = embedding.category.id if chosen is None else chosen
        index_started = time.perf_counter()
        response = await self.index.search(_index_search(embedding, category, options, self.catalogues))
        self.binding.observe(response.active)
        timings = {**view.timings_ms, "index": ms_since(index_started), "total": ms_since(started)}
        name = facts.categories[category]
        note(
            k=options.k,
            offset=options.offset,
            category=name,
            cropped=view.crop is not None,
            model=embedding.model,
            stages_ms=timings,
        )
        probability = embedding.category.probability if chosen is None else None
        return SearchResponse(
            outcome=judge(response, facts.thresholds, probability, embedding.other_clothing),
            category=_searched(category, facts, embedding),
            probabilities=embedding.probabilities,
            crop=view.crop,
            results=self._results(response, facts.categories),
            next_page=response.next_page,
            facets=response.facets,
            model=response.model,
            request_id=request_id(),
            timings_ms=timings,
        )

    async def by_product(self, key: str, options: SimilarOptions) -> SimilarResponse:
        """Return the products that look like one of the catalogue, which is left out. Needs no network.

        Raises:
            UnknownProduct: the index does not hold the product.
            UnknownModel: it does not hold the model that the request names.
            IndexNotReady, ModelIndexMismatch, UpstreamTimeout: the index fails.
        """
        started = time.perf_counter()
        query = IndexSimilar(
            id=key,
            catalogues=self.catalogues,
            catalogue=options.catalogue,
            model=options.model,
            **options.result_options(),
        )
        try:
            response = await self.index.similar(query)
        except ModelIndexMismatch:
            await self._check_model(options.model)
            raise
        self.binding.observe(response.active)
        index_ms = ms_since(started)
        names = await self.names(response.model)
        timings = {"index": index_ms, "total": ms_since(started)}
        name = names[response.category]
        note(k=options.k, offset=options.offset, category=name, model=response.model, stages_ms=timings)
        return SimilarResponse(
            outcome=judge(response, {}, None),
            category=SearchedCategory(id=response.category, name=name, probability=None),
            results=self._results(response, names),
            next_page=response.next_page,
            facets=response.facets,
            model=response.model,
            request_id=request_id(),
            timings_ms=timings,
        )

    async def _check_model(self, model: str | None) -> None:
        """Return if the index has the model of a request, or the request names none.

        Raises:
            UnknownModel: it has not.
            IndexNotReady, UpstreamTimeout: it does not answer.
        """
        held = [held.model for held in combined(await self.index.status(), self.catalogues).models]
        if model is not None and model not in held:
            raise UnknownModel(f"there is no model {model!r}: the index has {', '.join(held)}")

    async def sample(self, count: int, category: str | None) -> list[ProductSummary]:
        """Return products drawn at random, of one category or of all.

        Raises:
            UnknownCategory: there is no category of that name.
            IndexNotReady, UpstreamTimeout: the index fails.
        """
        names = await self.names()
        number = None if category is None else resolve_category(category, names)
        sample = await self.index.sample(count, number, self.catalogues)
        return [ProductSummary(**self._summary(product, names)) for product in sample.products]

    def _results(self, response: IndexResponse, names: list[str]) -> list[SearchResult]:
        return [
            SearchResult(
                **self._summary(hit, names),
                score=hit.score,
                image_index=hit.image_index,
                similarity=Similarity.of(hit.similarity),
            )
            for hit in response.hits
        ]

    def _summary(self, product: IndexedProduct, names: list[str]) -> dict[str, Any]:
        return {
            "id": product.id,
            "catalogue": product.catalogue if len(self.catalogues) > 1 else None,
            "url": self.links.product(product, product.catalogue),
            "image_url": self.links.image(product, product.catalogue),
            "title": product.title,
            "category": names[product.category],
            "attributes": product.attributes,
            "group": product.group,
        }


def _index_search(
    embedding: EmbeddingResponse, category: int, options: PhotoOptions, catalogues: tuple[str, ...]
) -> IndexSearch:
    return IndexSearch(
        category=category,
        catalogues=catalogues,
        vector=embedding.vector,
        model=embedding.model,
        **options.result_options(),
    )


def _searched(category: int, facts: ModelFacts, embedding: EmbeddingResponse) -> SearchedCategory:
    name = facts.categories[category]
    return SearchedCategory(id=category, name=name, probability=embedding.probabilities[name])


def ms_since(start: float) -> float:
    """Return the time since a reading of `time.perf_counter`, in milliseconds."""
    return round((time.perf_counter() - start) * 1000, 3)
