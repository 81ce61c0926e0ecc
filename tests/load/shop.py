"""A shop whose answers are known: products that their own photos find, and products that change under load."""

import base64
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count, cycle
from pathlib import Path

import httpx
import orjson

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_products, sample_query
from tests.attack.shop import fill
from tests.load.http import Answer, Sender, prepared, with_key
from tests.support.servers.stack import running_stack
from tests.support.values.keys import bearer
from tests.support.waiting import eventually

CHANGING = 6  # products whose titles change
SAME_SCORE = 0.999
Check = Callable[[Answer], str]


@dataclass(frozen=True)
class Request:
    """A request, and a check of its answer: an empty text, or what is wrong with it.

    Attributes:
        kind: photo, similar or write.
        data: the request as bytes.
        check: called with answers of status 2xx.
    """

    kind: str
    data: bytes
    check: Check


@dataclass
class Shop:
    """Requests with known answers, and the titles that writes were acknowledged with."""

    url: str
    key: str = ""
    _photos: list[Request] = field(default_factory=list)
    _similar: list[Request] = field(default_factory=list)
    _pictures: list[str] = field(default_factory=list)
    _acknowledged: dict[str, int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def open(self) -> None:
        """Fill the catalogue, and learn what its searches answer.

        Raises:
            AssertionError: hardly any product is found by its own photo.
        """
        headers = bearer(self.key) if self.key else {}
        fill(self.url, headers=headers)
        self._pictures = [base64.b64encode(sample_query(seed)).decode() for seed in range(CHANGING)]
        with httpx.Client(base_url=self.url, timeout=30, trust_env=False, headers=headers) as http:
            before = http.get("/v1/stats").json()["products"]
            for number in range(CHANGING):
                http.put(f"/v1/products/changing-{number}", json=self._document(number, 0)).raise_for_status()
            eventually(lambda: http.get("/v1/stats").json()["products"] >= before + CHANGING)
            products = list(sample_products(per_category=2))
            for product in products:
                self._learn(http, product.id, product.jpeg())
        assert len(self._photos) > len(products) / 2, f"{len(self._photos)} products are found by their own photos"

    def _learn(self, http: httpx.Client, product: str, photo: bytes) -> None:
        headers = {"Content-Type": "image/jpeg"}
        results = http.post("/v1/search", content=photo, headers=headers).raise_for_status().json()["results"]
        if results and (results[0]["id"], results[0]["score"] > SAME_SCORE) == (product, True):
            data = prepared("POST", "/v1/search", photo, "image/jpeg")
            self._photos.append(Request("photo", data, _first_is(product)))
        path = f"/v1/products/{product}/similar"
        results = http.get(path).raise_for_status().json()["results"]
        if results:
            self._similar.append(Request("similar", prepared("GET", path), _first_is(results[0]["id"])))

    def searches(self, key: str | None = None) -> Iterator[Request]:
        """Yield searches by photo without end, with a key. Default: the shop's."""
        return cycle(_keyed(self._photos, self.key if key is None else key))

    def mixed(self) -> Iterator[Request]:
        """Yield requests without end: of ten, eight searches by photo, one by product, and one write."""
        photos, similar = self.searches(), cycle(_keyed(self._similar, self.key))
        while True:
            for _ in range(4):
                yield next(photos)
            yield next(similar)
            for _ in range(4):
                yield next(photos)
            yield self._write()

    def _write(self) -> Request:
        revision = next(self._numbers) + 1
        number = revision % CHANGING
        key = f"changing-{number}"

        def check(_: Answer) -> str:
            self._acknowledged[key] = max(revision, self._acknowledged.get(key, 0))
            return ""

        body = orjson.dumps(self._document(number, revision))
        return _keyed([Request("write", prepared("PUT", f"/v1/products/{key}", body), check)], self.key)[0]

    def _document(self, number: int, revision: int) -> dict[str, object]:
        return {"title": f"revision {revision}", "category": "Bags", "image_base64": self._pictures[number]}

    async def lost(self, sender: Sender) -> list[str]:
        """Return acknowledged writes that are lost: products without the last acknowledged title, or a later one."""
        lost = []
        for key, revision in self._acknowledged.items():
            answer = await sender.send(with_key(prepared("GET", f"/v1/products/{key}"), self.key))
            if answer.status != "200" or int(orjson.loads(answer.body)["title"].split()[1]) < revision:
                lost.append(f"{key}: {answer.status}, acknowledged revision {revision}")
        return lost


def _keyed(requests: Sequence[Request], key: str) -> list[Request]:
    return [replace(request, data=with_key(request.data, key)) for request in requests]


def _first_is(product: str) -> Check:
    def check(answer: Answer) -> str:
        results = orjson.loads(answer.body)["results"]
        first = results[0]["id"] if results else "nothing"
        return "" if first == product else f"{first} in place of {product}"

    return check


@contextmanager
def open_shop(purpose: str, key: str = "") -> Iterator[tuple[Stack, Shop]]:
    """Run a stack of its own with an open shop for the length of the block.

    Args:
        purpose: what the stack is for; a part of its folder's name.
        key: the API key of the shop's requests, if it needs one.
    """
    with tempfile.TemporaryDirectory(prefix=f"lookalike-{purpose}-") as name, running_stack(Path(name)) as stack:
        shop = Shop(stack.settings.gateway_url, key)
        shop.open()
        yield stack, shop
