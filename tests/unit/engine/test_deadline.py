"""The deadline of a search, by a clock of the test."""

import time

import pytest

from services.contracts.domain.errors import UpstreamTimeout
from services.engine.deadline import NO_DEADLINE, Deadline


@pytest.mark.parametrize(
    ("now", "remaining", "is_over"), [(8.0, 2.0, False), (9.75, 0.25, False), (10.0, 0.0, True), (12.0, 0.0, True)]
)
def test_a_deadline_is_over_at_its_time(now: float, remaining: float, is_over: bool) -> None:
    deadline = Deadline(at=10.0, seconds=1.5, clock=lambda: now)
    assert deadline.remaining_s == remaining
    if is_over:
        with pytest.raises(UpstreamTimeout, match=r"the search took longer than 1\.5 s: use a filter of fewer"):
            deadline.check()
    else:
        deadline.check()


def test_without_a_deadline_there_is_always_time() -> None:
    assert NO_DEADLINE.remaining_s is None
    NO_DEADLINE.check()


def test_a_deadline_begins_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    deadline = Deadline.after(2.5)
    assert (deadline.at, deadline.seconds) == (102.5, 2.5)
