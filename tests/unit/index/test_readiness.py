"""Whether the index can be searched, and the reasons why it may be behind its database."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.index import app
from services.index.app import readiness


def catalogue(name: str, *, stale: bool, error: str | None = None, state: str = "following", lag_s: float = 0.0) -> Any:
    status = SimpleNamespace(stale=stale, last_error=error, state=state, lag_seconds=lag_s)
    return SimpleNamespace(
        follower=SimpleNamespace(status=lambda: status), with_name=lambda text: f"{name}: {text}" if name else text
    )


def models(*catalogues: Any, is_complete: bool = True, problems: dict[str, str] | None = None) -> Any:
    active = SimpleNamespace(
        is_complete=is_complete,
        not_ready_reason="the products are being read",
        catalogues=dict(enumerate(catalogues)),
    )
    return SimpleNamespace(active=active, problems=problems or {})


async def reasons(monkeypatch: pytest.MonkeyPatch, index: Any) -> tuple[bool, tuple[str, ...]]:
    monkeypatch.setattr(app, "index_state", lambda _: SimpleNamespace(models=index))
    result = await readiness(SimpleNamespace())  # type: ignore[arg-type]
    return result.ready, result.reasons


async def test_before_the_first_load_it_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    index = models(catalogue("", stale=True), is_complete=False, problems={"fashion/2": "no manifest"})
    assert await reasons(monkeypatch, index) == (
        False,
        ("the products are being read", "fashion/2 cannot be indexed: no manifest"),
    )


async def test_an_index_that_follows_is_ready_without_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await reasons(monkeypatch, models(catalogue("", stale=False))) == (True, ())


async def test_an_index_that_is_behind_is_ready_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    index = models(
        catalogue("a", stale=True, error="MongoDB is unavailable"),
        catalogue("b", stale=True, lag_s=2.34),
        catalogue("c", stale=True, state="polling", lag_s=2.34),
        catalogue("d", stale=False, error="an old error"),
        problems={"fashion/2": "no manifest"},
    )
    begin = "the index may be behind the database:"
    assert await reasons(monkeypatch, index) == (
        True,
        (
            f"a: {begin} MongoDB is unavailable",
            f"b: {begin} changes of the last 2.3 s are not applied yet",
            f"c: {begin} polling",
            "fashion/2 cannot be indexed: no manifest",
        ),
    )
