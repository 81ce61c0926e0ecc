"""Which version directories the TensorFlow Serving stand-in loads, keeps and lets go of."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from services.local.tfs.errors import ServingError
from services.local.tfs.repository import Repository
from services.local.tfs.versions import Model, ModelConfig, Policy, State


class Shelf:
    """A base directory and a loader that notes what it was given."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.loads: list[int] = []
        self.broken: set[int] = set()

    def add(self, version: int) -> None:
        """Copy a version directory in."""
        directory = self.base / str(version)
        directory.mkdir(parents=True)
        (directory / "saved_model.pb").write_bytes(b"graph")

    def load(self, path: Path) -> Any:
        """Load as TensorFlow would, in name only."""
        version = int(path.name)
        self.loads.append(version)
        if version in self.broken:
            raise ValueError("variables.data is\n  too short")
        return SimpleNamespace(signatures={}, path=path)

    def model(self, policy: Policy | None = None, **labels: int) -> Model:
        """Return a model over the directory, looked at once."""
        model = Model(ModelConfig("fashion", self.base, policy or Policy(), labels), self.load)
        model.refresh()
        return model


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "fashion")


def refused(call: Any) -> ServingError:
    with pytest.raises(ServingError) as caught:
        call()
    return caught.value


def up(model: Model) -> list[int]:
    return [n for n, (state, _) in model.statuses().items() if state is State.AVAILABLE]


def test_the_highest_number_is_served_and_not_the_last_in_the_alphabet(shelf: Shelf) -> None:
    for version in (2, 10, 9):
        shelf.add(version)
    model = shelf.model()
    assert model.select()[0] == 10
    assert shelf.loads == [10]


@pytest.mark.parametrize(
    ("policy", "served"),
    [(Policy(latest=2), [2, 3]), (Policy(latest=None), [1, 2, 3]), (Policy(latest=None, specific=(1, 3, 7)), [1, 3])],
    ids=["latest two", "all", "specific"],
)
def test_the_policy_says_which_versions_are_served(shelf: Shelf, policy: Policy, served: list[int]) -> None:
    for version in (1, 2, 3):
        shelf.add(version)
    assert sorted(up(shelf.model(policy))) == served


def test_a_new_version_takes_over_and_the_old_one_ends(shelf: Shelf) -> None:
    shelf.add(1)
    model = shelf.model()
    shelf.add(2)
    model.refresh()
    assert {n: state for n, (state, _) in model.statuses().items()} == {1: State.END, 2: State.AVAILABLE}
    assert refused(lambda: model.select(number=1)).code is grpc.StatusCode.NOT_FOUND


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_serving(shelf: Shelf) -> None:
    shelf.add(1)
    model = shelf.model()
    shelf.broken.add(2)
    shelf.add(2)
    model.refresh()
    assert model.select()[0] == 1
    assert model.statuses()[2] == (State.END, "variables.data is too short")


def test_a_half_copied_version_is_said_to_be_so_and_loaded_once_it_is_whole(shelf: Shelf) -> None:
    (shelf.base / "1").mkdir(parents=True)
    model = shelf.model()
    assert "saved_model.pb" in model.statuses()[1][1]
    (shelf.base / "1" / "saved_model.pb").write_bytes(b"graph")
    model.refresh()
    assert up(model) == [1]


def test_a_broken_version_is_tried_again_only_when_its_files_change(shelf: Shelf) -> None:
    shelf.add(1)
    shelf.broken.add(1)
    model = shelf.model()
    model.refresh()
    assert shelf.loads == [1]
    shelf.broken.clear()
    (shelf.base / "1" / "variables").write_bytes(b"weights")
    model.refresh()
    assert shelf.loads == [1, 1]
    assert up(model) == [1]


def test_a_version_whose_directory_goes_away_ends_and_may_come_back(shelf: Shelf) -> None:
    shelf.add(1)
    model = shelf.model()
    (shelf.base / "1").rename(shelf.base / "away")
    model.refresh()
    assert up(model) == []
    (shelf.base / "away").rename(shelf.base / "1")
    model.refresh()
    assert up(model) == [1]


def test_directories_that_are_no_numbers_and_files_are_passed_over(shelf: Shelf) -> None:
    shelf.add(1)
    (shelf.base / "latest").mkdir()
    (shelf.base / "7").write_text("a file")
    assert list(shelf.model().statuses()) == [1]


def test_a_base_path_that_is_not_there_is_waited_for(shelf: Shelf) -> None:
    model = shelf.model()
    assert refused(model.statuses).code is grpc.StatusCode.NOT_FOUND
    shelf.add(1)
    model.refresh()
    assert model.select()[0] == 1


def test_a_label_names_a_version_and_an_unknown_one_is_an_invalid_argument(shelf: Shelf) -> None:
    shelf.add(1)
    shelf.add(2)
    model = shelf.model(Policy(latest=None), stable=1)
    assert model.select(label="stable")[0] == 1
    error = refused(lambda: model.select(label="canary"))
    assert (error.code, str(error)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "Unrecognized servable version label: canary",
    )


def test_a_label_moves_only_to_a_version_that_is_loaded(shelf: Shelf) -> None:
    shelf.add(1)
    model = shelf.model(Policy(latest=None), stable=1)
    moved = ModelConfig("fashion", shelf.base, Policy(latest=None), {"stable": 2})
    assert refused(lambda: model.reconfigure(moved)).code is grpc.StatusCode.FAILED_PRECONDITION
    assert model.select(label="stable")[0] == 1
    shelf.add(2)
    model.refresh()
    model.reconfigure(moved)
    assert model.select(label="stable")[0] == 2


def test_the_repository_serves_exactly_the_models_of_a_new_configuration(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(1)
    other = Shelf(tmp_path / "shoes")
    other.add(4)
    loaders = {"fashion": shelf.load, "shoes": other.load}
    first = ModelConfig("fashion", shelf.base)
    repository = Repository([first], make=lambda config: Model(config, loaders[config.name]))
    repository.refresh()
    repository.reload([ModelConfig("shoes", other.base)])
    assert repository.model("shoes").select()[0] == 4
    assert refused(lambda: repository.model("fashion")).code is grpc.StatusCode.NOT_FOUND
    assert "any versions of model fashion" in str(refused(lambda: repository.statuses("fashion")))


def test_the_repository_watches_by_itself(shelf: Shelf) -> None:
    from tests.support.stack import eventually

    shelf.add(1)
    repository = Repository([ModelConfig("fashion", shelf.base)], 0.01, lambda config: Model(config, shelf.load))
    repository.start()
    try:
        eventually(lambda: shelf.loads == [1])
        shelf.add(2)
        eventually(lambda: up(repository.model("fashion")) == [2])
    finally:
        repository.close()
