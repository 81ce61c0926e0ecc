"""The page of all commands, as it was last looked at. `make commands` writes it again; the difference is to be read."""

from tools.commands import PAGE, page


def test_the_page_has_every_command_with_its_options_defaults_and_bounds() -> None:
    assert PAGE.read_text() == page(), "run make commands, and look"
