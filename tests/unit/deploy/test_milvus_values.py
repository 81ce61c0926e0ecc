"""The values for Milvus's own chart: keys that the chart reads, and enough memory for their number of products."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.index.settings import IndexSettings
from tests.support.values.settings import ROOT

Values = dict[str, Any]
FOLDER = ROOT / "deploy/kubernetes/milvus"
# What the chart (4.2.45) reads, of what these files set. True: a value; {}: any keys of Kubernetes.
PERSISTENCE = {"size": True}
POD: dict[str, Any] = {"replicas": True, "resources": {}, "topologySpreadConstraints": True}
DISK = {"disk": {"enabled": True, "size": {"enabled": True}}}
KNOWN: dict[str, Any] = {
    "cluster": {"enabled": True},
    "standalone": {"messageQueue": True, "resources": {}, "persistence": {"persistentVolumeClaim": PERSISTENCE}},
    "proxy": POD,
    "mixCoordinator": {**POD, "activeStandby": {"enabled": True}},
    "queryNode": POD | DISK,
    "dataNode": POD,
    "indexNode": POD | DISK,
    "etcd": {"replicaCount": True, "pdb": {"create": True}, "persistence": PERSISTENCE},
    "pulsarv3": {"enabled": True},
    "minio": {"enabled": True, "mode": True, "persistence": PERSISTENCE},
    "externalS3": dict.fromkeys(("enabled", "host", "port", "useSSL", "bucketName", "rootPath", "useIAM"), True),
    "metrics": {"serviceMonitor": {"enabled": True}},
    "extraConfigFiles": {"user.yaml": True},
}
PRODUCTS = {"1m": 10**6, "10m": 10**7, "100m": 10**8, "1b": 10**9}
FULL = 0.7  # of the memory: the rest is for growing segments, compaction, and the loss of a node


@pytest.fixture(params=PRODUCTS)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def text_of(size: str) -> str:
    return (FOLDER / f"values-{size}.yaml").read_text()


def settings_of(size: str) -> IndexSettings:
    """Return the settings of the index services that the file's head names."""
    named = dict(re.findall(r"INDEX_MILVUS_(SEARCH|REPLICAS)=(\w+)", text_of(size).partition("\ncluster:")[0]))
    return IndexSettings.model_validate(
        {"engine": "milvus", **{f"milvus_{name.lower()}": value for name, value in named.items()}}
    )


def unknown(values: Values, known: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        if name not in known:
            yield f"{path}{name}"
        elif known[name] and isinstance(known[name], dict):
            yield from unknown(value, known[name], f"{path}{name}.")


def bytes_a_product(search: str) -> int:
    """Return the memory of a product, as docs/scale.md has it."""
    table = (ROOT / "docs/scale.md").read_text()
    (match,) = re.findall(rf"^\| `{search}` \| ([\d,]+) \|", table, re.MULTILINE)
    return int(match.replace(",", ""))


def gibibytes(quantity: str) -> float:
    return float(quantity.removesuffix("Gi"))


def test_there_is_a_file_for_each_size() -> None:
    assert {path.name for path in FOLDER.glob("values-*.yaml")} == {f"values-{size}.yaml" for size in PRODUCTS}


def test_the_chart_knows_every_key(size: str) -> None:
    assert list(unknown(yaml.safe_load(text_of(size)), KNOWN)) == []


def test_the_query_nodes_have_memory_for_the_products(size: str) -> None:
    values, settings = yaml.safe_load(text_of(size)), settings_of(size)
    nodes = values["queryNode"] if values["cluster"]["enabled"] else values["standalone"] | {"replicas": 1}
    memory = nodes["replicas"] * gibibytes(nodes["resources"]["limits"]["memory"]) * 2**30
    needed = PRODUCTS[size] * bytes_a_product(settings.milvus_search) * settings.milvus_replicas
    assert needed <= FULL * memory
    assert nodes["replicas"] >= settings.milvus_replicas
    assert nodes["resources"]["requests"]["memory"] == nodes["resources"]["limits"]["memory"]


def test_a_cluster_survives_the_loss_of_any_pod(size: str) -> None:
    values = yaml.safe_load(text_of(size))
    if not values["cluster"]["enabled"]:
        return
    assert all(values[part]["replicas"] >= 2 for part in ("proxy", "mixCoordinator", "queryNode", "dataNode"))
    assert values["mixCoordinator"]["activeStandby"]["enabled"]
    assert values["etcd"]["replicaCount"] == 3
    assert (values["minio"]["enabled"], values["externalS3"]["enabled"]) == (False, True)


def test_milvus_asks_for_a_user_and_disk_indexes_have_a_disk(size: str) -> None:
    values = yaml.safe_load(text_of(size))
    own = yaml.safe_load(values["extraConfigFiles"]["user.yaml"])
    assert own["common"]["security"]["authorizationEnabled"] is True
    if settings_of(size).milvus_search == "diskann":
        assert all(values[part]["disk"]["enabled"] for part in ("queryNode", "indexNode"))
        assert "ephemeral-storage" in values["queryNode"]["resources"]["limits"]


def test_a_key_with_a_typing_error_is_found() -> None:
    assert list(unknown({"queryNode": {"replica": 1}, "etdc": {}}, KNOWN)) == ["queryNode.replica", "etdc"]


def test_the_documentation_names_every_file(size: str) -> None:
    assert f"values-{size}.yaml" in Path(ROOT / "docs/scale.md").read_text()
