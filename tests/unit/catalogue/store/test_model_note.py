"""The note of the models: which step may follow which."""

import pytest

from services.catalogue.store.model_note import ModelNote, ModelSwitchRefused, full_name

ONE, TWO, THREE = "fashion/1", "fashion/2", "fashion/3"
FIRST = ONE  # what the settings name
PREPARING = ModelNote(candidate=TWO)
PROMOTED = ModelNote(active=TWO, previous=ONE)


def test_without_a_note_the_settings_model_serves_alone() -> None:
    assert ModelNote().serving(FIRST) == ONE
    assert ModelNote().kept(FIRST) == (ONE,)


def test_a_candidate_stands_beside_the_model_that_serves() -> None:
    assert ModelNote().preparing(TWO, FIRST) == PREPARING
    assert (PREPARING.serving(FIRST), PREPARING.kept(FIRST)) == (ONE, (ONE, TWO))


@pytest.mark.parametrize(("note", "model"), [(ModelNote(), ONE), (PREPARING, TWO), (PROMOTED, ONE), (PROMOTED, TWO)])
def test_a_model_that_is_kept_already_can_be_prepared_again_without_a_change(note: ModelNote, model: str) -> None:
    assert note.preparing(model, FIRST) is note


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (PREPARING, "fashion/2 is the candidate: give it up first, with lookalike forget-model 2"),
        (PROMOTED, "fashion/1 is kept for a rollback: give it up first, with lookalike forget-model 1"),
    ],
)
def test_there_is_room_for_one_model_beside_the_active_one(note: ModelNote, said: str) -> None:
    with pytest.raises(ModelSwitchRefused, match=said):
        note.preparing(THREE, FIRST)


def test_a_promotion_keeps_the_model_before_and_a_rollback_changes_their_places() -> None:
    assert PREPARING.promoted(TWO, FIRST) == PROMOTED
    assert PROMOTED.kept(FIRST) == (TWO, ONE)
    back = PROMOTED.rolled_back()
    assert back == ModelNote(active=ONE, candidate=TWO)
    assert back.promoted(TWO, FIRST) == PROMOTED


@pytest.mark.parametrize(
    ("note", "model", "said"),
    [
        (ModelNote(), TWO, "fashion/2 has not been prepared: run lookalike reembed --model 2 first"),
        (PREPARING, THREE, "fashion/3 has not been prepared"),
        (PREPARING, ONE, "fashion/1 is the active model already"),
        (PROMOTED, TWO, "fashion/2 is the active model already"),
        (PROMOTED, ONE, "lookalike rollback goes back to it"),
    ],
)
def test_only_the_candidate_can_be_promoted(note: ModelNote, model: str, said: str) -> None:
    with pytest.raises(ModelSwitchRefused, match=said):
        note.promoted(model, FIRST)


@pytest.mark.parametrize("note", [ModelNote(), PREPARING, ModelNote(active=ONE, candidate=TWO), ModelNote(active=TWO)])
def test_a_rollback_needs_a_previous_model(note: ModelNote) -> None:
    with pytest.raises(ModelSwitchRefused, match="there is no previous model to go back to"):
        note.rolled_back()


def test_a_model_beside_the_active_one_can_be_forgotten_and_the_active_one_stays() -> None:
    assert PREPARING.without(TWO, FIRST) == ModelNote()
    assert PROMOTED.without(ONE, FIRST) == ModelNote(active=TWO)
    assert PROMOTED.without(THREE, FIRST) is PROMOTED
    for note, active in ((PROMOTED, TWO), (PREPARING, ONE), (ModelNote(), ONE)):
        with pytest.raises(ModelSwitchRefused, match="is the active model"):
            note.without(active, FIRST)


def test_a_promoted_model_serves_whatever_the_settings_name() -> None:
    assert PROMOTED.serving(THREE) == TWO
    assert ModelNote(active=TWO, previous=ONE).kept(THREE) == (TWO, ONE)


@pytest.mark.parametrize(("given", "name"), [("2", TWO), ("fashion/2", TWO), ("shoes/4", "shoes/4")])
def test_people_may_name_a_model_by_its_version(given: str, name: str) -> None:
    assert full_name(given, ONE) == name


@pytest.mark.parametrize("given", ["", "0", "two", "fashion", "fashion/0", "fashion/2/3", "../2", "²"])
def test_what_names_no_model_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="is not a model id"):
        full_name(given, ONE)


@pytest.mark.parametrize(
    ("note", "written"),
    [
        (ModelNote(), (ONE, None)),
        (PREPARING, (ONE, TWO)),
        (PROMOTED, (TWO, ONE)),
        (ModelNote(candidate=ONE), (ONE, None)),  # the settings name the candidate by now
    ],
)
def test_products_are_written_with_the_vectors_of_the_models_that_are_kept(
    note: ModelNote, written: tuple[str, str | None]
) -> None:
    assert note.written(FIRST) == written
