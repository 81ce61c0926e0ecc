from pathlib import Path

import numpy as np
from PIL import Image

from training.report.illustrations import (
    AGREES,
    AGREES_PARTLY,
    DISAGREES,
    QueryRow,
    ResultCell,
    best_and_worst,
    grid,
    on_backgrounds,
)

GREY = np.full((24, 24, 3), 128, np.uint8)


def result(same_kind: bool | None, same_colour: bool | None) -> ResultCell:
    return ResultCell(GREY, 0.5, same_kind, same_colour)


def query(name: str, agreeing: int, count: int = 3) -> QueryRow:
    return QueryRow(GREY, name, [result(True, place < agreeing) for place in range(count)])


def colours(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as picture:
        assert picture.width > 200
        return {tuple(pixel) for pixel in np.asarray(picture.convert("RGB")).reshape(-1, 3).tolist()}


def rgb(code: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(code[1:]))


def test_the_best_and_the_worst_queries_are_shown_best_first() -> None:
    rows = [query(str(agreeing), agreeing) for agreeing in (1, 3, 0, 2)]
    assert [row.caption for row in best_and_worst(rows, 1)] == ["3", "0"]
    assert [row.caption for row in best_and_worst(rows, 2)] == ["3", "2", "1", "0"]
    assert len(best_and_worst(rows, 9)) == 4


def test_the_colour_of_a_frame_shows_whether_a_result_agrees(tmp_path: Path) -> None:
    row = QueryRow(GREY, "query", [result(True, True), result(True, False), result(False, False)])
    grid([row, query("shorter", 1, 1)], tmp_path / "grid.png")
    assert {rgb(AGREES), rgb(AGREES_PARTLY), rgb(DISAGREES)} <= colours(tmp_path / "grid.png")
    grid([QueryRow(GREY, "photo", [result(None, None)])], tmp_path / "photos.png")
    assert not {rgb(AGREES), rgb(AGREES_PARTLY), rgb(DISAGREES)} & colours(tmp_path / "photos.png")


def test_a_product_is_shown_on_each_background(tmp_path: Path) -> None:
    shots = [ResultCell(np.full((24, 24, 3), (200, 10 * place, 30), np.uint8), 0.9) for place in range(4)]
    on_backgrounds([shots, shots], tmp_path / "backgrounds.png")
    assert {(200, 10 * place, 30) for place in range(4)} <= colours(tmp_path / "backgrounds.png")
