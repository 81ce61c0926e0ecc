"""Searches with known results: products around a few centres, and shoppers who read page after page."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import httpx
import numpy as np
import orjson

from services.catalogue.product import Float32Array, Product
from services.contracts.domain.engines import FAISS, continues, is_exact
from services.contracts.wire.index import IndexSimilar
from services.gateway.index_nodes.client import IndexClient
from tests.load.http import Answer, prepared
from tests.load.shop import Check, Request, Shop
from tests.support.values.products import make_product

CATEGORY = 8  # Socks
CHANGING = 2  # Bags: products of this category change, come and go
COMING = 20
CENTRES = 5
SPREAD = 0.8  # of the numbers around a centre, whose sum of squares is 1
ASKED = 40  # products that are searched by
PAGE, PAGES = 5, 4
REACH = PAGE * PAGES
SCORE_NOISE = 2e-6
PAUSES_S = (0.1, 1.0, 4.0)  # of a shopper between two pages; the longest outlasts a restart
Ranked = Mapping[str, Sequence[tuple[str, float]]]  # ids and scores, best first, by the product that is searched by


def seeded_products(count: int, model: str) -> list[Product]:
    """Return products around a few centres."""
    rng = np.random.default_rng(20261130)
    centres = rng.standard_normal((CENTRES, 64))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    drawn = centres[rng.integers(0, CENTRES, count)] + SPREAD / 8 * rng.standard_normal((count, 64))
    vectors: Float32Array = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return [make_product(f"seeded-{number}", CATEGORY, vector, model) for number, vector in enumerate(vectors)]


def ranked(products: Sequence[Product]) -> Ranked:
    """Return the products nearest to each of the first ones, by brute force."""
    matrix = np.array([product.vector for product in products], np.float64)
    nearest = {}
    for place, product in enumerate(products[:ASKED]):
        scores = matrix @ matrix[place]
        scores[place] = -2
        best = sorted((-scores[row], products[row].key) for row in np.argpartition(-scores, REACH + 5)[: REACH + 5])
        nearest[product.key] = [(key, float(-score)) for score, key in best[:REACH]]
    return nearest


async def ranked_by(index: IndexClient, keys: Iterable[str]) -> Ranked:
    """Return the products nearest to each of these, as an index node has them."""
    responses = {key: await index.similar(IndexSimilar(id=key, k=REACH)) for key in keys}
    return {key: [(hit.id, hit.score) for hit in response.hits] for key, response in responses.items()}


def changing_product(number: int, model: str) -> Product:
    """Return one of a few products that come and go, with another vector each time."""
    vector = np.random.default_rng(number).standard_normal(64).astype(np.float32)
    return make_product(f"coming-{number % COMING}", CHANGING, vector / np.linalg.norm(vector), model)


class Searches:
    """Requests and shoppers, and what is wrong with the answers that they get.

    Attributes:
        truth: what each engine finds; what exact engines find, under `faiss`.
        engines: how many answers each engine gave since it was last cleared.
        walks: how many searches were read page by page, and how each of them ended.
        examples: of what is wrong with pages.
    """

    def __init__(self, truth: dict[str, Ranked]) -> None:
        self.truth = truth
        self.engines: Counter[str] = Counter()
        self.walks: Counter[str] = Counter()
        self.examples: list[str] = []
        self._draw = random.Random(1)

    def requests(self, shop: Shop) -> Iterator[Request]:
        """Yield requests without end: by turns a search or write of a shop, and a search by a seeded product."""
        mixed = shop.mixed()
        while True:
            request = next(mixed)
            yield request if request.kind == "write" else replace(request, check=self._counted(request.check))
            yield self._by_product()

    def _counted(self, check: Check) -> Check:
        """Return a check that also counts the engine of the answer."""

        def count(answer: Answer) -> str:
            self.engines[orjson.loads(answer.body).get("engine", FAISS)] += 1
            return check(answer)

        return count

    def _by_product(self) -> Request:
        key = self._draw.choice(list(self.truth[FAISS]))
        path = f"/v1/products/{key}/similar?k={REACH}"
        return Request("seeded", prepared("GET", path), self._counted(lambda answer: self._objection(key, answer)))

    def _objection(self, key: str, answer: Answer) -> str:
        document = orjson.loads(answer.body)
        results = [(result["id"], result["score"]) for result in document["results"]]
        return self.objection(key, document.get("engine", FAISS), results)

    def objection(self, key: str, engine: str, sequences: Sequence[tuple[str, float]]) -> str:
        """Return what is wrong with the first products near one; an empty text if nothing is."""
        expected = self.truth[FAISS if is_exact(engine) else engine][key][: len(sequences)]
        if [name for name, _ in sequences] != [name for name, _ in expected]:
            return f"{key}: {engine} does not find {[name for name, _ in sequences]}"
        pairs = zip(sequences, expected, strict=True)
        wrong = [name for (name, score), (_, other) in pairs if abs(score - other) > SCORE_NOISE]
        return f"{key}: {engine} does not give {wrong} these scores" if wrong else ""

    async def shopper(self, url: str) -> None:
        """Read searches page by page until cancelled."""
        async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
            while True:
                self.walks[await self._walk(http)] += 1

    async def _walk(self, http: httpx.AsyncClient) -> str:
        """Read the pages of one search, and return how it ended."""
        key = self._draw.choice(list(self.truth[FAISS]))
        results: list[tuple[str, float]] = []
        engines: list[str] = []
        page: dict[str, object] | None = {"k": PAGE}
        while page is not None and len(engines) < PAGES:
            response = await http.get(f"/v1/products/{key}/similar", params=page)  # type: ignore[arg-type]
            if response.status_code == httpx.codes.GONE:
                return "refused: their engine is gone"
            if response.status_code != httpx.codes.OK:
                self.examples.append(f"{key}: {response.status_code} {response.text}")
                return "failed"
            document = response.json()
            engines.append(document.get("engine", FAISS))
            results += [(result["id"], result["score"]) for result in document["results"]]
            page = document["next_page"]
            await asyncio.sleep(self._draw.choice(PAUSES_S))
        if not all(continues(engines[0], engine) for engine in engines):
            self.examples.append(f"{key}: pages of {engines}")
            return "mixed"
        if trouble := self.objection(key, engines[0], results):
            self.examples.append(f"pages of {trouble}")
            return "wrong"
        return f"complete, {' and '.join(dict.fromkeys(engines))}"
