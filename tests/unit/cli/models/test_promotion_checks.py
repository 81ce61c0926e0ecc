"""The checks of a promotion and of a comparison, in their order: what is refused changes and reads nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.catalogue.model_switch.comparison import ModelReport
from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused
from services.cli.models.session import ModelSession
from services.cli.options import GatewayServices

ONE, TWO = "fashion/1", "fashion/2"
STEPS = ("usable", "indexed", "catalogues", "examined", "indexed", "compared", "changed", "searched")


class Session(ModelSession):
    """A session whose steps are noted; the step `trouble` is refused."""

    def __init__(self, note: ModelNote, trouble: str | None = None, chosen: tuple[Any, ...] = ("a",)) -> None:
        super().__init__(GatewayServices(), on_progress=lambda _: None)
        self.steps: list[str] = []
        self.trouble, self.note, self.chosen = trouble, note, chosen
        self.report = ModelReport(ONE, TWO, [], catalogues={"default": [4, 3]})
        parts: Any = self
        parts._database = SimpleNamespace(models=SimpleNamespace(note=self._note))
        parts._change = SimpleNamespace(named=self._named, first=self._first, usable=self._usable, change=self._changed)

    async def _step(self, name: str) -> None:
        self.steps.append(name)
        if name == self.trouble:
            raise ModelSwitchRefused(name)

    async def _note(self) -> ModelNote:
        return self.note

    async def _named(self, name: str) -> str:
        return f"fashion/{name.removeprefix('fashion/')}"

    async def _first(self) -> str:
        return ONE

    async def _usable(self, model: str) -> None:
        await self._step("usable")

    async def _changed(self, change: Any) -> ModelNote:
        await self._step("changed")
        self.note = change(self.note)
        return self.note

    async def _check_catalogues(self) -> None:
        await self._step("catalogues")

    async def _examine(self, serving: str, model: str, queries: int) -> Any:
        assert (serving, model) == (ONE, TWO)
        await self._step("examined")
        return self.report, [*self.chosen]

    def _overlap(self, report: ModelReport, queries: Any) -> Any:
        self.steps.append("compared")
        return "the overlap"

    async def _until_indexed(self, model: str) -> None:
        await self._step("indexed")

    async def _until_searched(self, model: str) -> None:
        await self._step("searched")


PREPARED = ModelNote(candidate=TWO)


async def test_a_promotion_checks_everything_before_it_changes_the_model() -> None:
    session = Session(PREPARED)
    report, note = await session.promote("2", 10, 0.75)
    assert (report is session.report, note, tuple(session.steps)) == (True, ModelNote(TWO, previous=ONE), STEPS)
    assert report.overlap == "the overlap"  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("trouble", ["usable", "indexed", "catalogues", "examined"])
async def test_a_promotion_that_is_refused_changes_nothing(trouble: str) -> None:
    session = Session(PREPARED, trouble)
    with pytest.raises(ModelSwitchRefused, match=trouble):
        await session.promote("2", 10, 0.75)
    assert (session.note, session.steps[-1], "changed" in session.steps) == (PREPARED, trouble, False)


async def test_too_small_a_coverage_changes_nothing() -> None:
    session = Session(PREPARED)
    assert await session.promote("2", 10, 0.76) == (session.report, None)
    assert (session.note, session.steps[-1]) == (PREPARED, "compared")


@pytest.mark.parametrize("note", [ModelNote(), ModelNote(TWO, previous=ONE), ModelNote(ONE, previous=TWO)])
async def test_a_model_that_is_no_candidate_is_refused_at_once(note: ModelNote) -> None:
    session = Session(note)
    with pytest.raises(ModelSwitchRefused):
        await session.promote("2", 10, 0.0)
    assert (session.steps, session.note) == ([], note)


@pytest.mark.parametrize(("queries", "chosen"), [(0, ("a",)), (10, ())])
async def test_without_queries_no_results_are_compared(queries: int, chosen: tuple[Any, ...]) -> None:
    session = Session(PREPARED, chosen=chosen)
    assert (await session.compare(None, queries)).overlap is None
    assert session.steps == ["catalogues", "examined"]


async def test_the_searches_of_a_rollback_are_waited_for() -> None:
    session = Session(ModelNote(TWO, previous=ONE))
    statistics = {"models": [{"model": ONE, "without_vector": 3}]}

    async def stats() -> dict[str, Any]:
        return statistics

    session._stats = stats  # type: ignore[method-assign]
    assert await session.rollback() == (ModelNote(ONE, candidate=TWO), 3)
    assert session.steps == ["changed", "searched"]
    statistics["models"] = []
    session.note = ModelNote(TWO, previous=ONE)
    assert (await session.rollback())[1] == 0
