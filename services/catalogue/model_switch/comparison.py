"""The effects of a model switch on a catalogue, found in one scan."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.product import Product
from services.contracts.domain.catalogues import DEFAULT_CATALOGUE
from services.contracts.wire.embedding import ModelFacts

Chosen = tuple[str, str]  # a product's catalogue and key


@dataclass(frozen=True)
class Overlap:
    """How much the results of both models have in common, for products as queries.

    Attributes:
        queries: how many products were searched with.
        results: how many results each query had.
        mean: the mean share of results in common, 0 to 1.
        same: queries with the same products as results, in any order.
        none: queries without one in common.
    """

    queries: int
    results: int
    mean: float
    same: int
    none: int

    @classmethod
    def of(cls, shares: Sequence[float], results: int) -> "Overlap":
        """Return the overlap of these shares."""
        mean = sum(shares) / len(shares) if shares else 0.0
        return cls(len(shares), results, round(mean, 4), shares.count(1.0), shares.count(0.0))


@dataclass
class ModelReport:
    """Coverage and changes, in products that searches with the model in use can find.

    Attributes:
        serving, model: the model in use, and the other one.
        products: how many can be found with the model in use.
        covered: how many of them the other model has vectors of.
        missing: ids of some that it has none of.
        categories: names, in the order of their ids.
        counts: of each category: products now, and with the other model.
        moves: from one category to another: how many products, and some ids.
        gained: products that only the other model would find.
        overlap: None where the results were not compared.
        catalogues: of each catalogue: products now, and how many of them the other model has vectors of.
    """

    serving: str
    model: str
    categories: list[str]
    products: int = 0
    covered: int = 0
    missing: list[str] = field(default_factory=list)
    counts: list[list[int]] = field(default_factory=list)
    moves: Counter[tuple[int, int]] = field(default_factory=Counter)
    examples: dict[tuple[int, int], list[str]] = field(default_factory=lambda: defaultdict(list))
    gained: int = 0
    overlap: Overlap | None = None
    catalogues: dict[str, list[int]] = field(default_factory=dict)

    @property
    def coverage(self) -> float:
        """The share of products that the other model has vectors of; 1 without products.

        Of several catalogues, the lowest share counts, so that no small catalogue is overlooked.
        """
        return min((covered / there for there, covered in self.catalogues.values() if there), default=1.0)

    @property
    def moved(self) -> int:
        """Products that would be in another category."""
        return sum(self.moves.values())

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        names = self.categories
        return {
            "serving": self.serving,
            "model": self.model,
            "products": self.products,
            "covered": self.covered,
            "coverage": round(self.coverage, 6),
            "missing": self.missing,
            "gained": self.gained,
            **({} if len(self.catalogues) < 2 else {"catalogues": self._by_catalogue()}),
            "categories": {
                name: {"now": now, "then": then} for name, (now, then) in zip(names, self.counts, strict=True)
            },
            "moved": self.moved,
            "moves": [
                {"from": names[old], "to": names[new], "products": count, "examples": self.examples[old, new]}
                for (old, new), count in self.moves.most_common()
            ],
            "overlap": None if self.overlap is None else vars(self.overlap),
        }

    def _by_catalogue(self) -> dict[str, dict[str, int]]:
        return {name: {"products": there, "covered": covered} for name, (there, covered) in self.catalogues.items()}


class ModelExamination:
    """Examines documents one after the other, in memory that does not grow with them."""

    def __init__(
        self,
        serving: ModelFacts,
        other: ModelFacts,
        unversioned: str,
        *,
        shown: int = 20,
        queries: int = 200,
        seed: int = 7,
    ) -> None:
        """Begin.

        Args:
            serving: the model in use.
            other: the one that may take its place.
            unversioned: the model of documents that do not name one.
            shown: the most ids of each finding.
            queries: products to choose at random.
            seed: of the random choice.
        """
        self.report = ModelReport(serving.model, other.model, serving.categories)
        self.report.counts = [[0, 0] for _ in serving.categories]
        self._serving = serving
        self._other = other
        self._unversioned = unversioned
        self._shown = shown
        self._queries = queries
        self._chance = random.Random(seed)
        self.chosen: list[Chosen] = []  # products that both models see

    def add(self, entries: Iterable[Record | BrokenDocument], catalogue: str = DEFAULT_CATALOGUE) -> None:
        """Examine documents of a catalogue."""
        counts = self.report.catalogues.setdefault(catalogue, [0, 0])
        for entry in entries:
            if isinstance(entry, Record):
                now, then = (self._by_model(entry.product, facts) for facts in (self._serving, self._other))
                counts[0] += now is not None
                counts[1] += now is not None and then is not None
                self._look(now, then, catalogue)

    def _by_model(self, product: Product, facts: ModelFacts) -> Product | None:
        """Return a product with a model's vectors and category, if it can be searched with them."""
        result = product if (product.model or self._unversioned) == facts.model else product.embedded_by(facts.model)
        usable = (
            result is not None and len(result.vector) == facts.dimension and result.category < len(facts.categories)
        )
        return result if usable else None

    def _look(self, now: Product | None, then: Product | None, catalogue: str) -> None:
        report = self.report
        if now is None:
            report.gained += then is not None
            return
        report.products += 1
        report.counts[now.category][0] += 1
        if then is None:
            if len(report.missing) < self._shown:
                report.missing.append(_shown(catalogue, now.key))
            return
        report.covered += 1
        report.counts[then.category][1] += 1
        self._choose((catalogue, now.key))
        if now.category != then.category:
            move = now.category, then.category
            report.moves[move] += 1
            if len(report.examples[move]) < self._shown:
                report.examples[move].append(_shown(catalogue, now.key))

    def _choose(self, key: Chosen) -> None:
        """Choose products so that each has the same chance (reservoir sampling)."""
        if len(self.chosen) < self._queries:
            self.chosen.append(key)
        elif (place := self._chance.randrange(self.report.covered)) < self._queries:
            self.chosen[place] = key


def _shown(catalogue: str, key: str) -> str:
    return key if catalogue == DEFAULT_CATALOGUE else f"{catalogue}: {key}"
