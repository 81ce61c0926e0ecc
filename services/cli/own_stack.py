"""The stack that a command belongs to: that of the state folder, `var` of the present folder or LOOKALIKE_STATE.

`up` and `demo` write its addresses there. Without them, and without options or variables, commands use the default
ports, which another installation on the machine may have: each command that writes says where.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STATE = "LOOKALIKE_STATE"


def default_map(commands: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of the commands' options for Click: options and environment variables come before them.

    Args:
        commands: the commands by name; a group has `commands` of its own.
    """
    from services.local.addresses import read_addresses

    addresses = read_addresses(Path(os.environ.get(STATE) or "var"))
    return {} if addresses is None else _map(commands, addresses.model_dump())


def _map(commands: Mapping[str, Any], values: dict[str, str]) -> dict[str, Any]:
    return {
        name: _map(command.commands, values) if hasattr(command, "commands") else values
        for name, command in commands.items()
    }


def announce_target(mongo_url: str, database: str, catalogue: str | None = None) -> None:
    """Print, on stderr, into which database a command writes; without user and password."""
    from services.catalogue.store.mongo.errors import shown_address
    from services.cli.output import err

    what = "" if catalogue is None else f"catalogue {catalogue} in "
    err.print(f"writing to {what}{shown_address(mongo_url)}, database {database}", highlight=False, markup=False)
