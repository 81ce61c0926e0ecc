"""The notes by which imports tell each other how they go, against the server that MONGO_URL names, else a stand-in."""

import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np

from services.catalogue.process_mark import ProcessMark
from services.catalogue.product import StoredImage
from services.catalogue.store.database import CatalogueDatabase
from services.catalogue.store.notes import KEPT_IMPORTS, Lease
from tests.support.values.products import make_product

MARK = ProcessMark("a-machine", "boot pid:[4026531836]", 2**22, 2**40)


def lease(name: str, beat: int = 0) -> Lease:
    return Lease(name, f"{name}.csv", "2026-05-01T00:00:00+00:00", MARK, beat)


async def test_one_lease_is_there_at_a_time_and_only_its_holder_moves_it(store: CatalogueDatabase) -> None:
    assert await store.notes.lease() is None
    taken = await asyncio.gather(*(store.notes.take_lease(lease(str(n))) for n in range(8)))
    assert sum(taken) == 1
    mine, other = str(taken.index(True)), str(taken.index(False))
    assert await store.notes.lease() == lease(mine)
    assert await store.notes.renew_lease(mine, 5)
    assert not await store.notes.renew_lease(other, 9)
    assert await store.notes.lease() == lease(mine, 5)
    await store.notes.drop_lease(lease(other))
    await store.notes.drop_lease(lease(mine, 4), at_beat=True)
    assert await store.notes.lease() == lease(mine, 5)
    await store.notes.drop_lease(lease(mine, 5), at_beat=True)
    assert await store.notes.lease() is None
    assert not await store.notes.renew_lease(mine, 6)


async def test_a_lease_without_marks_of_its_process_is_read_as_it_was_written(store: CatalogueDatabase) -> None:
    bare = Lease("a", "a.csv", "now", ProcessMark("a-mac", None, 7, None))
    await store.notes.take_lease(bare)
    assert await store.notes.lease() == bare


async def test_notes_of_imports_are_listed_from_the_last_and_tell_who_wants_them_cancelled(
    store: CatalogueDatabase,
) -> None:
    for number in range(4):
        assert not await store.notes.put_import(f"2026-{number}", {"id": f"2026-{number}", "a.$b": "ü"})
    assert [note["id"] for note in await store.notes.list_imports(3)] == ["2026-3", "2026-2", "2026-1"]
    assert await store.notes.request_cancel("2026-2")
    assert await store.notes.put_import("2026-2", {"id": "2026-2", "read": 7})
    assert await store.notes.get_import("2026-2") == {"id": "2026-2", "read": 7}
    assert not await store.notes.request_cancel("2026-9")
    assert await store.notes.get_import("2026-9") is None


async def test_a_note_is_removed_and_no_other_one(store: CatalogueDatabase) -> None:
    await store.notes.put("checkpoint/a", {"rows": 1})
    await store.notes.put("checkpoint/b", {"rows": 2})
    await store.notes.remove("checkpoint/a")
    await store.notes.remove("checkpoint/a")
    assert await store.notes.get("checkpoint/a") is None
    assert await store.notes.get("checkpoint/b") == {"rows": 2}


async def test_only_the_last_notes_are_kept_and_no_other_ones_go(store: CatalogueDatabase) -> None:
    await store.notes.put("last-import", {"source": "x"})
    await store.notes.take_lease(lease("a"))
    for number in range(KEPT_IMPORTS + 3):
        await store.notes.put_import(f"{number:03}", {"id": f"{number:03}"})
    await store.notes.prune_imports()
    kept = await store.notes.list_imports(1000)
    assert (len(kept), kept[-1]["id"]) == (KEPT_IMPORTS, "003")
    assert await store.notes.get("last-import") == {"source": "x"}
    assert await store.notes.lease() == lease("a")


async def test_products_that_were_written_since_are_not_deleted_with_the_others(store: CatalogueDatabase) -> None:
    vector = np.ones(64, dtype=np.float32)
    began = datetime.now(UTC)

    async def put(key: str, at: datetime) -> None:
        await store.pictures.put_many([(key, StoredImage("image/png", key.encode()))])
        await store.products.put(make_product(key, 1, vector, updated_at=at))

    for key in ("old", "again", "new"):
        await put(key, began - timedelta(days=1))
    await put("again", began + timedelta(milliseconds=1))
    await put("new", began)
    assert await store.products.delete_many(["old", "again", "new", "unknown"], written_before=began) == 1
    assert [await store.products.get(key) is not None for key in ("old", "again", "new")] == [False, True, True]
    pictures = [await store.pictures.get(key) for key in ("old", "again", "new")]
    assert [picture is not None for picture in pictures] == [False, True, True]
