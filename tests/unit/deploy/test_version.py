"""The version of the project is that of pyproject.toml, wherever else it is written."""

import re
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from packaging.version import Version

from services.contracts.web.app import VERSION
from tests.support.values.settings import ROOT

PROJECT = Version(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
IMAGE = re.compile(r"\blookalike/(\w+):(\S+)")
DOCKERFILES = sorted((ROOT / "services").glob("*/Dockerfile*"))


def test_the_services_and_the_clients_have_the_version_of_the_project() -> None:
    assert Version(VERSION) == PROJECT
    assert Version(orjson.loads((ROOT / "docs/openapi.json").read_bytes())["info"]["version"]) == PROJECT
    python = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())["project"]["version"]
    typescript = orjson.loads((ROOT / "clients/typescript/package.json").read_bytes())["version"]
    assert {python, typescript} == {PROJECT.base_version}


def test_the_manifests_for_kubernetes_name_the_images_of_the_version() -> None:
    tags: dict[str, str] = {}
    for path in sorted((ROOT / "deploy" / "kubernetes").rglob("*.yaml")):
        text = path.read_text()
        tags |= {f"{path.name}: {image}": tag for image, tag in IMAGE.findall(text)}
        tags |= {f"{path.name}: {image['name']}": image["newTag"] for image in images(text)}
    assert len(tags) >= 8
    assert {place: tag for place, tag in tags.items() if tag != PROJECT.base_version} == {}


def images(text: str) -> list[dict[str, Any]]:
    """Return the images that a kustomization renames; none for another document."""
    documents = [document for document in yaml.safe_load_all(text) if document]
    named = [image for document in documents for image in document.get("images", [])]
    return [image for image in named if image["name"].startswith("lookalike/")]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.parent.name))
def test_an_image_has_the_version_that_its_build_names(path: Path) -> None:
    """A default would be that of an earlier release."""
    assert re.findall(r"^ARG VERSION=(.*)$", path.read_text(), re.MULTILINE) == ["unknown"]


def test_a_release_is_built_from_a_tag_of_the_version_only() -> None:
    release = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    commands = [step.get("run", "") for step in release["jobs"]["compose"]["steps"]]
    assert any("pyproject.toml" in command and "GITHUB_REF_NAME" in command for command in commands)
