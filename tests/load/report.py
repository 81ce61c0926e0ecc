"""Writes figures into docs/reliability.md, between the markers of a section."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"


def write_section(name: str, rows: Sequence[Sequence[str]], notes: Sequence[str] = (), page: Path = PAGE) -> None:
    """Replace a section's figures by a table; the first row is its head.

    Raises:
        ValueError: the page has no markers of this name.
    """
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "| --- |" + " ---: |" * (len(rows[0]) - 1))
    measured = f"Measured on {datetime.now(UTC):%-d %B %Y}, {psutil.cpu_count()} processor cores."
    text = "\n".join([measured, *notes, "", *lines])
    before = page.read_text(encoding="utf-8")
    pattern = rf"(<!-- {name}: begin -->\n).*?(\n<!-- {name}: end -->)"
    after, count = re.subn(pattern, lambda each: each[1] + text + each[2], before, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{page} has no markers of {name}")
    page.write_text(after, encoding="utf-8")
