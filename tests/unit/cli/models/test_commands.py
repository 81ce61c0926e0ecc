"""The commands on models: what they print and the status they end with."""

from collections import Counter
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from services.catalogue.model_switch.comparison import ModelReport, Overlap
from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused
from services.cli.gateway_client import GatewayError
from services.cli.main import app
from services.cli.models import session as module
from services.contracts.domain.errors import CatalogueUnavailable

REPORT = ModelReport(
    "fashion/1",
    "fashion/2",
    ["Topwear", "Shoes"],
    products=2000,
    covered=1999,
    missing=["x"],
    counts=[[1500, 1490], [500, 509]],
    moves=Counter({(0, 1): 12}),
    overlap=Overlap(200, 10, 0.8765, 20, 1),
    catalogues={"default": [2000, 1999]},
)
REPORT.examples[0, 1] = ["a", "b"]
NOTE = ModelNote(active="fashion/2", previous="fashion/1")

WRITING = "writing to 127.0.0.1:27017, database lookalike\n"


class FakeSession:
    """A session with fixed results, or a failure; notes the arguments."""

    results: dict[str, Any]
    arguments: tuple[Any, ...]
    steps: list[tuple[Any, ...]]

    def __init__(self, *arguments: Any, on_progress: Any) -> None:
        FakeSession.arguments = arguments

    async def __aenter__(self) -> "FakeSession":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.steps.append(("closed",))

    def __getattr__(self, name: str) -> Any:
        async def step(*arguments: Any) -> Any:
            self.steps.append((name, *arguments))
            if isinstance(self.results[name], Exception):
                raise self.results[name]
            return self.results[name]

        return step


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> type[FakeSession]:
    FakeSession.results, FakeSession.steps = {}, []
    monkeypatch.setattr(module, "ModelSession", FakeSession)
    return FakeSession


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, arguments, env=environment)


def test_models_are_a_table(session: type[FakeSession]) -> None:
    models = [
        {"model": "fashion/1", "role": "active", "products": 1234, "without_vector": 0, "problem": None},
        {"model": "fashion/2", "role": None, "products": None, "without_vector": None, "problem": "it does not load"},
    ]
    facts = {"active": "fashion/1", "first": "fashion/2", "promoted": True, "searched": "fashion/2"}
    session.results["overview"] = {**facts, "models": models}
    result = run("models")
    assert result.exit_code == 0
    assert "active: fashion/1, promoted; the settings name fashion/2" in result.stdout
    assert "searches still use fashion/2: the index is not ready to switch" in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["fashion/1", "active", "1,234", "0"] in lines
    assert ["fashion/2", "it", "does", "not", "load"] in lines
    assert orjson.loads(run("models", "--json").stdout) == session.results["overview"]


def test_a_comparison_is_printed_with_the_next_command(session: type[FakeSession]) -> None:
    session.results["compare"] = REPORT
    result = run("compare-models", "--queries", "50", "--wait", "5", "--unversioned-model", "fashion/7")
    assert session.steps == [("compare", None, 50), ("closed",)]
    assert session.arguments[2:] == (5.0, "fashion/7")
    for text in (
        "fashion/2 in place of fashion/1",
        "1,999 (99.9 %)",
        "the 10 results of 200 products: share in common",
        "87.6 %",
        "without a vector: x\n",
        "Topwear → Shoes: 12 (a, b and 10 more)",
        "next: lookalike promote 2",
    ):
        assert text in result.stdout


def test_a_promotion_is_printed_with_the_way_back(session: type[FakeSession]) -> None:
    session.results["promote"] = (REPORT, NOTE)
    result = run("promote", "2", "--min-coverage", "0.9")
    assert (result.exit_code, session.steps[0]) == (0, ("promote", "2", 200, 0.9))
    assert "searches use fashion/2 now; lookalike rollback goes back to fashion/1" in result.stdout
    assert orjson.loads(run("promote", "2", "--json").stdout)["promoted"] is True


def test_a_dry_run_of_a_promotion_only_compares(session: type[FakeSession]) -> None:
    session.results["compare"] = REPORT
    result = run("promote", "2", "--dry-run")
    assert (result.exit_code, session.steps[0]) == (0, ("compare", "2", 200))
    assert "promoted" not in orjson.loads(run("promote", "2", "--dry-run", "--json").stdout)


def test_too_small_a_coverage_ends_with_status_3_and_says_what_to_do(session: type[FakeSession]) -> None:
    session.results["promote"] = (REPORT, None)
    result = run("promote", "2")
    assert result.exit_code == 3
    assert result.stderr == WRITING + (
        "lookalike: 1 of 2,000 products have no vector of fashion/2: run lookalike reembed --model 2 again, or accept "
        "that searches do not find these products with --min-coverage 0.9995\n"
    )
    assert orjson.loads(run("promote", "2", "--json").stdout)["promoted"] is False


def test_too_small_a_coverage_names_the_catalogues(session: type[FakeSession]) -> None:
    report = ModelReport("fashion/1", "fashion/2", [], products=5, covered=4)
    report.catalogues = {"default": [3, 3], "shoes": [2, 1]}
    session.results["promote"] = (report, None)
    assert "have no vector of fashion/2 (1 of shoes): run" in run("promote", "2").stderr


def test_a_rollback_names_the_products_that_searches_do_not_find(session: type[FakeSession]) -> None:
    session.results["rollback"] = (ModelNote(active="fashion/1", candidate="fashion/2"), 3)
    result = run("rollback")
    assert "searches use fashion/1 again; lookalike promote 2 goes back to fashion/2\n" in result.stdout
    assert "3 products have no vector of it; searches do not find them until you run lookalike reembed --model 1" in (
        result.stdout
    )
    document = {"active": "fashion/1", "candidate": "fashion/2", "without_vector": 3}
    assert orjson.loads(run("rollback", "--json").stdout) == document


def test_a_forgotten_model_is_printed(session: type[FakeSession]) -> None:
    session.results["forget"] = ("fashion/2", 1200, 0)
    assert run("forget-model", "2").stdout == ("fashion/2 is forgotten: its vectors are removed from 1,200 products\n")
    session.results["forget"] = ("fashion/2", 1200, 4)
    assert "4 products have no vector of another model" in run("forget-model", "2").stdout
    document = {"model": "fashion/2", "changed": 1200, "unsearchable": 4}
    assert orjson.loads(run("forget-model", "2", "--json").stdout) == document


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ModelSwitchRefused("not prepared"), 1),
        (GatewayError("not prepared"), 1),
        (CatalogueUnavailable("not prepared"), 1),
        (ValueError("not prepared"), 2),
    ],
)
def test_an_error_is_one_sentence(session: type[FakeSession], error: Exception, status: int) -> None:
    session.results["rollback"] = error
    result = run("rollback")
    assert (result.exit_code, result.stderr, result.stdout) == (status, WRITING + "lookalike: not prepared\n", "")
    assert session.steps[-1] == ("closed",)


def test_the_installation_s_catalogues_are_the_session_s(session: type[FakeSession]) -> None:
    session.results["forget"] = ("fashion/2", 0, 0)
    run("forget-model", "2", "--gateway", "http://g.test", CATALOGUES="shoes", MONGO_DATABASE="shop")
    services, catalogues, *_ = session.arguments
    assert (services.gateway, services.mongo_database, catalogues) == ("http://g.test", "shop", ("default", "shoes"))
