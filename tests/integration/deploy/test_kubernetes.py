"""The Kubernetes manifests: built by kubectl's kustomize, held to Kubernetes' own schemas and to what they promise."""

import shlex
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import typer.main
import yaml

from services.cli.main import app
from services.contracts.domain.categories import held_categories
from services.contracts.domain.manifest import load_manifest
from tests.support.values import manifests
from tests.support.values.manifests import Manifest, copied, of_kind, pod, workloads
from tests.support.values.settings import ROOT, settings

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
JOB = yaml.safe_load((ROOT / "deploy/kubernetes/import/job.yaml").read_text())
FILLER = yaml.safe_load((ROOT / "deploy/kubernetes/models-filler.yaml").read_text())
EXAMPLES = [
    manifest
    for path in sorted((ROOT / "deploy/kubernetes/examples").glob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
]
RAY_JOB, RAY_NETWORK = yaml.safe_load_all((ROOT / "deploy/kubernetes/ray/rayjob.yaml").read_text())
METRICS = yaml.safe_load((ROOT / "deploy/kubernetes/monitoring/network.yaml").read_text())
MONITORS = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/monitoring/service-monitor.yaml").read_text()))
VERSIONS = ("1.29", "1.37")
SIZES = ("100m", "1b")  # the others differ in numbers only
# Who has to reach whom, and on which port; everything else is shut.
FLOWS = {
    ("gateway", "embedding", 8001),
    ("gateway", "index", 8002),
    ("import", "embedding", 8001),
    ("import", "gateway", 8000),
    ("embedding", "tfs", 8500),
}


@pytest.fixture(scope="module", params=["base", "gpu", "shards", "database-users", *SIZES])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    folder = copied(tmp_path_factory.mktemp("deploy"))
    base = folder / "base"
    if request.param == "shards":  # as the guide says
        chosen = base / "kustomization.yaml"
        assert chosen.read_text().count("- ../index/whole") == 1
        chosen.write_text(chosen.read_text().replace("- ../index/whole", "- ../index/shards"))
    if request.param == "database-users":  # as the guide says
        own = folder / "database-users"
        (own / "secret.env").write_text((own / "secret.example.env").read_text())
        with (base / "kustomization.yaml").open("a") as kustomization:
            kustomization.write("components: [../database-users]\n")
    if request.param in SIZES:
        return manifests.built(folder / "sizes" / request.param)
    return manifests.built(folder / "gpu" if request.param == "gpu" else base)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_manifest(built: list[Manifest], version: str) -> None:
    assert len(built) > 20
    for manifest in [*built, JOB, FILLER, METRICS, RAY_NETWORK, *EXAMPLES]:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_every_pod_meets_the_restricted_standard(built: list[Manifest]) -> None:
    actual = [*workloads(built).values(), JOB]
    assert len(actual) >= 5
    for manifest in actual:
        spec = pod(manifest)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()


def test_every_service_is_probed_and_lets_requests_run_out(built: list[Manifest]) -> None:
    for manifest in workloads(built).values():
        (container,) = pod(manifest)["containers"]
        assert {"startupProbe", "readinessProbe", "livenessProbe", "lifecycle"} <= container.keys()
        assert pod(manifest)["terminationGracePeriodSeconds"] > 3 + 5


def test_gateway_and_embedding_scale_by_processor_and_everything_has_a_disruption_budget(built: list[Manifest]) -> None:
    scalers = of_kind(built, "HorizontalPodAutoscaler")
    assert scalers.keys() == {"gateway", "embedding"}
    assert all(s["spec"]["metrics"][0]["resource"]["name"] == "cpu" for s in scalers.values())
    assert all("replicas" not in workloads(built)[name]["spec"] for name in scalers)
    assert of_kind(built, "PodDisruptionBudget").keys() == workloads(built).keys()


def test_what_a_manifest_names_is_there(built: list[Manifest]) -> None:
    names = {kind: of_kind(built, kind).keys() for kind in ("ConfigMap", "Secret", "PersistentVolumeClaim")}
    for manifest in workloads(built).values():
        claimed = {template["metadata"]["name"] for template in manifest["spec"].get("volumeClaimTemplates", [])}
        mounted = {mount["name"] for mount in pod(manifest)["containers"][0]["volumeMounts"]}
        assert mounted == claimed | {volume["name"] for volume in pod(manifest)["volumes"]}
        for volume in pod(manifest)["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in names["ConfigMap"]
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in names["PersistentVolumeClaim"]
        for source in pod(manifest)["containers"][0].get("envFrom", []):
            assert source.get("configMapRef", {"name": None})["name"] in {None, *names["ConfigMap"]}
            assert source.get("secretRef", {"name": None})["name"] in {None, *names["Secret"]}


def test_settings_have_the_names_that_the_services_read(built: list[Manifest]) -> None:
    known = {setting.name for setting in settings()}
    config = next(m for name, m in of_kind(built, "ConfigMap").items() if name.startswith("lookalike"))
    secret = next(m for name, m in of_kind(built, "Secret").items() if name.startswith("lookalike"))
    own = {name for index in index_nodes(built).values() for name in settings_of(index)}
    assert config["data"].keys() | secret["data"].keys() | own <= known


def index_nodes(built: list[Manifest]) -> dict[str, Manifest]:
    named = workloads(built).items()
    return {
        name: manifest
        for name, manifest in named
        if manifest["metadata"]["labels"]["app.kubernetes.io/name"] == "index"
    }


def settings_of(manifest: Manifest) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in pod(manifest)["containers"][0]["env"]}


def test_with_the_component_the_index_has_a_user_of_its_own(built: list[Manifest]) -> None:
    secrets = [name for name in of_kind(built, "Secret") if name.startswith("lookalike-index-")]
    for index in index_nodes(built).values():
        (name,) = [
            source["secretRef"]["name"] for source in pod(index)["containers"][0]["envFrom"] if "secretRef" in source
        ]
        assert not secrets or [name] == secrets
    if secrets:
        (gateway,) = [
            source["secretRef"]["name"] for source in pod(workloads(built)["gateway"])["containers"][0]["envFrom"][1:]
        ]
        assert gateway not in secrets


def test_each_index_keeps_its_snapshots_on_a_volume_of_its_own(built: list[Manifest]) -> None:
    for index in index_nodes(built).values():
        (template,) = index["spec"]["volumeClaimTemplates"]
        assert template["spec"]["accessModes"] == ["ReadWriteOnce"]
        (container,) = pod(index)["containers"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts[template["metadata"]["name"]] == settings_of(index)["INDEX_SNAPSHOT_DIR"]


def test_the_gateway_is_told_of_every_index_node_by_its_service(built: list[Manifest]) -> None:
    config = next(m for name, m in of_kind(built, "ConfigMap").items() if name.startswith("lookalike"))
    services = of_kind(built, "Service")
    actual = index_nodes(built)
    urls = [url for name, index in actual.items() for url in addresses(services[name], index)]
    assert config["data"]["INDEX_URL"].split(",") == urls
    for name, index in actual.items():
        assert index["spec"]["serviceName"] == name
        chosen = services[name]["spec"]["selector"]
        matching = [
            n for n, item in actual.items() if chosen.items() <= item["spec"]["template"]["metadata"]["labels"].items()
        ]
        assert matching == [name]
        budget = of_kind(built, "PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"]
        assert budget == index["spec"]["selector"]["matchLabels"] == chosen


def addresses(service: Manifest, index: Manifest) -> list[str]:
    """Return the addresses of an index: its service, or each of its pods if the service has no address of its own."""
    name = service["metadata"]["name"]
    if service["spec"].get("clusterIP") != "None":
        return [f"http://{name}:8002"]
    return [f"http://{name}-{number}.{name}:8002" for number in range(index["spec"]["replicas"])]


def test_the_index_nodes_together_hold_every_category_once(built: list[Manifest]) -> None:
    names = load_manifest(ROOT / "models/fashion/3").categories
    listed = [settings_of(index).get("INDEX_CATEGORIES", "") for index in index_nodes(built).values()]
    if listed != [""]:
        held = [held_categories(entry.split(","), names) for entry in listed]
        assert len(held) > 1
        assert sorted(number for each in held for number in each) == list(range(len(names)))


def test_only_the_needed_ways_are_open(built: list[Manifest]) -> None:
    policies = of_kind(built, "NetworkPolicy")
    assert policies["nothing-else"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert flows(policies, "ingress") == flows(policies, "egress") == FLOWS


def flows(policies: dict[str, Manifest], direction: str) -> set[tuple[str, str, int]]:
    """Return who may reach whom, among the project's own pods, by the policies of one side."""
    ports = set()
    for policy in policies.values():
        own = policy["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name")
        for rule in policy["spec"].get(direction, []):
            for peer in rule["from" if direction == "ingress" else "to"]:
                other = peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/name")
                pair = (other, own) if direction == "ingress" else (own, other)
                ports |= {(*pair, port["port"]) for port in rule["ports"] if other}
    return ports


def test_tensorflow_serving_is_started_as_compose_starts_it(built: list[Manifest]) -> None:
    (container,) = pod(workloads(built)["tfs"])["containers"]
    compose = COMPOSE["services"]["tfs"]
    assert container["command"] == compose["entrypoint"]
    assert container["args"] == compose["command"]
    if "nvidia.com/gpu" in container["resources"]["limits"]:
        assert container["image"].endswith("-gpu")
        assert pod(workloads(built)["tfs"])["nodeSelector"] == {"lookalike/pool": "gpu"}


def test_the_secret_that_is_filled_in_is_not_committed() -> None:
    assert (ROOT / "deploy/kubernetes/base/.gitignore").read_text().split() == ["secret.env"]


def test_scheduled_jobs_are_the_job_of_the_import_with_another_command() -> None:
    jobs = {
        example["metadata"]["name"]: example["spec"]["jobTemplate"]["spec"]
        for example in EXAMPLES
        if example["kind"] == "CronJob"
    }
    assert jobs.keys() == {"import-hourly", "backup-nightly"}
    base = pod(JOB)
    for name, job in jobs.items():
        spec = pod({"spec": job})
        assert {key: value for key, value in spec.items() if key not in ("containers", "volumes")} == {
            key: value for key, value in base.items() if key not in ("containers", "volumes")
        }
        (own,), (other,) = spec["containers"], base["containers"]
        for part in ("env", "securityContext", "resources", "image"):
            assert own[part] == other[part], (name, part)
        assert {mount["name"] for mount in own["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}


def ray_groups() -> list[Manifest]:
    cluster = RAY_JOB["spec"]["rayClusterSpec"]
    return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_the_pods_of_the_job_on_ray(version: str) -> None:
    assert (RAY_JOB["apiVersion"], RAY_JOB["kind"]) == ("ray.io/v1", "RayJob")  # KubeRay's own kind has no schema here
    for group in ray_groups():
        template = group["template"]
        metadata = {"name": "ray", **template["metadata"]}
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        kubernetes_validate.validate(made, version, strict=True)
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        assert template["metadata"]["labels"]["app.kubernetes.io/name"] == "import"  # as in network.yaml
        assert RAY_NETWORK["spec"]["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()


def test_the_job_on_ray_is_a_command_of_the_program_with_as_many_workers_as_pods() -> None:
    program, *arguments = shlex.split(RAY_JOB["spec"]["entrypoint"].removeprefix("python -m "))
    assert program == "services.cli.main"
    command: Any = typer.main.get_command(app)
    name, embed, rest = command.resolve_command(typer.Context(command), arguments)
    assert name == "embed"
    options = embed.make_context(name, rest).params
    workers = ray_groups()[1]
    assert options["workers"] == workers["replicas"] == workers["minReplicas"] == workers["maxReplicas"]
    assert options["address"] == "auto"
    model = Path(str(options["worker_model"]))
    assert (ROOT / model.relative_to("/opt/lookalike") / "saved_model.pb").exists()
    known = {item["name"]: item for item in pod(JOB)["containers"][0]["env"]}
    for group in ray_groups():
        (container,) = group["template"]["spec"]["containers"]
        assert all(item == known[item["name"]] for item in container["env"])
    mounted = {mount["name"] for mount in ray_groups()[0]["template"]["spec"]["containers"][0]["volumeMounts"]}
    assert mounted == {volume["name"] for volume in ray_groups()[0]["template"]["spec"]["volumes"]}


def test_prometheus_reaches_the_metrics_of_every_service(built: list[Manifest]) -> None:
    named = {"gateway": 8000, "embedding": 8001, "index": 8002}
    (allowed,) = METRICS["spec"]["podSelector"]["matchExpressions"]
    read = [name for monitor in MONITORS for name in monitor["spec"]["selector"]["matchExpressions"][0]["values"]]
    assert sorted(allowed["values"]) == sorted(read) == sorted(named)
    assert sorted(port["port"] for port in METRICS["spec"]["ingress"][0]["ports"]) == sorted(named.values())
    services = [manifest for manifest in built if manifest["kind"] == "Service"]
    for name in named:
        own = [
            service
            for service in services
            if service["metadata"].get("labels", {}).get("app.kubernetes.io/name") == name
        ]
        ports = [port["name"] for hit in own for port in hit["spec"]["ports"]]
        assert all(monitor["spec"]["endpoints"][0]["port"] in ports for monitor in MONITORS)
