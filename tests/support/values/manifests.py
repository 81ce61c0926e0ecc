"""The Kubernetes manifests of deploy/kubernetes, as `kubectl apply -k` would send them."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support.values.settings import ROOT

Manifest = dict[str, Any]
KUBECTL = Path(sys.executable).with_name("kubectl")


def copied(folder: Path) -> Path:
    """Copy deploy/ into a folder, with a filled secret; return its folder `kubernetes`."""
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    base = folder / "deploy/kubernetes/base"
    (base / "secret.env").write_text((base / "secret.example.env").read_text())
    return base.parent


def built(kustomization: Path) -> list[Manifest]:
    """Return every manifest of a kustomization."""
    done = subprocess.run([str(KUBECTL), "kustomize", str(kustomization)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.load_all(done.stdout, yaml.CSafeLoader) if manifest]


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    """Return the manifests of some kinds by their names."""
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] in kinds}


def workloads(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Return what makes pods."""
    return of_kind(manifests, "Deployment", "StatefulSet")


def pod(manifest: Manifest) -> Manifest:
    """Return the pods of a workload."""
    return dict(manifest["spec"]["template"]["spec"])
