"""The settings of the index service: environment variables with the prefix `INDEX_`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.contracts.domain.catalogues import CataloguesSetting
from services.contracts.domain.machine import available_processors
from services.contracts.domain.parts import WHOLE
from services.contracts.domain.setting_types import HeaderSecret, LogLevel, MongoUrl, TracesEndpoint, TracesRatio
from services.contracts.wire.index import PartName


class IndexSettings(BaseSettings):
    """Settings of the service that searches the products' vectors."""

    model_config = SettingsConfigDict(env_prefix="INDEX_", frozen=True, extra="ignore", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8002, ge=0, le=65535)
    log_json: bool = False
    log_level: LogLevel = "INFO"
    traces_endpoint: TracesEndpoint
    traces_ratio: TracesRatio

    model_dir: Path = Field(
        default=Path("models/fashion/3"), description="version directory of the model that is indexed"
    )
    unversioned_model: str = Field(default="fashion/1", description="the model of vectors in documents that name none")

    engine: Literal["faiss", "milvus"] = Field(
        "faiss", description="faiss: vectors in this process's memory; milvus: in a Milvus server or cluster"
    )
    milvus_uri: str = Field("http://127.0.0.1:19530", description="address of Milvus")
    milvus_token: SecretStr | None = Field(None, description="user:password of Milvus, or an API key")
    milvus_search: Literal["flat", "hnsw", "diskann", "gpu"] = Field(
        "flat", description="Milvus's index: flat and gpu (brute force) are exact, hnsw and diskann approximate"
    )
    milvus_consistency: Literal["bounded", "eventually", "session", "strong"] = Field(
        "bounded", description="which changes a search in Milvus waits for"
    )
    milvus_timeout_s: float = Field(10.0, gt=0, description="deadline of one call of Milvus")
    milvus_search_width: int = Field(
        256, ge=1, le=16_384, description="candidates that an approximate search looks at, at least"
    )

    milvus_replicas: int = Field(1, ge=1, le=64, description="how many times Milvus holds each row in memory")
    milvus_ca_file: Path | None = Field(
        None, description="certificates in PEM that Milvus's own is checked against; without it, those of the system"
    )

    categories: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="names or ids of the categories that this node holds; all if empty"
    )

    part: Annotated[PartName, NoDecode] = Field(
        WHOLE, description="the part of each category that this node holds, such as 2/4"
    )

    service_token: HeaderSecret | None = Field(
        None,
        validation_alias=AliasChoices("SERVICE_TOKEN", "service_token"),
        description="token by which gateway, embedding and index know each other",
    )
    catalogues: CataloguesSetting

    mongo_url: MongoUrl = Field(
        SecretStr("mongodb://127.0.0.1:27017"), validation_alias=AliasChoices("MONGO_URL", "mongo_url")
    )
    mongo_database: str = Field("lookalike", validation_alias=AliasChoices("MONGO_DATABASE", "mongo_database"))
    mongo_timeout_s: float = Field(10.0, gt=0, description="deadline of one database call")
    mongo_scan_timeout_s: float = Field(300.0, gt=0, description="deadline of one batch of the first load")

    gather_s: float = Field(
        0.1, ge=0, le=1, description="how long changes are gathered before they are applied together"
    )
    poll_s: float = Field(
        0.5, gt=0, le=1, description="time between two reads of a change stream while nothing changes"
    )
    follow: Literal["auto", "stream", "polling"] = Field(
        "auto",
        description="by the change stream, by polling, or (auto) by polling if the database has no change stream",
    )
    polling_s: float = Field(
        5.0, gt=0, description="shortest time between two reads of a database without a change stream"
    )
    reconcile_s: float = Field(300.0, gt=0, description="time between two comparisons with the database")
    retry_s: float = Field(2.0, gt=0, description="longest pause between two attempts to reach the database")

    snapshot_dir: Path | None = Field(None, description="folder of the index snapshots; without it there are none")
    snapshot_s: float = Field(60.0, ge=0, description="shortest time between two snapshots")

    search_threads: int = Field(default_factory=lambda: min(4, available_processors()), ge=1, le=64)
    search_timeout_s: float = Field(1.5, gt=0, description="time of a search; longer ones get 504")
    max_body_bytes: int = Field(512 * 1024, gt=0, description="largest request body")

    @field_validator("categories", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _milvus_holds_all(self) -> Self:
        if self.engine == "milvus" and (self.categories or not self.part.is_whole):
            raise ValueError(
                "INDEX_ENGINE=milvus: Milvus spreads the products over its own nodes: leave out INDEX_CATEGORIES and "
                "INDEX_PART"
            )
        return self

    @field_validator("part", mode="before")
    @classmethod
    def _empty_is_whole(cls, value: object) -> object:
        return WHOLE if value == "" else value

    @field_validator("snapshot_dir", "service_token", "milvus_token", "milvus_ca_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value
