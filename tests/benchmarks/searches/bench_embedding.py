"""The embedding service against the network alone: rates, one image's stages, start and memory.

Every rate is measured in the same run, and the network alone before and after: the ratios hold on a busy machine.
"""

import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np

from services.contracts.domain.manifest import InputSize, load_manifest
from services.contracts.wire.embedding import MAX_BATCH
from services.contracts.wire.framing import pack
from services.contracts.wire.serving_messages import prediction_service_pb2_grpc
from tests.benchmarks import network_alone
from tests.benchmarks.imports.bench_import import drawn
from tests.support.pictures import images
from tests.support.servers.embedding import BATCH, RAW, EmbeddingProcess, running_embedding
from tests.support.servers.stack import MODEL_DIR
from tests.support.servers.tfs import TfsStandIn, predict_request, running_stand_in, wait_until_available

SECONDS = 5.0
SINGLES = 200
CALLERS = 4


def main() -> dict[str, float]:
    """Print and return the figures: images a second, milliseconds, seconds, megabytes."""
    before = network_alone.rate(MODEL_DIR)
    served = measure()
    after = network_alone.rate(MODEL_DIR)
    alone = (before + after) / 2
    ratio = {"embedding ÷ network alone": served["embedding, full batches, images/s"] / alone}
    figures = {"network alone, images/s": alone, **ratio, **served}
    print(f"the network alone before and after: {before:.0f}, {after:.0f} images/s")
    for name, value in figures.items():
        print(f"  {name:<52} {value:10,.2f}")
    return figures


def measure() -> dict[str, float]:
    """Return the figures of the stand-in and of the service in front of it."""
    manifest = load_manifest(MODEL_DIR)
    figures: dict[str, float] = {}
    with running_stand_in(MODEL_DIR.parent, "--model-name", manifest.name) as stand_in:
        with grpc.insecure_channel(stand_in.address) as channel:
            wait_until_available(channel, manifest.version)
            for callers in (1, 2):
                figures[f"stand-in by gRPC, {callers} at once, images/s"] = grpc_rate(channel, manifest.input, callers)
        started = time.perf_counter()
        with running_embedding(MODEL_DIR, stand_in.address, EMBEDDING_LOG_LEVEL="WARNING") as service:
            service.wait_until_ready()
            figures["start to ready, s"] = time.perf_counter() - started
            figures["memory when idle, MB"] = service.resident_mb
            figures.update(batches(service, stand_in))
            for name, photo in (("thumbnail", drawn(1)), ("1200×1600 photo", images.jpeg(1200, 1600))):
                figures.update({f"{name}, {stage}, ms": ms for stage, ms in single(service, photo).items()})
            figures["memory after the runs, MB"] = service.resident_mb
    return figures


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rate(work: Callable[[], int], callers: int) -> float:
    """Return what `work` gets done a second when as many callers repeat it, after one call as a warm-up."""
    work()
    started = time.perf_counter()

    def repeat(_: int) -> int:
        done = 0
        while time.perf_counter() - started < SECONDS:
            done += work()
        return done

    with ThreadPoolExecutor(callers) as pool:
        done = sum(pool.map(repeat, range(callers)))
    return done / (time.perf_counter() - started)


def grpc_rate(channel: grpc.Channel, size: InputSize, callers: int) -> float:
    """Return images a second of the stand-in alone: noise in batches of the size that the network alone gets."""
    noise = np.random.default_rng(0).integers(0, 256, (network_alone.BATCH, size.height, size.width, 3), np.uint8)
    request = predict_request(noise)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def call() -> int:
        stub.Predict(request, timeout=60)
        return len(noise)

    return rate(call, callers)


def batches(service: EmbeddingProcess, stand_in: TfsStandIn) -> dict[str, float]:
    """Return the images a second of full batches of thumbnails, and each process's time an image."""
    body = pack(drawn(number) for number in range(MAX_BATCH))
    done = 0

    def call() -> int:
        nonlocal done
        service.http.post("/v1/embed/batch", content=body, headers=BATCH).raise_for_status()
        done += MAX_BATCH
        return MAX_BATCH

    pids = {"embedding": service.process.pid, "stand-in": stand_in.process.pid}
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    figures = {"embedding, full batches, images/s": rate(call, CALLERS)}
    for name, pid in pids.items():
        figures[f"full batches, processor time of {name}, ms/image"] = (cpu_s(pid) - before[name]) * 1000 / done
    return figures


def single(service: EmbeddingProcess, photo: bytes) -> dict[str, float]:
    """Return medians of the milliseconds a stage of one image, one after the other."""
    rows: list[dict[str, float]] = []
    for turn in range(SINGLES + 20):
        started = time.perf_counter()
        answer = service.http.post("/v1/embed", content=photo, headers=RAW)
        elapsed = (time.perf_counter() - started) * 1000
        answer.raise_for_status()
        if turn >= 20:
            rows.append({**answer.json()["timings_ms"], "seen by the caller": elapsed})
    return {stage: statistics.median(row[stage] for row in rows) for stage in rows[0]}


if __name__ == "__main__":
    main()
