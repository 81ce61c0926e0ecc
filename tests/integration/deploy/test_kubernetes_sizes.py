"""The folders in deploy/kubernetes/sizes: the pods that the capacity model computes, and their autoscaling."""

import shlex
from functools import cache
from typing import Any

import pytest
import yaml

from services.contracts.domain.parts import Part
from tests.support.values import manifests
from tests.support.values.manifests import Manifest, copied, of_kind, pod, workloads
from tests.support.values.settings import ROOT
from tools.capacity.costs import MEASURED
from tools.capacity.plan import Goals, Machine
from tools.capacity.pods import SIZES, Pods, pods

ADAPTER = yaml.safe_load((ROOT / "deploy/kubernetes/autoscaling/prometheus-adapter.yaml").read_text())


@cache
def planned(size: str) -> Pods:
    return pods(SIZES[size], MEASURED, Machine(), Goals())


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def built(size: str, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    return manifests.built(copied(tmp_path_factory.mktemp("deploy")) / "sizes" / size)


def requests(workload: Manifest) -> dict[str, str]:
    return dict(pod(workload)["containers"][0]["resources"]["requests"])


def test_every_size_has_a_folder() -> None:
    assert {path.parent.name for path in (ROOT / "deploy/kubernetes/sizes").glob("*/kustomization.yaml")} == set(SIZES)


def test_the_index_has_the_pods_of_the_model(built: list[Manifest], size: str) -> None:
    plan, index = planned(size), workloads(built)["index"]
    (volume,) = index["spec"]["volumeClaimTemplates"]
    memory = f"{plan.index_gib}Gi"
    assert index["spec"]["replicas"] == plan.index
    assert requests(index) == {"cpu": str(plan.index_cores), "memory": memory}
    assert pod(index)["containers"][0]["resources"]["limits"] == {"memory": memory}
    assert volume["spec"]["resources"]["requests"]["storage"] == f"{plan.volume_gib}Gi"
    assert pod(index)["terminationGracePeriodSeconds"] == plan.index_grace_s


def test_each_part_has_as_many_replicas(built: list[Manifest], size: str) -> None:
    plan, index = planned(size), workloads(built)["index"]
    held = [Part.parse(part_of(index, f"index-{number}")) for number in range(plan.index)]
    assert held == [Part(number % plan.parts + 1, plan.parts) for number in range(plan.index)]
    assert plan.index % plan.parts == 0


def part_of(index: Manifest, hostname: str) -> str:
    """Return the part of a pod: what its command computes of its name, or everything."""
    (container,) = pod(index)["containers"]
    if "command" not in container:
        return "1/1"
    assert container["command"] == ["sh", "-c"]
    (line,) = container["args"]
    ordinal = int(hostname.rpartition("-")[2])  # ${HOSTNAME##*-}
    assert line.startswith("INDEX_PART=$((${HOSTNAME##*-} % ")
    setting, program = line.split(" exec ")
    assert shlex.split(program) == ["python", "-m", "services.index"]
    modulus, of = setting.removeprefix("INDEX_PART=$((${HOSTNAME##*-} % ").split(" + 1))/")
    return f"{ordinal % int(modulus) + 1}/{of}"


@pytest.mark.parametrize(("name", "metric"), [("gateway", "searches_in_flight"), ("embedding", "embeddings_in_flight")])
def test_gateway_and_embedding_scale_by_searches_in_flight(
    built: list[Manifest], size: str, name: str, metric: str
) -> None:
    wanted = getattr(planned(size), name)
    spec = of_kind(built, "HorizontalPodAutoscaler")[name]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (wanted.least, wanted.most)
    (own,) = [metric["pods"] for metric in spec["metrics"] if metric["type"] == "Pods"]
    assert own["metric"] == {"name": metric}
    assert own["target"] == {"type": "AverageValue", "averageValue": str(wanted.in_flight)}
    assert requests(workloads(built)[name])["cpu"] == "1"


def test_tensorflow_serving_has_the_processors_of_the_model(built: list[Manifest], size: str) -> None:
    plan, network = planned(size), workloads(built)["tfs"]
    assert (network["spec"]["replicas"], requests(network)["cpu"]) == (plan.network, str(plan.network_cores))


def test_the_adapter_offers_the_metrics_that_the_autoscalers_ask_for() -> None:
    component = yaml.safe_load((ROOT / "deploy/kubernetes/autoscaling/kustomization.yaml").read_text())
    asked = [yaml.safe_load(patch["patch"])[0]["value"]["pods"]["metric"]["name"] for patch in component["patches"]]
    rules: list[dict[str, Any]] = ADAPTER["rules"]["custom"]
    assert [rule["name"]["as"] for rule in rules] == asked
    documented = (ROOT / "docs/metrics.md").read_text()
    for rule in rules:
        assert f"`{rule['name']['matches']}`" in documented
        assert rule["seriesQuery"].startswith(rule["name"]["matches"])
        assert set(rule["resources"]["overrides"]) == {"namespace", "pod"}
