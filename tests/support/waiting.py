"""Waits for what must happen, bounded only against a hang: a slow machine makes tests slow, not red."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
WITHIN_S = 600.0  # the one bound of a wait; pytest's own timeout is longer
WITHIN_MS = 1000 * WITHIN_S
FIRST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.05

# Services of a stack whose deadlines never end an honest call. A test of a deadline sets its own.
PATIENT = dict.fromkeys(
    (
        "EMBEDDING_TFS_TIMEOUT_S",
        "GATEWAY_EMBEDDING_TIMEOUT_S",
        "GATEWAY_INDEX_TIMEOUT_S",
        "GATEWAY_SEARCH_TIMEOUT_S",
        "GATEWAY_TASTE_TIMEOUT_S",
        "GATEWAY_WAIT_S",
        "INDEX_SEARCH_TIMEOUT_S",
    ),
    f"{WITHIN_S:g}",
)


def eventually(what: Callable[[], T], pause: Callable[[float], object] = time.sleep) -> T:
    """Return the first true value of `what`, which is called again after growing pauses.

    `pause` waits for some seconds.

    Raises:
        AssertionError: there is none within WITHIN_S seconds.
    """
    deadline, pause_s = time.monotonic() + WITHIN_S, FIRST_PAUSE_S
    while not (value := what()):
        assert time.monotonic() < deadline, f"not within {WITHIN_S:g} s"
        pause(pause_s)
        pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)
    return value
