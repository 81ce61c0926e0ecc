"""Which versions the stand-in for TensorFlow Serving loads, keeps and unloads."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from services.local.tfs.errors import ServingError
from services.local.tfs.repository import Repository
from services.local.tfs.versions import Model, ModelConfig, Policy, State
from tests.support.waiting import eventually


class FakeModelFolder:
    """A base directory, and a loader that records the versions."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.loads: list[int] = []
        self.broken: set[int] = set()

    def add(self, version: int) -> None:
        """Add a version directory."""
        directory = self.base / str(version)
        directory.mkdir(parents=True)
        (directory / "saved_model.pb").write_bytes(b"graph")

    def load(self, path: Path) -> Any:
        """Record the version, and fail if it is broken."""
        version = int(path.name)
        self.loads.append(version)
        if version in self.broken:
            raise ValueError("variables.data is\n  too short")
        return SimpleNamespace(signatures={}, path=path)

    def model(self, policy: Policy | None = None, **labels: int) -> Model:
        """Return a model of the directory after one refresh."""
        model = Model(ModelConfig("fashion", self.base, policy or Policy(), labels), self.load)
        model.refresh()
        return model


@pytest.fixture
def folder(tmp_path: Path) -> FakeModelFolder:
    return FakeModelFolder(tmp_path / "fashion")


def error_of(call: Any) -> ServingError:
    with pytest.raises(ServingError) as caught:
        call()
    return caught.value


def available(model: Model) -> list[int]:
    return [n for n, (state, _) in model.statuses().items() if state is State.AVAILABLE]


def test_the_highest_version_number_is_served(folder: FakeModelFolder) -> None:
    for version in (2, 10, 9):
        folder.add(version)
    model = folder.model()
    assert model.select()[0] == 10
    assert folder.loads == [10]


@pytest.mark.parametrize(
    ("policy", "served"),
    [(Policy(latest=2), [2, 3]), (Policy(latest=None), [1, 2, 3]), (Policy(latest=None, specific=(1, 3, 7)), [1, 3])],
    ids=["latest two", "all", "specific"],
)
def test_the_policy_selects_the_served_versions(folder: FakeModelFolder, policy: Policy, served: list[int]) -> None:
    for version in (1, 2, 3):
        folder.add(version)
    assert sorted(available(folder.model(policy))) == served


def test_a_new_version_replaces_the_old_one(folder: FakeModelFolder) -> None:
    folder.add(1)
    model = folder.model()
    folder.add(2)
    model.refresh()
    assert {n: state for n, (state, _) in model.statuses().items()} == {1: State.END, 2: State.AVAILABLE}
    assert error_of(lambda: model.select(number=1)).code is grpc.StatusCode.NOT_FOUND


def test_a_version_that_cannot_be_loaded_does_not_replace_the_old_one(folder: FakeModelFolder) -> None:
    folder.add(1)
    model = folder.model()
    folder.broken.add(2)
    folder.add(2)
    model.refresh()
    assert model.select()[0] == 1
    assert model.statuses()[2] == (State.END, "variables.data is too short")


def test_an_incomplete_version_is_an_error_until_it_is_complete(folder: FakeModelFolder) -> None:
    (folder.base / "1").mkdir(parents=True)
    model = folder.model()
    assert "saved_model.pb" in model.statuses()[1][1]
    (folder.base / "1" / "saved_model.pb").write_bytes(b"graph")
    model.refresh()
    assert available(model) == [1]


def test_a_broken_version_is_loaded_again_only_when_its_files_change(folder: FakeModelFolder) -> None:
    folder.add(1)
    folder.broken.add(1)
    model = folder.model()
    model.refresh()
    assert folder.loads == [1]
    folder.broken.clear()
    (folder.base / "1" / "variables").write_bytes(b"weights")
    model.refresh()
    assert folder.loads == [1, 1]
    assert available(model) == [1]


def test_a_version_is_unloaded_with_its_directory_and_loads_again_with_it(folder: FakeModelFolder) -> None:
    folder.add(1)
    model = folder.model()
    (folder.base / "1").rename(folder.base / "removed")
    model.refresh()
    assert available(model) == []
    (folder.base / "removed").rename(folder.base / "1")
    model.refresh()
    assert available(model) == [1]


def test_files_and_directories_that_are_not_numbers_are_ignored(folder: FakeModelFolder) -> None:
    folder.add(1)
    (folder.base / "latest").mkdir()
    (folder.base / "7").write_text("a file")
    assert list(folder.model().statuses()) == [1]


def test_a_base_path_can_be_created_later(folder: FakeModelFolder) -> None:
    model = folder.model()
    assert error_of(model.statuses).code is grpc.StatusCode.NOT_FOUND
    folder.add(1)
    model.refresh()
    assert model.select()[0] == 1


def test_a_label_selects_a_version_and_an_unknown_label_is_an_invalid_argument(folder: FakeModelFolder) -> None:
    folder.add(1)
    folder.add(2)
    model = folder.model(Policy(latest=None), stable=1)
    assert model.select(label="stable")[0] == 1
    error = error_of(lambda: model.select(label="canary"))
    assert (error.code, str(error)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "Unrecognized servable version label: canary",
    )


def test_a_label_can_move_only_to_an_available_version(folder: FakeModelFolder) -> None:
    folder.add(1)
    model = folder.model(Policy(latest=None), stable=1)
    moved = ModelConfig("fashion", folder.base, Policy(latest=None), {"stable": 2})
    assert error_of(lambda: model.reconfigure(moved)).code is grpc.StatusCode.FAILED_PRECONDITION
    assert model.select(label="stable")[0] == 1
    folder.add(2)
    model.refresh()
    model.reconfigure(moved)
    assert model.select(label="stable")[0] == 2


def test_a_reload_replaces_the_models(folder: FakeModelFolder, tmp_path: Path) -> None:
    folder.add(1)
    other = FakeModelFolder(tmp_path / "shoes")
    other.add(4)
    loaders = {"fashion": folder.load, "shoes": other.load}
    first = ModelConfig("fashion", folder.base)
    repository = Repository([first], make=lambda config: Model(config, loaders[config.name]))
    repository.refresh()
    repository.reload([ModelConfig("shoes", other.base)])
    assert repository.model("shoes").select()[0] == 4
    assert error_of(lambda: repository.model("fashion")).code is grpc.StatusCode.NOT_FOUND
    assert "any versions of model fashion" in str(error_of(lambda: repository.statuses("fashion")))


def test_the_repository_checks_for_new_versions_until_it_is_closed(folder: FakeModelFolder) -> None:
    folder.add(1)
    repository = Repository([ModelConfig("fashion", folder.base)], 0.01, lambda config: Model(config, folder.load))
    repository.start()
    try:
        eventually(lambda: folder.loads == [1])
        folder.add(2)
        eventually(lambda: available(repository.model("fashion")) == [2])
    finally:
        assert repository.close()
    assert not repository._thread.is_alive()
