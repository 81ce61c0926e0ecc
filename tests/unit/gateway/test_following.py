"""What is read again and again goes on being read after an error that nobody foresaw."""

import asyncio
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.contracts.web.background import in_background
from services.gateway.imports import import_metrics
from services.gateway.imports.import_metrics import ImportMetrics
from services.gateway.index_nodes.nodes import IndexNodes
from services.gateway.look.basket_book import BasketBook
from services.gateway.ranking.order_book import OrderBook
from services.gateway.ranking.rule_book import RuleBook

TURNS = 200  # of the event loop; a reading takes a few


class Broken:
    """Fails in every reading, in a way that nobody foresaw."""

    def __init__(self) -> None:
        self.readings = 0

    def __getattr__(self, name: str) -> Any:
        self.readings += 1
        raise ZeroDivisionError(name)


def nodes(broken: Broken) -> IndexNodes:
    made = IndexNodes([], 0.0, None)  # type: ignore[arg-type]
    made.nodes = [broken]  # type: ignore[list-item]
    return made


@pytest.mark.parametrize("kind", ["rules", "orders", "baskets", "nodes", "imports"])
async def test_an_unforeseen_error_does_not_end_the_reading(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_metrics, "INTERVAL_S", 0)
    broken = Broken()
    works: dict[str, Any] = {
        "rules": lambda: RuleBook()._follow({"default": broken}, 0),  # type: ignore[dict-item]
        "baskets": lambda: BasketBook({"default": broken}, _model, 1.0, 0.5)._follow(0),  # type: ignore[dict-item]
        "nodes": lambda: nodes(broken).run(),
        "imports": lambda: ImportMetrics(CollectorRegistry())._follow({"default": broken}),  # type: ignore[dict-item]
        "orders": lambda: _follow_orders(broken),
    }
    async with in_background(works[kind](), kind):
        for _ in range(TURNS):
            await asyncio.sleep(0)
    assert broken.readings > 2


async def _model() -> str:
    return "fashion/1"


async def _follow_orders(broken: Broken) -> None:
    first = asyncio.create_task(asyncio.sleep(0))
    await OrderBook()._follow(first, {"default": broken}, 0)  # type: ignore[dict-item]
