"""The entry point of the index service checks the settings and starts the server, here replaced by a recorder."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI

from services.contracts.web.run import Service
from services.index import __main__ as entry
from services.index.settings import IndexSettings
from tests.support.servers.index import write_model

Checked = Callable[[IndexSettings], FastAPI]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Checked:
    """Run `main`; return the function that makes the app of settings."""
    services: list[Service[IndexSettings]] = []
    intervals: list[float] = []
    monkeypatch.setattr(entry, "run_service", services.append)
    monkeypatch.setattr(sys, "setswitchinterval", intervals.append)
    entry.main()
    (service,) = services
    assert (service.name, service.settings_type) == ("index", IndexSettings)
    assert intervals == [0.0005]
    return service.create_app


def test_the_app_is_made_of_valid_settings(checked: Checked, tmp_path: Path) -> None:
    settings = IndexSettings(model_dir=write_model(tmp_path / "1"), categories=("Shoes", "2"))
    assert isinstance(checked(settings), FastAPI)


def test_an_unknown_category_ends_the_process(checked: Checked, tmp_path: Path) -> None:
    settings = IndexSettings(model_dir=write_model(tmp_path / "1"), categories=("Hats",))
    with pytest.raises(SystemExit):
        checked(settings)
