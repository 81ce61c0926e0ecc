import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES, ArchiveError
from services.contracts.domain.manifest import InputSize
from tests.support.pictures.archives import HEADER, make_archive, product_line
from training.data.archives.dataset import archive_sha256, read_dataset
from training.errors import TrainingError
from training.progress import Terminal

SIZE = InputSize(height=80, width=80)


def quiet() -> tuple[Terminal, io.StringIO]:
    file = io.StringIO()
    return Terminal(Console(file=file, soft_wrap=True)), file


def test_products_come_prepared_in_the_order_of_their_ids(tmp_path: Path) -> None:
    data = read_dataset(make_archive(tmp_path / "a.zip", 3), SIZE, quiet()[0])
    assert data.ids == tuple(str(1000 + n) for n in range(27))
    assert data.images.shape == (27, 80, 80, 3)
    assert data.images.dtype == np.uint8
    assert data.labels.tolist() == list(range(9)) * 3
    assert data.article_types[0] == "Topwear kind"


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    forwards = read_dataset(make_archive(tmp_path / "a.zip", 2), SIZE, quiet()[0])
    backwards = read_dataset(make_archive(tmp_path / "b.zip", 2, backwards=True), SIZE, quiet()[0])
    assert forwards.ids == backwards.ids
    assert (forwards.images == backwards.images).all()
    assert forwards.base_colours.tolist() == backwards.base_colours.tolist()


def test_rows_that_cannot_be_used_are_reported_by_line_and_counted(tmp_path: Path) -> None:
    path = make_archive(
        tmp_path / "a.zip",
        1,
        ("12,too,short", product_line(1), product_line(2), product_line(3, "Sandal"), product_line(1000)),
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("images/2.jpg", b"\xff\xd8\xff no picture")
    terminal, output = quiet()
    counts = read_dataset(path, SIZE, terminal).counts
    assert (counts.products, counts.skipped) == (9, 1)
    assert (counts.bad_rows, counts.missing_images, counts.unreadable_images) == (2, 1, 1)
    assert dict(counts.per_category) == dict.fromkeys(CATEGORIES, 1)
    lines = output.getvalue().splitlines()
    assert lines[0] == "styles.csv line 11: the row has 3 fields instead of 10; rejected"
    assert lines[1] == "styles.csv line 12: the archive has no images/1.jpg; rejected"
    assert lines[2].startswith("styles.csv line 13: image 2: the JPEG file is damaged")
    assert lines[3] == "styles.csv line 15: the id 1000 is already on line 2; rejected"
    assert lines[4].endswith(
        "9 products of the nine categories, 1 outside them, 2 bad rows, 1 missing images, 1 unreadable images"
    )


def test_a_thousand_bad_rows_are_not_a_thousand_lines(tmp_path: Path) -> None:
    terminal, output = quiet()
    counts = read_dataset(make_archive(tmp_path / "a.zip", 1, ("x,y",) * 1000), SIZE, terminal).counts
    assert counts.bad_rows == 1000
    assert len(output.getvalue().splitlines()) == 22


def test_an_archive_without_a_usable_product_says_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("styles.csv", HEADER + "\n" + product_line(1, "Sandal"))
    with pytest.raises(TrainingError, match="no usable product"):
        read_dataset(tmp_path / "a.zip", SIZE, quiet()[0])


def test_a_missing_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="there is no data set"):
        read_dataset(tmp_path / "none.zip", SIZE, quiet()[0])


def test_the_hash_of_a_zip_is_that_of_its_file(tmp_path: Path) -> None:
    path = make_archive(tmp_path / "a.zip", 1)
    assert archive_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_hash_of_a_folder_changes_with_any_file(tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(make_archive(tmp_path / "a.zip", 1)).extractall(folder)
    before = archive_sha256(folder)
    assert archive_sha256(folder) == before
    (folder / "images" / "1000.jpg").write_bytes(b"other")
    assert archive_sha256(folder) != before


def test_the_products_have_the_same_hash_zipped_and_unpacked_and_another_when_one_differs(tmp_path: Path) -> None:
    path = make_archive(tmp_path / "a.zip", 1)
    zipfile.ZipFile(path).extractall(tmp_path / "unpacked")
    zipped, unpacked = (read_dataset(p, SIZE, quiet()[0]) for p in (path, tmp_path / "unpacked"))
    assert zipped.content_sha256 == unpacked.content_sha256
    assert zipped.sha256 != unpacked.sha256
    (tmp_path / "unpacked" / "images" / "1000.jpg").write_bytes(
        (tmp_path / "unpacked" / "images" / "1001.jpg").read_bytes()
    )
    assert read_dataset(tmp_path / "unpacked", SIZE, quiet()[0]).content_sha256 != zipped.content_sha256
