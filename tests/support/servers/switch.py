"""A whole stack with two models, searches that go on through everything, and a check of each answer by brute force."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pymongo
from numpy.typing import NDArray

from services.catalogue.documents.product_document import from_document
from services.local.stack import Stack
from tests.support.servers.commands import run_command
from tests.support.servers.stack import stack_settings
from tests.support.waiting import WITHIN_S

SCORE_NOISE = 1e-4


@dataclass(frozen=True)
class Done:
    """How a command ended: exit status, what it printed as JSON, what it said on stderr."""

    status: int
    printed: Any
    said: str


@dataclass(frozen=True)
class ModelStack:
    """A running stack, and ways to use it."""

    stack: Stack
    api: httpx.Client
    folder: Path

    @property
    def addresses(self) -> dict[str, str]:
        """The services' addresses, as the program's environment names them."""
        settings = self.stack.settings
        return {
            "EMBEDDING_URL": settings.embedding_url,
            "GATEWAY_URL": settings.gateway_url,
            "MONGO_URL": settings.mongo_url,
        }

    def lookalike(self, command: str, *arguments: str | Path) -> Done:
        """Run a command of the program to its end in this process."""
        ended = run_command(command, *arguments, "--json", environment=self.addresses, cwd=self.folder)
        return Done(ended.status, orjson.loads(ended.printed) if ended.printed else None, ended.said)

    def documents(self) -> list[dict[str, Any]]:
        """Return every document of every catalogue."""
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.stack.settings.mongo_url)
        with client:
            database = client["lookalike"]
            names = [name for name in database.list_collection_names() if name.split("_")[0] == "products"]
            documents = [document for name in names for document in database[name].find()]
        return [item for item in documents if not str(item["_id"]).startswith("~sync/")]

    def embed(self, photo: bytes, model: str) -> tuple[int, NDArray[np.float64]]:
        """Return category and vector of a photo by a model."""
        url = f"{self.stack.settings.embedding_url}/v1/embed"
        answer = httpx.post(
            url, params={"model": model}, content=photo, timeout=WITHIN_S, trust_env=False
        ).raise_for_status()
        return answer.json()["category"]["id"], np.array(answer.json()["vector"])


@contextmanager
def running_models(folder: Path, model_dir: Path) -> Iterator[ModelStack]:
    """Run a stack for the length of the block; its first model is `model_dir`, the others are in the same folder.

    It has no detector: searches are by whole photos.
    """
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    models = {"model_dir": model_dir, "detector_dir": folder / "detector" / "1"}
    stack = Stack(stack_settings(state).model_copy(update=models))
    try:
        stack.up("test", print)
        with httpx.Client(base_url=stack.settings.gateway_url, timeout=WITHIN_S, trust_env=False) as api:
            yield ModelStack(stack, api, folder)
    finally:
        stack.down()


@dataclass(frozen=True)
class Asked:
    """One search: which photo, when it began (seconds), how long it took, what was answered."""

    photo: int
    at_s: float
    took_s: float
    status: int
    answer: dict[str, Any]


@dataclass
class Searches:
    """Searches at a steady rate, in threads, until they are ended; none waits for the one before.

    `path` leads to the catalogue that is searched.
    """

    stack: ModelStack
    photos: Sequence[bytes]
    rate: float
    path: str = ""
    done: list[Asked] = field(default_factory=list)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Search for as long as the block; every search is waited for."""
        ending = threading.Event()
        with ThreadPoolExecutor(64) as threads:

            def begin() -> None:
                started = time.monotonic()
                number = 0
                while not ending.wait(max(0.0, started + number / self.rate - time.monotonic())):
                    threads.submit(self._one, number % len(self.photos))
                    number += 1

            thread = threading.Thread(target=begin)
            thread.start()
            try:
                yield
            finally:
                ending.set()
                thread.join()

    def _one(self, photo: int) -> None:
        started = time.monotonic()
        headers = {"Content-Type": "application/octet-stream"}
        try:
            url = f"{self.path}/v1/search?crop=none"  # `Truth` knows the vectors of whole photos
            response = self.stack.api.post(url, content=self.photos[photo], headers=headers)
            status, answer = response.status_code, response.json()
        except (httpx.HTTPError, ValueError) as error:
            status, answer = 0, {"detail": repr(error)}
        self.done.append(Asked(photo, started, time.monotonic() - started, status, answer))

    @property
    def failures(self) -> list[Asked]:
        """Searches that were not answered with 200."""
        return [search for search in self.done if search.status != 200]

    def counts(self) -> dict[str, int]:
        """Return how many answers there were by each model."""
        models = [search.answer["model"] for search in self.done if search.status == 200]
        return {model: models.count(model) for model in sorted(set(models))}


class Truth:
    """What a search should find, by brute force over the documents of a catalogue that does not change."""

    def __init__(self, stack: ModelStack, photos: Sequence[bytes], models: Sequence[str]) -> None:
        products = [from_document(document).product for document in stack.documents()]
        self._products: dict[str, dict[str, tuple[int, NDArray[np.float64]]]] = {}
        for model in models:
            embedding = [
                (product if (product.model or models[0]) == model else product.embedded_by(model))
                for product in products
            ]
            self._products[model] = {
                item.key: (item.category, np.asarray(item.vector, np.float64)) for item in embedding if item is not None
            }
        self._photos = {model: [stack.embed(photo, model) for photo in photos] for model in models}

    def objection(self, asked: Asked) -> str | None:
        """Return what is wrong with an answer; None where it is what the model that it names would give."""
        answer = asked.answer
        model = answer["model"]
        category, vector = self._photos[model][asked.photo]
        if answer["category"]["id"] != category:
            return f"category {answer['category']['id']}, not {category} as {model} has it"
        scores = {
            key: float(vector @ each) for key, (where, each) in self._products[model].items() if where == category
        }
        actual = {result["id"]: result["score"] for result in answer["results"]}
        wrong = [key for key, score in actual.items() if abs(scores.get(key, -9.0) - score) > SCORE_NOISE]
        if wrong:
            return f"{wrong[0]} scores {actual[wrong[0]]}, not {scores.get(wrong[0])} as {model} has it"
        if len(actual) != min(10, len(scores)):
            return f"{len(actual)} results, of {len(scores)} products"
        missed = [
            key for key, score in scores.items() if key not in actual and score > min(actual.values()) + SCORE_NOISE
        ]
        return f"{missed[0]} is nearer by {model}, and missing" if missed else None

    def telling(self, asked: Asked, other: str) -> bool:
        """Whether the answer could not have come from another model: that one has the scores otherwise."""
        _, vector = self._photos[other][asked.photo]
        products = self._products[other]
        answers = [(products.get(result["id"]), result["score"]) for result in asked.answer["results"]]
        return any(answer is None or abs(float(vector @ answer[1]) - score) > SCORE_NOISE for answer, score in answers)
