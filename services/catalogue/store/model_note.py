"""Which models a catalogue has vectors of: the one that searches use, and at most one beside it. One note says so.

A candidate stands beside the active model while its vectors are computed; once it is promoted, the model before it stands
there, so that it can be gone back to. Whoever writes a product writes the vectors of both.
"""

from dataclasses import dataclass, replace

from services.contracts.domain.manifest import split_model_id


class ModelChangeRefused(Exception):
    """A step of a change of models that cannot be taken. The text says why, and what to do first."""


@dataclass(frozen=True)
class ModelNote:
    """The models of a catalogue, by their names.

    Attributes:
        active: the one that was promoted; None for the one that the services' settings name.
        candidate: the one that is being prepared.
        previous: the one that a rollback goes back to.
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
        """Return the models that every product is to have vectors of, the one that searches use first."""
        serving = self.serving(first)
        return (serving,) if self.secondary in (None, serving) else (serving, str(self.secondary))

    def written(self, first: str) -> tuple[str, str | None]:
        """Return the model that searches use, and the secondary one whose vectors are written as well, if there is one."""
        serving, *others = self.kept(first)
        return serving, others[0] if others else None

    def preparing(self, model: str, first: str) -> "ModelNote":
        """Return the note with a model as candidate, unless it is one of the kept ones already.

        Raises:
            ModelChangeRefused: another one stands beside the active model.
        """
        if model in self.kept(first):
            return self
        if self.secondary is not None:
            role = "the candidate" if self.candidate else "kept for a rollback"
            raise ModelChangeRefused(
                f"{self.secondary} is {role}: give it up first, with lookalike forget-model {short(self.secondary)}"
            )
        return replace(self, candidate=model)

    def promoted(self, model: str, first: str) -> "ModelNote":
        """Return the note with the candidate as the active model.

        Raises:
            ModelChangeRefused: it is not the candidate.
        """
        if model == self.serving(first):
            raise ModelChangeRefused(f"{model} is the active model already")
        if model == self.previous:
            raise ModelChangeRefused(f"{model} is the previous model: lookalike rollback goes back to it")
        if model != self.candidate:
            raise ModelChangeRefused(
                f"{model} has not been prepared: run lookalike reembed --model {short(model)} first"
            )
        return ModelNote(active=model, previous=self.serving(first))

    def rolled_back(self) -> "ModelNote":
        """Return the note with the previous model as the active one; the other can be promoted again.

        Raises:
            ModelChangeRefused: there is none.
        """
        if self.previous is None:
            raise ModelChangeRefused(
                "there is no previous model to go back to: none has been promoted, or it was forgotten"
            )
        return ModelNote(active=self.previous, candidate=self.active)

    def without(self, model: str, first: str) -> "ModelNote":
        """Return the note without a model that stands beside the active one.

        Raises:
            ModelChangeRefused: it is the active one.
        """
        if model == self.serving(first):
            raise ModelChangeRefused(f"{model} is the active model: promote another one, or roll back, first")
        if model not in (self.candidate, self.previous):
            return self
        return ModelNote(active=self.active)


def full_name(given: str, like: str) -> str:
    """Return a model's name as people give it, `2` or `fashion/2`; `like` is a model whose name the short form means.

    Raises:
        ValueError: it names no model.
    """
    text = f"{split_model_id(like)[0]}/{given}" if given.isascii() and given.isdigit() else given
    split_model_id(text)
    return text


def short(model: str) -> str:
    """Return a model's version, by which commands name it."""
    return model.rpartition("/")[2]
