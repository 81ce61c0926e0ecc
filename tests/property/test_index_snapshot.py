"""After changes, replays and restarts from snapshots in any order, the index has the products of the database."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.catalogue.documents.product_document import BrokenDocument, Record
from services.engine.packed import rows
from services.index.replica import snapshot
from services.index.replica.snapshot import Origin, SyncPosition
from tests.support.values.documents import BROKEN, GONE, RECORDS, empty_replica, everything

ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 2, 3)


class IndexWithRestarts(RuleBasedStateMachine):
    """A database with the log of its changes, and an index that follows it and is ended and started now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(rows, "COMPRESSED_TEXTS", 3)  # payloads of some categories are compressed
        self.database: dict[str, Record | BrokenDocument] = {}
        self.log: list[tuple[str, Record | BrokenDocument | None]] = []
        self.index, self.at = empty_replica(), 0
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "snapshot"

    def teardown(self) -> None:
        self.folder.cleanup()
        self.patch.undo()

    @rule(state=RECORDS | BROKEN)
    def write(self, state: Record | BrokenDocument) -> None:
        self.database[state.document_id] = state
        self.log.append((state.document_id, state))

    @rule(document_id=GONE)
    def delete(self, document_id: str) -> None:
        self.database.pop(document_id, None)
        self.log.append((document_id, None))

    @rule(count=st.integers(1, 8))
    def follow(self, count: int) -> None:
        last = dict(self.log[self.at : self.at + count])
        self.at = min(len(self.log), self.at + count)
        self.index.apply(last, [state for state in last.values() if state is not None])

    @rule(back=st.integers(0, 8))
    def follow_again(self, back: int) -> None:
        self.at = max(0, self.at - back)
        self.follow(back)

    @rule()
    def follow_to_the_end(self) -> None:
        self.follow(len(self.log))

    @rule(ahead=st.lists(GONE, max_size=3))
    def read_what_an_event_does_not_tell(self, ahead: list[str]) -> None:
        self.index.apply(ahead, [self.database[each] for each in ahead if each in self.database])

    @rule()
    def keep(self) -> None:
        snapshot.write(self.path, ORIGIN, SyncPosition("d", {"at": self.at}, 0.0), self.index.freeze(), lambda: None)

    @rule()
    def restart(self) -> None:
        self.index, self.at = empty_replica(), 0
        if self.path.exists():
            position, _ = snapshot.read(self.path, ORIGIN, self.index)
            assert position.token is not None
            self.at = int(position.token["at"])
        else:
            self.index.apply((), list(self.database.values()))
            self.at = len(self.log)

    @invariant()
    def an_index_that_is_level_shows_the_database(self) -> None:
        if self.at == len(self.log):
            afresh = empty_replica()
            afresh.apply((), list(self.database.values()))
            assert everything(self.index) == everything(afresh)

    @rule()
    def a_snapshot_gives_back_the_index(self) -> None:
        again, path = empty_replica(), self.path.with_name("other")
        snapshot.write(path, ORIGIN, SyncPosition("d", None, 0.0), self.index.freeze(), lambda: None)
        snapshot.read(path, ORIGIN, again)
        assert everything(again) == everything(self.index)


IndexWithRestarts.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestIndexWithRestarts = IndexWithRestarts.TestCase
