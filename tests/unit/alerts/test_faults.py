"""The fault run raises every alert."""

import re

from tests.alerts.faults import FAULTS
from tests.alerts.prometheus import RULES


def test_every_alert_is_raised_by_a_fault() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", (RULES / "alerts.yml").read_text()))
    assert set[str]().union(*(fault.alerts for fault in FAULTS)) == alerts


def test_the_names_of_the_faults_differ() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
