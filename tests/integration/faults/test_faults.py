"""A short run of `make faults`; docs/faults.md has a long one."""

import pytest

from tests.faults.__main__ import main
from tests.support.waiting import WITHIN_S

SHORT = ["--operations", "1500", "--rate", "300", "--products", "400", "--batch", "60", "--feed", "0", "--seed", "5"]
LATE = ["--late", f"{WITHIN_S:g}"]  # a busy machine shows changes late; in the end the index must hold them all


def test_nothing_is_lost_or_wrongly_answered_while_index_and_database_are_killed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    status = main([*SHORT, *LATE, "--kills", "3"])
    table = capfd.readouterr().out
    assert status == 0, table
    figures = {" ".join(line.split()[:-1]): line.split()[-1] for line in table.splitlines() if line.startswith("  ")}
    assert (figures["operations"], figures["kills"]) == ("1,500", "3")
    assert int(figures["results judged"].replace(",", "")) > 100
