"""What can be set of the index service, by environment variables with the prefix `INDEX_`."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.contracts.domain.catalogues import CataloguesSetting


class IndexSettings(BaseSettings):
    """Settings of the service that searches the products' vectors."""

    model_config = SettingsConfigDict(env_prefix="INDEX_", frozen=True, extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8002, ge=0, le=65535)
    log_json: bool = False
    log_level: str = "INFO"

    model_dir: Path = Field(
        default=Path("models/fashion/2"), description="version directory of the model that is indexed"
    )
    unversioned_model: str = Field(
        default="fashion/1", description="the model that vectors of documents without a model are taken to be of"
    )

    categories: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="names or ids of the categories that are held; all when there are none"
    )

    catalogues: CataloguesSetting

    mongo_url: SecretStr = Field(
        SecretStr("mongodb://127.0.0.1:27017"), validation_alias=AliasChoices("MONGO_URL", "mongo_url")
    )
    mongo_database: str = Field("lookalike", validation_alias=AliasChoices("MONGO_DATABASE", "mongo_database"))
    mongo_timeout_s: float = Field(10.0, gt=0, description="deadline of one call of the database")
    mongo_scan_timeout_s: float = Field(300.0, gt=0, description="the same of one batch of the first load")

    gather_s: float = Field(
        0.1, ge=0, le=1, description="how long changes are gathered before they are applied together"
    )
    poll_s: float = Field(
        0.1, gt=0, le=1, description="time between two looks at a database that does not wait for changes"
    )
    follow: Literal["auto", "stream", "polling"] = Field(
        "auto", description="by the database's change stream, by polling, or by polling where it has none"
    )
    polling_s: float = Field(5.0, gt=0, description="least time between two readings of a database without a stream")
    reconcile_s: float = Field(300.0, gt=0, description="time between two comparisons with the database")
    retry_s: float = Field(2.0, gt=0, description="longest pause before the database is tried again")

    snapshot_dir: Path | None = Field(None, description="folder of the index snapshots; none are kept without one")
    snapshot_s: float = Field(60.0, ge=0, description="least time between two snapshots")

    search_threads: int = Field(default_factory=lambda: min(4, os.cpu_count() or 1), ge=1, le=64)
    max_body_bytes: int = Field(1024 * 1024, gt=0, description="bound on a request's body")

    @field_validator("categories", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("snapshot_dir", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value
