"""Pictures of a model's search results, on the sample catalogue and on real data."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.images.preparation import prepare_image
from services.sample_shop.catalogue import sample_products, sample_query_product
from services.sample_shop.product import SampleProduct
from training.data.archives.street import StreetGarments
from training.data.composing.backgrounds import drawn
from training.data.evaluation_images import EvaluationImages
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.figures import EvaluationSet
from training.evaluation.search.retrieval import EmbeddedProducts, neighbours, unit
from training.evaluation.search.self_retrieval import compose
from training.progress import Terminal
from training.report.illustrations import QueryRow, ResultCell, best_and_worst, grid, on_backgrounds

ROWS = 5  # best and worst queries each, and products on backgrounds
SAMPLE_QUERIES = 4  # a category, of which the best and the worst are drawn
BACKGROUNDS = 7
REAL_QUERIES = 300  # of which the best and the worst are drawn
PHOTOS = 12
STREET_GARMENTS = 3  # of each label
K = 10
Images = NDArray[np.uint8]


def sample_grids(model: EvaluatedModel, folder: Path, terminal: Terminal) -> None:
    """Write `grid.png` and `backgrounds.png` of the drawn sample catalogue, without anyone's data."""
    products = list(sample_products())
    queries = [sample_query_product(seed, category) for category in CATEGORIES for seed in range(SAMPLE_QUERIES)]
    patterns = np.stack(list(drawn(np.random.default_rng(1), BACKGROUNDS)))
    images, query_images = _drawn(model, products, terminal), _drawn(model, queries, terminal)
    in_scenes = compose(query_images, np.arange(len(queries)), patterns, [model.manifest.seed, 8]).images
    gallery = _Gallery(_embedded(model, products, images), images)
    rows = gallery.rows(_embedded(model, queries, in_scenes), in_scenes)
    grid(best_and_worst(rows, ROWS), folder / "grid.png")
    positions = np.linspace(0, len(products) - 1, ROWS + 1).round().astype(np.int64)
    on_backgrounds(_on_each_background(model, images, positions, patterns), folder / "backgrounds.png")


def real_grids(
    model: EvaluatedModel, products: EvaluationSet, images: EvaluationImages, folder: Path, terminal: Terminal
) -> None:
    """Write `products.png` and `backgrounds.png`, and with photos and street garments `photos.png` and `street.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    gallery = _Gallery.of(products)
    rng = np.random.default_rng(products.seed)
    positions = rng.choice(products.queries, min(REAL_QUERIES, len(products.queries)), replace=False)
    rows = gallery.rows(products.outputs.products.take(positions), products.data.images[positions])
    grid(best_and_worst(rows, ROWS), folder / "products.png")
    backgrounds = np.concatenate(list(images.backgrounds.values()))
    backgrounds = backgrounds[rng.choice(len(backgrounds), min(BACKGROUNDS, len(backgrounds)), replace=False)]
    cells = _on_each_background(model, products.data.images, positions[:ROWS], backgrounds)
    on_backgrounds(cells, folder / "backgrounds.png")
    if images.photos is not None:
        photos = images.photos.images
        photos = photos[rng.choice(len(photos), min(PHOTOS, len(photos)), replace=False)]
        grid(gallery.photo_rows(model, photos, terminal), folder / "photos.png")
    if images.street is not None and images.street_chosen is not None and images.street_chosen.any():
        chosen = street_sample(images.street.take(images.street_chosen), rng)
        grid(gallery.photo_rows(model, chosen, terminal), folder / "street.png")


def street_sample(garments: StreetGarments, rng: np.random.Generator) -> Images:
    """Return the crops of up to three garments of each label, in order of the labels."""
    places = []
    for label in sorted(set(garments.labels.tolist())):
        inside = np.flatnonzero(garments.labels == label)
        places.extend(rng.permutation(inside)[:STREET_GARMENTS].tolist())
    return garments.crops[places]


class _Gallery:
    """Products to search in, with their images."""

    def __init__(self, products: EmbeddedProducts, images: Images) -> None:
        self.products, self.images = products, images

    @classmethod
    def of(cls, products: EvaluationSet) -> "_Gallery":
        """Return the products of an evaluation's gallery that are in its data set, and their images."""
        places = {product: place for place, product in enumerate(products.data.ids)}
        positions = np.array([places.get(str(product), -1) for product in products.gallery.ids])
        present = positions >= 0
        return cls(products.gallery.take(present), products.data.images[positions[present]])

    def rows(self, queries: EmbeddedProducts, images: Images) -> list[QueryRow]:
        """Return each query with its ten nearest within its true category; without queries that have no result."""
        rows = [self._row(queries.take(np.array([number])), image) for number, image in enumerate(images)]
        return [row for row in rows if row.results]

    def _row(self, query: EmbeddedProducts, image: Images) -> QueryRow:
        kind, colour = query.article_types[0], query.base_colours[0]
        inside = np.flatnonzero(self.products.labels == query.labels[0])
        theirs = self.products.take(inside)
        places, scores = neighbours(query, theirs, K) if len(inside) else (np.zeros((1, 0), int), np.zeros((1, 0)))
        results = [
            ResultCell(
                self.images[inside[place]],
                float(score),
                bool(theirs.article_types[place] == kind),
                bool(theirs.base_colours[place] == colour),
            )
            for place, score in zip(places[0], scores[0], strict=True)
            if np.isfinite(score)
        ]
        return QueryRow(image, f"{kind}\n{colour}", results)

    def photo_rows(self, model: EvaluatedModel, photos: Images, terminal: Terminal) -> list[QueryRow]:
        """Return photos with their ten nearest within the predicted category; agreement is not known."""
        probabilities, vectors = model.predict(photos, terminal, "network over photos")
        rows = []
        for photo, shares, vector in zip(photos, probabilities, unit(vectors), strict=True):
            inside = np.flatnonzero(self.products.labels == shares.argmax())
            similar = self.products.vectors[inside] @ vector
            best = np.argsort(-similar)[:K]
            results = [ResultCell(self.images[inside[place]], float(similar[place])) for place in best]
            rows.append(QueryRow(photo, f"{CATEGORIES[int(shares.argmax())]}\n{shares.max():.2f}", results))
        return rows


def _drawn(model: EvaluatedModel, products: Sequence[SampleProduct], terminal: Terminal) -> Images:
    tracked = terminal.track(products, len(products), "drawing the sample catalogue")
    return np.stack([prepare_image(product.jpeg(), model.manifest.input)[0] for product in tracked])


def _embedded(model: EvaluatedModel, products: Sequence[SampleProduct], images: Images) -> EmbeddedProducts:
    _, vectors = model.predict(images, Terminal())
    return EmbeddedProducts(
        ids=np.array([product.id for product in products]),
        labels=np.array([CATEGORIES.index(product.category) for product in products], np.int64),
        article_types=np.array([product.attributes["articleType"] for product in products]),
        base_colours=np.array([product.attributes["baseColour"] for product in products]),
        vectors=unit(vectors),
    )


def _on_each_background(
    model: EvaluatedModel, images: Images, positions: NDArray[np.int64], backgrounds: Images
) -> list[list[ResultCell]]:
    """Return each product's studio shot, and the same on each background, with cosines to the studio shot."""
    seed = model.manifest.seed
    sets = [images[np.sort(positions)]]
    sets += [
        compose(images, positions, background[None], [seed, 9, number]).images
        for number, background in enumerate(backgrounds)
    ]
    vectors = [unit(model.predict(pictures, Terminal())[1]) for pictures in sets]
    pairs = list(zip(sets, vectors, strict=True))
    return [
        [ResultCell(pictures[number], float(vector[number] @ vectors[0][number])) for pictures, vector in pairs]
        for number in range(len(positions))
    ]
