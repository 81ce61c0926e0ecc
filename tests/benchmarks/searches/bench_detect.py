"""The time to detect the garments of a photo, as a ratio to the time to embed it.

The two calls take turns, so that the ratio holds on a busy machine.
"""

import tempfile
import time
from pathlib import Path

import grpc

from services.contracts.domain.manifest import load_manifest
from tests.support.pictures import images
from tests.support.servers.embedding import RAW, EmbeddingProcess, running_embedding
from tests.support.servers.stack import MODEL_DIR, ROOT
from tests.support.servers.tfs import TfsStandIn, running_stand_in, wait_until_available
from tests.support.waiting import eventually

DETECTOR_DIR = ROOT / "models" / "detector" / "2"
TURNS = 150


def main() -> dict[str, float]:
    """Print and return the figures: milliseconds, the smallest of all turns, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "models.config"
        listed.write_text(f"model_config_list {{ {_config(MODEL_DIR.parent)} {_config(DETECTOR_DIR.parent)} }}")
        with running_stand_in(MODEL_DIR.parent, "--model-config-file", str(listed)) as stand_in:
            figures = measure(stand_in)
    for name, value in figures.items():
        print(f"  {name:<46} {value:8.2f}")
    return figures


def _config(base: Path) -> str:
    facts = f'name: "{base.name}" base_path: "{base}" model_platform: "tensorflow"'
    return f"config {{ {facts} model_version_policy {{ all {{}} }} }}"


def measure(stand_in: TfsStandIn) -> dict[str, float]:
    """Return the smallest times of a thumbnail and of a photo, over HTTP and in the network alone."""
    with grpc.insecure_channel(stand_in.address) as channel:
        wait_until_available(channel, load_manifest(MODEL_DIR).version)
    figures: dict[str, float] = {}
    settings = {"EMBEDDING_DETECTOR_DIR": str(DETECTOR_DIR), "EMBEDDING_LOG_LEVEL": "WARNING"}
    with running_embedding(MODEL_DIR, stand_in.address, **settings) as service:
        service.wait_until_ready()
        photo = images.jpeg(1200, 1600)
        eventually(lambda: service.http.post("/v1/detect", content=photo, headers=RAW).is_success)
        for name, data in (("thumbnail", images.jpeg()), ("1200×1600 photo", photo)):
            figures |= {f"{name}, {what}": value for what, value in in_turns(service, data).items()}
    return figures


def in_turns(service: EmbeddingProcess, data: bytes) -> dict[str, float]:
    """Return the smallest milliseconds of each call and of its network, and the ratios."""
    whole: dict[str, list[float]] = {"embed": [], "detect": []}
    network: dict[str, list[float]] = {"embed": [], "detect": []}
    for _ in range(TURNS):
        for call in whole:
            started = time.perf_counter()
            response = service.http.post(f"/v1/{call}", content=data, headers=RAW)
            whole[call].append((time.perf_counter() - started) * 1000)
            network[call].append(response.json()["timings_ms"]["network"])
    least = {f"{call}, ms": min(times) for call, times in whole.items()}
    least |= {f"{call}, network, ms": min(times) for call, times in network.items()}
    return least | {
        "detect ÷ embed": least["detect, ms"] / least["embed, ms"],
        "detect ÷ embed, network": least["detect, network, ms"] / least["embed, network, ms"],
    }
