"""A change of models: what it says on the way, how long it waits, and how results are compared. Services are fakes."""

from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused
from services.catalogue.store.models import Retired
from services.cli.models import session as module
from services.cli.models.session import ModelSession
from services.cli.options import GatewayServices

ONE, TWO = "fashion/1", "fashion/2"


class Gateway:
    """Statistics that come one after the other, the last one again and again; results by product and model."""

    def __init__(self, *stats: dict[str, Any], results: dict[tuple[str, str], list[str]] | None = None) -> None:
        self.waiting = [*stats]
        self.results = results or {}
        self.asked: list[Any] = []

    def stats(self, name: str) -> dict[str, Any]:
        self.asked.append(name)
        return self.waiting.pop(0) if len(self.waiting) > 1 else self.waiting[0]

    def similar(self, key: str, model: str, k: int, catalogue: str) -> list[str]:
        self.asked.append((key, model, k, catalogue))
        return self.results[key, model]


def opened(
    gateway: Any, said: list[str] | None = None, wait_s: float = 60.0, catalogues: tuple[str, ...] = ("default",)
) -> Any:
    """Return a session with this gateway and no other service."""
    said = [] if said is None else said
    session: Any = ModelSession(GatewayServices(), catalogues, wait_s, on_progress=said.append)
    session._gateway = gateway
    return session


def indexed(lag_s: float | None, *, complete: bool = True, searched: str = ONE) -> dict[str, Any]:
    entry = {"model": TWO, "lag_seconds": lag_s, "complete": complete, "without_vector": 3}
    return {"model": searched, "models": [{"model": ONE, "lag_seconds": 0.0, "complete": True}, entry]}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Let the session's clock show these times, the last one again and again."""

    def show(*times: float) -> None:
        waiting = [*times]
        now = SimpleNamespace(monotonic=lambda: waiting.pop(0) if len(waiting) > 1 else waiting[0])
        monkeypatch.setattr(module, "time", now)

    monkeypatch.setattr(module, "POLL_S", 0.0)
    yield show


@pytest.mark.parametrize(
    ("first", "waits"),
    [
        (indexed(4.9), 0),
        (indexed(5.0), 1),
        (indexed(5.1), 1),
        (indexed(None), 1),
        (indexed(0.0, complete=False), 1),
        ({"model": ONE, "models": []}, 1),
    ],
)
async def test_the_index_holds_what_was_written_before_the_wait(
    first: dict[str, Any], waits: int, clock: Callable[..., None]
) -> None:
    clock(100.0, 105.0)
    said: list[str] = []
    await opened(Gateway(first, indexed(0.0)), said)._until_indexed(TWO)
    assert said == [f"waiting for the index to hold {TWO}"] * waits


@pytest.mark.parametrize(
    ("stats", "words"),
    [
        (indexed(100.0), "the index is behind the database for fashion/2 after 5 s: see its log"),
        ({"model": ONE, "models": []}, "the index does not hold fashion/2 after 5 s: see its log"),
    ],
)
async def test_an_index_is_waited_for_up_to_the_limit(
    stats: dict[str, Any], words: str, clock: Callable[..., None]
) -> None:
    clock(100.0, 104.0, 105.0, 105.1)
    said: list[str] = []
    with pytest.raises(ModelSwitchRefused, match=f"^{words}$"):
        await opened(Gateway(stats), said, 5.0)._until_indexed(TWO)
    assert len(said) == 2


async def test_searches_are_waited_for_up_to_the_limit(clock: Callable[..., None]) -> None:
    said: list[str] = []
    clock(100.0, 101.0)
    await opened(Gateway(indexed(0.0), indexed(0.0, searched=TWO)), said)._until_searched(TWO)
    assert said == [f"waiting for searches to use {TWO}"]
    clock(100.0, 104.0, 105.0, 105.1)
    with pytest.raises(ModelSwitchRefused, match=r"still use fashion/1 after 5 s: see .* lookalike rollback \(1\)$"):
        await opened(Gateway(indexed(0.0)), said, 5.0)._until_searched(TWO)
    assert len(said) == 3


@pytest.mark.parametrize(("catalogues", "name"), [(("default",), "default"), (("default", "shoes"), "all")])
async def test_the_statistics_are_those_of_all_catalogues(catalogues: tuple[str, ...], name: str) -> None:
    gateway = Gateway(indexed(0.0))
    entry = await opened(gateway, catalogues=catalogues)._indexed(TWO)
    assert (gateway.asked, entry["without_vector"]) == ([name], 3)
    assert await opened(gateway)._indexed("fashion/3") is None


def test_results_in_common_are_a_share_of_the_longer_list() -> None:
    lists = {"a": (["x", "y"], ["y", "x"]), "b": (["x", "y", "z", "w"], ["x"]), "c": (["x"], []), "d": ([], [])}
    results = {
        (key, model): found for key, both in lists.items() for model, found in zip((ONE, TWO), both, strict=True)
    }
    gateway, said = Gateway({}, results=results), list[str]()
    report: Any = SimpleNamespace(serving=ONE, model=TWO)
    overlap = opened(gateway, said)._overlap(report, [("shoes", key) for key in lists])
    assert (overlap.queries, overlap.results, overlap.mean) == (3, 10, round((1 + 0.25 + 0) / 3, 4))
    assert (overlap.same, overlap.none) == (1, 1)
    assert gateway.asked[:2] == [("a", ONE, 10, "shoes"), ("a", TWO, 10, "shoes")]
    assert said == [f"comparing results: {number} of 4 queries" for number in (1, 2, 3, 4)]


async def test_a_removal_of_vectors_says_how_far_it_is() -> None:
    async def retire(*_: str) -> AsyncIterator[Retired]:
        yield Retired(1000, 4, 1)
        yield Retired(5, 2, 3)

    async def named(name: str) -> str:
        return f"fashion/{name}"

    async def first() -> str:
        return ONE

    async def change(step: Callable[[ModelNote], ModelNote]) -> ModelNote:
        return step(ModelNote(candidate=TWO))

    said: list[str] = []
    session = opened(None, said, catalogues=("default", "shoes"))
    session._change = SimpleNamespace(named=named, first=first, change=change)
    session._database = SimpleNamespace(of=lambda _: SimpleNamespace(models=SimpleNamespace(retire=retire)))
    assert await session.forget("2") == (TWO, 12, 8)
    assert said == [
        f"removing vectors: {documents} documents, {changed} changed"
        for documents, changed in (("1,000", 4), ("1,005", 6), ("2,005", 10), ("2,010", 12))
    ]


@pytest.mark.parametrize(("gateway", "address"), [("http://g:8", "http://g:8"), (None, "http://127.0.0.1:8123")])
async def test_a_session_opens_the_services_of_the_options(
    gateway: str | None, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, Any] = {}

    class Service:
        models = "the models"

        def __init__(self, *arguments: Any, **options: Any) -> None:
            made[type(self).__name__] = (arguments, options)

        def __enter__(self) -> "Service":
            return self

        def __exit__(self, *_: object) -> None:
            made["closed"] = [*made.get("closed", []), type(self).__name__]

        async def __aenter__(self) -> "Service":
            return self

        async def __aexit__(self, *_: object) -> None:
            self.__exit__()

        async def close(self) -> None:
            self.__exit__()

    names = ("GatewayClient", "EmbeddingClient", "CatalogueDatabase")
    for name in names:
        monkeypatch.setattr(module, name, type(name, (Service,), {}))
    monkeypatch.setenv("GATEWAY_PORT", "8123")
    services = GatewayServices("mongodb://m:1", "shop", "http://e:2", "t0ken", gateway, "lk_1")
    async with ModelSession(services, on_progress=print):
        assert "closed" not in made
    assert made["GatewayClient"] == ((address, "lk_1"), {})
    assert (made["EmbeddingClient"][0][0], made["EmbeddingClient"][1]) == ("http://e:2", {"token": "t0ken"})
    assert made["CatalogueDatabase"] == (("mongodb://m:1", "shop"), {})
    assert made["closed"] == [*reversed(names)]
