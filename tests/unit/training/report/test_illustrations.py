from pathlib import Path

import numpy as np
from PIL import Image

from training.report.illustrations import HALF, RIGHT, WRONG, Answered, Found, best_and_worst, grid, on_backgrounds

GREY = np.full((24, 24, 3), 128, np.uint8)


def found(same_kind: bool | None, same_colour: bool | None) -> Found:
    return Found(GREY, 0.5, same_kind, same_colour)


def answered(name: str, agreeing: int, count: int = 3) -> Answered:
    return Answered(GREY, name, [found(True, place < agreeing) for place in range(count)])


def colours(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as picture:
        assert picture.width > 200
        return {colour for _, colour in picture.convert("RGB").getcolors(1 << 24) or []}


def rgb(code: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(code[1:]))


def test_the_best_and_the_worst_queries_are_shown_best_first() -> None:
    rows = [answered(str(agreeing), agreeing) for agreeing in (1, 3, 0, 2)]
    assert [row.caption for row in best_and_worst(rows, 1)] == ["3", "0"]
    assert [row.caption for row in best_and_worst(rows, 2)] == ["3", "2", "1", "0"]
    assert len(best_and_worst(rows, 9)) == 4


def test_frames_tell_in_what_a_result_agrees(tmp_path: Path) -> None:
    row = Answered(GREY, "query", [found(True, True), found(True, False), found(False, False)])
    grid([row, answered("shorter", 1, 1)], tmp_path / "grid.png")
    assert {rgb(RIGHT), rgb(HALF), rgb(WRONG)} <= colours(tmp_path / "grid.png")
    grid([Answered(GREY, "photo", [found(None, None)])], tmp_path / "photos.png")
    assert not {rgb(RIGHT), rgb(HALF), rgb(WRONG)} & colours(tmp_path / "photos.png")


def test_a_product_is_shown_on_each_background(tmp_path: Path) -> None:
    shots = [Found(np.full((24, 24, 3), (200, 10 * place, 30), np.uint8), 0.9) for place in range(4)]
    on_backgrounds([shots, shots], tmp_path / "backgrounds.png")
    assert {(200, 10 * place, 30) for place in range(4)} <= colours(tmp_path / "backgrounds.png")
