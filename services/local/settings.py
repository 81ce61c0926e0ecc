"""The ports and folders of the local stack."""

from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.local.addresses import StackAddresses


def _port(name: str, default: int) -> int:
    return Field(default, ge=1, le=65535, validation_alias=AliasChoices(name, name.lower()))  # type: ignore[no-any-return]


class StackSettings(BaseSettings):
    """Settings of the local stack. All ports are on the loopback address."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True)

    gateway_port: int = _port("GATEWAY_PORT", 8000)
    embedding_port: int = _port("EMBEDDING_PORT", 8001)
    index_port: int = _port("INDEX_PORT", 8002)
    tfs_port: int = _port("TFS_PORT", 8500)
    mongo_port: int = _port("MONGO_PORT", 27017)
    prometheus_port: int = _port("PROMETHEUS_PORT", 9090)
    observe: bool = Field(
        False,
        validation_alias=AliasChoices("LOOKALIKE_OBSERVE", "observe"),
        description="whether the stack has a Prometheus with alerts",
    )
    one_process: bool = Field(
        False,
        validation_alias=AliasChoices("LOOKALIKE_ONE_PROCESS", "one_process"),
        description="whether gateway, embedding and index share a process",
    )
    access: str = Field(
        "local",
        validation_alias=AliasChoices("GATEWAY_ACCESS", "access"),
        description="the gateway's; with `keys`, Prometheus needs a key",
    )
    admin_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        validation_alias=AliasChoices("GATEWAY_ADMIN_PORT", "admin_port"),
        description="the gateway's, which then has its metrics",
    )
    state_dir: Path = Field(Path("var"), validation_alias=AliasChoices("LOOKALIKE_STATE", "state_dir"))
    model_dir: Path = Field(Path("models/fashion/3"), validation_alias=AliasChoices("LOOKALIKE_MODEL_DIR", "model_dir"))
    detector_dir: Path = Field(
        Path("models/detector/2"), validation_alias=AliasChoices("LOOKALIKE_DETECTOR_DIR", "detector_dir")
    )

    @property
    def gateway_url(self) -> str:
        """The gateway's address; `/` is the search page."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def embedding_url(self) -> str:
        """The embedding service's address."""
        return f"http://127.0.0.1:{self.embedding_port}"

    @property
    def mongo_url(self) -> str:
        """The database's address."""
        return f"mongodb://127.0.0.1:{self.mongo_port}"

    @property
    def prometheus_url(self) -> str:
        """The address of Prometheus, if the stack has one."""
        return f"http://127.0.0.1:{self.prometheus_port}"

    @property
    def metrics_key_file(self) -> Path | None:
        """The file with the key for the gateway's metrics, if the stack has a Prometheus that needs one."""
        return self.state_dir.resolve() / "prometheus.key" if self.observe and self.access == "keys" else None

    @property
    def addresses(self) -> StackAddresses:
        """The addresses that commands need."""
        return StackAddresses(gateway=self.gateway_url, embedding_url=self.embedding_url, mongo_url=self.mongo_url)

    @property
    def ports(self) -> dict[str, int]:
        """The setting of each port → the port."""
        return {
            "GATEWAY_PORT": self.gateway_port,
            "EMBEDDING_PORT": self.embedding_port,
            "INDEX_PORT": self.index_port,
            "TFS_PORT": self.tfs_port,
            "MONGO_PORT": self.mongo_port,
            **({"PROMETHEUS_PORT": self.prometheus_port} if self.observe else {}),
            **({} if self.admin_port is None else {"GATEWAY_ADMIN_PORT": self.admin_port}),
        }
