"""Every setting of the project, as the code has it."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from services.embedding.settings import EmbeddingSettings
from services.gateway.settings import GatewaySettings
from services.index.settings import IndexSettings
from services.local.settings import StackSettings

ROOT = Path(__file__).resolve().parents[3]
CLASSES: dict[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "embedding": EmbeddingSettings,
    "index": IndexSettings,
    "local": StackSettings,
}


@dataclass(frozen=True)
class Setting:
    """One setting: whose it is, its environment variable, and its default as it is written in one."""

    owner: str
    name: str
    default: str | None


def settings() -> list[Setting]:
    """Return every setting of every settings class."""
    return [
        Setting(owner, _variable(kind, name, field), _default(field))
        for owner, kind in CLASSES.items()
        for name, field in kind.model_fields.items()
    ]


def _variable(kind: type[BaseSettings], name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return str(kind.model_config.get("env_prefix", "")) + name.upper()


def _default(field: FieldInfo) -> str | None:
    """Return the default as text; None where it is worked out when the service starts."""
    if field.default_factory is not None:
        return None
    value = field.default
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
