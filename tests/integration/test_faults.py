"""A short run of `make faults`; docs/faults.md has a long one."""

import pytest

from tests.faults.__main__ import main

SHORT = ["--operations", "3000", "--rate", "300", "--products", "800", "--batch", "60", "--feed", "0", "--seed", "5"]


def test_nothing_is_lost_or_wrongly_answered_while_index_and_database_are_killed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    status = main([*SHORT, "--kills", "4"])
    table = capfd.readouterr().out
    assert status == 0, table
    figures = {" ".join(line.split()[:-1]): line.split()[-1] for line in table.splitlines() if line.startswith("  ")}
    assert (figures["operations"], figures["kills"]) == ("3,000", "4")
    assert int(figures["results judged"].replace(",", "")) > 100
