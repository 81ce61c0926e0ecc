"""The gateway's client of the embedding service: large files wait for each other, small ones do not."""

import asyncio

import orjson

from services.contracts.clients.service_transport import ServiceRequest, ServiceResponse
from services.contracts.web.observability.upstream_calls import UpstreamCalls
from services.contracts.wire.embedding import DetectionResponse
from services.gateway.search.measured_embedding import LARGE_AT_ONCE, LARGE_BYTES, MeasuredEmbeddingClient

SMALL, LARGE = b"x", bytes(LARGE_BYTES + 1)
NO_GARMENTS = orjson.dumps({"garments": [], "model": "detector/1", "timings_ms": {}})


class HeldTransport:
    """Holds every request until `release` is set; `arrived` has the size of each."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[int] = asyncio.Queue()
        self.release = asyncio.Event()

    async def send(self, request: ServiceRequest, step_s: float, total_s: float | None) -> ServiceResponse:
        self.arrived.put_nowait(len(request.content or b""))
        await self.release.wait()
        return ServiceResponse(200, "application/json", NO_GARMENTS)

    async def close(self) -> None: ...


def detecting(transport: HeldTransport, *files: bytes) -> list[asyncio.Task[DetectionResponse]]:
    embedding = MeasuredEmbeddingClient("http://embedding.test", 1.0, UpstreamCalls(), transport=transport)
    return [asyncio.create_task(embedding.detect(file)) for file in files]


async def test_few_large_files_are_sent_at_once_and_all_are_answered() -> None:
    transport = HeldTransport()
    calls = detecting(transport, *[LARGE] * (LARGE_AT_ONCE + 3))
    for _ in range(100):
        await asyncio.sleep(0)
    assert transport.arrived.qsize() == LARGE_AT_ONCE
    transport.release.set()
    await asyncio.gather(*calls)
    assert transport.arrived.qsize() == LARGE_AT_ONCE + 3


async def test_a_small_file_does_not_wait_for_large_ones() -> None:
    transport = HeldTransport()
    calls = detecting(transport, *[LARGE] * (LARGE_AT_ONCE + 1), SMALL)
    sizes = [await transport.arrived.get() for _ in range(LARGE_AT_ONCE + 1)]
    assert sizes == [len(LARGE)] * LARGE_AT_ONCE + [len(SMALL)]
    transport.release.set()
    await asyncio.gather(*calls)


async def test_a_large_file_whose_client_has_left_makes_room_for_the_next() -> None:
    transport = HeldTransport()
    first, *others = detecting(transport, *[LARGE] * (LARGE_AT_ONCE + 1))
    for _ in range(LARGE_AT_ONCE):
        await transport.arrived.get()
    first.cancel()
    await transport.arrived.get()
    transport.release.set()
    await asyncio.gather(*others)
