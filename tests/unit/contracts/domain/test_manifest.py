"""Manifests that cannot be read."""

import errno
import os
from pathlib import Path

import pytest

from services.contracts.domain.manifest import ManifestError, load_manifest


def test_a_folder_of_another_user_is_one_sentence_with_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(ManifestError, match=f"Permission denied for user {os.getuid()}") as raised:
        load_manifest(tmp_path / "fashion" / "3")
    assert f"chmod -R go+rX {tmp_path / 'fashion'}" in str(raised.value)
    assert "\n" not in str(raised.value)
