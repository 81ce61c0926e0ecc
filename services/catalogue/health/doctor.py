"""The problems of a catalogue, found in one scan, in memory that does not grow with the catalogue."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.catalogue.product import Product
from services.contracts.wire.embedding import ModelFacts

NO_VECTOR = "the vector is missing"
KINDS = {
    "broken": "documents that are not products",
    "broken_images": "additional images whose vector cannot be used",
    "not_embedded": "products without a vector",
    "other_model": "products with a vector of another model",
    "unknown_category": "products in a category that the model does not have",
    "category_conflicts": "products whose category by the feed is not the predicted one",
    "duplicates": "images that several products have",
    "empty_categories": "categories without a product",
    "dead_images": "image URLs that do not return an image",
    "dead_pages": "product URLs that do not return a page",
}


@dataclass
class Finding:
    """The number of occurrences of a problem, and the first examples."""

    count: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class Report:
    """The problems by kind; products by category and by model; URLs that were checked, and paths that cannot be."""

    findings: dict[str, Finding]
    products: int
    categories: dict[str, int]
    models: dict[str, int]
    model: str | None
    urls_checked: int = 0
    urls_unchecked: int = 0

    @property
    def healthy(self) -> bool:
        """Whether there are no problems."""
        return not any(finding.count for finding in self.findings.values())

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        findings = {
            kind: {"count": finding.count, "examples": finding.examples} for kind, finding in self.findings.items()
        }
        facts = {"products": self.products, "model": self.model, "categories": self.categories, "models": self.models}
        urls = {"urls_checked": self.urls_checked, "urls_unchecked": self.urls_unchecked}
        return {"healthy": self.healthy, **facts, **urls, "findings": findings}


class Examination:
    """Examines documents one after the other. Images' hashes are on disk beyond a few megabytes."""

    def __init__(self, facts: ModelFacts, shown: int = 20) -> None:
        """Begin.

        Args:
            facts: the model's categories and name. Without a name, it is the model of most products.
            shown: the most examples of each finding.
        """
        self._facts = facts
        self._shown = shown
        self._findings = {kind: Finding() for kind in KINDS}
        self._categories: Counter[int] = Counter()
        self._models: Counter[str] = Counter()
        self._of_model: dict[str, list[str]] = defaultdict(list)
        self.products = 0
        self.urls_checked = 0
        self.urls_unchecked = 0
        self._images = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._images.execute("PRAGMA journal_mode=OFF")
        self._images.execute("CREATE TABLE images (hash BLOB, key TEXT)")
        self._images.execute("BEGIN")

    def close(self) -> None:
        """Delete the hashes."""
        self._images.close()

    def add_finding(self, kind: str, example: str) -> None:
        """Record a problem."""
        finding = self._findings[kind]
        finding.count += 1
        if len(finding.examples) < self._shown:
            finding.examples.append(example)

    def add(self, entries: Iterable[Record | BrokenDocument]) -> None:
        """Examine documents."""
        hashes: list[tuple[bytes, str]] = []
        for entry in entries:
            if isinstance(entry, BrokenDocument):
                no_vector = entry.reason == NO_VECTOR
                self.add_finding("not_embedded" if no_vector else "broken", f"{entry.document_id}: {entry.reason}")
                continue
            for fault in entry.faults:
                self.add_finding("broken_images", f"{entry.document_id}: {fault}")
            self._look(entry.product)
            sha256 = entry.product.images[0].sha256
            if sha256 is not None:
                hashes.append((sha256.encode(), entry.product.key))
        self._images.executemany("INSERT INTO images VALUES (?, ?)", hashes)

    def report(self) -> Report:
        """Return the report."""
        model = self._facts.model or next((name for name, _ in self._models.most_common(1)), None)
        for name, count in self._models.items():
            if name != model:
                self._of_another(name, count)
        self._find_duplicates()
        names = self._facts.categories
        for number, name in enumerate(names):
            if not self._categories[number]:
                self.add_finding("empty_categories", name)
        categories = {name: self._categories[number] for number, name in enumerate(names)}
        counts = self.urls_checked, self.urls_unchecked
        return Report(self._findings, self.products, categories, dict(self._models), model, *counts)

    def _look(self, product: Product) -> None:
        product = product.embedded_by(self._facts.model) or product
        self.products += 1
        self._categories[product.category] += 1
        if product.model is not None:  # legacy documents do not name a model, and are searched as they are
            self._models[product.model] += 1
            if len(self._of_model[product.model]) < self._shown:
                self._of_model[product.model].append(product.key)
        if product.category >= len(self._facts.categories):
            self.add_finding("unknown_category", f"{product.key}: category {product.category}")
        prediction = product.embedding.prediction
        if (
            prediction is not None
            and product.category_source in ("feed", "mapping")
            and prediction.category != product.category
        ):
            by_feed, predicted = self._name(product.category), self._name(prediction.category)
            self.add_finding(
                "category_conflicts", f"{product.key}: {by_feed}, predicted {predicted} ({prediction.probability:.0%})"
            )

    def _name(self, category: int) -> str:
        names = self._facts.categories
        return names[category] if 0 <= category < len(names) else str(category)

    def _of_another(self, model: str, count: int) -> None:
        finding = self._findings["other_model"]
        finding.count += count
        room = max(0, self._shown - len(finding.examples))
        finding.examples += [f"{key}: {model}" for key in self._of_model[model][:room]]

    def _find_duplicates(self) -> None:
        self._images.execute("CREATE INDEX by_hash ON images (hash, key)")
        twice = "SELECT hash, COUNT(DISTINCT key) FROM images GROUP BY hash HAVING COUNT(DISTINCT key) > 1"
        for digest, count in self._images.execute(twice):
            finding = self._findings["duplicates"]
            if len(finding.examples) < self._shown:
                of_hash = "SELECT DISTINCT key FROM images WHERE hash = ? ORDER BY key LIMIT 5"
                keys = [key for (key,) in self._images.execute(of_hash, (digest,))]
                more = f" and {count - len(keys):,} more" if count > len(keys) else ""
                finding.examples.append(", ".join(keys) + more)
            finding.count += 1
