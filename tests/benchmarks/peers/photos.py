"""Measures a whole search by photo: `python -m tests.benchmarks.peers.photos ENGINE PHOTOS QUERIES CATEGORIES.json`.

PHOTOS and QUERIES are folders of JPEG files, and the third file has the category of each file name. An engine reads a
photo's file, makes a vector of it and finds the most similar photos. `clustimage` runs in the peers' environment, which
has NumPy and not Lookalike; `lookalike` in Lookalike's own. It prints a line of JSON.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np

from tests.benchmarks.peers.measure import CLIENTS, K, percentile, rate, resident_mb, timed

BATCH = 64


class PhotoEngine:
    """An engine that searches photos by a photo."""

    is_thread_safe = True

    def __init__(self, photos: Sequence[Path]) -> None:
        """Import photos."""

    def search(self, photo: Path) -> list[str]:
        """Return the names of the K most similar photos."""
        raise NotImplementedError


class Lookalike(PhotoEngine):
    """Prepare the photo, run the network, search in the category that it predicts: the services' work, without HTTP."""

    def __init__(self, photos: Sequence[Path]) -> None:
        from services.contracts.domain.manifest import load_manifest
        from services.engine.flat_search import FaissFlat
        from services.engine.gallery import Gallery
        from services.local.tfs.savedmodel import SavedModel
        from tests.support.servers.stack import MODEL_DIR

        manifest = load_manifest(MODEL_DIR)
        self._size = manifest.input
        self._network = SavedModel(MODEL_DIR, warm_up=(1, BATCH)).signatures["serving_default"]
        self._gallery = Gallery(len(manifest.categories), manifest.dimension, FaissFlat)
        for begin in range(0, len(photos), BATCH):
            batch = photos[begin : begin + BATCH]
            for photo, category, vector in zip(batch, *self._embedded(batch), strict=True):
                self._gallery.put(int(category), photo.name, vector, None)
        self._gallery.publish()

    def search(self, photo: Path) -> list[str]:
        from services.engine.gallery import Query

        categories, vectors = self._embedded([photo])
        return [match.key for match in self._gallery.search(int(categories[0]), vectors[0], Query(K))]

    def _embedded(self, photos: Sequence[Path]) -> tuple[Any, Any]:
        """Return category and vector of each photo."""
        from services.contracts.images.preparation import prepare_image

        pictures = np.stack([prepare_image(photo.read_bytes(), self._size)[0] for photo in photos])
        outputs = self._network.run({"image": pictures})
        vectors = outputs["vector"] / np.linalg.norm(outputs["vector"], axis=1, keepdims=True)
        return outputs["probabilities"].argmax(axis=1), vectors


class Clustimage(PhotoEngine):
    """clustimage's `find` over the principal components of the pixels, which needs no weights.

    Its import also clusters the photos; without, `find` does not work. `find` keeps state in the object.
    """

    is_thread_safe = False

    def __init__(self, photos: Sequence[Path]) -> None:
        from clustimage import Clustimage as Library

        logging.disable(logging.CRITICAL)
        self._library = Library(method="pca", verbose="silent", ncores=1)
        self._library.fit_transform([str(photo) for photo in photos])

    def search(self, photo: Path) -> list[str]:
        documents = self._library.find(str(photo), metric="euclidean", k=K, alpha=None)
        table = next(value for name, value in documents.items() if name != "feat")
        return [Path(name).name for name in table["y_pathnames"]][:K]


ENGINES: dict[str, type[PhotoEngine]] = {"lookalike": Lookalike, "clustimage": Clustimage}


def measure(
    name: str, photos: Sequence[Path], queries: Sequence[Path], categories: dict[str, str]
) -> dict[str, float | None]:
    """Return the figures of an engine; None for what it cannot do."""
    ENGINES[name](photos[:100]).search(queries[0])  # its libraries are imported
    memory, started = resident_mb(), time.perf_counter()
    engine = ENGINES[name](photos)
    figures: dict[str, float | None] = {"load s": time.perf_counter() - started}
    engine.search(queries[0])
    figures["memory MB"] = resident_mb() - memory
    busy = time.process_time()
    times, actual = timed(engine.search, queries)
    figures["processor ms"] = (time.process_time() - busy) * 1000 / len(queries)
    figures |= {"p50 ms": percentile(times, 50), "p99 ms": percentile(times, 99)}
    results = [(query, result) for query, names in zip(queries, actual, strict=True) for result in names]
    same = [categories[query.name] == categories[result] for query, result in results]
    figures["in the photo's category"] = float(np.mean(same))
    for clients in CLIENTS:
        is_possible = clients == 1 or engine.is_thread_safe
        figures[f"searches/s, {clients} clients"] = rate(engine.search, queries, clients) if is_possible else None
    return figures


if __name__ == "__main__":
    of_photos, of_queries = (sorted(Path(folder).glob("*.jpg")) for folder in sys.argv[2:4])
    print(json.dumps(measure(sys.argv[1], of_photos, of_queries, json.loads(Path(sys.argv[4]).read_text()))))
