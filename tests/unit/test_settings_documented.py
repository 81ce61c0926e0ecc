"""Every setting is explained where people look for it: in .env.example and in docs/settings.md."""

import re

import pytest

from tests.support.settings import ROOT, Setting, settings

EXAMPLE = (ROOT / ".env.example").read_text()
PAGE = (ROOT / "docs" / "settings.md").read_text()
COMPOSE = "".join((ROOT / name).read_text() for name in ("docker-compose.yml", "docker-compose.gpu.yml"))
ALL = settings()


def in_example() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def in_page() -> dict[str, str]:
    return dict(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| (?:`([^`]*)`|[^|]*) \|", PAGE, re.MULTILINE))


def names(found: list[Setting]) -> list[str]:
    return [f"{setting.owner}-{setting.name}" for setting in found]


def test_there_are_settings_to_look_for() -> None:
    assert len(ALL) > 40


@pytest.mark.parametrize("setting", ALL, ids=names(ALL))
def test_a_setting_stands_in_the_example(setting: Setting) -> None:
    assert setting.name in in_example()


@pytest.mark.parametrize("setting", ALL, ids=names(ALL))
def test_a_setting_stands_in_the_docs_with_its_default(setting: Setting) -> None:
    assert setting.name in in_page()
    if setting.default is not None:
        assert in_page()[setting.name] == setting.default


def test_what_the_compose_files_read_stands_in_the_example_and_in_the_docs() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    assert read
    assert read - in_example().keys() == set()
    assert read - in_page().keys() == set()


def test_the_example_and_the_docs_name_nothing_that_is_not_read() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) | {setting.name for setting in ALL}
    assert in_example().keys() - read == set()
    assert in_page().keys() - read == set()


def test_a_value_that_the_compose_file_falls_back_on_is_the_one_of_the_example() -> None:
    fallbacks = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", COMPOSE))
    given = in_example()
    differing = {n: (v, given[n]) for n, v in fallbacks.items() if v != given[n] and n != "MONGO_PASSWORD"}
    assert differing == {}
