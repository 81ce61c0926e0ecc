import pytest

from services.gateway.languages import LANGUAGES, base, direction, preferred
from services.gateway.routes.pages import ASSETS


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de-AT"),
        ("en;q=0.3, fr;q=0.9", "fr"),
        ("tlh, el;q=0.5", "el"),
        ("fr;q=0, it;q=0.1", "it"),
        ("tlh", "en"),
        ("*", "en"),
        ("EN-gb", "EN-gb"),
        ("de;q=wrong, es;q=0.2", "es"),
        ('"><script>;q=1, es', "es"),
        ("de" + "-x" * 40 + ", it", "it"),
        (", ".join(["tlh"] * 500 + ["de"]), "en"),
    ],
)
def test_the_language_is_the_most_wanted_one_that_the_page_has(header: str, language: str) -> None:
    assert preferred(header) == language


def test_arabic_runs_from_right_to_left() -> None:
    assert [tag for tag in LANGUAGES if direction(tag) == "rtl"] == ["ar"]
    assert direction("ar-EG") == "rtl"
    assert base("AR-eg") == "ar"


def test_each_language_has_its_file() -> None:
    files = {name for name in ASSETS._files if name.startswith("shared/strings/")}
    assert files == {f"shared/strings/{language}.js" for language in LANGUAGES}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (", ".join(["tlh"] * 19 + ["de"]), "de"),
        (", ".join(["tlh"] * 20 + ["de"]), "en"),  # so many ranges are not read
        ("de-" + "x" * 32, "de-" + "x" * 32),
        ("de-" + "x" * 33, "en"),
        ("it, fr", "it"),
        ("it;q=0.5, fr;q=0.5", "it"),
        ("fr;q=0.001", "fr"),
        ("fr;q=-1", "en"),
        ("fr;q=0", "en"),  # not wanted, although no other is named
        ("fr;q=wrong", "en"),
        ("fr ; q = 0.5 , it;q=0.4", "fr"),
        ("fr;level=1, it;q=0.1", "it"),
        ("de_AT, it", "it"),
        ("dé, it", "it"),
    ],
)
def test_a_header_is_read_up_to_its_bounds(header: str, language: str) -> None:
    assert preferred(header) == language
