"""Every setting is in .env.example and in docs/settings.md, with its default, and nothing else is."""

import re

import pytest

from tests.support.values.settings import ROOT, Setting, settings

EXAMPLE = (ROOT / ".env.example").read_text()
PAGE = (ROOT / "docs" / "settings.md").read_text()
COMPOSE = "".join((ROOT / name).read_text() for name in ("docker-compose.yml", "docker-compose.gpu.yml"))
ALL = settings()


def in_example() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def in_page() -> dict[str, str]:
    return dict(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| (?:`([^`]*)`|[^|]*) \|", PAGE, re.MULTILINE))


def names(all_settings: list[Setting]) -> list[str]:
    return [f"{setting.owner}-{setting.name}" for setting in all_settings]


def test_settings_are_collected() -> None:
    assert len(ALL) > 40


@pytest.mark.parametrize("setting", ALL, ids=names(ALL))
def test_a_setting_is_in_the_example(setting: Setting) -> None:
    assert setting.name in in_example()


@pytest.mark.parametrize("setting", ALL, ids=names(ALL))
def test_a_setting_is_in_the_docs_with_its_default(setting: Setting) -> None:
    assert setting.name in in_page()
    if setting.default is not None:
        assert in_page()[setting.name] == setting.default


def test_variables_of_the_compose_files_are_in_the_example_and_in_the_docs() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    assert read
    assert read - in_example().keys() == set()
    assert read - in_page().keys() == set()


def test_the_example_and_the_docs_name_only_variables_that_are_read() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) | {setting.name for setting in ALL}
    assert in_example().keys() - read == set()
    assert in_page().keys() - read == set()


def test_a_default_of_the_compose_files_is_the_value_of_the_example() -> None:
    fallbacks = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", COMPOSE))
    example = in_example()
    differing = {n: (v, example[n]) for n, v in fallbacks.items() if v != example[n] and n != "MONGO_PASSWORD"}
    assert differing == {}
