"""A short run of the attacks: every process goes on, within its memory, and answers with small errors."""

import sys

import pytest

from services.local.stack import Stack
from tests.attack.campaign import Bounds, Campaign
from tests.attack.corpus import Attack, corpus
from tests.attack.memory import SERVICES, limits_mb, process_ids

# Those that take little time; `make attack` carries out all of them, and measures times.
CHOSEN = [
    attack
    for attack in corpus(slow_s=1.0)
    if attack.name.startswith(("JSON", "filter", "form", "two lengths", "a long query", "a product", "64 slow"))
    or attack.name in ("picture: JPEG of 0xFF", "picture: PNG of chunks", "picture: RGBA PNG", "clients that leave")
]
UNTIMED = Bounds(livez_ms=None, answered=0.0, growth=None)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a process uses")


def test_the_limits_and_the_processes_of_all_services_are_known(stack: Stack) -> None:
    assert limits_mb() == {"gateway": 512, "embedding": 1024, "index": 1024}
    assert sorted(process_ids(stack)) == sorted(SERVICES)


@pytest.mark.parametrize("attack", CHOSEN, ids=lambda attack: attack.name)
async def test_an_attack_breaks_no_bound(stack: Stack, attack: Attack) -> None:
    outcome = await Campaign(stack, settle_s=0.1).run(attack)
    assert outcome.answers.statuses
    assert list(outcome.problems(UNTIMED)) == []
