"""The index process refuses settings that are wrong, in one line."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.servers.index import write_model
from tests.support.waiting import WITHIN_S


def test_an_unknown_category_in_the_settings_ends_the_process_with_one_line(tmp_path: Path) -> None:
    environment = {**os.environ, "INDEX_MODEL_DIR": str(write_model(tmp_path / "1")), "INDEX_CATEGORIES": "Shoes,Hats"}
    command = [sys.executable, "-m", "services.index"]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WITHIN_S)
    assert process.returncode != 0
    assert process.stderr.startswith(
        "lookalike index: setting INDEX_CATEGORIES: there is no category 'Hats': use one of"
    )
    assert len(process.stderr.splitlines()) == 1
