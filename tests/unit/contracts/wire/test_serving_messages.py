"""TensorFlow Serving's messages are imported without TensorFlow."""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from services.contracts.wire import serving_messages
from services.contracts.wire.serving_messages import _without_tensorflow


def test_an_empty_package_takes_the_place_of_tensorflow_while_messages_are_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with _without_tensorflow():
        placeholder = sys.modules["tensorflow"]
        assert placeholder.__path__
        assert not hasattr(placeholder, "__version__")
    assert "tensorflow" not in sys.modules


def test_the_place_is_free_again_after_a_failed_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with pytest.raises(ImportError, match="broken"), _without_tensorflow():
        raise ImportError("broken")
    assert "tensorflow" not in sys.modules


def test_an_imported_tensorflow_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    tensorflow = ModuleType("tensorflow")
    monkeypatch.setitem(sys.modules, "tensorflow", tensorflow)
    with _without_tensorflow():
        assert sys.modules["tensorflow"] is tensorflow
    assert sys.modules["tensorflow"] is tensorflow


@pytest.mark.parametrize("spec", [None, ModuleSpec("tensorflow", None)], ids=["no module", "no package"])
def test_missing_messages_are_an_error_that_names_them(
    spec: ModuleSpec | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(ImportError, match="TensorFlow's message modules"), _without_tensorflow():
        pass


def test_the_messages_are_there() -> None:
    assert all(hasattr(serving_messages, name) for name in serving_messages.__all__)
