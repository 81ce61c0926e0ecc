"""How far a bulk import has come."""

from pathlib import Path

import pytest

from services.bulk import checkpoint
from services.bulk.checkpoint import Checkpoint, CheckpointNote, FeedPosition
from services.contracts.domain.parts import WHOLE, Part
from tests.support.fakes.bulk import Notes


async def test_a_checkpoint_is_that_of_its_source_and_options(tmp_path: Path) -> None:
    notes, feed = Notes(), tmp_path / "feed.csv"
    note = CheckpointNote(notes, feed, WHOLE, ["fashion/1", {"a": 1}])
    assert await note.load() is None
    await note.save(Checkpoint(512, "abc", (3, 7)))
    assert await CheckpointNote(notes, feed, WHOLE, ["fashion/1", {"a": 1}]).load() == Checkpoint(512, "abc", (3, 7))
    assert await CheckpointNote(notes, feed, WHOLE, ["fashion/2", {"a": 1}]).load() is None
    assert await CheckpointNote(notes, feed, Part(1, 2), ["fashion/1", {"a": 1}]).load() is None
    assert await CheckpointNote(notes, tmp_path / "other.csv", WHOLE, ["fashion/1", {"a": 1}]).load() is None
    await CheckpointNote(notes, feed, Part(1, 2), ["fashion/1", {"a": 1}]).remove()
    assert len(notes) == 1
    await note.remove()
    await note.remove()
    assert not notes


def test_rejected_rows_stay_in_the_checkpoint_until_they_are_tried_again_with_success() -> None:
    position = FeedPosition(None)
    assert position.advance(4, "a", tried=range(4), rejected=[1, 3]) == Checkpoint(4, "a", (1, 3))
    assert position.advance(8, "b", tried=range(4, 8), rejected=[]) == Checkpoint(8, "b", (1, 3))
    continued = FeedPosition(Checkpoint(8, "b", (1, 3)))
    assert continued.advance(8, "b", tried=[1, 3], rejected=[3]) == Checkpoint(8, "b", (3,))
    continued.restart()
    assert continued.advance(4, "c", tried=range(4), rejected=[]) == Checkpoint(4, "c")


@pytest.mark.parametrize(("rejected", "stays"), [(10_000, False), (10_001, True)])
def test_a_checkpoint_has_at_most_ten_thousand_rejected_rows(rejected: int, stays: bool) -> None:
    checkpoint = FeedPosition(None).advance(rejected, "a", tried=range(rejected), rejected=range(rejected))
    assert (checkpoint is None) is stays


def test_with_too_many_rejected_rows_the_checkpoint_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "MAX_AGAIN", 2)
    position = FeedPosition(None)
    assert position.advance(4, "a", tried=range(4), rejected=[0, 1]) is not None
    assert position.advance(8, "b", tried=range(4, 8), rejected=[4]) is None
    assert position.advance(12, "c", tried=range(8, 12), rejected=[]) is None
