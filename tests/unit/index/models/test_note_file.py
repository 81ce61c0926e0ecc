"""The note of the models in a file: written as a whole and only when it changes; a failure stops nothing."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.catalogue.store.model_note import ModelNote
from services.index.models.note_file import ModelNoteFile

NOTE = ModelNote(active="fashion/2", candidate="fashion/3", previous="fashion/1")


def test_a_note_is_read_as_it_was_written_into_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert ModelNoteFile(folder, "shop.products").read() is None
    ModelNoteFile(folder, "shop.products").write(NOTE)
    assert ModelNoteFile(folder, "shop.products").read() == NOTE
    assert ModelNoteFile(folder, "other.products").read() is None
    assert [path.name for path in folder.iterdir()] == ["shop.products.models.json"]


def test_without_a_folder_there_is_no_file() -> None:
    file = ModelNoteFile(None, "shop.products")
    file.write(NOTE)
    assert file.read() is None


def test_a_note_is_written_again_only_if_it_has_changed(tmp_path: Path) -> None:
    file = ModelNoteFile(tmp_path, "a/b")
    (path,) = (tmp_path / "a%2Fb.models.json",)
    file.write(NOTE)
    path.unlink()
    file.write(NOTE)
    assert not path.exists()
    file.write(ModelNote(active="fashion/3"))
    assert file.read() == ModelNote(active="fashion/3")


def test_a_note_that_cannot_be_written_is_logged_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = ModelNoteFile(tmp_path / "file" / "folder", "x")
    with capture_logs() as logs:
        file.write(NOTE)
        file.write(NOTE)
    assert [line["event"] for line in logs] == ["model_note_not_written"] * 2


def test_the_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ModelNoteFile(tmp_path, "x")
    file.write(NOTE)

    def fail(source: Path, target: Path) -> Path:
        assert source.name == f"{target.name}.{os.getpid()}.tmp"
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", fail)
    file.write(ModelNote(active="fashion/3"))
    assert file.read() == NOTE


@pytest.mark.parametrize("content", ["{", "[]", '"text"', "\x00"])
def test_a_damaged_file_is_logged_and_is_no_note(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.models.json").write_text(content)
    with capture_logs() as logs:
        assert ModelNoteFile(tmp_path, "x").read() is None
    assert [line["event"] for line in logs] == ["model_note_not_read"]


def test_fields_of_another_kind_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.models.json").write_text('{"active": "fashion/2", "candidate": 7, "more": 1}')
    assert ModelNoteFile(tmp_path, "x").read() == ModelNote(active="fashion/2")
