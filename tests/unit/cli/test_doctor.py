"""The doctor's helpers: the model's facts with and without the embedding service, and what is closed afterwards."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from services.cli import doctor
from services.cli.doctor import MODEL_TIMEOUT_S, examine, model_facts, print_report
from services.cli.imports.run import SHIPPED
from services.contracts.clients import embedding_client
from services.contracts.domain.errors import EmbeddingUnavailable
from services.contracts.wire.embedding import ModelFacts


class Client:
    """Takes the place of the embedding service's client."""

    made: list["Client"]
    trouble: Exception | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.arguments, self.options, self.is_closed = arguments, options, False
        Client.made.append(self)

    async def model(self, name: str | None) -> ModelFacts:
        if self.trouble is not None:
            raise self.trouble
        return SHIPPED.model_copy(update={"model": name or "fashion/9"})

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> type[Client]:
    Client.made, Client.trouble = [], None
    monkeypatch.setattr(embedding_client, "EmbeddingClient", Client)
    return Client


def facts_of(promoted: str | None) -> ModelFacts:
    return asyncio.run(model_facts("http://e:1", promoted, "t0ken"))


@pytest.mark.parametrize(("promoted", "model"), [(None, "fashion/9"), ("fashion/2", "fashion/2")])
def test_the_facts_are_those_of_the_model_that_searches_use(promoted: str | None, model: str) -> None:
    assert facts_of(promoted).model == model
    (client,) = Client.made
    assert (client.arguments, client.options) == (("http://e:1", MODEL_TIMEOUT_S), {"token": "t0ken"})
    assert client.is_closed


@pytest.mark.parametrize(("promoted", "model"), [(None, None), ("fashion/2", "fashion/2")])
def test_without_the_embedding_service_the_shipped_categories_count(
    promoted: str | None, model: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    Client.trouble = EmbeddingUnavailable("refused")
    facts = facts_of(promoted)
    assert (facts.categories, facts.model) == (SHIPPED.categories, SHIPPED.model if model is None else model)
    assert ("the embedding service is unavailable" in capsys.readouterr().err) == (promoted is None)
    assert Client.made[0].is_closed


class Fetcher:
    is_closed = False

    async def close(self) -> None:
        self.is_closed = True


def store_of(*pages: list[Any], error: Exception | None = None) -> Any:
    sizes: list[int] = []

    async def scan(size: int) -> AsyncIterator[list[Any]]:
        sizes.append(size)
        for page in pages:
            yield page
        if error is not None:
            raise error

    return SimpleNamespace(products=SimpleNamespace(scan=scan), sizes=sizes)


def test_after_an_examination_the_fetcher_is_closed() -> None:
    for trouble in (None, ZeroDivisionError()):
        fetcher, store = Fetcher(), store_of([], error=trouble)
        if trouble is None:
            report = asyncio.run(examine(store, SHIPPED, fetcher, 5))  # type: ignore[arg-type]
            assert report.products == 0
        else:
            with pytest.raises(ZeroDivisionError):
                asyncio.run(examine(store, SHIPPED, fetcher, 5))  # type: ignore[arg-type]
        assert fetcher.is_closed
        assert store.sizes == [doctor.URL_BATCH]


def test_without_urls_more_products_are_read_at_once() -> None:
    store = store_of([])
    asyncio.run(examine(store, SHIPPED, None, 5))
    assert store.sizes == [doctor.SCAN_BATCH]


def test_a_report_is_a_line_for_each_problem_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    findings = {
        "broken": SimpleNamespace(count=1200, examples=["a: [x]", "b"]),
        "duplicates": SimpleNamespace(count=0, examples=[]),
    }
    report: Any = SimpleNamespace(
        products=1500, model=None, urls_checked=7, urls_unchecked=1, findings=findings, categories={}
    )
    print_report(report)
    printed = capsys.readouterr().out
    assert printed.startswith("1,500 products, model unknown\n7 URLs checked, 1 are paths\n")
    assert "1,200" in printed
    assert "a: [x]" in printed
