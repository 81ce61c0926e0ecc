"""The search: image → embedding → index → results. Knows no HTTP."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from services.catalogue.events.logged_query import LoggedQuery
from services.contracts.clients.embedding_client import EmbeddingClient
from services.contracts.domain.categories import resolve_category
from services.contracts.domain.errors import (
    InvalidImage,
    InvalidRequest,
    ModelIndexMismatch,
    UnknownModel,
    UnknownProduct,
)
from services.contracts.domain.similarity import CLOSE
from services.contracts.web.observability.telemetry import note, request_id
from services.contracts.web.public_address import current_prefix, use_absolute_urls
from services.contracts.wire.embedding import GarmentBox
from services.contracts.wire.index import Hit, IndexedProduct, IndexResponse, IndexSearch, IndexSimilar, IndexVectors
from services.gateway.events.query_log import QueryLog
from services.gateway.index_nodes import overview
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.index_nodes.one_engine import OneEngine
from services.gateway.ranking.candidate import Move
from services.gateway.ranking.options import RankingOptions
from services.gateway.ranking.ranking import RankedPage, Ranking, ranked_page
from services.gateway.ranking.reranker import Order, RankedSearch, Stage
from services.gateway.search.examples import NO_EXAMPLES, ExampleReader, Examples, PhotoQuery, combined
from services.gateway.search.garment_crop import GarmentCrop, PhotoView
from services.gateway.search.kept_responses import KeptResponse, KeptResponses
from services.gateway.search.links import Links
from services.gateway.search.logged_search import logged_search, repeated
from services.gateway.search.model_binding import ModelBinding
from services.gateway.search.options import PhotoOptions, SimilarOptions
from services.gateway.search.responses import (
    GarmentSearch,
    Outcome,
    ProductSummary,
    SearchedCategory,
    SearchResponse,
    SearchResult,
    Similarity,
    SimilarResponse,
)
from services.gateway.search.similar_page import OWN_FIELDS, SimilarPage
from services.gateway.search.visible import VisibleAttributes

MAX_GARMENTS = 8  # that a search with garments=all looks at
GARMENTS_AT_ONCE = 2
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
        visible: VisibleAttributes = VisibleAttributes(),  # noqa: B008 - it is immutable
        ranking: Ranking = Ranking(),  # noqa: B008 - it is immutable
        queries: QueryLog | None = None,
        count_order: Callable[[Order], None] | None = None,
        kept: KeptResponses | None = None,
    ) -> None:
        """Put a search together.

        Args:
            embedding: client of the embedding service.
            index: the index nodes.
            links: makes the URLs of results.
            binding: knows the active model; several services share it.
            catalogues: the catalogues to search. Results of several name theirs.
            visible: the attributes that results show.
            ranking: changes the order of results.
            queries: keeps the searches; None: they are not kept.
            count_order: counts searches by their order; None: they are not counted.
            kept: responses to searches by product; several services share them. None: they are not kept.
        """
        self.embedding = embedding
        self.index = index
        self.links = links
        self.binding = binding
        self.catalogues = catalogues
        self._crop = GarmentCrop(embedding)
        self._examples = ExampleReader(embedding, index, catalogues)
        self.visible = visible
        self._ranking = ranking
        self._queries = queries
        self._count_order = count_order or (lambda _: None)
        self.kept = KeptResponses() if kept is None else kept
        self._names: tuple[str, list[str]] | None = None

    async def names(self, model: str | None = None) -> list[str]:
        """Return the categories' names in the order of their ids, of a model or of the active one.

        Raises:
            IndexNotReady, UpstreamTimeout: the index does not answer.
        """
        if self._names is None or (model is not None and self._names[0] != model):
            status = await self.index.status()
            categories = overview.combined(status, self.catalogues).categories
            self._names = (status.model, [category.name for category in categories])
        return self._names[1]

    async def by_image(self, query: PhotoQuery, options: PhotoOptions) -> SearchResponse:
        """Return the products that look like the photo, and like the examples.

        Args:
            query: the images of the request: a photo, or something to like.
            options: the request's.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: an image cannot be used.
            InvalidRequest: the box covers too few pixels, or the options contradict each other.
            UnknownCategory: there is no category of the chosen name.
            UnknownProduct: an example is not in the index.
            PageExpired: no index node has the engine of the page before.
            EmbeddingUnavailable, IndexNotReady, ModelIndexMismatch, UpstreamTimeout: a service fails.
        """
        if options.absolute_urls:
            use_absolute_urls()
        self.visible.check(options.filter, options.group_by)
        if options.garments == "all":
            return await self._by_garments(query, options)
        started = time.perf_counter()
        model = await self.binding.active()
        try:
            return await self._by_image(query, options, model, started)
        except (ModelIndexMismatch, UnknownModel):
            newer = await self.binding.refresh()
            if newer == model:
                raise
        return await self._by_image(query, options, newer, started)  # the model has been removed in the meantime

    async def _by_garments(self, query: PhotoQuery, options: PhotoOptions) -> SearchResponse:
        """Search with each garment of the photo."""
        if query.photo is None or options.box is not None:
            raise InvalidRequest("garments=all needs a photo, and finds the boxes itself: leave out box")
        started = time.perf_counter()
        garments = (await self.embedding.detect(query.photo)).garments[:MAX_GARMENTS]
        single = options.model_copy(update={"garments": "one"})
        if not garments:
            whole = await self.by_image(query, single)
            return whole.model_copy(update={"garments": []})
        slots = asyncio.Semaphore(GARMENTS_AT_ONCE)

        async def search(garment: GarmentBox) -> SearchResponse | None:
            async with slots:
                try:
                    return await self.by_image(
                        query, single.model_copy(update={"box": garment.box, "prior": garment.category.name})
                    )
                except (InvalidRequest, InvalidImage):  # the garment has too few pixels
                    return None

        responses = await asyncio.gather(*(search(garment) for garment in garments))
        searches = [(garment, response) for garment, response in zip(garments, responses, strict=True) if response]
        if not searches:
            return (await self.by_image(query, single)).model_copy(update={"garments": []})
        first = searches[0][1]
        return first.model_copy(
            update={
                "garments": [_garment_search(garment, response) for garment, response in searches],
                "timings_ms": {**first.timings_ms, "total": ms_since(started)},
            }
        )

    async def _by_image(self, query: PhotoQuery, options: PhotoOptions, model: str, started: float) -> SearchResponse:
        """Search with one model from beginning to end."""
        facts = await self.binding.facts(model)
        chosen = None if options.category is None else resolve_category(options.category, facts.categories)
        if options.prior is not None:  # by its name, as the detector gives it
            prior = facts.categories[resolve_category(options.prior, facts.categories)]
            options = options.model_copy(update={"prior": prior})
        self._ranking.prepare(options, self.catalogues, model)
        name_of_chosen = None if chosen is None else facts.categories[chosen]
        view, examples = await self._seen(query, options, model, name_of_chosen)
        embedding = view.embedding if view else examples.embeddings[0] if examples.embeddings else None
        predicted = view.embedding.category.id if view else examples.category
        category = predicted if chosen is None else chosen
        if category is None:
            raise InvalidRequest("a search needs a photo, or something to like")
        vector = combined(None if view is None else view.embedding.array, examples)
        name = facts.categories[category]
        index_started = time.perf_counter()
        nearest = IndexSearch(
            category=category,
            catalogues=self.catalogues,
            vector=vector.tolist(),
            model=model,
            exclude=[*options.like, *options.unlike],
            **options.result_options(),
        )
        names = category_names(category, name)
        search = RankedSearch(self.catalogues, category, names, model, vector, None, options, name)
        index = OneEngine(self.index, options.engine)
        page = await ranked_page(nearest, index.search, await self._ranking.stages(search))
        response = page.response
        self.binding.observe(response.active)
        self._count_order(page.order)
        before = view.timings_ms if view else embedding.timings_ms if embedding else {}
        timings = {**before, "index": ms_since(index_started), "total": ms_since(started)}
        note(
            k=options.k,
            offset=options.offset,
            category=name,
            cropped=view is not None and view.crop is not None,
            model=model,
            stages_ms=timings,
        )
        probability = view.embedding.category.probability if view and chosen is None else None
        result = SearchResponse(
            outcome=judge(response, facts.thresholds, probability, view.embedding.other_clothing if view else None),
            category=SearchedCategory(
                id=category, name=name, probability=embedding.probabilities[name] if embedding is not None else None
            ),
            probabilities=embedding.probabilities if embedding is not None else {},
            crop=view.crop if view else None,
            results=self._results(page, facts.categories, with_rules=options.rules is not None),
            next_page=index.next_page(response),
            facets=self.visible.facets(response.facets),
            total=response.total,
            warnings=_warnings(response, name),
            personal=page.personal,
            engine=index.shown(response),
            model=response.model,
            request_id=request_id(),
            timings_ms=timings,
        )
        if self._queries is not None:
            kept = vector if self._queries.keeps_vectors else None
            self._queries.record(logged_search(result, response, options, vector=kept))
        return result

    async def _seen(
        self, query: PhotoQuery, options: PhotoOptions, model: str, chosen: str | None
    ) -> tuple[PhotoView | None, Examples]:
        """Return what the search sees of the photo and of the examples; most searches have none, and need no tasks."""
        viewing = self._view(query.photo, options, model, chosen)
        if not (query.liked or query.unliked or options.like or options.unlike):
            return await viewing, NO_EXAMPLES
        return await asyncio.gather(viewing, self._examples.read(query, options.like, options.unlike, model))

    async def _view(
        self, photo: bytes | None, options: PhotoOptions, model: str, chosen: str | None
    ) -> PhotoView | None:
        return None if photo is None else await self._crop.view(photo, options, model, chosen)

    def kept_page(self, key: str, query: str) -> SimilarPage | None:
        """Return the page of a search by product if an equal request was answered and nothing has changed since.

        Args:
            key: of the product.
            query: the request's query string, as it was sent.
        """
        started = time.perf_counter()
        kept = self.kept.get(self._key(key, query))
        if kept is None or self._ranking.applies(kept.ranking, self.catalogues):
            return None
        self.kept.hits += 1
        self._count_order("plain")
        if self._queries is not None and kept.logged is not None:
            self._queries.record(repeated(kept.logged, request_id()))
        timings = {"total": ms_since(started)}
        note(
            k=kept.k,
            offset=kept.offset,
            category=kept.category,
            model=kept.model,
            stages_ms=timings,
        )
        return SimilarPage.of(kept.text, kept.outcome, kept.category, timings)

    async def similar_page(self, key: str, query: str, options: SimilarOptions) -> SimilarPage:
        """Return the page of a search by product, and keep it for equal requests.

        Args:
            key: of the product.
            query: the request's query string, as it was sent.
            options: the same, validated.

        Raises: as `by_product`.
        """
        revisions = self.index.revisions
        response, logged = await self._by_product(key, options)
        text = response.model_dump_json(exclude=OWN_FIELDS).encode()
        outcome, category = response.outcome, response.category.name
        # What re-rankers do depends on more than the index, an absolute address on the request's host, and who may send
        # rules on the key.
        is_plain = not (
            options.absolute_urls or options.rules is not None or self._ranking.applies(options, self.catalogues)
        )
        if revisions is not None and is_plain:
            ranking = RankingOptions(**{name: getattr(options, name) for name in RankingOptions.model_fields})
            kept = KeptResponse(
                revisions, text, options.k, options.offset, ranking, outcome, category, response.model, logged
            )
            self.kept.keep(self._key(key, query), kept)
        return SimilarPage.of(text, outcome, category, response.timings_ms)

    def _key(self, key: str, query: str) -> tuple[str, ...]:
        """Return what responses are kept by: everything that they depend on, apart from the index and the settings."""
        return key, query, current_prefix(), *self.catalogues

    async def by_product(self, key: str, options: SimilarOptions) -> SimilarResponse:
        """Return the products that look like one of the catalogue, which is left out. Needs no network.

        Raises:
            UnknownProduct: the index does not hold the product.
            UnknownModel: it does not hold the model that the request names.
            PageExpired: no index node has the engine of the page before.
            IndexNotReady, ModelIndexMismatch, UpstreamTimeout: the index fails.
        """
        response, _ = await self._by_product(key, options)
        return response

    async def _by_product(self, key: str, options: SimilarOptions) -> tuple[SimilarResponse, LoggedQuery | None]:
        """Return the products as `by_product`, and the row of the log; None if searches are not kept."""
        if options.absolute_urls:
            use_absolute_urls()
        started = time.perf_counter()
        self.visible.check(options.filter, options.group_by)
        query = IndexSimilar(
            id=key,
            catalogues=self.catalogues,
            catalogue=options.catalogue,
            model=options.model,
            **options.result_options(),
        )
        index = OneEngine(self.index, options.engine)
        try:
            stages = await self._stages_of_product(key, options)
            page = await ranked_page(query, index.similar, stages)
        except ModelIndexMismatch:
            await self._check_model(options.model)
            raise
        response = page.response
        self.binding.observe(response.active)
        self._count_order(page.order)
        index_ms = ms_since(started)
        names = await self.names(response.model)
        timings = {"index": index_ms, "total": ms_since(started)}
        name = names[response.category]
        note(k=options.k, offset=options.offset, category=name, model=response.model, stages_ms=timings)
        result = SimilarResponse(
            outcome=judge(response, {}, None),
            category=SearchedCategory(id=response.category, name=name, probability=None),
            results=self._results(page, names, with_rules=options.rules is not None),
            next_page=index.next_page(response),
            facets=self.visible.facets(response.facets),
            total=response.total,
            warnings=_warnings(response, name),
            personal=page.personal,
            engine=index.shown(response),
            model=response.model,
            request_id=request_id(),
            timings_ms=timings,
        )
        if self._queries is None:
            return result, None
        logged = logged_search(result, response, options, product=key)
        self._queries.record(logged)
        return result, logged

    async def _stages_of_product(self, key: str, options: SimilarOptions) -> list[Stage]:
        """Return what the re-rankers do with a search by product. Only they need its category and vector.

        Raises:
            UnknownProduct: the index does not hold the product. Otherwise as `IndexNodes.vectors`.
        """
        if not self._ranking.applies(options, self.catalogues):
            return []
        model = options.model or await self.binding.active()
        homes = self.catalogues if options.catalogue is None else (options.catalogue,)
        products = await self.index.vectors(IndexVectors(ids=[key], catalogues=homes, model=model))
        if not products:
            raise UnknownProduct(f"there is no product {key!r} in the index")
        category, vector = products[0].category, np.array(products[0].vector, np.float32)
        name = (await self.names(model))[category]
        names = category_names(category, name)
        search = RankedSearch(self.catalogues, category, names, model, vector, key, options, name)
        return await self._ranking.stages(search)

    async def _check_model(self, model: str | None) -> None:
        """Return if the index has the model of a request, or the request names none.

        Raises:
            UnknownModel: it has not.
            IndexNotReady, UpstreamTimeout: it does not answer.
        """
        held = [held.model for held in overview.combined(await self.index.status(), self.catalogues).models]
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
        return [ProductSummary(**self.summary(product, names)) for product in sample.products]

    def _results(self, page: RankedPage, names: list[str], *, with_rules: bool) -> list[SearchResult]:
        return [self.result(hit, names, page.moved(hit, with_rules=with_rules)) for hit in page.response.hits]

    def result(self, hit: Hit, names: list[str], moved: list[Move] | None = None) -> SearchResult:
        """Return a hit as a response shows it; `names` are those of the categories."""
        return SearchResult(
            **self.summary(hit, names),
            score=hit.score,
            image_index=hit.image_index,
            similarity=Similarity.of(hit.similarity),
            moved=moved,
        )

    def summary(self, product: IndexedProduct, names: list[str]) -> dict[str, Any]:
        """Return what a `ProductSummary` shows of a product; `names` are those of the categories."""
        return {
            "id": product.id,
            "catalogue": product.catalogue if len(self.catalogues) > 1 else None,
            "url": self.links.product(product, product.catalogue),
            "image_url": self.links.image(product, product.catalogue),
            "title": product.title,
            "category": names[product.category],
            "attributes": self.visible.of(product.attributes),
            "group": product.group,
        }


def _garment_search(garment: GarmentBox, response: SearchResponse) -> GarmentSearch:
    return GarmentSearch(
        garment=garment,
        outcome=response.outcome,
        category=response.category,
        results=response.results,
        next_page=response.next_page,
        facets=response.facets,
    )


def category_names(category: int, name: str) -> frozenset[str]:
    """Return the ways to name a category: see `resolve_category`."""
    return frozenset((name.casefold(), str(category)))


def _warnings(response: IndexResponse, category: str) -> list[str]:
    return [f"no product of {category} has the attribute {name!r}" for name in response.unknown_attributes]


def ms_since(start: float) -> float:
    """Return the time since a reading of `time.perf_counter`, in milliseconds."""
    return round((time.perf_counter() - start) * 1000, 3)
