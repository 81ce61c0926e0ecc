"""What is drawn of a model's answers: on the sample catalogue for its report, on real data for a folder of one's own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.catalogue.sources.formats.kaggle_archive import CATEGORIES
from services.contracts.images.preparation import prepare_image
from services.sample_shop.catalogue import sample_products, sample_query_product
from services.sample_shop.product import SampleProduct
from training.data.backgrounds import drawn
from training.data.evidence import Evidence
from training.evaluation.figures import Measured
from training.evaluation.new_backgrounds import place
from training.evaluation.retrieval import Embedded, neighbours, unit
from training.evaluation.served_model import ServedModel
from training.progress import Terminal
from training.report.illustrations import Answered, Found, best_and_worst, grid, on_backgrounds

SHOWN = 5  # queries of each sort, and products on backgrounds
ASKED = 4  # sample queries a category, of which the best and the worst are shown
GROUNDS = 7
LOOKED_AT = 300  # real queries, of which the best and the worst are shown
PHOTOS = 12
K = 10
Pictures = NDArray[np.uint8]


def sample_grids(model: ServedModel, folder: Path, terminal: Terminal) -> None:
    """Write `grid.png` and `backgrounds.png` of the drawn sample catalogue: nothing of anyone's data is in them."""
    products = list(sample_products())
    queries = [sample_query_product(seed, category) for category in CATEGORIES for seed in range(ASKED)]
    patterns = np.stack(list(drawn(np.random.default_rng(1), GROUNDS)))
    pictures = _drawn(model, products, terminal)
    placed = place(
        _drawn(model, queries, terminal), np.arange(len(queries)), patterns, [model.manifest.seed, 8]
    ).pictures
    gallery, asked = _embedded(model, products, pictures), _embedded(model, queries, placed)
    grid(best_and_worst(_answered(asked, placed, gallery, pictures), SHOWN), folder / "grid.png")
    chosen = np.linspace(0, len(products) - 1, SHOWN + 1).round().astype(np.int64)
    on_backgrounds(_moved(model, pictures, chosen, patterns), folder / "backgrounds.png")


def real_grids(model: ServedModel, measured: Measured, evidence: Evidence, folder: Path, terminal: Terminal) -> None:
    """Write `products.png`, `backgrounds.png` and, with photos, `photos.png` of the data that the model is measured on."""
    folder.mkdir(parents=True, exist_ok=True)
    gallery, pictures = _own_gallery(measured)
    rng = np.random.default_rng(measured.seed)
    chosen = rng.choice(measured.queries, min(LOOKED_AT, len(measured.queries)), replace=False)
    rows = _answered(measured.said.embedded.take(chosen), measured.data.images[chosen], gallery, pictures)
    grid(best_and_worst(rows, SHOWN), folder / "products.png")
    grounds = np.concatenate(list(evidence.grounds.values()))
    grounds = grounds[rng.choice(len(grounds), min(GROUNDS, len(grounds)), replace=False)]
    on_backgrounds(_moved(model, measured.data.images, chosen[:SHOWN], grounds), folder / "backgrounds.png")
    if evidence.photos is not None:
        photos = evidence.photos.images
        some = rng.choice(len(photos), min(PHOTOS, len(photos)), replace=False)
        grid(_of_photos(model, photos[some], gallery, pictures, terminal), folder / "photos.png")


def _own_gallery(measured: Measured) -> tuple[Embedded, Pictures]:
    """Return the gallery's products that are of the same archive, and their pictures."""
    places = {product: place for place, product in enumerate(measured.data.ids)}
    inside = np.array([places.get(str(product), -1) for product in measured.gallery.ids])
    return measured.gallery.take(inside >= 0), measured.data.images[inside[inside >= 0]]


def _drawn(model: ServedModel, products: Sequence[SampleProduct], terminal: Terminal) -> Pictures:
    tracked = terminal.track(products, len(products), "drawing the sample catalogue")
    return np.stack([prepare_image(product.jpeg(), model.manifest.input)[0] for product in tracked])


def _embedded(model: ServedModel, products: Sequence[SampleProduct], pictures: Pictures) -> Embedded:
    _, vectors = model.predict(pictures, Terminal())
    return Embedded(
        ids=np.array([product.id for product in products]),
        labels=np.array([CATEGORIES.index(product.category) for product in products], np.int64),
        article_types=np.array([product.attributes["articleType"] for product in products]),
        base_colours=np.array([product.attributes["baseColour"] for product in products]),
        vectors=unit(vectors),
    )


def _answered(asked: Embedded, asked_pictures: Pictures, gallery: Embedded, pictures: Pictures) -> list[Answered]:
    """Return each query with its ten nearest within its true category."""
    rows = []
    for number, label in enumerate(asked.labels):
        inside = np.flatnonzero(gallery.labels == label)
        one, theirs = asked.take(np.array([number])), gallery.take(inside)
        places, scores = neighbours(one, theirs, K) if len(inside) else (np.zeros((1, 0), int), np.zeros((1, 0)))
        found = [
            Found(
                pictures[inside[place]],
                float(score),
                bool(theirs.article_types[place] == one.article_types[0]),
                bool(theirs.base_colours[place] == one.base_colours[0]),
            )
            for place, score in zip(places[0], scores[0], strict=True)
            if np.isfinite(score)
        ]
        rows.append(Answered(asked_pictures[number], f"{one.article_types[0]}\n{one.base_colours[0]}", found))
    return [row for row in rows if row.found]


def _of_photos(
    model: ServedModel, photos: Pictures, gallery: Embedded, pictures: Pictures, terminal: Terminal
) -> list[Answered]:
    """Return photos with their ten nearest within the predicted category; nobody knows what would agree."""
    probabilities, vectors = model.predict(photos, terminal, "network over photos")
    rows = []
    for photo, shares, vector in zip(photos, probabilities, unit(vectors), strict=True):
        inside = np.flatnonzero(gallery.labels == shares.argmax())
        similar = gallery.vectors[inside] @ vector
        found = [Found(pictures[inside[place]], float(similar[place])) for place in np.argsort(-similar)[:K]]
        rows.append(Answered(photo, f"{CATEGORIES[int(shares.argmax())]}\n{shares.max():.2f}", found))
    return rows


def _moved(model: ServedModel, images: Pictures, chosen: NDArray[np.int64], grounds: Pictures) -> list[list[Found]]:
    """Return each product's studio shot, and the same on each background, with cosines to the studio shot."""
    seed = model.manifest.seed
    sets = [images[np.sort(chosen)]]
    sets += [place(images, chosen, ground[None], [seed, 9, number]).pictures for number, ground in enumerate(grounds)]
    vectors = [unit(model.predict(pictures, Terminal())[1]) for pictures in sets]
    pairs = list(zip(sets, vectors, strict=True))
    return [
        [Found(pictures[number], float(vector[number] @ vectors[0][number])) for pictures, vector in pairs]
        for number in range(len(chosen))
    ]
