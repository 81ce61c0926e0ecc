"""Searches with known results: products around a few centres, and shoppers who read page after page."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import httpx
import numpy as np
import orjson

from services.catalogue.product import Float32Array, Product
from services.contracts.domain.engines import FAISS, continues, is_exact
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
Scores = Mapping[str, Mapping[str, float]]  # of all products by their ids, by the product that is searched by


def seeded_products(count: int, model: str) -> list[Product]:
    """Return products around a few centres."""
    rng = np.random.default_rng(20261130)
    centres = rng.standard_normal((CENTRES, 64))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    drawn = centres[rng.integers(0, CENTRES, count)] + SPREAD / 8 * rng.standard_normal((count, 64))
    vectors: Float32Array = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return [make_product(f"seeded-{number}", CATEGORY, vector, model) for number, vector in enumerate(vectors)]


def scores_of(products: Sequence[Product]) -> Scores:
    """Return the scores of all other products with each of the first ones, by brute force."""
    matrix = np.array([product.vector for product in products], np.float64)
    keys = [product.key for product in products]
    return {
        key: {
            other: score for other, score in zip(keys, (matrix @ matrix[place]).tolist(), strict=True) if other != key
        }
        for place, key in enumerate(keys[:ASKED])
    }


def changing_product(number: int, model: str) -> Product:
    """Return one of a few products that come and go, with another vector each time."""
    vector = np.random.default_rng(number).standard_normal(64).astype(np.float32)
    return make_product(f"coming-{number % COMING}", CHANGING, vector / np.linalg.norm(vector), model)


class Searches:
    """Requests and shoppers, and what is wrong with the answers that they get.

    Attributes:
        engines: how many answers each engine gave since it was last cleared.
        missed: searches by a photo or product of the shop whose first result an approximate engine did not find.
        walks: how many searches were read page by page, and how each of them ended.
        examples: of what is wrong with pages.
    """

    def __init__(self, scores: Scores) -> None:
        """Search nothing yet. `scores` are those of the products that do not change."""
        self._scores = scores
        self._nearest = {
            key: sorted(of_key, key=lambda other: (-of_key[other], other))[:REACH] for key, of_key in scores.items()
        }
        self.engines: Counter[str] = Counter()
        self.missed = 0
        self.walks: Counter[str] = Counter()
        self.examples: list[str] = []
        self._draw = random.Random(1)

    def requests(self, shop: Shop) -> Iterator[Request]:
        """Yield requests without end: by turns a search or write of a shop, and a search by a seeded product."""
        mixed = shop.mixed()
        while True:
            request = next(mixed)
            yield request if request.kind == "write" else replace(request, check=self._of_shop(request.check))
            yield self._by_product()

    def _of_shop(self, check: Check) -> Check:
        """Return a check of a shop's answer; what an approximate engine does not find is counted, and not wrong."""

        def judge(answer: Answer) -> str:
            trouble = check(answer)
            if trouble and not is_exact(orjson.loads(answer.body).get("engine", FAISS)):
                self.missed += 1
                return ""
            return trouble

        return self._counted(judge)

    def _counted(self, check: Check) -> Check:
        """Return a check that also counts the engine of the answer."""

        def count(answer: Answer) -> str:
            self.engines[orjson.loads(answer.body).get("engine", FAISS)] += 1
            return check(answer)

        return count

    def _by_product(self) -> Request:
        key = self._draw.choice(list(self._scores))
        path = f"/v1/products/{key}/similar?k={REACH}"
        return Request("seeded", prepared("GET", path), self._counted(lambda answer: self._objection(key, answer)))

    def _objection(self, key: str, answer: Answer) -> str:
        document = orjson.loads(answer.body)
        results = [(result["id"], result["score"]) for result in document["results"]]
        return self.objection(key, document.get("engine", FAISS), results)

    def objection(self, key: str, engine: str, results: Sequence[tuple[str, float]]) -> str:
        """Return what is wrong with the first products near one; an empty text if nothing is.

        An approximate engine may lack products, but it returns each one once, best first and with its score.
        """
        scores, ids = self._scores[key], [name for name, _ in results]
        wrong = [name for name, score in results if abs(score - scores.get(name, -9.0)) > SCORE_NOISE]
        if wrong:
            return f"{key}: {engine} does not give {wrong} these scores"
        if is_exact(engine) and ids != self._nearest[key][: len(ids)]:
            return f"{key}: {engine} does not find {ids}"
        if len(set(ids)) < len(ids) or ids != sorted(ids, key=lambda name: (-scores[name], name)):
            return f"{key}: {engine} finds products twice, or not in order: {ids}"
        return ""

    async def shopper(self, url: str) -> None:
        """Read searches page by page until cancelled."""
        async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
            while True:
                self.walks[await self._walk(http)] += 1

    async def _walk(self, http: httpx.AsyncClient) -> str:
        """Read the pages of one search, and return how it ended."""
        key = self._draw.choice(list(self._scores))
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
