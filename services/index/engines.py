"""What holds the products of a catalogue by a model: FAISS in this process, or Milvus (`milvus.engine`)."""

from typing import Protocol

from services.catalogue.store.products import PRODUCTS
from services.contracts.domain.catalogues import within
from services.contracts.domain.categories import held_categories
from services.contracts.domain.engines import FAISS
from services.contracts.domain.manifest import Manifest
from services.contracts.domain.parts import Part
from services.engine.flat_search import FaissFlat
from services.engine.gallery import Gallery
from services.engine.revision import Revision
from services.index.replica.keeper import Keeper
from services.index.replica.replica import Replica
from services.index.replica.snapshot import Origin
from services.index.replica.snapshot_keeper import SnapshotKeeper
from services.index.settings import IndexSettings


class IndexEngine(Protocol):
    """Makes what followers write to and searches read, for each catalogue and model."""

    def replica(self, manifest: Manifest, catalogue: str) -> Replica:
        """Return a replica without products, or of those that the engine holds."""

    def keeper(self, manifest: Manifest, catalogue: str) -> Keeper | None:
        """Return what remembers the position in the change stream; None if nothing does."""

    def forget(self, manifest: Manifest, catalogue: str) -> None:
        """Delete the stored products of a model that is no longer needed."""

    def announce(self, manifest: Manifest) -> None:
        """Note that a model is complete and active."""


class FaissEngine:
    """Galleries in memory, with snapshots in files."""

    def __init__(self, settings: IndexSettings, revision: Revision | None = None) -> None:
        self._settings = settings
        self._revision = revision

    def replica(self, manifest: Manifest, catalogue: str) -> Replica:
        """Return an empty replica."""
        held = held_categories(self._settings.categories, manifest.categories)
        gallery = Gallery(len(manifest.categories), manifest.dimension, FaissFlat, held=held, revision=self._revision)
        return Replica(gallery, manifest.model_id, self._settings.unversioned_model, self._settings.part)

    def keeper(self, manifest: Manifest, catalogue: str) -> SnapshotKeeper | None:
        """Return the keeper of the snapshot; None without a folder for it."""
        folder = self._settings.snapshot_dir
        if folder is None:
            return None
        return SnapshotKeeper(folder, origin_of(self._settings, manifest, catalogue), self._settings.snapshot_s)

    def forget(self, manifest: Manifest, catalogue: str) -> None:
        """Delete the snapshot."""
        keeper = self.keeper(manifest, catalogue)
        if keeper is not None:
            keeper.path.unlink(missing_ok=True)

    def announce(self, manifest: Manifest) -> None:
        """Do nothing: no other program reads the gallery."""


def origin_of(settings: IndexSettings, manifest: Manifest, catalogue: str) -> Origin:
    """Return what stored products of a catalogue and model were made of."""
    return Origin(
        catalogue=f"{settings.mongo_database}.{within(PRODUCTS, catalogue)}",
        model=manifest.model_id,
        unversioned_model=settings.unversioned_model,
        categories=len(manifest.categories),
        dimension=manifest.dimension,
        held_categories=_listed(held_categories(settings.categories, manifest.categories), manifest, settings.part),
    )


def engine_of(settings: IndexSettings) -> str:
    """Return the name of the engine that searches."""
    return FAISS if settings.engine == FAISS else f"milvus {settings.milvus_search}"


def _listed(held: frozenset[int], manifest: Manifest, part: Part) -> str:
    categories = "all" if len(held) == len(manifest.categories) else ",".join(map(str, sorted(held)))
    return categories if part.is_whole else f"{categories} part {part}"
