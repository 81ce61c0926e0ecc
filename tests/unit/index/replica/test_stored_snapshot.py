"""Snapshots that earlier versions wrote are read as they were written.

`data/format-1.snapshot` is a committed file of version 0.1, and `format-3.snapshot` the first with compressed payloads.
They are never written again.
"""

from pathlib import Path

import numpy as np
import pytest

from services.catalogue.documents.product_document import Record
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery, Query
from services.engine.packed import rows
from services.engine.payload import unpack
from services.index.replica import snapshot
from services.index.replica.block_file import UnusableFile
from services.index.replica.replica import Replica
from services.index.replica.snapshot import Origin, SyncPosition
from tests.support.values.products import make_product

FOLDER = Path(__file__).parent / "data"
ORIGIN = Origin("lookalike.products", "fashion/1", "fashion/1", 3, 4)
AXES = np.eye(4, dtype=np.float32)


@pytest.fixture(params=[1, 3])
def replica(request: pytest.FixtureRequest) -> Replica:
    replica, path = (
        Replica(Gallery(3, 4, FaissFlat), "fashion/1", "fashion/1"),
        FOLDER / f"format-{request.param}.snapshot",
    )
    position, size = snapshot.read(path, ORIGIN, replica)
    assert position == SyncPosition("database", {"_data": "82AB"}, 1_000_000.5)
    assert size == path.stat().st_size
    return replica


@pytest.mark.parametrize("version", [0, 4])
def test_a_snapshot_of_an_unknown_format_is_not_used(tmp_path: Path, version: int) -> None:
    content = (FOLDER / "format-1.snapshot").read_bytes()
    path = tmp_path / "x.snapshot"
    path.write_bytes(content[:16] + version.to_bytes(4, "little") + content[20:])
    with pytest.raises(UnusableFile, match=f"has format {version}, and this version of Lookalike reads format 3"):
        snapshot.read(path, ORIGIN, Replica(Gallery(3, 4, FaissFlat), "fashion/1", "fashion/1"))


@pytest.mark.parametrize(("compressed_from", "version"), [(1000, 2), (1, 3)])
def test_a_snapshot_has_the_oldest_format_that_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compressed_from: int, version: int
) -> None:
    monkeypatch.setattr(rows, "COMPRESSED_TEXTS", compressed_from)
    made = Replica(Gallery(3, 4, FaissFlat, merge_rows=0), "fashion/1", "fashion/1")
    made.apply([], [Record("p", make_product("p", 0, AXES[0], "fashion/1", title="p"))])
    path = tmp_path / "x.snapshot"
    snapshot.write(path, ORIGIN, SyncPosition("database", None, 0.0), made.freeze(), lambda: None)
    assert int.from_bytes(path.read_bytes()[16:20], "little") == version


def test_its_products_are_in_their_categories(replica: Replica) -> None:
    even, odd = ({f"p{number}" for number in range(first, 20, 2)} for first in (0, 1))
    products = [{match.key for match in replica.gallery.search(category, AXES[0], Query(100))} for category in range(3)]
    assert products == [{*even - {"p4"}, "1", "i1", "i2"}, odd - {"p3", "p5"}, {"p5", "full"}]


def test_a_result_shows_what_the_payload_holds(replica: Replica) -> None:
    _, vector, payload = replica.gallery.find("full")
    assert vector.tolist() == AXES[1].tolist()
    assert unpack(payload) == {
        "url": "https://shop.example/full",
        "image_url": "https://shop.example/full.jpg",
        "title": "Full",
        "attributes": {"price": 9.5, "colour": ["blue", "red"]},
    }


def test_a_product_is_found_by_each_of_its_images(replica: Replica) -> None:
    places = {}
    for axis in (1, 2, 3):
        (match,) = [match for match in replica.gallery.search(0, AXES[axis], Query(100)) if match.key == "i1"]
        assert match.score == pytest.approx(1)
        places[match.image_index] = unpack(match.payload, match.image_index).get("image_url")
    assert places == {1: "https://shop.example/1", 0: None, 3: "https://shop.example/3"}


def test_the_documents_without_a_vector_are_known(replica: Replica) -> None:
    assert replica.skipped == {"bad": "the vector is missing"}
    assert replica.other_models == {"other"}
    reasons = ("images[9]: NaN", "images[10]: NaN")
    assert replica.image_errors == dict.fromkeys(("i1", "i2", "oid4"), reasons)


def test_an_outranked_document_takes_the_place_of_the_one_that_is_deleted(replica: Replica) -> None:
    replica.apply(["p1", "i2", "oid2"], [])
    assert replica.gallery.find("p1")[2] == b'{"title":"outranked"}'
    assert "i2" in replica.gallery and "1" in replica.gallery
    replica.apply(["oid1", "oid3", "oid4"], [])
    assert not {"1", "p1", "i2"} & set(replica.gallery)
