"""The stack that a command belongs to: that of the state folder, `var` of the present folder or LOOKALIKE_STATE.

`up` and `demo` write its addresses there. Without them, commands use the ports of the variables that set those of the
stack; without variables and options, the default ports, which another installation on the machine may have: each
command that writes says where.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STATE = "LOOKALIKE_STATE"
# Option → the variable with the port of the local stack, and the address without it.
PORTS = {
    "gateway": ("GATEWAY_PORT", "http://127.0.0.1:"),
    "embedding_url": ("EMBEDDING_PORT", "http://127.0.0.1:"),
    "mongo_url": ("MONGO_PORT", "mongodb://127.0.0.1:"),
}


def default_map(commands: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of the commands' options for Click: options and environment variables come before them.

    Args:
        commands: the commands by name; a group has `commands` of its own.
    """
    from services.local.addresses import read_addresses

    addresses = read_addresses(Path(os.environ.get(STATE) or "var"))
    return _map(commands, _by_ports() if addresses is None else addresses.model_dump())


def _by_ports() -> dict[str, str]:
    return {
        option: scheme + port
        for option, (variable, scheme) in PORTS.items()
        if (port := os.environ.get(variable, "").strip())
    }


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
