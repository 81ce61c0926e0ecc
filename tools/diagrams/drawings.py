"""The drawings by file name: the parts of the system, its folders, and four flows."""

from collections.abc import Callable, Mapping

from tools.diagrams.sequence import Participant, Step, draw
from tools.diagrams.svg import arrow, box, document, label

CLIENT = Participant("shop front end", "client")
GATEWAY = Participant("gateway", "service")
EMBEDDING = Participant("embedding", "service")
INDEX = Participant("index", "service")
SERVING = Participant("TensorFlow Serving", "server")
MONGO = Participant("MongoDB", "server")
OPERATOR = Participant("lookalike", "client")


def overview() -> str:
    """Draw the services, the servers and the connections between them."""
    return document(
        860,
        330,
        "The gateway calls the embedding service and the index; the index follows MongoDB",
        [
            box(20, 40, 130, 56, "shop front end\nand search page", "client"),
            box(250, 40, 130, 56, "gateway\nAPI, pages, imports", "service"),
            box(480, 40, 130, 56, "embedding\nimage → vector", "service"),
            box(700, 40, 150, 56, "TensorFlow Serving\nmodels/fashion", "server"),
            box(480, 140, 130, 56, "index\nFAISS, in memory", "service"),
            box(480, 250, 130, 56, "MongoDB\nproducts, pictures", "server"),
            box(20, 250, 130, 56, "lookalike\ncommand line", "client"),
            arrow([(150, 68), (250, 68)]),
            label(200, 60, "HTTP"),
            arrow([(380, 68), (480, 68)]),
            label(430, 60, "HTTP"),
            arrow([(610, 68), (700, 68)]),
            label(655, 60, "gRPC"),
            arrow([(345, 96), (345, 168), (480, 168)]),
            label(415, 160, "HTTP"),
            arrow([(545, 250), (545, 196)]),
            label(555, 228, "change stream", anchor="start"),
            arrow([(285, 96), (285, 265), (480, 265)]),
            label(383, 257, "products, notes"),
            arrow([(150, 290), (480, 290)]),
            label(315, 308, "imports, model switches"),
        ],
    )


def folders() -> str:
    """Draw the folders of services as layers: each imports from the layers below it only."""
    layers = [
        [("cli", "the command lookalike", "client")],
        [("sample_shop", "the drawn catalogue", "part")],
        [("local", "the stack without Docker", "part")],
        [
            ("gateway", "public API, pages", "service"),
            ("embedding", "image → vector", "service"),
            ("index", "search in memory", "service"),
        ],
        [("engine", "vector search, filters, facets, calibration", "shared")],
        [("catalogue", "products, database, feeds, imports, model switches", "shared")],
        [("contracts", "values, wire format, web frame, images, clients", "shared")],
    ]
    parts: list[str] = []
    for row, layer in enumerate(layers):
        width = (520 - 16 * (len(layer) - 1)) / len(layer)
        y = 20 + row * 66
        parts += [
            box(20 + n * (width + 16), y, width, 48, f"{name}\n{text}", kind)
            for n, (name, text, kind) in enumerate(layer)
        ]
    parts += [
        box(610, 20, 220, 312, "training\ndata, networks, recipes,\nevaluation, report, publishing", "part"),
        arrow([(610, 308), (540, 308)]),
        label(575, 296, "imports"),
        arrow([(575, 350), (575, 464)]),
        label(600, 412, "imports go\ndown only", anchor="start"),
    ]
    return document(850, 484, "The folders of services as layers; training stands next to them", parts)


def search() -> str:
    """Draw a search by photo."""
    return draw(
        "A search by photo",
        [CLIENT, GATEWAY, EMBEDDING, SERVING, INDEX],
        [
            Step("shop front end", "gateway", "POST /v1/search: photo, options"),
            Step("gateway", "gateway", "check options; choose one model for the whole search"),
            Step("gateway", "embedding", "photo, box, model"),
            Step("embedding", "embedding", "decode, prepare to the model's input size"),
            Step("embedding", "TensorFlow Serving", "Predict (gRPC)"),
            Step("TensorFlow Serving", "embedding", "probabilities, vector", reply=True),
            Step("embedding", "gateway", "category, unit-length vector", reply=True),
            Step("gateway", "index", "vector, model, category, catalogues, k, filter"),
            Step(
                "index", "index", "nearest images in the category,\none result for each product,\ncalibrated similarity"
            ),
            Step("index", "gateway", "products, scores, facets, active model", reply=True),
            Step("gateway", "gateway", "outcome, links"),
            Step("gateway", "shop front end", "results, best first", reply=True),
        ],
    )


def change() -> str:
    """Draw a product's way from the API into the searched state."""
    return draw(
        "A change of a product",
        [CLIENT, GATEWAY, EMBEDDING, MONGO, INDEX],
        [
            Step("shop front end", "gateway", "PUT /v1/products/{id}"),
            Step("gateway", "embedding", "new images, active model, candidate"),
            Step("embedding", "gateway", "category, vectors of both models", reply=True),
            Step("gateway", "MongoDB", "pictures, then the product document"),
            Step("gateway", "shop front end", "201 created, 200 replaced", reply=True),
            Step("MongoDB", "index", "change event"),
            Step("index", "index", "gather 0.1 s, replace the product's rows in the tail, publish a new view"),
            Step("index", "index", "write a snapshot with the stream's token in the background"),
            Step("index", "MongoDB", "every five minutes: read and compare all documents"),
        ],
    )


def feed_row() -> str:
    """Draw a feed row's way into the database."""
    return draw(
        "A row of a feed",
        [
            Participant("source\nfeed, folder, archive", "client"),
            Participant("importer\nCLI or gateway", "service"),
            Participant("web server\nof the shop", "client"),
            EMBEDDING,
            MONGO,
        ],
        [
            Step("importer", "MongoDB", "take the catalogue's import lease"),
            Step("source", "importer", "record → row: id, fields, images"),
            Step("importer", "importer", "category by feed and mapping; skip rows outside the categories"),
            Step("importer", "MongoDB", "fingerprints of the batch's products"),
            Step("importer", "web server", "images, conditional requests"),
            Step("importer", "importer", "unchanged: done; new description: keep the vectors"),
            Step("importer", "embedding", "new images, in batches of 128"),
            Step("importer", "MongoDB", "pictures, then products, in bulk"),
            Step("importer", "importer", "outcome of each row: imported, updated, unchanged, rejected"),
            Step("importer", "MongoDB", "with --sync: remove products that the feed lacks"),
        ],
    )


def model_switch() -> str:
    """Draw a switch of models during searches."""
    return draw(
        "A switch from fashion/1 to fashion/2",
        [OPERATOR, MONGO, INDEX, GATEWAY, EMBEDDING],
        [
            Step("lookalike", "MongoDB", "reembed: the candidate is 2"),
            Step("lookalike", "embedding", "pictures, model fashion/2, 16 at a time"),
            Step("lookalike", "MongoDB", "embeddings[fashion/2] of each product"),
            Step("MongoDB", "index", "note and changes"),
            Step("index", "index", "hold a second replica for fashion/2"),
            Step("lookalike", "MongoDB", "compare-models: report the differences"),
            Step("lookalike", "MongoDB", "promote: 2 is active, 1 previous"),
            Step("index", "index", "announce fashion/2 when its replica is complete in every catalogue"),
            Step("index", "gateway", "fashion/2 is active, with each response", reply=True),
            Step("gateway", "embedding", "the next search uses fashion/2"),
            Step("lookalike", "MongoDB", "rollback: 1 is active again"),
        ],
    )


DRAWINGS: Mapping[str, Callable[[], str]] = {
    "architecture-overview.svg": overview,
    "architecture-folders.svg": folders,
    "flow-search.svg": search,
    "flow-change.svg": change,
    "flow-feed-row.svg": feed_row,
    "flow-model-switch.svg": model_switch,
}
