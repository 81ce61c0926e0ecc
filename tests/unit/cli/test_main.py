"""The program's end: errors of the operating system are one line, Ctrl-C and a closed pipe have a status."""

import errno
import os

import pytest

from services.cli import main


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "var/log"),
            1,
            "lookalike: var/log: No space left on device\n",
        ),
        (PermissionError(errno.EROFS, os.strerror(errno.EROFS)), 1, "lookalike: Read-only file system\n"),
        (BrokenPipeError(), 1, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_the_program_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, text: str
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(main, "default_map", fail)
    monkeypatch.setattr(main, "logs_to_stderr", lambda: None)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert (ended.value.code, capsys.readouterr().err) == (status, text)
