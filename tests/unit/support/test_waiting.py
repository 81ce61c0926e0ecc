import pytest

from tests.support import waiting
from tests.support.waiting import eventually


def test_the_first_true_value_is_returned() -> None:
    values = iter([0, "", "here", "later"])
    assert eventually(lambda: next(values)) == "here"


def test_a_wait_without_end_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "WITHIN_S", 0.0)
    with pytest.raises(AssertionError, match="not within 0 s"):
        eventually(lambda: False)
