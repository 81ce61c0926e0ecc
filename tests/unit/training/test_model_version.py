from pathlib import Path

import pytest

from training.errors import TrainingError
from training.model_version import ModelVersion


def test_name_and_version_are_the_last_two_parts_of_the_path(tmp_path: Path) -> None:
    version = ModelVersion.of(tmp_path / "fashion" / "12")
    assert (version.name, version.version) == ("fashion", 12)


@pytest.mark.parametrize(
    "path", ["/x/fashion/one", "/x/fashion/0", "/x/fashion/01", "/x/Fash ion/1", "/1", "/x/fashion/-1"]
)
def test_a_path_without_a_name_and_a_version_is_refused(path: str) -> None:
    with pytest.raises(TrainingError, match="must end in a name and a version number"):
        ModelVersion.of(Path(path))


def test_a_version_appears_when_the_block_ends(tmp_path: Path) -> None:
    version = ModelVersion.of(tmp_path / "fashion" / "1")
    with version.written(force=False) as directory:
        (directory / "a").write_text("x")
        assert not version.directory.exists()
    assert [p.name for p in (tmp_path / "fashion").rglob("*")] == ["1", "a"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    version = ModelVersion.of(tmp_path / "fashion" / "1")
    with pytest.raises(OSError, match="full"), version.written(force=False) as directory:
        (directory / "a").write_text("x")
        raise OSError("disk full")
    assert list((tmp_path / "fashion").iterdir()) == []


def test_a_failure_while_replacing_leaves_the_old_version(tmp_path: Path) -> None:
    version = ModelVersion.of(tmp_path / "fashion" / "1")
    version.directory.mkdir(parents=True)
    (version.directory / "old").write_text("old")
    with pytest.raises(KeyboardInterrupt), version.written(force=True):
        raise KeyboardInterrupt
    assert [p.name for p in (tmp_path / "fashion").rglob("*")] == ["1", "old"]


def test_an_existing_version_is_replaced_only_by_force(tmp_path: Path) -> None:
    version = ModelVersion.of(tmp_path / "fashion" / "1")
    version.directory.mkdir(parents=True)
    (version.directory / "old").write_text("old")
    with pytest.raises(TrainingError, match="exists already"):
        version.refuse_to_overwrite(force=False)
    with version.written(force=True) as directory:
        (directory / "new").write_text("new")
    assert [p.name for p in (tmp_path / "fashion").rglob("*")] == ["1", "new"]
