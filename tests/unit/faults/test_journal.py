"""What the fault run takes for lost: the checks have to fail where something is wrong."""

from dataclasses import replace
from typing import Any

import pytest

from services.catalogue.documents.vectors import stored_vector
from tests.faults.comparison import Held, apart, lost
from tests.faults.journal import Journal
from tests.faults.plan import GONE, Plan, Write, category_of, vector_of


def held(revision: int) -> Held:
    vector = vector_of(revision)
    return Held(revision, category_of(revision), bytes(stored_vector(vector)), vector.tobytes())


def journal(*acknowledged: Write) -> Journal:
    made = Journal()
    for at, write in enumerate(acknowledged, 1):
        made.begin([write])
        made.acknowledge([write], float(at))
    return made


def test_what_was_acknowledged_has_to_be_there() -> None:
    made = journal(Write("a", 1), Write("a", 2), Write("b", 3), Write("b", GONE))
    assert lost(made, {"a": held(2)}) == []
    assert lost(made, {}) == ["a"]
    assert lost(made, {"a": held(1)}) == ["a"]
    assert lost(made, {"a": held(2), "b": held(3)}) == ["b"]
    assert lost(made, {"a": held(2), "c": held(4)}) == ["c"]


@pytest.mark.parametrize("changes", [{"category": 9}, {"stored": b"\x27\x00other"}])
def test_a_revision_has_to_be_whole(changes: dict[str, Any]) -> None:
    spoilt = replace(held(1), **changes)
    assert lost(journal(Write("a", 1)), {"a": spoilt}) == ["a"]


def test_what_was_sent_without_an_answer_may_be_there_or_not_until_something_is_acknowledged() -> None:
    made = journal(Write("a", 1))
    made.begin([Write("a", 2)])
    assert lost(made, {"a": held(1)}) == lost(made, {"a": held(2)}) == []
    assert lost(made, {}) == ["a"]
    made.acknowledge([Write("a", 2)], 9.0)
    assert lost(made, {"a": held(1)}) == ["a"]
    assert made.ended_at("a", 1) == 9.0


def test_an_index_differs_by_a_missing_product_one_too_many_another_category_and_another_vector() -> None:
    shown = {"a": (held(1).category, held(1).vector)}
    assert apart({"a": held(1)}, shown) == []
    assert apart({"a": held(1), "b": held(2)}, shown) == ["b"]
    assert apart({}, shown) == ["a"]
    assert apart({"a": held(1)}, {"a": (held(1).category + 1, held(1).vector)}) == ["a"]
    assert apart({"a": held(1)}, {"a": (held(1).category, held(2).vector)}) == ["a"]


def test_a_seed_brings_the_same_operations_and_kills() -> None:
    def all_of(seed: int) -> tuple[object, object]:
        plan = Plan(seed, operations=2000, products=100, batch=50)
        return list(plan.batches()), plan.kills(30, ("index", "database", "importer"))

    assert all_of(1) == all_of(1)
    assert all_of(1) != all_of(2)
    batches, kills = all_of(1)
    assert sum(map(len, batches)) == 2000  # type: ignore[call-overload]
    assert {kill.kind for kill in kills} == {"index", "database", "importer"}  # type: ignore[attr-defined]
