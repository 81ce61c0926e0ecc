"""How the outcome of an attack is judged."""

import dataclasses

import httpx
import pytest

from tests.attack.__main__ import Summary
from tests.attack.campaign import Bounds, Outcome
from tests.attack.client import Answers
from tests.attack.memory import Memory, limits_mb
from tests.attack.probe import Probe, percentile


def outcome() -> Outcome:
    answers = Answers()
    answers.add(httpx.Response(422, content=b"x" * 1000))
    probe = Probe(livez_ms=[5.0] * 100, control_ms=[2.0] * 100, search_ms=[20.0] * 100)
    memory = {"gateway": Memory(100, 120), "embedding": Memory(60, 70), "index": Memory(60, 70)}
    return Outcome("test", answers, probe, memory, memory, ())


def problems(changed: Outcome) -> list[str]:
    return list(changed.problems(Bounds()))


def test_an_outcome_within_all_bounds_has_no_problem() -> None:
    assert problems(outcome()) == []


def test_each_broken_bound_is_a_problem() -> None:
    fine = outcome()
    assert "started again: index" in problems(dataclasses.replace(fine, restarted=("index",)))[0]
    too_much = {**fine.after, "gateway": Memory(100, limits_mb()["gateway"] + 1)}
    assert problems(dataclasses.replace(fine, after=too_much)) == ["gateway reached 513 MB of 512"]
    fine.probe.livez_ms.append(250.0)
    assert problems(fine) == ["/livez took 250 ms, the control's health check 2 ms"]
    fine.probe.control_ms.append(130.0)  # the machine was busy
    assert problems(fine) == []


@pytest.mark.parametrize(("status", "size", "words"), [(500, 10, "answered 500"), (422, 20_000, "20,000 bytes")])
def test_server_errors_and_large_errors_are_problems(status: int, size: int, words: str) -> None:
    attacked = outcome()
    attacked.answers.add(httpx.Response(status, content=b"x" * size))
    (problem,) = problems(attacked)
    assert words in problem


def test_honest_requests_that_fail_are_a_problem_from_one_in_a_hundred() -> None:
    attacked = outcome()
    attacked.probe.failed.extend(["/v1/search 429"] * 2)
    assert problems(attacked) == []
    attacked.probe.failed.append("/v1/search 429")
    assert problems(attacked) == ["3 of 200 honest requests failed: /v1/search 429"]


def test_all_attacks_together_are_judged_by_the_times_of_searches_and_by_memory() -> None:
    calm = Probe(search_ms=[10.0] * 100)
    first, last = {"index": Memory(60, 60)}, {"index": Memory(70, 70)}
    assert Summary(calm, [[outcome()], [outcome()]], [first, first]).problems(Bounds()) == []
    assert Summary(calm, [[outcome()], [outcome()]], [first, last]).problems(Bounds()) == [
        "index grew from 60 to 70 MB"
    ]
    slow = outcome()
    slow.probe.search_ms.extend([21.0] * 10)
    (problem,) = Summary(calm, [[slow]], [first]).problems(Bounds())
    assert problem == "the 99th percentile of searches is 21 ms, calm 10 ms"
    assert dict(Summary(calm, [[slow]], [first]).rows())["searches during the attacks, ms"] == "20, 21, 21"


def test_the_percentile_is_one_of_the_values() -> None:
    assert percentile([], 0.99) == 0
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert percentile([float(number) for number in range(200)], 0.5) == 100.0
