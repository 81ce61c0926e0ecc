"""Milvus as the engine of the index service."""

import structlog

from services.contracts.domain.errors import LookalikeError
from services.contracts.domain.manifest import Manifest
from services.index.engines import origin_of
from services.index.milvus.collection import MilvusCollection, MilvusOptions, MilvusServer
from services.index.milvus.gallery import MilvusGallery
from services.index.milvus.position import MilvusPosition
from services.index.milvus.replica import MilvusReplica
from services.index.settings import IndexSettings

log = structlog.get_logger()


class MilvusEngine:
    """One collection a model; its partitions are the categories of the catalogues."""

    def __init__(self, settings: IndexSettings) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._collections: dict[str, MilvusCollection] = {}
        self._announced = ""
        self._server = MilvusServer(
            MilvusOptions(
                settings.milvus_uri,
                "" if settings.milvus_token is None else settings.milvus_token.get_secret_value(),
                settings.milvus_search,
                settings.milvus_consistency,
                settings.milvus_timeout_s,
                settings.milvus_search_width,
                settings.milvus_replicas,
                "" if settings.milvus_ca_file is None else str(settings.milvus_ca_file),
            )
        )

    def replica(self, manifest: Manifest, catalogue: str) -> MilvusReplica:
        """Return a replica of what the collection holds of a catalogue."""
        gallery = MilvusGallery(self._collection(manifest), catalogue, len(manifest.categories), manifest.dimension)
        return MilvusReplica(gallery, manifest.model_id, self._settings.unversioned_model)

    def keeper(self, manifest: Manifest, catalogue: str) -> MilvusPosition:
        """Return what keeps the position in the change stream, in Milvus."""
        return MilvusPosition(self._collection(manifest), origin_of(self._settings, manifest, catalogue))

    def forget(self, manifest: Manifest, catalogue: str) -> None:
        """Delete the model's collection."""
        try:
            self._collection(manifest).drop()
        except LookalikeError as error:
            log.warning("milvus_collection_not_dropped", model=manifest.model_id, reason=error.detail)
        self._collections.pop(manifest.model_id, None)

    def announce(self, manifest: Manifest) -> None:
        """Let the alias `active` name the model's collection, and `previous` the one before, after a switch."""
        try:
            if self._announced and self._announced in self._collections:
                self._collections[self._announced].name_by_alias("previous")
            self._collection(manifest).name_by_alias("active")
        except LookalikeError as error:
            log.warning("milvus_alias_not_set", model=manifest.model_id, reason=error.detail)
        self._announced = manifest.model_id

    def _collection(self, manifest: Manifest) -> MilvusCollection:
        if manifest.model_id not in self._collections:
            self._collections[manifest.model_id] = MilvusCollection(
                self._server, self._settings.mongo_database, manifest.model_id, manifest.dimension
            )
        return self._collections[manifest.model_id]
