"""A mutant: one small change to one source file."""

import difflib
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One small change to one source file.

    Attributes:
        path: the file, relative to the repository's root.
        line: the first line of the changed text.
        kind: the rule that made the change, such as `comparison`.
        start, end: the characters of the file that `replacement` replaces.
        lines: the first and the last line of the statement, for the coverage.
        function: the first and the last line of the outermost function around it; None for a statement that runs when
            the module is imported.
    """

    path: str
    line: int
    kind: str
    start: int
    end: int
    replacement: str
    lines: tuple[int, int]
    function: tuple[int, int] | None

    @property
    def at_import(self) -> bool:
        """Whether the statement runs when the module is imported."""
        return self.function is None

    def apply(self, text: str) -> str:
        """Return the file's text with the change made."""
        return text[: self.start] + self.replacement + text[self.end :]

    def diff(self, text: str) -> str:
        """Return the changed lines as a unified diff without header."""
        changes = difflib.unified_diff(text.splitlines(), self.apply(text).splitlines(), n=1, lineterm="")
        return "\n".join(list(changes)[2:])

    def signature(self, text: str) -> tuple[str, str, str]:
        """Return the file, the removed lines and the added lines: it stays the same when the lines move."""
        lines = self.diff(text).splitlines()
        removed, added = ("\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in ("-", "+"))
        return self.path, removed, added
