"""The component with Milvus, built into the base: index services of its own, which reach Milvus and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.values.settings import ROOT, settings

Manifest = dict[str, Any]
NAME = "index-milvus"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """Every manifest, as `kubectl apply -k` would send it."""
    folder = tmp_path_factory.mktemp("deploy") / "deploy"
    shutil.copytree(ROOT / "deploy", folder)
    base = folder / "kubernetes/base"
    (base / "secret.env").write_text((base / "secret.example.env").read_text() + "INDEX_MILVUS_TOKEN=root:Milvus\n")
    with (base / "kustomization.yaml").open("a") as kustomization:
        kustomization.write("components: [../milvus]\n")
    kubectl = str(Path(sys.executable).with_name("kubectl"))
    done = subprocess.run([kubectl, "kustomize", str(base)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (actual,) = [manifest for manifest in manifests if (manifest["kind"], manifest["metadata"]["name"]) == (kind, name)]
    return actual


def test_kubernetes_takes_every_manifest(built: list[Manifest]) -> None:
    for manifest in built:
        kubernetes_validate.validate(manifest, "1.29", strict=True)


def test_the_services_are_those_of_faiss_with_another_engine(built: list[Manifest]) -> None:
    own = named(built, "Deployment", NAME)["spec"]["template"]["spec"]
    faiss = named(built, "StatefulSet", "index")["spec"]["template"]["spec"]
    changed = {"containers", "volumes", "topologySpreadConstraints"}
    assert {key: own[key] for key in own if key not in changed} == {
        key: faiss[key] for key in faiss if key not in changed
    }
    (container,), (other,) = own["containers"], faiss["containers"]
    same = ("securityContext", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle", "ports", "envFrom")
    assert {key: container[key] for key in same} == {key: other[key] for key in same}
    values = {variable["name"]: variable["value"] for variable in container["env"]}
    assert values.keys() <= {setting.name for setting in settings()}
    assert (values["INDEX_ENGINE"], values["INDEX_MILVUS_URI"]) == ("milvus", "http://milvus.milvus:19530")
    assert container["image"].startswith("lookalike/index-milvus:")


def test_the_service_of_faiss_does_not_choose_the_pods_of_milvus(built: list[Manifest]) -> None:
    for service in ("index", NAME):
        assert named(built, "Service", service)["spec"]["selector"] == {"app.kubernetes.io/name": service}
    assert named(built, "PodDisruptionBudget", NAME)["spec"]["maxUnavailable"] == 1


def test_only_the_gateway_reaches_them_and_they_reach_milvus_and_the_database(built: list[Manifest]) -> None:
    own = named(built, "NetworkPolicy", NAME)["spec"]
    assert [(peer["podSelector"]["matchLabels"], rule["ports"][0]["port"]) for rule in own["ingress"]
            for peer in rule["from"]] == [({"app.kubernetes.io/name": "gateway"}, 8002)]  # fmt: skip
    assert {port["port"] for rule in own["egress"] for port in rule["ports"]} == {19530, 27017}
    milvus = own["egress"][0]["to"][0]
    assert milvus["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "milvus"}
    (way,) = named(built, "NetworkPolicy", "gateway-to-index-milvus")["spec"]["egress"]
    assert way["to"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": NAME}}}]
