"""What the demo says when it cannot begin."""

from pathlib import Path

import pytest

from services.cli.demo import DemoError, prepare
from services.local.settings import StackSettings


def test_a_sample_folder_with_other_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "notes.txt").write_text("mine")
    with pytest.raises(DemoError, match=r"sample contains other files \(notes\.txt, …\): give an empty"):
        prepare(StackSettings(state_dir=tmp_path), None)


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"no-such\.zip"):
        prepare(StackSettings(state_dir=tmp_path), tmp_path / "no-such.zip")
