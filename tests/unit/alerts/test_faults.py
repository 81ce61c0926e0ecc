"""The fault run: which alerts it raises, and which it cannot."""

import re

from tests.alerts.faults import FAULTS
from tests.alerts.prometheus import RULES

# The stack of the run has one index, which always has the model that it names. Its stand-in for MongoDB reports every
# change, even one of its file.
NOT_RAISED = {"LookalikeIndexModelsDiffer", "LookalikeIndexDrift"}


def test_every_alert_is_raised_by_a_fault_but_those_that_are_listed() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", (RULES / "alerts.yml").read_text()))
    assert set[str]().union(*(fault.alerts for fault in FAULTS)) == alerts - NOT_RAISED


def test_the_names_of_the_faults_differ() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
