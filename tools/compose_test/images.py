"""The images: built, or replaced by stand-ins if they cannot be pulled, and their sizes over the base."""

import os

from tools.compose_test.project import ROOT, Failed, Project, check, docker, run

BASE = os.environ.get("BASE", "python:3.11-slim-bookworm")
LIMITS_MB = {"gateway": 80, "embedding": 160, "index": 190}
STAND_INS = {"mongo": "mongo:{MONGO_TAG}", "serving": "tensorflow/serving:{TFS_TAG}"}
LABEL = "org.lookalike.stand-in"


def prepare(project: Project, servers: str) -> bool:
    """Build Lookalike's images and get those of the two servers. Return whether the servers are stand-ins.

    Args:
        servers: `real` pulls them, `stand-in` builds stand-ins, `auto` tries both in this order.
    """
    if run("docker", "image", "inspect", BASE, must=False).returncode:
        check(
            run("docker", "pull", BASE, must=False).returncode == 0,
            f"there is no image {BASE}, and none can be pulled",
        )
    uses_stand_ins = servers == "stand-in" or (servers == "auto" and not _pulled(project))
    if servers == "real" and not _pulled(project):
        raise Failed("the images of MongoDB and TensorFlow Serving cannot be pulled")
    if uses_stand_ins:
        for folder, tag in STAND_INS.items():
            _build(f"tests/compose/{folder}/Dockerfile", tag.format(**project.settings), "--label", f"{LABEL}=1")
    project("--profile", "jobs", "build")
    return uses_stand_ins


def _pulled(project: Project) -> bool:
    tags = [tag.format(**project.settings) for tag in STAND_INS.values()]
    if all(_is_real(tag) for tag in tags):
        return True
    return all(run("timeout", "600", "docker", "pull", "--quiet", tag, must=False).returncode == 0 for tag in tags)


def _is_real(tag: str) -> bool:
    done = run("docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', tag, must=False)
    return done.returncode == 0 and done.stdout.strip() != "1"


def _build(dockerfile: str, tag: str, *options: str) -> None:
    run("docker", "build", "--quiet", "--file", dockerfile, "--tag", tag, *options, str(ROOT))


def sizes_over_base(project: Project) -> dict[str, float]:
    """Return the megabytes (10⁶ bytes) that each of Lookalike's images adds to the base image."""
    base = _bytes(BASE)
    prefix, tag = project.settings["LOOKALIKE_IMAGES"], project.settings["LOOKALIKE_TAG"]
    return {name: (_bytes(f"{prefix}/{name}:{tag}") - base) / 1e6 for name in (*LIMITS_MB, "import")}


def _bytes(image: str) -> int:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))
