"""The note of the models that a catalogue has vectors of: the active one, which searches use, and at most one other.

The other one is a candidate while its vectors are computed. After its promotion, the previously active model is kept
for a rollback. Writers of products write the vectors of both.
"""

from dataclasses import dataclass, replace

from services.contracts.domain.manifest import split_model_id


class ModelSwitchRefused(Exception):
    """A step of a model switch is not possible. The text says why, and what to do first."""


@dataclass(frozen=True)
class ModelNote:
    """The models of a catalogue, by their names.

    Attributes:
        active: the promoted model; None for the one of the services' settings.
        candidate: the model that is being prepared.
        previous: the model that a rollback returns to.
    """

    active: str | None = None
    candidate: str | None = None
    previous: str | None = None

    @property
    def secondary(self) -> str | None:
        """The model that is kept in addition to the active one, if there is one."""
        return self.candidate or self.previous

    def serving(self, first: str) -> str:
        """Return the model that searches use; `first` is that of the settings."""
        return self.active or first

    def kept(self, first: str) -> tuple[str, ...]:
        """Return the models whose vectors every product should have, the one that searches use first."""
        serving = self.serving(first)
        return (serving,) if self.secondary in (None, serving) else (serving, str(self.secondary))

    def written(self, first: str) -> tuple[str, str | None]:
        """Return the model that searches use, and the secondary one whose vectors are written as well, if there
        is one.
        """
        serving, *others = self.kept(first)
        return serving, others[0] if others else None

    def preparing(self, model: str, first: str) -> "ModelNote":
        """Return the note with a model as candidate, unless it has a role already.

        Raises:
            ModelSwitchRefused: another model is the candidate or the previous one.
        """
        if model in self.kept(first):
            return self
        if self.secondary is not None:
            role = "the candidate" if self.candidate else "kept for a rollback"
            raise ModelSwitchRefused(
                f"{self.secondary} is {role}: give it up first, with lookalike forget-model {short(self.secondary)}"
            )
        return replace(self, candidate=model)

    def promoted(self, model: str, first: str) -> "ModelNote":
        """Return the note with the candidate as the active model.

        Raises:
            ModelSwitchRefused: it is not the candidate.
        """
        if model == self.serving(first):
            raise ModelSwitchRefused(f"{model} is the active model already")
        if model == self.previous:
            raise ModelSwitchRefused(f"{model} is the previous model: lookalike rollback goes back to it")
        if model != self.candidate:
            raise ModelSwitchRefused(
                f"{model} has not been prepared: run lookalike reembed --model {short(model)} first"
            )
        return ModelNote(active=model, previous=self.serving(first))

    def rolled_back(self) -> "ModelNote":
        """Return the note with the previous model as the active one; the other can be promoted again.

        Raises:
            ModelSwitchRefused: there is none.
        """
        if self.previous is None:
            raise ModelSwitchRefused(
                "there is no previous model to go back to: none has been promoted, or it was forgotten"
            )
        return ModelNote(active=self.previous, candidate=self.active)

    def without(self, model: str, first: str) -> "ModelNote":
        """Return the note without a candidate or a previous model.

        Raises:
            ModelSwitchRefused: it is the active one.
        """
        if model == self.serving(first):
            raise ModelSwitchRefused(f"{model} is the active model: promote another one, or roll back, first")
        if model not in (self.candidate, self.previous):
            return self
        return ModelNote(active=self.active)


def full_name(name: str, like: str) -> str:
    """Return the full name of a model given as `2` or `fashion/2`.

    Args:
        name: the name, or a version only.
        like: a model of the same name, for the short form.

    Raises:
        ValueError: it is not a model's name.
    """
    text = f"{split_model_id(like)[0]}/{name}" if name.isascii() and name.isdigit() else name
    split_model_id(text)
    return text


def short(model: str) -> str:
    """Return a model's version, the short form in commands."""
    return model.rpartition("/")[2]
