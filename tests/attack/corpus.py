"""The attacks: what a hostile client sends to the gateway, without a key."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import orjson

from tests.attack.client import AttackClient
from tests.attack.pictures import PICTURES, small_jpeg

HOST = b"Host: attacker\r\n"
Run = Callable[[AttackClient, bytes], Awaitable[None]]


@dataclass(frozen=True)
class Attack:
    """One kind of request, sent a number of times at once.

    Attributes:
        name: what is sent.
        run: sends it; takes what `make` returns.
        make: makes a file, before the attack: at the same time, it would take the processor from the honest clients.
    """

    name: str
    run: Run
    make: Callable[[], bytes] = bytes


def corpus(slow_s: float) -> list[Attack]:
    """Return all attacks; `slow_s` is how long those with slow connections last."""
    return [
        *(Attack(f"JSON: {name}", _json, make) for name, make in JSON_BODIES.items()),
        *(_filter(name, source) for name, source in _filters().items()),
        *(Attack(f"picture: {name}", _picture, make) for name, make in PICTURES.items()),
        *(Attack(f"events: {name}", partial(_events, kind=kind), make) for name, (make, kind) in EVENTS.items()),
        *(Attack(f"form: {name}", _form, make) for name, make in FORMS.items()),
        Attack("3,000 invented methods", _methods),
        Attack("3,000 invented paths", _paths),
        Attack("a long query string", _query),
        Attack("a product of 100,000 attributes", _product),
        Attack("64 slow uploads", partial(_slow_uploads, seconds=slow_s)),
        Attack("200 slow heads", partial(_slow_heads, seconds=slow_s)),
        Attack("two lengths", _two_lengths),
        Attack("clients that leave", _leaving, PICTURES["RGBA PNG"]),
    ]


def _photo() -> str:
    return base64.b64encode(small_jpeg()).decode()


JSON_BODIES: dict[str, Callable[[], bytes]] = {
    "900,000 unknown names": lambda: orjson.dumps({f"u{number}": 1 for number in range(900_000)}),
    "4,000 unknown names": lambda: orjson.dumps({f"u{number}": 1 for number in range(4000)}),
    "a name of 60 kB": lambda: orjson.dumps({"x" * 60_000: 1}),
    "nested lists": lambda: b'{"filter":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "13 MB of letters with spaces": lambda: orjson.dumps({"image_base64": "AB " * 4_400_000}),
    "an image of 13 MB of A": lambda: orjson.dumps({"image_base64": "A" * 13_000_000}),
    "100,000 images": lambda: b"{" + b",".join(b'"base64":"QUFB"' for _ in range(100_000)) + b"}",
    "a number of 60,000 digits": lambda: b'{"k": ' + b"9" * 60_000 + b"}",
    "a category of 60 kB": lambda: orjson.dumps({"image_base64": _photo(), "category": "x" * 60_000}),
}


def _filters() -> dict[str, bytes]:
    sources: dict[str, Any] = {
        "100 unknown attributes": {f"unknown{number}": 1 for number in range(100)},
        "5,000 empty objects": {"$or": [{}] * 5000},
        "5,000 values": {"colour": list(range(5000))},
        "100 conditions on one attribute": {"$or": [{"gender": f"v{number}"} for number in range(99)]},
    }
    texts = {name: orjson.dumps(source) for name, source in sources.items()}
    return texts | {"500 levels": b'{"$not":' * 500 + b"{}" + b"}" * 500}


async def _json(client: AttackClient, body: bytes) -> None:
    await _at_once(client.send("POST", "/v1/search", body) for _ in range(4))


def _filter(name: str, source: bytes) -> Attack:
    async def run(client: AttackClient, _: bytes) -> None:
        body = b'{"facets": true, "image_base64": "' + _photo().encode() + b'", "filter": ' + source + b"}"
        await _at_once(client.send("POST", "/v1/search", body) for _ in range(4))

    return Attack(f"filter: {name}", run)


LINES, LIST = "application/x-ndjson", "application/json"


def _shown(product: dict[str, Any], count: int) -> dict[str, Any]:
    """Return an event of which the same product is shown several times."""
    return {"action_name": "impression", "request_id": "x", "event_attributes": {"objects": [product] * count}}


EVENTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "500,000 broken lines": (lambda: b"x\n" * 500_000, LINES),
    "500,000 broken lines as text": (lambda: b"x\n" * 500_000, "text/plain"),
    "a list of 400,000 numbers": (lambda: b"[" + b"0," * 400_000 + b"0]", LIST),
    "90,000 unknown names of an object": (lambda: orjson.dumps(_shown({f"u{n}": 1 for n in range(90_000)}, 1)), LIST),
    "44,000 wrong objects": (lambda: orjson.dumps([_shown({"object_id": ""}, 49)] * 900), LIST),
    "36,000 objects": (lambda: orjson.dumps([_shown({"object_id": "p"}, 40)] * 900), LIST),
}


async def _events(client: AttackClient, body: bytes, kind: str) -> None:
    await _at_once(client.send("POST", "/v1/events", body, kind) for _ in range(4))


async def _picture(client: AttackClient, data: bytes) -> None:
    await _at_once(client.send("POST", "/v1/search", data, "image/jpeg") for _ in range(4))


PART = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
FIELD = b'--b\r\nContent-Disposition: form-data; name="filter"\r\n\r\n'
FORMS: dict[str, Callable[[], bytes]] = {
    "10 MB of line ends": lambda: PART + b"\r\n--" * 2_500_000 + b"\r\n--b--\r\n",
    "a field of 900 kB": lambda: FIELD + b"x" * 900_000 + b"\r\n--b--\r\n",
    "100,000 parts": lambda: (FIELD + b"x\r\n") * 100_000 + b"--b--\r\n",
    "a million headers": lambda: b"--b\r\n" + b"A: b\r\n" * 1_000_000,
    "no end": lambda: PART + small_jpeg(),
}


async def _form(client: AttackClient, data: bytes) -> None:
    await _at_once(client.send("POST", "/v1/search", data, "multipart/form-data; boundary=b") for _ in range(4))


async def _methods(client: AttackClient, _: bytes) -> None:
    for start in range(0, 3000, 50):
        await _at_once(client.send(f"INVENTED{start + number}", "/v1/search") for number in range(50))


async def _paths(client: AttackClient, _: bytes) -> None:
    for start in range(0, 3000, 50):
        await _at_once(client.send("GET", f"/v1/nothing/{start + number}/{'x' * 500}") for number in range(50))


async def _query(client: AttackClient, _: bytes) -> None:
    pairs = "&".join(f"u{number}=1" for number in range(6000))
    await client.send("GET", f"/v1/products/a/similar?{pairs}")
    await client.send("GET", f"/v1/products/a/similar?filter={quote('[' * 15_000)}")


async def _product(client: AttackClient, _: bytes) -> None:
    attributes = {f"a{number}": "x" * 20 for number in range(100_000)}
    photo = base64.b64encode(small_jpeg()).decode()
    await client.send("PUT", "/v1/products/attack", orjson.dumps({"image_base64": photo, "attributes": attributes}))
    few = {f"a{number}": "x" * 500 for number in range(90)}
    await client.send("PUT", "/v1/products/attack", orjson.dumps({"image_base64": photo, "attributes": few}))
    await client.send("DELETE", "/v1/products/attack")


async def _slow_uploads(client: AttackClient, _: bytes, seconds: float) -> None:
    head = b"POST /v1/search HTTP/1.1\r\n" + HOST + b"Content-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\n"
    await _at_once(client.raw(head + b"x", then=b"x", every_s=1.0, for_s=seconds) for _ in range(64))


async def _slow_heads(client: AttackClient, _: bytes, seconds: float) -> None:
    head = b"POST /v1/search HTTP/1.1\r\n" + HOST
    await _at_once(client.raw(head, then=b"X: y\r\n", every_s=1.0, for_s=seconds) for _ in range(200))


async def _two_lengths(client: AttackClient, _: bytes) -> None:
    for fields in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
    ):
        await client.raw(b"POST /v1/search HTTP/1.1\r\n" + HOST + fields + b"\r\n0\r\n\r\nGET /livez HTTP/1.1\r\n\r\n")


async def _leaving(client: AttackClient, data: bytes) -> None:
    """Send whole pictures, and leave before the answer."""
    head = b"POST /v1/search HTTP/1.1\r\n" + HOST + b"Content-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(data)
    await _at_once(client.raw(head + data, for_s=0.05) for _ in range(16))


async def _at_once(sendings: Iterable[Awaitable[None]]) -> None:
    await asyncio.gather(*sendings)
