"""Native libraries start no threads of their own, unless the environment says so."""

import os
import runpy
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"
SET = [
    ("engine/flat_search.py", "OMP_NUM_THREADS", "1"),
    ("index/__main__.py", "OMP_NUM_THREADS", "1"),
    ("index/__main__.py", "OPENBLAS_NUM_THREADS", "1"),
    ("embedding/vision/decode_worker.py", "OPENBLAS_NUM_THREADS", "1"),
    ("embedding/__init__.py", "GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener"),
]


@pytest.mark.parametrize(("module", "name", "value"), SET)
def test_a_module_sets_what_its_library_reads_before_it_is_imported(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, value: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    runpy.run_path(str(SERVICES / module), run_name="imported")
    assert os.environ[name] == value
    monkeypatch.setenv(name, "set by the operator")
    runpy.run_path(str(SERVICES / module), run_name="imported")
    assert os.environ[name] == "set by the operator"
