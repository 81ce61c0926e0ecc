"""The revision changes before and after what searches see changes, and whoever waits for a change hears of it."""

import asyncio
import threading

import numpy as np
import pytest

from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from services.engine.revision import Revision
from tests.support.waiting import WITHIN_S

ONE = np.eye(4, dtype=np.float32)[0]


def test_every_change_makes_a_revision_before_it_and_one_after_it() -> None:
    revision = Revision()
    seen = [str(revision)]
    for _ in range(3):
        with revision.changing():
            seen.append(str(revision))
        seen.append(str(revision))
    assert len(set(seen)) == len(seen) == 7


def test_a_change_that_fails_makes_the_last_revision_as_well() -> None:
    revision = Revision()
    with pytest.raises(ValueError, match="half done"), revision.changing():
        within = str(revision)
        raise ValueError("half done")
    assert str(revision) != within


def test_two_processes_have_no_revision_in_common() -> None:
    assert str(Revision()) != str(Revision())


async def test_who_knows_an_older_revision_gets_the_present_one_at_once() -> None:
    revision = Revision()
    known = str(revision)
    with revision.changing():
        pass
    assert await revision.after(known, WITHIN_S) == str(revision) != known
    assert await revision.after("another process's", WITHIN_S) == str(revision)


async def test_the_time_is_over_without_a_change() -> None:
    revision = Revision()
    assert await revision.after(str(revision), 0.01) == str(revision)


async def test_all_who_wait_hear_of_a_change_in_another_thread() -> None:
    revision = Revision()
    known = str(revision)
    waiting = [asyncio.create_task(revision.after(known, WITHIN_S)) for _ in range(3)]
    await asyncio.sleep(0)
    go_on = threading.Event()

    def change() -> None:
        with revision.changing():
            go_on.wait(WITHIN_S)

    changing = asyncio.create_task(asyncio.to_thread(change))
    heard = await asyncio.gather(*waiting)  # during the change, not after it
    go_on.set()
    await changing
    assert known not in heard
    assert str(revision) not in heard


async def test_who_stops_to_wait_is_forgotten() -> None:
    revision = Revision()
    waiting = asyncio.create_task(revision.after(str(revision), WITHIN_S))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not revision._waiting


def test_a_loop_that_has_ended_is_not_told() -> None:
    revision = Revision()
    loop = asyncio.new_event_loop()
    loop.close()
    revision._waiting.add((loop, asyncio.Event()))
    with revision.changing():
        pass


def test_a_gallery_changes_it_when_searches_see_its_changes() -> None:
    revision = Revision()
    gallery = Gallery(2, 4, FaissFlat, revision=revision)
    before = str(revision)
    gallery.put(0, "a", ONE, None)
    assert str(revision) == before
    gallery.publish()
    put = str(revision)
    gallery.publish()
    gallery.discard("unknown")
    gallery.publish()
    assert str(revision) == put != before
    gallery.discard("a")
    gallery.publish()
    assert str(revision) != put
