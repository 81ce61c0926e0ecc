"""A copy of the repository in which one mutant at a time is tried."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from subprocess import PIPE
from typing import Self

from tools.mutants.mutant import Mutant
from tools.mutants.runner import OUTPUT

COPIED = ("services", "tests", "training", "tools", "docs", "pyproject.toml")
LIKELIEST = 3  # test files that are run before the others
NOT_LINKED = {".git", ".venv", "var", "build", "dist", *COPIED}
CAUGHT = {
    1,
    2,
    3,
    4,
}  # pytest: tests failed, interrupted, internal error, usage error (a conftest that fails on import)
NONE_RAN = 5


class MutantOutcome(StrEnum):
    """What became of a mutant."""

    CAUGHT = "caught"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


class WorkspaceError(Exception):
    """The tests cannot be run in the copy."""


class Workspace:
    """A copy of the code, with links to everything else, in a temporary folder.

    The repository itself is never changed, so an interrupted run leaves nothing behind.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = tempfile.TemporaryDirectory(prefix="lookalike-mutants-")
        self.path = Path(self._folder.name)
        self._runner: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        ignored = shutil.ignore_patterns("__pycache__")
        for entry in sorted(self._root.iterdir()):
            copy = self.path / entry.name
            if entry.name in COPIED and entry.is_dir():
                shutil.copytree(entry, copy, ignore=ignored)
            elif entry.name in COPIED:
                shutil.copy2(entry, copy)
            elif entry.name not in NOT_LINKED:
                copy.symlink_to(entry)
        # Byte code that is checked by its source's hash, so that no change to a file can be missed.
        command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
        subprocess.run(  # noqa: S603 - our own command
            [*command, *(str(self.path / name) for name in COPIED if "." not in name)], check=False
        )
        command = [sys.executable, "-m", "tools.mutants.runner"]
        # The copy comes before the installed project in the processes that the tests start, too.
        environment = {**os.environ, "MUTANTS": "1", "PYTHONPATH": str(self.path)}
        self._runner = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=self.path, env=environment, stdin=PIPE, stdout=PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            with self._runner:
                self._runner.terminate()
        self._folder.cleanup()

    def try_mutant(
        self, mutant: Mutant, tests: Sequence[str], failures: Sequence[str], limit_s: Callable[[Sequence[str]], float]
    ) -> tuple[MutantOutcome, str]:
        """Run the tests with the mutant in place, until the first one fails.

        Most mutants are caught by the likeliest files: they run first, by themselves, because pytest imports all files
        that it is given before it runs a test.

        Args:
            mutant: the change to make.
            tests: the ids of tests or test files, in the order to run them.
            failures: the ids of tests that fail without the mutant; they are left out.
            limit_s: returns the seconds after which tests are ended.

        Returns:
            The outcome and the id of the test that failed.

        Raises:
            WorkspaceError: no test ran.
        """
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))[:LIKELIEST]
        first = [test for test in tests if test.partition("::")[0] in files]
        rest = [test for test in tests if test.partition("::")[0] not in files]
        with self._in_place(mutant):
            outcome = self._run(first, failures, limit_s(first))
            if outcome[0] is MutantOutcome.SURVIVED and rest:
                outcome = self._run(rest, failures, limit_s(rest))
        return outcome

    def _run(self, tests: Sequence[str], failures: Sequence[str], limit_s: float) -> tuple[MutantOutcome, str]:
        left_out = [f"--deselect={test}" for test in failures]
        names = self.path / "tests.txt"  # a command line would be too long
        names.write_text("\n".join(tests))
        arguments = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "--hypothesis-seed=0", *left_out]
        assert self._runner is not None
        assert self._runner.stdin is not None
        assert self._runner.stdout is not None
        self._runner.stdin.write(json.dumps({"arguments": [*arguments, f"@{names}"], "limit_s": limit_s}) + "\n")
        self._runner.stdin.flush()
        code = json.loads(self._runner.stdout.readline())
        if code is None:
            return MutantOutcome.TIMED_OUT, ""
        output = (self.path / OUTPUT).read_text(errors="replace")
        if code in CAUGHT:
            return MutantOutcome.CAUGHT, _failed_test(output)
        if code == 0 or (code == NONE_RAN and failures):
            return MutantOutcome.SURVIVED, ""
        raise WorkspaceError(f"pytest ended with exit code {code}:\n{output[-2000:]}")

    @contextmanager
    def _in_place(self, mutant: Mutant) -> Iterator[None]:
        path = self.path / mutant.path
        text = path.read_text()
        path.write_text(mutant.apply(text))
        try:
            yield
        finally:
            path.write_text(text)


def _failed_test(output: str) -> str:
    for line in output.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            return line.split(" ", 1)[1].partition(" - ")[0]
    return ""
