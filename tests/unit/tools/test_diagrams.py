"""The drawings in docs/images are those that tools.diagrams makes, and nothing in them leaves the picture."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.diagrams.drawings import DRAWINGS

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "images"


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_committed_drawing_is_current(name: str) -> None:
    assert (IMAGES / name).read_text() == DRAWINGS[name](), "run python -m tools.diagrams"


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_box_is_inside_the_picture(name: str) -> None:
    root = ElementTree.fromstring(DRAWINGS[name]())
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        left, top = float(box.get("x", 0)), float(box.get("y", 0))
        assert left >= 0
        assert top >= 0
        assert left + float(box.attrib["width"]) <= width
        assert top + float(box.attrib["height"]) <= height


def test_the_architecture_page_shows_every_drawing() -> None:
    page = (IMAGES.parent / "architecture.md").read_text()
    assert set(DRAWINGS) == set(re.findall(r"images/([\w-]+\.svg)", page))
