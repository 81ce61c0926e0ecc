"""Ctrl-C and SIGTERM in a long command."""

import asyncio
import os
import signal

import pytest

from services.cli.interrupts import interruptible
from tests.support.waiting import WITHIN_S


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_asks_for_a_stop(number: signal.Signals) -> None:
    stopping = asyncio.Event()
    with interruptible(stopping.set):
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopping.wait(), WITHIN_S)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


async def test_the_second_signal_is_handled_as_usual() -> None:
    stopping = asyncio.Event()
    received: list[int] = []
    before = signal.getsignal(signal.SIGTERM)
    with interruptible(stopping.set):
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stopping.wait(), WITHIN_S)
        signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)
        finally:
            signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]


async def test_after_the_block_no_signal_is_handled() -> None:
    with interruptible(lambda: None):
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
