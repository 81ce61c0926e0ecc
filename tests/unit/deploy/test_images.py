"""Each image has the modules of this project that its service imports, and no other package of it."""

import re
from pathlib import Path

import grimp
import pytest

SERVICES = Path(__file__).resolve().parents[3] / "services"
# What each image runs. The import's image has no other command of `lookalike`: the program imports them when they run.
ENTRIES = {
    "gateway": ("services.gateway.__main__", "services.gateway.app"),
    "embedding": ("services.embedding.__main__", "services.embedding.app"),
    "index": ("services.index.__main__", "services.index.app"),
    "catalogue": ("services.cli.imports.command", "services.cli.imports.run"),
}


def imported(image: str) -> set[str]:
    """Return the modules that an image needs."""
    graph = grimp.build_graph("services")
    return {module for entry in ENTRIES[image] for module in (entry, *graph.find_upstream_modules(entry))}


def copied(image: str) -> list[str]:
    """Return what a Dockerfile copies: folders, and files that end with .py."""
    lines = re.findall(r"^COPY (services.*) /app/services\S*$", (SERVICES / image / "Dockerfile").read_text(), re.M)
    return [name for line in lines for name in line.split()]


def is_in(module: str, place: str) -> bool:
    path = module.replace(".", "/")
    if place.endswith(".py"):
        return place in (f"{path}.py", f"{path}/__init__.py")
    return path == place or path.startswith(f"{place}/")


@pytest.mark.parametrize("image", ENTRIES)
def test_an_image_has_the_modules_that_its_service_imports(image: str) -> None:
    places = copied(image)
    modules = imported(image)
    assert sorted(module for module in modules if not any(is_in(module, place) for place in places)) == []
    assert len(modules) > 50


@pytest.mark.parametrize("image", ENTRIES)
def test_an_image_has_no_package_that_nothing_imports(image: str) -> None:
    modules = imported(image)
    folders = [place for place in copied(image) if not place.endswith(".py")]
    assert [place for place in folders if not any(is_in(module, place) for module in modules)] == []
