"""The steps of a change of models, against services in memory."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import httpx
import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.catalogue.model_switch.switch import ModelSwitch
from services.catalogue.product import ProductEmbedding
from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused
from services.catalogue.store.models import Retired
from services.cli.models import session as module
from services.cli.models.session import ModelSession
from services.cli.options import GatewayServices
from services.contracts.wire.embedding import ListedModel, ModelFacts
from tests.support.values.products import embedding, make_product

CATEGORIES = ["Topwear", "Shoes"]
FIRST, SECOND, THIRD = "fashion/1", "fashion/2", "fashion/3"


def record(key: str, *models: str, category: int = 0) -> Record:
    """Return a product with a vector of each model; the first model is its own."""
    vector = np.full(4, 0.5, np.float32)
    others: dict[str | None, ProductEmbedding] = {model: embedding(vector) for model in models[1:]}
    return Record(key, make_product(key, category, vector, models[0], embeddings=others))


class Models:
    """The note of the models, and the documents that `retire` changes."""

    def __init__(self, note: ModelNote) -> None:
        self.current = note
        self.retired: list[tuple[str, str]] = []

    async def note(self) -> ModelNote:
        return self.current

    async def replace_note(self, old: ModelNote, new: ModelNote) -> bool:
        assert old == self.current
        self.current = new
        return True

    async def retire(self, model: str, serving: str) -> AsyncIterator[Retired]:
        self.retired.append((model, serving))
        yield Retired(10, 4, 1)
        yield Retired(5, 2, 0)


class Database:
    """The products of every catalogue."""

    def __init__(self, note: ModelNote, catalogues: dict[str, list[Record]]) -> None:
        self.models = Models(note)
        self.catalogues = catalogues
        self.records: list[Record] = []

    def of(self, name: str) -> "Database":
        part = Database(self.models.current, self.catalogues)
        part.models, part.records = self.models, self.catalogues[name]
        return part

    @property
    def products(self) -> "Database":
        return self

    async def scan(self, batch: int) -> AsyncIterator[list[Record]]:
        yield self.records


class Embedding:
    """Three models, one of which has a problem."""

    problems: dict[str, str | None] = {FIRST: None, SECOND: None, THIRD: "it does not load"}  # noqa: RUF012

    async def models(self) -> list[ListedModel]:
        return [
            ListedModel(model=name, first=name == FIRST, problem=problem) for name, problem in self.problems.items()
        ]

    async def model(self, name: str) -> ModelFacts:
        return ModelFacts(model=name, categories=CATEGORIES, dimension=4, input={}, thresholds={})


class Gateway:
    """The gateway's statistics, which follow the note after some calls, and its results."""

    def __init__(self, models: Models, names: Sequence[str] = ("default",)) -> None:
        self.note = models
        self.names = tuple(names)
        self.searched = FIRST
        self.lag_s = 0.0
        self.incomplete_calls = 0
        self.stale_calls = 0
        self.calls: list[str] = []
        self.changes: dict[str, dict[str, Any]] = {}  # of the statistics of a model
        self.results: dict[str, list[str]] = {FIRST: ["a", "b"], SECOND: ["a", "c"]}

    def catalogues(self) -> tuple[str, ...]:
        return self.names

    def stats(self, name: str) -> dict[str, Any]:
        self.calls.append(name)
        if self.stale_calls:
            self.stale_calls -= 1
        else:
            self.searched = self.note.current.serving(FIRST)
        complete = self.incomplete_calls == 0
        self.incomplete_calls -= not complete
        entry = {"products": 2, "lag_seconds": self.lag_s, "complete": complete}
        models = [{"model": name, "without_vector": count, **entry} for name, count in ((FIRST, 7), (SECOND, 9))]
        return {
            "model": self.searched,
            "models": [entry | self.changes.get(str(entry["model"]), {}) for entry in models],
        }

    def similar(self, key: str, model: str, k: int, catalogue: str) -> list[str]:
        self.calls.append(f"{catalogue}/{key} {model} {k}")
        return self.results[model]


PREPARED = ModelNote(candidate=SECOND)


def opened(note: ModelNote = PREPARED, wait_s: float = 60.0, **catalogues: list[Record]) -> tuple[ModelSession, Any]:
    """Return a session whose services are in memory, and its parts."""
    products = catalogues or {"default": [record("a", FIRST, SECOND), record("b", FIRST, SECOND)]}
    parts: Any = ModelSession(GatewayServices(), tuple(products), wait_s, on_progress=lambda _: None)
    parts._database = Database(note, products)
    parts._embedding = Embedding()
    parts._change = ModelSwitch(cast(Any, parts._database.models), cast(Any, parts._embedding))
    parts._gateway = Gateway(parts._database.models, tuple(products))
    return cast(ModelSession, parts), parts


@pytest.fixture(autouse=True)
def short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.001)


async def test_the_overview_has_every_model_with_its_role_its_products_and_its_problem() -> None:
    session, _ = opened()
    overview = await session.overview()
    assert {name: overview[name] for name in ("active", "first", "promoted", "searched")} == {
        "active": FIRST,
        "first": FIRST,
        "promoted": False,
        "searched": FIRST,
    }
    rows = [(row["model"], row["role"], row["products"], row["complete"], row["problem"]) for row in overview["models"]]
    assert rows == [
        (FIRST, "active", 2, True, None),
        (SECOND, "candidate", 2, True, None),
        (THIRD, None, None, False, "it does not load"),
    ]


async def test_a_noted_model_that_is_not_served_is_listed_with_a_problem() -> None:
    session, _ = opened(ModelNote(active="fashion/9", previous=FIRST))
    rows = {row["model"]: row for row in (await session.overview())["models"]}
    assert rows["fashion/9"]["role"] == "active"
    assert rows["fashion/9"]["problem"] == "the embedding service has no such model"
    assert rows[FIRST]["role"] == "previous"


async def test_a_comparison_has_coverage_and_the_share_of_results_in_common() -> None:
    session, parts = opened()
    report = await session.compare(None, 200)
    assert (report.serving, report.model, report.products, report.covered) == (FIRST, SECOND, 2, 2)
    assert report.overlap is not None
    assert (report.overlap.queries, report.overlap.results, report.overlap.mean) == (2, 10, 0.5)
    assert {call for call in parts._gateway.calls if "/a " in call} == {
        f"default/a {FIRST} 10",
        f"default/a {SECOND} 10",
    }
    assert parts._database.models.current == PREPARED


async def test_a_comparison_without_queries_compares_no_results() -> None:
    session, parts = opened()
    assert (await session.compare("2", 0)).overlap is None
    assert parts._gateway.calls == []


@pytest.mark.parametrize(
    ("note", "name", "message"),
    [
        (ModelNote(), None, "there is no candidate to compare with"),
        (ModelNote(), "2", "has not been prepared"),
        (PREPARED, "1", "fashion/1 is the active model: compare it with another one"),
        (PREPARED, "x/y/z", "x/y/z"),
    ],
)
async def test_a_model_that_cannot_be_compared_is_refused(note: ModelNote, name: str | None, message: str) -> None:
    session, _ = opened(note)
    with pytest.raises(ModelSwitchRefused, match=message):
        await session.compare(name, 0)


async def test_a_promotion_waits_until_the_index_holds_the_model_and_searches_use_it() -> None:
    session, parts = opened()
    parts._gateway.incomplete_calls, parts._gateway.stale_calls = 2, 5
    report, note = await session.promote("2", 0, 1.0)
    assert report.coverage == 1.0
    assert note == parts._database.models.current == ModelNote(active=SECOND, previous=FIRST)
    assert parts._gateway.searched == SECOND


async def test_too_small_a_coverage_changes_nothing() -> None:
    session, parts = opened(default=[record("a", FIRST, SECOND), record("b", FIRST)])
    report, note = await session.promote("2", 0, 0.6)
    assert (report.coverage, report.missing, note) == (0.5, ["b"], None)
    assert parts._database.models.current == PREPARED
    assert (await session.promote("2", 0, 0.5))[1] == ModelNote(active=SECOND, previous=FIRST)


async def test_an_index_that_is_behind_is_refused_after_the_wait() -> None:
    session, parts = opened(wait_s=0.01)
    parts._gateway.lag_s = 1e9
    with pytest.raises(ModelSwitchRefused, match=r"the index is behind the database for fashion/2 after 0\.01 s"):
        await session.promote("2", 0, 1.0)
    assert parts._database.models.current == PREPARED


@pytest.mark.parametrize("change", [{"complete": False}, {"lag_seconds": 1e9}, {"lag_seconds": None}])
async def test_a_promotion_waits_for_the_entry_of_its_own_model_in_the_statistics(change: dict[str, Any]) -> None:
    session, parts = opened(wait_s=0.01)
    parts._gateway.changes = {SECOND: change}
    with pytest.raises(ModelSwitchRefused, match="the index is behind the database for fashion/2"):
        await session.promote("2", 0, 1.0)
    parts._gateway.changes = {FIRST: change}
    assert (await session.promote("2", 0, 1.0))[1] == ModelNote(active=SECOND, previous=FIRST)


async def test_searches_that_do_not_switch_in_time_are_an_error_but_the_change_stays() -> None:
    session, parts = opened(ModelNote(active=SECOND, previous=FIRST), wait_s=0.01)
    parts._gateway.searched, parts._gateway.stale_calls = SECOND, 10**6
    with pytest.raises(ModelSwitchRefused, match="searches still use fashion/2 after"):
        await session.rollback()
    assert parts._database.models.current == ModelNote(active=FIRST, candidate=SECOND)


async def test_a_rollback_returns_the_products_without_a_vector() -> None:
    session, _ = opened(ModelNote(active=SECOND, previous=FIRST))
    assert await session.rollback() == (ModelNote(active=FIRST, candidate=SECOND), 7)


async def test_a_forgotten_model_s_vectors_are_removed_from_every_catalogue() -> None:
    session, parts = opened(default=[], shoes=[])
    assert await session.forget("2") == (SECOND, 12, 2)
    assert parts._database.models.retired == [(SECOND, FIRST)] * 2
    assert parts._database.models.current == ModelNote()


async def test_several_catalogues_are_examined_together() -> None:
    session, parts = opened(default=[record("a", FIRST, SECOND)], shoes=[record("b", FIRST)])
    report = await session.compare("2", 5)
    assert report.catalogues == {"default": [1, 1], "shoes": [1, 0]}
    assert "all" in parts._gateway.calls


@pytest.mark.parametrize("names", [("default", "shoes", "hats"), ("default",)])
async def test_a_gateway_with_other_catalogues_is_refused(names: tuple[str, ...]) -> None:
    session, parts = opened(default=[], shoes=[])
    parts._gateway.names = names
    with pytest.raises(ModelSwitchRefused, match="but CATALOGUES names default, shoes here"):
        await session.compare("2", 0)


async def test_the_clients_are_closed_at_the_end() -> None:
    session = ModelSession(GatewayServices(gateway="http://gateway.test"), on_progress=lambda _: None)
    async with session:
        http = cast(Any, session)._gateway._http
        assert isinstance(http, httpx.Client) and not http.is_closed
    assert http.is_closed


async def test_an_address_that_is_not_valid_leaves_no_client_open(monkeypatch: pytest.MonkeyPatch) -> None:
    clients: list[httpx.Client] = []
    original = httpx.Client.__init__

    def remember(self: httpx.Client, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        clients.append(self)

    monkeypatch.setattr(httpx.Client, "__init__", remember)
    session = ModelSession(
        GatewayServices(embedding_url="nonsense", gateway="http://gateway.test"), on_progress=lambda _: None
    )
    with pytest.raises(ValueError, match="nonsense"):
        await session.__aenter__()
    assert [client.is_closed for client in clients] == [True]
