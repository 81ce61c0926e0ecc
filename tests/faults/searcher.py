"""Searches, and checks every response against the journal."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from services.catalogue.product import Float32Array, unit_vector
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from tests.faults.availability import Availability
from tests.faults.feed import FIRST_REVISION
from tests.faults.journal import Journal
from tests.faults.plan import GONE, MODEL, Write, category_of, vector_of
from tests.support.servers.index import CATEGORIES
from tests.support.waiting import WITHIN_S

K = 20
NEAR = 0.04  # standard deviation of the noise that is added to each number of a vector
NOISE = 1e-5  # of a score
EXAMPLES = 5
REMEMBERED = 10_000  # number of recent products to search for
Hit = Mapping[str, Any]


@dataclass(frozen=True)
class Search:
    """A search. `asked_at` and `available_since` are monotonic, in seconds; the latter is None if not all is available.

    `asked_at` is the time of the status request right before the search.
    """

    category: int
    vector: Float32Array
    key: str | None
    asked_at: float
    available_since: float | None

    def is_due(self, changed_at: float, late_s: float) -> bool:
        """Return whether the search must see a change: it is acknowledged, and all available, for over `late_s`."""
        since = max(changed_at, self.available_since or changed_at)
        return self.available_since is not None and self.asked_at - since > late_s


class Searcher:
    """Searches for recent products, near them, and anywhere.

    Attributes:
        counts: of searches and results, by kind.
        wrong: counts of wrong results, by kind; `examples` are some of them.
    """

    def __init__(self, url: str, availability: Availability, journal: Journal, late_s: float) -> None:
        """Search nothing yet. `late_s`: seconds after which a search must see a change while all is available."""
        self.counts: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.examples: list[str] = []
        # No connection is kept: the index may close one in the moment in which it is used again.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.AsyncClient(base_url=url, timeout=WITHIN_S, trust_env=False, limits=limits)
        self._availability = availability
        self._journal = journal
        self._late_s = late_s
        self._recent: deque[str] = deque(maxlen=REMEMBERED)
        self._draw = random.Random(0)

    def look_for(self, batch: Sequence[Write]) -> None:
        """Search for these products too from now on."""
        self._recent.extend(write.key for write in batch)

    async def run(self, pause_s: float) -> None:
        """Search until cancelled, with a pause between two searches."""
        async with self._http:
            while True:
                await self.search()
                await asyncio.sleep(pause_s)

    async def search(self) -> None:
        """Search once and check the results."""
        was_up = self._is_up()
        asked_at = time.monotonic()
        try:
            status = (await self._http.get("/v1/status")).json()
            self._availability.index_reports(
                stale=not status["ready"] or status["catalogues"][DEFAULT_CATALOGUE]["sync"]["stale"]
            )
            search = self._next(asked_at)
            body = {"category": search.category, "vector": search.vector.tolist(), "model": MODEL, "k": K}
            certain = search.key and self._journal.certain(search.key)
            response = await self._http.post("/v1/search", json=body)
            response.raise_for_status()
        except httpx.HTTPError as error:
            self._failed(was_up and self._is_up(), error)
            return
        self.counts["searches answered"] += 1
        hits = response.json()["hits"]
        for hit in hits:
            self._check(hit, search)
        if certain and self._journal.certain(str(search.key)) == certain:
            self._check_first(hits, search, certain[1])

    def _is_up(self) -> bool:
        """Return whether the index, and Milvus behind it, are up."""
        return self._availability.is_up("index") and self._availability.is_up("milvus")

    def _next(self, asked_at: float) -> Search:
        """Return the next search: for a product, near one, or anywhere."""
        key = self._draw.choice(self._recent) if self._recent else None
        how = self._draw.choice(["exactly", "near", "anywhere"])
        moment = asked_at, self._availability.since()
        revision = GONE if key is None else self._journal.latest(key)
        if revision == GONE or how == "anywhere":
            category, vector = self._draw.randrange(len(CATEGORIES)), vector_of(self._draw.randrange(1 << 30))
            return Search(category, vector, None, *moment)
        category, vector = category_of(revision), vector_of(revision)
        if how == "exactly":
            return Search(category, vector, key, *moment)
        noise = np.random.default_rng(self._draw.randrange(1 << 30)).normal(0, NEAR, 64).astype(np.float32)
        return Search(category, unit_vector(vector + noise), None, *moment)

    def _failed(self, was_up: bool, error: httpx.HTTPError) -> None:
        if was_up:
            self._complain("failed while the index was up", f"{type(error).__name__}: {error}")
        else:
            self.counts["searches that failed while the index was down"] += 1

    def _check(self, hit: Hit, search: Search) -> None:
        self.counts["results judged"] += 1
        key, revision = hit["id"], hit["attributes"]["revision"]
        if (hit["category"], hit["attributes"]["shelf"]) != (search.category, search.category):
            self._complain("a result from another category", f"{hit} in {search.category}")
        if revision < FIRST_REVISION and abs(hit["score"] - float(search.vector @ vector_of(revision))) > NOISE:
            self._complain("a score of another vector", f"{hit}")
        try:
            ended_at = self._journal.ended_at(key, revision)
        except KeyError as error:
            self._complain("a result that was never written", str(error))
            return
        if ended_at is None:
            return
        if search.is_due(ended_at, self._late_s):
            kind = "deleted" if self._journal.now(key) == {GONE} else "replaced"
            self._complain(f"a result {kind} long before", f"{hit}, {search.asked_at - ended_at:.1f} s before")
        elif search.asked_at - ended_at > self._late_s:
            self.counts["outdated results while something was down or catching up"] += 1

    def _check_first(self, hits: Sequence[Hit], search: Search, since: float) -> None:
        """Check a search for the vector of a product whose revision is certain."""
        if hits and (hits[0]["id"], hits[0]["score"] > 1 - NOISE) == (search.key, True):
            self.counts["products that were their own first result"] += 1
        elif search.is_due(since, self._late_s):
            self._complain("a product missing", f"{search.key}, written {search.asked_at - since:.1f} s before")

    def _complain(self, what: str, example: str) -> None:
        self.wrong[what] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{what}: {example}")
