"""The addresses of the stack that runs over a state folder, in a file there, so that commands find their own stack."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

NAME = "addresses.json"


class StackAddresses(BaseModel):
    """Where the services of a running stack are."""

    model_config = ConfigDict(frozen=True)

    gateway: str
    embedding_url: str
    mongo_url: str


def write_addresses(folder: Path, addresses: StackAddresses) -> None:
    """Write the addresses of a stack into its state folder."""
    temporary = folder / f"{NAME}.new"
    temporary.write_text(addresses.model_dump_json(indent=2) + "\n", encoding="utf-8")
    temporary.replace(folder / NAME)


def read_addresses(folder: Path) -> StackAddresses | None:
    """Return the addresses of the stack of a state folder; None if none was started, or it was stopped."""
    try:
        return StackAddresses.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def remove_addresses(folder: Path) -> None:
    """Remove the addresses: the stack has stopped."""
    (folder / NAME).unlink(missing_ok=True)
